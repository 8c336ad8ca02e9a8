//! A server whose every text has in it what terminals obey, and what each command prints of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// Clears a screen, sets its title, in two ways; then whatever turns letters round (`Bidi_Control`),
/// what nobody sees, and a line that no server wrote.
const OBEYED: &str = "a\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}2J\u{7f}\u{8}\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\
    \u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{e0041}\u{feff}b\u{85}";

/// All that does one of these.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The controls of both sets (C0 and C1), and those of above.
fn all_obeyed() -> String {
    let whole = ('\0'..='\u{9f}').filter(|c| c.is_control() && *c != '\n');
    OBEYED.chars().chain(whole).collect()
}

fn start() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // who hung up gets no answer
            let _ = answer(stream);
        }
    });
    port
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut first) = (0, String::new());
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or_default(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let obeyed = &*all_obeyed();
    let schema = json!({"type": obeyed, obeyed: {"$ref": obeyed}});
    let item = json!({"name": obeyed, "description": obeyed, "uri": obeyed, "inputSchema": schema});
    let info = json!({"name": obeyed, "version": obeyed});
    let mut result = json!({
        "resultType": "complete", "protocolVersion": "2025-06-18", "supportedVersions": ["2026-07-28"],
        "serverInfo": info, "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
        "tools": [item], "resources": [item], "resourceTemplates": [item], "prompts": [item],
        "content": [{"type": "text", "text": obeyed}], "instructions": obeyed,
        "structuredContent": {obeyed: obeyed}, "ttlMs": 0, "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": info},
    });
    if first.contains("/text") {
        result
            .as_object_mut()
            .expect("an object")
            .remove("structuredContent");
    }
    let error = json!({"code": -32000, "message": obeyed, "data": obeyed});
    let (status, kind, body) = if first.contains("/page") {
        (500, "text/html", obeyed.to_owned())
    } else if first.contains("/error") {
        let error = json!({"jsonrpc": "2.0", "id": message["id"], "error": error});
        (200, "application/json", error.to_string())
    } else {
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        (200, "application/json", answer.to_string())
    };
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         www-authenticate: Bearer error=\"\u{9b}2J\u{202e}\"\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn nothing_that_a_server_says_is_obeyed_by_a_terminal() {
    let port = start();
    let mut shown = 0;
    for path in ["mcp", "text", "error", "page"] {
        let url = format!("http://127.0.0.1:{port}/{path}");
        for arguments in [
            vec!["inspect", &url],
            vec!["inspect", &url, "tools"],
            vec!["inspect", &url, "call", "x"],
            vec!["inspect", &url, "read", "x:y"],
            vec!["inspect", &url, "prompt", "x"],
            vec!["doctor", &url],
            vec!["doctor", &url, "--json"],
            vec!["bench", &url, "x", "--seconds", "1", "--connections", "1"],
        ] {
            let output = crate::run(&arguments);
            let said = crate::out(&output) + &crate::err(&output);
            let obeyed = said.chars().find(|c| is_obeyed(*c));
            assert_eq!(obeyed, None, "{arguments:?}: {said:?}");
            shown += usize::from(said.contains("[2J"));
        }
    }
    // and the texts are among what is printed
    assert!(shown > 5, "{shown}");
}
