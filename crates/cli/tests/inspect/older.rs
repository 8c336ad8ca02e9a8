//! A server of 2025-06-18 with a session, which refuses what it does not know.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// Serves until the test ends; its endpoint.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // who hung up gets no answer
            let _ = answer(stream);
        }
    });
    format!("http://127.0.0.1:{port}/mcp")
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut session) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or_default(),
            Some(("mcp-session-id", value)) => value.clone_into(&mut session),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default();
    let (status, body) = match (method, session.as_str()) {
        ("initialize", _) => {
            let server = json!({"name": "older", "version": "0.1"});
            let result = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": server});
            (
                200,
                json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string(),
            )
        }
        ("notifications/initialized", "s") => (202, String::new()),
        ("tools/call", "s") => {
            let result = json!({"content": [{"type": "text", "text": "from before"}]});
            (
                200,
                json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string(),
            )
        }
        (_, "s") => {
            let error = json!({"code": -32601, "message": "unknown"});
            (
                200,
                json!({"jsonrpc": "2.0", "id": message["id"], "error": error}).to_string(),
            )
        }
        _ => (400, "no session".to_owned()),
    };
    let kind = if body.starts_with('{') {
        "application/json"
    } else {
        "text/plain"
    };
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nmcp-session-id: s\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
