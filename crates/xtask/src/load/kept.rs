//! A connection that is kept: one request after the other over it, as a proxy or a client library sends
//! them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::report::{Error, Result, While};

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) struct KeptConnection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    /// The last answer said that it is the last one.
    ended: bool,
}

impl KeptConnection {
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT).while_doing("connect")?;
        stream.set_nodelay(true).while_doing("prepare a socket")?;
        let limited = stream.set_read_timeout(Some(LIMIT));
        limited.while_doing("prepare a socket")?;
        let stream = BufReader::with_capacity(1024, stream);
        Ok(Self {
            address,
            stream,
            ended: false,
        })
    }

    /// Sends a message and does not wait for its answer.
    pub(super) fn send(&mut self, body: &str) -> Result<()> {
        if self.ended {
            // nginx does so after a thousand requests
            *self = Self::open(self.address)?;
        }
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let sent = self.stream.get_mut().write_all(request.as_bytes());
        sent.while_doing("send a request")
    }

    /// The status and the body of the next answer, which ends with its length or its last chunk.
    pub(super) fn receive(&mut self) -> Result<(u16, String)> {
        let head = self.line()?;
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status = status.ok_or_else(|| Error::new(format!("no status: {head:?}")))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let field = self.line()?.to_ascii_lowercase();
            if field.is_empty() {
                break;
            }
            if let Some(text) = field.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap_or(0);
            }
            self.ended |= field.starts_with("connection:") && field.contains("close");
            chunked |= field.starts_with("transfer-encoding:") && field.contains("chunked");
        }
        let mut body = Vec::new();
        loop {
            if chunked {
                length = usize::from_str_radix(self.line()?.trim(), 16).unwrap_or(0);
            }
            let begin = body.len();
            body.resize(begin + length, 0);
            let read = self.stream.read_exact(&mut body[begin..]);
            read.while_doing("read an answer")?;
            if !chunked {
                break;
            }
            self.line()?;
            if length == 0 {
                break;
            }
        }
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        match read.while_doing("read an answer")? {
            0 => Err(Error::new("the connection ended before an answer")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}
