//! What the tests share: hosts (an HTTP request in, a response out), servers to put behind them,
//! and the fixture runner.
//!
//! A new host is one more implementation of [`Host`] and one more line in [`hosts`]; every fixture
//! and every test that loops over the hosts then runs through it too.

pub(crate) mod eager;
pub(crate) mod fixture;
pub(crate) mod in_process;
pub(crate) mod invariants;
pub(crate) mod lambda;
pub(crate) mod matching;
pub(crate) mod mounted;
pub(crate) mod process;
pub(crate) mod reason;
pub(crate) mod runner;
pub(crate) mod servers;
pub(crate) mod socket;
pub(crate) mod stdio;
pub(crate) mod time;

use mcpfn::Builder;
use serde_json::{Value, json};

/// One HTTP request, as bytes that any host can be given.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// In order, and as often as they stand here.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Send the body in pieces, without saying how long it is.
    pub(crate) chunked: bool,
}

impl Request {
    /// A POST to the endpoint with the headers that every client sends.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        Self {
            method: "POST".to_owned(),
            path: "/mcp".to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.into(),
            chunked: false,
        }
    }

    /// A message as a well-behaved client of a revision sends it: envelope, `_meta` and headers
    /// where they are not given.
    pub(crate) fn from_client(revision: &str, mut message: Value) -> Self {
        complete(revision, &mut message);
        let mut request = Self::post(message.to_string());
        if revision != "2025-03-26" {
            // 2024-11-05 knew no such header either; it stands here because nothing else tells the
            // revision over HTTP
            request = request.header("mcp-protocol-version", revision);
        }
        if revision == "2026-07-28" {
            request = request.header("mcp-method", message["method"].as_str().unwrap_or_default());
            let target = match message["method"].as_str() {
                Some("tools/call" | "prompts/get") => message["params"]["name"].as_str(),
                Some("resources/read") => message["params"]["uri"].as_str(),
                _ => None,
            };
            if let Some(target) = target {
                request = request.header("mcp-name", &header_text(target));
            }
        }
        request
    }

    /// A request of 2026-07-28 with id 1.
    pub(crate) fn modern(method: &str, params: Value) -> Self {
        Self::from_client(
            "2026-07-28",
            json!({"id": 1, "method": method, "params": params}),
        )
    }

    /// Replaces a header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.without(name).and_header(name, value)
    }

    /// Adds a header, beside one of the same name.
    pub(crate) fn and_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The envelope and, for the revision without handshake, `_meta`.
pub(crate) fn complete(revision: &str, message: &mut Value) {
    let Some(members) = message.as_object_mut() else {
        return;
    };
    members.entry("jsonrpc").or_insert_with(|| "2.0".into());
    if revision == "2026-07-28" && members.contains_key("id") {
        let params = members.entry("params").or_insert_with(|| json!({}));
        let Some(params) = params.as_object_mut() else {
            return;
        };
        let meta = params.entry("_meta").or_insert_with(|| json!({}));
        let Some(meta) = meta.as_object_mut() else {
            return;
        };
        meta.entry("io.modelcontextprotocol/protocolVersion")
            .or_insert_with(|| revision.into());
        meta.entry("io.modelcontextprotocol/clientCapabilities")
            .or_insert_with(|| json!({}));
    }
}

/// A header value as clients write it: as it is, or as a Base64 sentinel.
fn header_text(value: &str) -> String {
    use base64::Engine as _;
    let plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && value.trim() == value
        && !value.starts_with("=?base64?");
    if plain {
        value.to_owned()
    } else {
        format!(
            "=?base64?{}?=",
            base64::engine::general_purpose::STANDARD.encode(value)
        )
    }
}

/// One HTTP response.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a body is UTF-8")
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }

    /// Every JSON document of the body: one, or one per event.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let text = self.text();
        if text.is_empty() {
            return Vec::new();
        }
        if !self.is_stream() {
            return vec![
                serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("the body is not JSON ({error}): {text}")),
            ];
        }
        let events = text
            .strip_suffix("\n\n")
            .unwrap_or_else(|| panic!("a stream ends with an empty line: {text}"));
        let read = |event: &str| {
            let data = event
                .strip_prefix("data: ")
                .unwrap_or_else(|| panic!("an event is one data line: {event}"));
            serde_json::from_str(data)
                .unwrap_or_else(|error| panic!("an event is not JSON ({error}): {data}"))
        };
        // a comment is a sign of life and no message
        events
            .split("\n\n")
            .filter(|event| !event.starts_with(':'))
            .map(read)
            .collect()
    }

    /// The one JSON document of the body, or the last event.
    pub(crate) fn json(&self) -> Value {
        self.messages().pop().expect("the body holds a message")
    }

    /// Code and message of the JSON-RPC error.
    pub(crate) fn error(&self) -> (i64, String) {
        let json = self.json();
        let code = json["error"]["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("not an error: {json}"));
        (
            code,
            json["error"]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

/// Something that takes an HTTP request to a server and brings the answer back.
pub(crate) trait Host {
    /// For messages of failed tests.
    fn name(&self) -> &'static str;

    /// Why a request can't reach the host at all: what stands in front of it has the first word.
    fn impossible(&self, _: &Request) -> Option<&'static str> {
        None
    }

    /// Answers one request, whole.
    fn send(&self, request: &Request) -> Response;
}

/// Every host, with a server behind it.
pub(crate) fn hosts(server: fn() -> Builder) -> Vec<Box<dyn Host>> {
    let lambda = |front| Box::new(lambda::Lambda::start(server, front)) as Box<dyn Host>;
    vec![
        Box::new(in_process::InProcess::new(server)),
        Box::new(socket::Local::start(server)),
        Box::new(mounted::Mounted::start(
            server,
            mounted::Mount::Nest("/tools"),
        )),
        lambda(lambda::Front::Url),
        lambda(lambda::Front::RestStreaming),
    ]
}

/// The host that most tests need: in this process, with time and randomness under control.
pub(crate) fn everything() -> in_process::InProcess {
    in_process::InProcess::new(mcpfn_it::everything)
}
