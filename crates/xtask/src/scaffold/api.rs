//! An HTTP API that answers whoever has its key, and refuses others.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::report::{Result, While};

pub(super) const KEY: &str = "k-scaffold";
pub(super) const ANSWER: &str = "{\"id\":\"a1\"}";

/// Listens until this process ends.
pub(super) struct Api {
    pub(super) url: String,
}

impl Api {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).while_doing("find a free port")?;
        let address = listener.local_addr().while_doing("find a free port")?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // who hung up gets no answer
                let _ = answer(stream);
            }
        });
        Ok(Self {
            url: format!("http://{address}"),
        })
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut allowed = false;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or_default();
        allowed |= name.eq_ignore_ascii_case("authorization") && value == format!("Bearer {KEY}");
    }
    let (status, body) = if allowed && first.starts_with("GET /items/a1 ") {
        ("200 OK", ANSWER)
    } else {
        ("401 Unauthorized", "")
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
