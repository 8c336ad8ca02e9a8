//! A bucket on an emulator of S3: made, and opened as a server opens it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use mcpfn_aws::AccessKeys;
use mcpfn_core::port::{HttpClient as _, HttpRequest};
use mcpfn_files::S3;
use mcpfn_native::Client;

/// What emulators that check signatures are told; `cargo xtask stores` does so.
pub const ID: &str = "hunter1";
/// The secret, which no error may show.
pub const SECRET: &str = "hunter2";

const REGION: &str = "eu-west-1";

/// Makes a bucket. Panics where the emulator refuses.
pub async fn create(emulator: SocketAddr, name: &str) {
    let configuration = format!(
        "<CreateBucketConfiguration \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    );
    let mut request = HttpRequest::post(
        format!("http://{emulator}/{name}"),
        "application/xml",
        configuration,
    );
    request.method = "PUT";
    let keys = AccessKeys {
        id: ID.to_owned(),
        secret: SECRET.to_owned(),
        session: None,
    };
    let request = mcpfn_aws::sign(request, "s3", REGION, &keys, SystemTime::now())
        .expect("a request that can be signed");
    let answer = Client::new()
        .send(request)
        .await
        .expect("the emulator answers");
    assert_eq!(
        answer.status,
        200,
        "the emulator made no bucket: {}",
        String::from_utf8_lossy(&answer.body)
    );
}

/// What a URL such as `s3://BUCKET/PREFIX` names there.
#[must_use]
pub fn at(emulator: SocketAddr, url: &str, secret: &str) -> S3 {
    let variable = |name: &str| -> Option<OsString> {
        match name {
            "AWS_REGION" => Some(REGION.into()),
            "AWS_ACCESS_KEY_ID" => Some(ID.into()),
            "AWS_SECRET_ACCESS_KEY" => Some(secret.into()),
            "AWS_ENDPOINT_URL_S3" => Some(format!("http://{emulator}").into()),
            _ => None,
        }
    };
    S3::open("MCPFN_FILES_ROOT", url, variable, Arc::new(Client::new()))
        .expect("settings that can be used")
}
