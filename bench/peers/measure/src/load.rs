//! A client that costs little: requests are bytes made beforehand, connections stay open, and of an
//! answer only its status and its length are looked at. So the server is the slower side, and its
//! speed is what is measured.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEAD_END: &[u8] = b"\r\n\r\n";
/// Ends a chunked body. No JSON has these bytes in it.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// One request and its answer, of which the head and the body as sent are given back.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<(&[u8], &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut wanted = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::other(
                    "the server closed the connection before its answer's \
                    end",
                ));
            }
            wanted = wanted.or_else(|| expected(&self.buffer));
            let there = match &wanted {
                None => false,
                Some((head, Some(length))) => self.buffer.len() >= head + length,
                Some((_, None)) => self.buffer.ends_with(LAST_CHUNK),
            };
            if let (true, Some((head, _))) = (there, wanted) {
                let (head, body) = self.buffer.split_at(head);
                if !head.starts_with(b"HTTP/1.1 200") {
                    return Err(io::Error::other(
                        String::from_utf8_lossy(&self.buffer).into_owned(),
                    ));
                }
                return Ok((head, body));
            }
        }
    }

    /// Sends a request and leaves its answer to [`Self::more`].
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.stream.write_all(request).await
    }

    /// Waits for more of an answer: all that came so far, and whether that is the end of a chunked
    /// body.
    pub(crate) async fn more(&mut self) -> io::Result<(&[u8], bool)> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::Error::other(
                "the server closed the connection before its answer's \
                end",
            ));
        }
        Ok((&self.buffer, self.buffer.ends_with(LAST_CHUNK)))
    }
}

/// Bytes of the head, and of the body unless it comes in chunks.
fn expected(answer: &[u8]) -> Option<(usize, Option<usize>)> {
    let head = answer
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)?
        + HEAD_END.len();
    let lines = answer[..head].split(|byte| *byte == b'\n');
    let mut length = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        name.eq_ignore_ascii_case(b"content-length:")
            .then(|| std::str::from_utf8(value).ok()?.trim().parse().ok())?
    });
    Some((head, length.next_back()))
}

/// What a turn of load found.
pub(crate) struct Turn {
    pub(crate) elapsed: Duration,
    /// Of every call, in microseconds.
    pub(crate) latencies: Vec<f64>,
}

impl Turn {
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// When a turn is over.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Duration),
    /// Calls of each connection.
    Calls(usize),
}

/// The same request over every connection, one after the other on each.
pub(crate) async fn turn(
    connections: &mut Vec<Connection>,
    request: &[u8],
    until: Until,
) -> io::Result<Turn> {
    let request: std::sync::Arc<[u8]> = request.into();
    let begun = Instant::now();
    let tasks: Vec<_> = connections
        .drain(..)
        .map(|connection| tokio::spawn(repeat(connection, request.clone(), begun, until)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        let (connection, took) = task.await.map_err(io::Error::other)??;
        connections.push(connection);
        latencies.extend(took);
    }
    Ok(Turn {
        elapsed: begun.elapsed(),
        latencies,
    })
}

async fn repeat(
    mut connection: Connection,
    request: std::sync::Arc<[u8]>,
    begun: Instant,
    until: Until,
) -> io::Result<(Connection, Vec<f64>)> {
    let mut took = Vec::with_capacity(4096);
    let mut before = begun;
    loop {
        let over = match until {
            Until::Time(time) => before - begun >= time,
            Until::Calls(calls) => took.len() >= calls,
        };
        if over {
            return Ok((connection, took));
        }
        connection.ask(&request).await?;
        let now = Instant::now();
        took.push((now - before).as_secs_f64() * 1e6);
        before = now;
    }
}
