//! One POST to this machine: the lines of its answer, each with the time at which it was whole, and
//! a limit on all of it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::report::{Error, Result, While};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Of head and body.
    lines: Vec<(Duration, String)>,
}

impl Answer {
    /// The events of a stream, and when each came.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Duration, &str)> {
        self.lines
            .iter()
            .filter_map(|(at, line)| Some((*at, line.strip_prefix("data: ")?)))
    }

    /// The one line of the body: a document, or else the words themselves.
    pub(crate) fn body(&self) -> Value {
        let lines = || self.lines.iter().rev().map(|(_, line)| line.as_str());
        let document =
            lines().find_map(|line| serde_json::from_str(line).ok().filter(Value::is_object));
        document.unwrap_or_else(|| lines().next().unwrap_or_default().into())
    }
}

/// A call of a tool that is told of progress.
pub(crate) fn call(tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": {"progressToken": "t"}}})
}

/// Sends a body and reads the answer to its end.
pub(crate) fn post(address: SocketAddr, path: &str, body: &str, limit: Duration) -> Result<Answer> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, limit)
        .while_doing(format_args!("connect to {address}"))?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .while_doing(format_args!("send a request to {address}"))?;
    let mut lines = Vec::new();
    let (mut rest, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        let late = || {
            Error::new(format!(
                "{address} did not answer within {limit:?}; so far: {lines:?}"
            ))
        };
        if left.is_zero() {
            return Err(late());
        }
        stream
            .set_read_timeout(Some(left))
            .while_doing("limit the time for an answer")?;
        let read = match stream.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(late());
            }
            read => read.while_doing(format_args!("read the answer of {address}"))?,
        };
        rest.extend_from_slice(&buffer[..read]);
        while let Some(end) = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .or((read == 0 && !rest.is_empty()).then(|| rest.len() - 1))
        {
            let line: Vec<u8> = rest.drain(..=end).collect();
            lines.push((
                begun.elapsed(),
                String::from_utf8_lossy(&line).trim_end().to_owned(),
            ));
        }
        if read == 0 {
            break;
        }
    }
    let status = lines
        .first()
        .and_then(|(_, line)| line.split(' ').nth(1)?.parse().ok());
    status
        .map(|status| Answer { status, lines })
        .ok_or_else(|| Error::new(format!("{address} closed the connection and said nothing")))
}
