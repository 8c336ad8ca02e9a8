//! Documents and tokens, asked for without any credentials in headers.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::Value;

use crate::http::{Http, endpoint, whole};
use crate::output::CliError;

/// How long a document or a token may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks for a document; with a body, posts that.
pub(super) async fn ask(
    http: &Http,
    url: &str,
    body: Option<(&'static str, Bytes)>,
) -> Result<Value, CliError> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = endpoint(url)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some((kind, body)) = body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *request.method_mut() = Method::POST;
        *request.body_mut() = Full::new(body);
    }
    let asked = async {
        let response = http.send(request).await.map_err(|lost| lost.cause)?;
        whole(response.into_body()).await
    };
    let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
    let body = tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(late);
    let body = body.map_err(|why| format!("{url} can't be asked: {why}"))?;
    // an error is a document too; what is none has none of the members that are looked for
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}
