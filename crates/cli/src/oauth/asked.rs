//! Documents and tokens, asked for without any credentials in headers.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::Value;

use crate::http::{Http, at_most, endpoint};
use crate::output::CliError;

/// How long a document or a token may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a document or an answer with tokens.
pub(super) const MAX_DOCUMENT: usize = 256 * 1024;

/// Asks for a document. Null where there is none: redirects and errors are no documents.
pub(super) async fn document(http: &Http, url: &str) -> Result<Value, CliError> {
    let (good, value) = ask(http, url, None, PATIENCE).await?;
    Ok(if good { value } else { Value::Null })
}

/// Posts a body, and reads the answer, which may be an error. What is no JSON is null.
pub(super) async fn post(
    http: &Http,
    url: &str,
    kind: &'static str,
    body: Bytes,
) -> Result<Value, CliError> {
    let (_, value) = ask(http, url, Some((kind, body)), PATIENCE).await?;
    Ok(value)
}

/// Whether the answer is a success, and what is in it.
async fn ask(
    http: &Http,
    url: &str,
    body: Option<(&'static str, Bytes)>,
    patience: Duration,
) -> Result<(bool, Value), CliError> {
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
        let good = response.status().is_success();
        let body = at_most(MAX_DOCUMENT, response.into_body()).await?;
        Ok((good, serde_json::from_slice(&body).unwrap_or_default()))
    };
    let late = |_| Err(format!("no answer within {} s", patience.as_secs()));
    let answer = tokio::time::timeout(patience, asked)
        .await
        .unwrap_or_else(late);
    answer.map_err(|why| format!("{url} can't be asked: {why}").into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// Sends pieces until nobody hears them.
    fn endless(piece: &'static [u8], pause: Duration) -> String {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
                let mut sent = stream.write_all(head);
                while sent.is_ok() {
                    sent = stream.write_all(piece);
                    std::thread::sleep(pause);
                }
            }
        });
        format!("http://{address}/")
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up() {
        let http = Http::new();
        let long = endless(&[b' '; 65_536], Duration::ZERO);
        let error = ask(&http, &long, None, PATIENCE).await.unwrap_err();
        assert!(error.0.contains("larger than 262144 bytes"), "{error}");
        let slow = endless(b" ", Duration::from_millis(5));
        let short = Duration::from_millis(100);
        let error = ask(&http, &slow, None, short).await.unwrap_err();
        assert!(error.0.contains("no answer within"), "{error}");
    }
}
