//! Questions to one server, and answers that are kept whole.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::arguments::Access;
use crate::credentials::RequestCredentials;
use crate::events::SseReader;
use crate::http::{Http, endpoint, whole};
use crate::output::CliError;
use crate::remote::{REVISION, REVISION_KEY};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Somebody who asks.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) url: Uri,
    http: Http,
    credentials: RequestCredentials,
    /// What the headers of the person at the terminal carry as a bearer token.
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct ProbeAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) took: Duration,
}

impl ProbeAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message in it: the body, or the last event of a stream.
    pub(crate) fn message(&self) -> Option<Value> {
        if self.is_stream() {
            let mut reader = SseReader::default();
            reader.take(&self.body).ok()?;
            let events = std::iter::from_fn(|| reader.next());
            return events
                .filter_map(|event| serde_json::from_str(&event.data).ok())
                .last();
        }
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn is_stream(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.starts_with("text/event-stream")
    }
}

impl Probe {
    pub(crate) fn new(url: &str, access: &Access) -> Result<Self, CliError> {
        let url = endpoint(url)?;
        let credentials = RequestCredentials::new(access, &url)?;
        let token = credentials.bearer();
        Ok(Self {
            url,
            http: Http::new(),
            credentials,
            token,
        })
    }

    /// A request of 2026-07-28.
    pub(crate) async fn modern(
        &self,
        method: &str,
        mut params: Value,
    ) -> Result<ProbeAnswer, String> {
        let client = json!({"name": "cargo-mcpfn", "version": env!("CARGO_PKG_VERSION")});
        params["_meta"] = json!({
            REVISION_KEY: REVISION,
            "io.modelcontextprotocol/clientInfo": client,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = [("mcp-protocol-version", REVISION), ("mcp-method", method)];
        self.post(&message, &headers).await
    }

    /// A message with these headers.
    pub(crate) async fn post(
        &self,
        message: &Value,
        headers: &[(&str, &str)],
    ) -> Result<ProbeAnswer, String> {
        let body = Bytes::from(message.to_string());
        let mut all = vec![
            (CONTENT_TYPE.as_str(), "application/json"),
            (ACCEPT.as_str(), "application/json, text/event-stream"),
        ];
        all.extend_from_slice(headers);
        self.ask(Method::POST, &self.url, &all, body, true).await
    }

    /// Any request. RequestCredentials go to the server that is examined, and nowhere else.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &Uri,
        headers: &[(&str, &str)],
        body: Bytes,
        with_credentials: bool,
    ) -> Result<ProbeAnswer, String> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        for (name, value) in headers {
            let name: HeaderName = name.parse().map_err(|_| format!("no header: {name}"))?;
            let value = HeaderValue::from_str(value).map_err(|_| format!("no value of {name}"))?;
            request.headers_mut().insert(name, value);
        }
        if with_credentials && url.authority() == self.url.authority() {
            self.credentials.add(&mut request, &body).await?;
        }
        let begun = Instant::now();
        let answered = async {
            let response = self.http.send(request).await.map_err(|lost| lost.cause)?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            // a stream that is opened by GET has no end
            let endless = status == 200 && headers.get(CONTENT_TYPE).is_some_and(is_event_stream);
            let body = if endless && body.is_empty() {
                Bytes::new()
            } else {
                whole(response.into_body()).await?
            };
            Ok(ProbeAnswer {
                status,
                headers,
                body,
                took: begun.elapsed(),
            })
        };
        tokio::time::timeout(PATIENCE, answered)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
    }

    /// Reads a document, without credentials.
    pub(crate) async fn document(&self, url: &str) -> Result<ProbeAnswer, String> {
        let url: Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
        let headers = [(ACCEPT.as_str(), "application/json")];
        self.ask(Method::GET, &url, &headers, Bytes::new(), false)
            .await
    }

    /// A URL with another path at the same server.
    pub(crate) fn beside(&self, path: &str) -> String {
        let scheme = self.url.scheme_str().unwrap_or("https");
        let authority = self.url.authority().map(ToString::to_string);
        format!("{scheme}://{}{path}", authority.unwrap_or_default())
    }
}

fn is_event_stream(value: &HeaderValue) -> bool {
    value.as_bytes().starts_with(b"text/event-stream")
}
