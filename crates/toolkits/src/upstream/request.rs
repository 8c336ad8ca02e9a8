//! A request to an upstream as it goes out, in either era: its metadata and its headers. Sends
//! nothing.

use std::time::Duration;

use mcpfn_core::host::Capability;
use mcpfn_core::jsonrpc::write_request;
use mcpfn_core::port::HttpRequest;
use mcpfn_core::{Cx, Revision};
use serde_json::{Map, Value, json};

/// A request to an upstream.
#[derive(Debug, Clone)]
pub(super) struct UpstreamRequest<'a> {
    pub(super) method: &'static str,
    /// The tool, prompt or URI, which a modern request repeats in a header.
    pub(super) target: Option<&'a str>,
    pub(super) params: Map<String, Value>,
    /// Arguments that are repeated in headers.
    pub(super) headers: Vec<(String, String)>,
    pub(super) within: Duration,
    pub(super) max_body: usize,
}

/// How an upstream is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UpstreamEra {
    /// Every request describes itself. Where nothing is known, this is tried.
    Modern,
    /// After a handshake.
    Legacy(UpstreamSession),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UpstreamSession {
    pub(super) id: Option<String>,
    pub(super) version: &'static str,
}

impl UpstreamSession {
    /// A request with the headers of the session.
    pub(super) fn request(&self, post: HttpRequest) -> HttpRequest {
        let post = post.header("mcp-protocol-version", self.version);
        match &self.id {
            Some(id) => post.header("mcp-session-id", id),
            None => post,
        }
    }
}

impl UpstreamRequest<'_> {
    /// The JSON-RPC message.
    pub(super) fn body(&self, cx: &Cx, era: &UpstreamEra, id: u64) -> Vec<u8> {
        let mut meta = Map::new();
        meta.insert("dev.mcpfn/hops".into(), (cx.hops() + 1).into());
        if cx.wants_progress() {
            meta.insert("progressToken".into(), id.into());
        }
        if *era == UpstreamEra::Modern {
            describe(&mut meta, cx);
        }
        let mut params = self.params.clone();
        params.insert("_meta".into(), meta.into());
        write_request(
            &id.to_string(),
            self.method,
            Value::Object(params).to_string().as_bytes(),
        )
    }

    /// Adds the headers that go with the message.
    pub(super) fn with_headers(
        &self,
        mut post: HttpRequest,
        cx: &Cx,
        era: &UpstreamEra,
    ) -> HttpRequest {
        if cx.wants_progress() {
            // what is compressed is not heard before its end
            post = post.header("accept-encoding", "identity");
        }
        match era {
            UpstreamEra::Modern => {
                post = post
                    .header("mcp-protocol-version", Revision::LATEST.as_str())
                    .header("mcp-method", self.method);
                if let Some(target) = self.target {
                    post = post.header("mcp-name", header_text(target));
                }
                self.headers
                    .iter()
                    .fold(post, |post, (name, value)| post.header(name, value))
            }
            UpstreamEra::Legacy(session) => session.request(post),
        }
    }
}

/// What a request without a handshake says about itself.
fn describe(meta: &mut Map<String, Value>, cx: &Cx) {
    let trace = cx.trace();
    for (key, value) in [
        ("traceparent", &trace.traceparent),
        ("tracestate", &trace.tracestate),
    ] {
        meta.extend(
            value
                .as_ref()
                .map(|value| (key.to_owned(), value.as_str().into())),
        );
    }
    // what a form asks is shown under the upstream's name; pages to open, samples and folders are
    // not passed on
    let asks = cx.can_ask(Capability::ElicitationForm);
    let capabilities = if asks {
        json!({"elicitation": {"form": {}}})
    } else {
        json!({})
    };
    meta.insert(
        "io.modelcontextprotocol/protocolVersion".into(),
        Revision::LATEST.as_str().into(),
    );
    meta.insert(
        "io.modelcontextprotocol/clientCapabilities".into(),
        capabilities,
    );
    let info = json!({"name": "mcpfn", "version": env!("CARGO_PKG_VERSION")});
    meta.insert("io.modelcontextprotocol/clientInfo".into(), info);
}

/// Text as a header can carry it: as it is, or by its Base64.
pub(super) fn header_text(text: &str) -> String {
    use base64::Engine as _;
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !text.starts_with("=?base64?");
    if plain && !text.is_empty() {
        text.to_owned()
    } else {
        format!(
            "=?base64?{}?=",
            base64::engine::general_purpose::STANDARD.encode(text)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_headers() {
        assert_eq!(header_text("create_issue"), "create_issue");
        assert_eq!(header_text("file:///a b"), "file:///a b");
        for (text, coded) in [
            ("Zürich", "=?base64?WsO8cmljaA==?="),
            (" a", "=?base64?IGE=?="),
            ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
            ("", "=?base64??="),
        ] {
            assert_eq!(header_text(text), coded, "{text}");
        }
    }
}
