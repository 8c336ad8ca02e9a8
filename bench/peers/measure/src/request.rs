//! The requests: bytes made once, as a client of 2026-07-28 sends them. Every contestant gets the
//! same ones.

use serde_json::{Value, json};

/// The text of an echo.
const TEXT: &str = "The quick brown fox jumps over the lazy dog.";

/// A tool with one argument, what it is given, and the text it answers.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    argument: &'static str,
    value: &'static str,
    pub(crate) answer: &'static str,
}

pub(crate) const ECHO: Tool = Tool {
    name: "echo",
    argument: "text",
    value: TEXT,
    answer: TEXT,
};
/// The tool of the Workers in tests/worker.
pub(crate) const GREET: Tool = Tool {
    name: "greet",
    argument: "name",
    value: "Alice",
    answer: "Hello, Alice!",
};

pub(crate) fn list(port: u16, cursor: Option<&str>) -> Vec<u8> {
    let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
    post(port, "tools/list", None, params)
}

pub(crate) fn call(
    port: u16,
    Tool {
        name,
        argument,
        value,
        ..
    }: &Tool,
) -> Vec<u8> {
    post(
        port,
        "tools/call",
        Some(name),
        json!({"name": name, "arguments": {(*argument): value}}),
    )
}

/// A call that asks to be told of its progress.
pub(crate) fn call_with_progress(port: u16, tool: &str, token: usize) -> Vec<u8> {
    post(
        port,
        "tools/call",
        Some(tool),
        json!({"name": tool, "arguments": {"text": TEXT}, "_meta": {"progressToken": token}}),
    )
}

fn post(port: u16, method: &str, tool: Option<&str>, mut params: Value) -> Vec<u8> {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    params["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({"name": "bench", "version": "1.0.0"});
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let name = tool
        .map(|tool| format!("mcp-name: {tool}\r\n"))
        .unwrap_or_default();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: bench/1.0.0\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{name}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
