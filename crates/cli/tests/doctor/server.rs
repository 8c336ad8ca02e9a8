//! A server that gives written answers, whatever it is asked. One connection for each answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::{Map, Value};

/// Serves until the test ends.
pub(crate) struct Server {
    pub(crate) port: u16,
}

impl Server {
    /// Answers by what is asked: a method of the protocol, a method of HTTP, or a path.
    pub(crate) fn start(answers: Map<String, Value>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let answers = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                // who hung up gets no answer
                thread::spawn(move || answer(stream, &answers, port).ok());
            }
        });
        Self { port }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn answer(mut stream: TcpStream, answers: &Map<String, Value>, port: u16) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut stranger) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.trim().to_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.parse().unwrap_or_default();
        }
        stranger |= lower == "origin: https://stranger.invalid";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut words = first.split(' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let key = match (path, method) {
        ("/mcp", "POST") if stranger => "stranger",
        ("/mcp", "POST") => message["method"].as_str().unwrap_or_default(),
        ("/mcp", other) => other,
        (path, _) => path,
    };
    let text = written(answers.get(key), &message, port);
    stream.write_all(text.as_bytes())
}

fn written(answer: Option<&Value>, message: &Value, port: u16) -> String {
    let nothing = serde_json::json!({"status": 404, "body": "nothing here"});
    let answer = answer.unwrap_or(&nothing);
    let mut kind = "text/plain";
    let body = match &answer["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        document => {
            kind = "application/json";
            let mut document = document.clone();
            if document["jsonrpc"] == "2.0" && document.get("id").is_none() {
                document["id"] = message["id"].clone();
            }
            document.to_string()
        }
    };
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", answer["status"]);
    let headers = answer["headers"].as_object();
    let has = |name: &str| headers.is_some_and(|headers| headers.contains_key(name));
    if !has("content-type") {
        head += &format!("content-type: {kind}\r\n");
    }
    for (name, value) in headers.into_iter().flatten() {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap_or_default());
    }
    let fill = |text: String| text.replace("{origin}", &format!("http://127.0.0.1:{port}"));
    let body = fill(body);
    format!("{}content-length: {}\r\n\r\n{body}", fill(head), body.len())
}
