//! A table on an emulator: made, and its address as settings. The key is the one of template.yaml.

use std::net::SocketAddr;
use std::time::Duration;

use mcpfn_lambda::dynamodb::{AccessKeys, AwsAccount, Table};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A secret that no error may show.
pub const SECRET: &str = "hunter2";

/// Makes the table. Panics where the emulator refuses.
pub async fn create(emulator: SocketAddr, name: &str) {
    let body = format!(
        r#"{{"TableName":"{name}","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"sk","AttributeType":"S"}}],
        "KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},{{"AttributeName":"sk","KeyType":"RANGE"}}]}}"#
    );
    let request = format!(
        "POST / HTTP/1.0\r\nhost: {emulator}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: DynamoDB_20120810.CreateTable\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n\
         x-amz-date: 20260101T000000Z\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(emulator)
        .await
        .expect("the emulator listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the emulator reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("the emulator answers");
    let status = answer.split(' ').nth(1);
    assert_eq!(status, Some("200"), "the emulator made no table: {answer}");
}

/// Settings for a table behind this address.
#[must_use]
pub fn at(address: SocketAddr, name: &str) -> Table {
    Table {
        name: name.to_owned(),
        endpoint: Some(format!("http://{address}")),
        account: AwsAccount::new(
            "eu-west-1",
            AccessKeys {
                id: "test".to_owned(),
                secret: SECRET.to_owned(),
                session: Some(SECRET.to_owned()),
            },
        ),
        timeout: Duration::from_millis(250),
        idle: Duration::from_secs(60),
    }
}
