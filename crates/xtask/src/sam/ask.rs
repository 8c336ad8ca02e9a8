//! One MCP request over HTTP: as little of a client as the step needs, so that xtask needs no crate
//! for it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::report::{Error, Result, While};

const PATIENCE: Duration = Duration::from_secs(30);

/// Asks a server on this machine and gives the status and the document that it answered with.
pub(crate) fn ask(url: &str, method: &str, mut params: Value) -> Result<(u16, Value)> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "xtask", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"]
        .as_str()
        .map(|name| format!("mcp-name: {name}\r\n"))
        .unwrap_or_default();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let (address, path) =
        parts(url).ok_or_else(|| Error::new(format!("{url} is no address of this machine")))?;
    // HTTP/1.0: the answer comes in one piece and ends with the connection
    let request = format!(
        "POST {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{name}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream =
        TcpStream::connect(address).while_doing(format_args!("connect to {address}"))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .while_doing("limit the time for an answer")?;
    stream
        .write_all(request.as_bytes())
        .while_doing(format_args!("send {method}"))?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .while_doing(format_args!("read the answer to {method}"))?;
    read(&answer).ok_or_else(|| {
        Error::new(format!(
            "the answer to {method} is no JSON over HTTP:\n{answer}"
        ))
    })
}

fn parts(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    Some(rest.split_at(rest.find('/')?))
}

fn read(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_before_its_path() {
        assert_eq!(
            parts("http://127.0.0.1:1234/mcp"),
            Some(("127.0.0.1:1234", "/mcp"))
        );
        assert_eq!(parts("http://127.0.0.1:1234"), None);
        assert_eq!(parts("https://example.com/mcp"), None);
    }

    #[test]
    fn an_answer_is_its_status_and_its_document() {
        assert_eq!(
            read("HTTP/1.0 403 Forbidden\r\na: b\r\n\r\n{\"a\":1}"),
            Some((403, json!({"a": 1})))
        );
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\nnot json"), None);
        assert_eq!(read(""), None);
    }
}
