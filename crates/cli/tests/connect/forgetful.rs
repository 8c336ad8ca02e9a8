//! Servers with one fault each, of HTTP as far as it matters here.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

/// A request.
#[derive(Default)]
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    session: Option<String>,
    authorization: Option<String>,
    pub(crate) last_event: Option<String>,
    pub(crate) message: Value,
}

/// Answers each request by a function, on a connection of its own. Nothing cuts the connection.
pub(crate) fn serve(mut answer: impl FnMut(&Asked) -> Option<String> + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if let Ok(asked) = read(&stream)
                && let Some(text) = answer(&asked)
            {
                let _ = stream.write_all(text.as_bytes());
            }
        }
    });
    port
}

fn read(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut asked) = (0, Asked::default());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if asked.line.is_empty() {
            line.clone_into(&mut asked.line);
        }
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or_default(),
            Some(("mcp-session-id", value)) => asked.session = Some(value.to_owned()),
            Some(("last-event-id", value)) => asked.last_event = Some(value.to_owned()),
            Some(("authorization", value)) => asked.authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.message = serde_json::from_slice(&body).unwrap_or_default();
    Ok(asked)
}

pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Refuses everybody.
pub(crate) fn refusing() -> u16 {
    serve(|_| Some(http("401 Unauthorized", "www-authenticate: Bearer\r\n", "")))
}

/// Forgets its first session at once.
pub(crate) fn forgetting() -> u16 {
    let mut sessions = 0;
    serve(
        move |Asked {
                  session, message, ..
              }| {
            let id = &message["id"];
            if message["method"] == "initialize" {
                sessions += 1;
                let result = json!({"protocolVersion": "2025-06-18", "capabilities": {}});
                let body = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
                return Some(http(
                    "200 OK",
                    &format!("mcp-session-id: s-{sessions}\r\n"),
                    &body,
                ));
            }
            if session.as_deref() != Some("s-2") {
                return Some(http("404 Not Found", "", ""));
            }
            if id.is_null() {
                return Some(http("202 Accepted", "", ""));
            }
            let body = json!({"jsonrpc": "2.0", "id": id, "result": {"session": session}});
            Some(http("200 OK", "", &body.to_string()))
        },
    )
}

/// Answers, and says by which signature it was asked.
pub(crate) fn signed() -> (u16, Receiver<String>) {
    let (seen, signatures) = channel();
    let port = serve(move |asked| {
        let _ = seen.send(asked.authorization.clone().unwrap_or_default());
        let body = json!({"jsonrpc": "2.0", "id": asked.message["id"], "result": {}});
        Some(http("200 OK", "", &body.to_string()))
    });
    (port, signatures)
}

/// Hears calls, and hangs up.
pub(crate) fn cutting() -> (u16, Receiver<()>) {
    let (heard, calls) = channel();
    let port = serve(move |Asked { message, .. }| {
        if message["method"] == "tools/call" {
            let _ = heard.send(());
        }
        None
    });
    (port, calls)
}
