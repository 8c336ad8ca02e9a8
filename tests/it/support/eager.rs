//! A client that sends all it has before it reads, as most do, and keeps its connection. Whether a
//! refusal reaches it is asked of every host with a socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::process::PATIENCE;

pub(crate) const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
/// More than the buffers of a socket take, more than a body may have, and much more.
pub(crate) const SIZES: [usize; 3] = [1 << 20, 6 << 20, 24 << 20];

/// What is refused: its status, its request line and its headers.
pub(crate) type Refused = (u16, &'static str, &'static str);

/// A client that sends all it has before it reads, as most do.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn send(
        &mut self,
        line: &str,
        headers: &str,
        body: &[u8],
        chunked: bool,
    ) -> Result<(), String> {
        let framing = match chunked {
            true => "transfer-encoding: chunked".to_owned(),
            false => format!("content-length: {}", body.len()),
        };
        let mut bytes = format!("{line} HTTP/1.1\r\n{headers}\r\n{framing}\r\n\r\n").into_bytes();
        if chunked {
            for piece in body.chunks(100_000) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(body);
        }
        self.0
            .write_all(&bytes)
            .map_err(|error| format!("sending: {error}"))
    }

    /// One answer with a length: its head and its body.
    pub(crate) fn answer(&mut self) -> Result<(String, Vec<u8>), String> {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let head = received.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = head {
                let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse::<usize>().unwrap());
                if received.len() >= end + 4 + length {
                    return Ok((head, received.split_off(end + 4)));
                }
            }
            match self.0.read(&mut buffer) {
                Ok(0) => return Err("the connection was closed before an answer".to_owned()),
                Ok(read) => received.extend_from_slice(&buffer[..read]),
                Err(error) => return Err(format!("reading: {error}")),
            }
        }
    }

    pub(crate) fn status(&mut self) -> Result<u16, String> {
        let (head, _) = self.answer()?;
        Ok(head.split(' ').nth(1).unwrap().parse().unwrap())
    }
}

pub(crate) fn body(length: usize) -> Vec<u8> {
    let mut body = PING.as_bytes().to_vec();
    body.resize(length, b' ');
    body
}

/// Every refusal, in every size, declared or not; then another request on the same connection.
pub(crate) fn all_arrive(address: SocketAddr, refused: &[Refused], sizes: &[usize], good: &str) {
    let mut lost = Vec::new();
    for &(status, line, headers) in refused {
        for &length in sizes {
            for chunked in [false, true] {
                let mut client = Client::connect(address);
                let got = client
                    .send(line, headers, &body(length), chunked)
                    .and_then(|()| client.status())
                    .and_then(|refusal| {
                        client.send("POST /mcp", good, PING.as_bytes(), false)?;
                        Ok((refusal, client.status()?))
                    });
                if got != Ok((status, 200)) {
                    lost.push(format!("{line} {headers:?} {length} {chunked}: {got:?}"));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}
