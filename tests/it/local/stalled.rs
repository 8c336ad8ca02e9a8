//! Bodies that do not come: chunks that never end, a chunk that was promised, a length that is
//! longer than the body, drops one by one. None is waited for without end, and no number of them
//! keeps others out.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use mcpfn_http::Config;
use serde_json::{Value, json};

use crate::support::Request;
use crate::support::in_process::InProcess;
use crate::support::process::Process;
use crate::support::socket::send;
use crate::support::time::{Time, block_on};

/// More than the connections that the local host keeps.
const MANY: usize = 1_200;

/// Beginnings of requests, each of which promises more than it has.
const STALLED: [&str; 5] = [
    "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    "POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
    "POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{",
    "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: app",
    "",
];

fn stall(address: SocketAddr, beginning: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection is accepted");
    stream
        .write_all(beginning.as_bytes())
        .expect("the server reads");
    stream
}

fn health() -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    request.path = "/health".to_owned();
    request
}

/// Many of them. Others are answered all the time: that also keeps the operating system's queue of
/// new connections short, which would refuse some for a second.
fn stall_many(address: SocketAddr, beginning: &str) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    while stalled.len() < MANY {
        stalled.extend((0..60).map(|_| stall(address, beginning)));
        // `send` gives up after some seconds
        let status = send(address, &health()).status;
        assert_eq!(status, 200, "{beginning:?}, {}", stalled.len());
    }
    stalled
}

#[test]
fn no_number_of_stalled_requests_keeps_others_out() {
    let call = Request::modern("tools/call", json!({"name": "test_simple_text"}));
    for beginning in STALLED {
        let (_process, address) = Process::http();
        let stalled = stall_many(address, beginning);
        assert_eq!(send(address, &call).status, 200, "{beginning:?}");
        drop(stalled);
    }
}

#[test]
fn a_call_at_work_keeps_its_place() {
    let (_process, address) = Process::http();
    let slow = Request::modern(
        "tools/call",
        json!({"name": "test_slow", "arguments": {"milliseconds": 60_000}}),
    );
    // it is stopped by its own limit, after a quarter of a second
    let answer = std::thread::scope(|scope| {
        let call = scope.spawn(|| send(address, &slow));
        let stalled = stall_many(address, STALLED[0]);
        let answer = call.join().expect("the call is answered");
        drop(stalled);
        answer
    });
    assert_eq!(answer.json()["result"]["isError"], true);
}

/// A body under a test's time: pieces with pauses between them, and an end that may never come.
struct Drip {
    time: Time,
    piece: Option<Bytes>,
    every: Duration,
    left: usize,
    pause: Option<mcpfn::handler::BoxFuture<'static, ()>>,
}

impl Body for Drip {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        use mcpfn::port::Timer as _;
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let (time, every) = (self.time.clone(), self.every);
        let pause = self.pause.get_or_insert_with(|| time.sleep(every));
        std::task::ready!(pause.as_mut().poll(cx));
        self.pause = None;
        self.left -= 1;
        match &self.piece {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece.clone())))),
            None => self.poll_frame(cx),
        }
    }
}

/// Status, sentence and the milliseconds that an answer took.
fn answered(piece: &str, every: Duration, pieces: usize) -> (u16, String, u64) {
    answered_to(&Request::post(""), piece, every, pieces)
}

fn answered_to(
    request: &Request,
    piece: &str,
    every: Duration,
    pieces: usize,
) -> (u16, String, u64) {
    let host = InProcess::with_config(mcpfn_it::everything, Config::loopback());
    let request = host.to_http(request).map(|_| Drip {
        time: host.time.clone(),
        piece: (!piece.is_empty()).then(|| Bytes::copy_from_slice(piece.as_bytes())),
        every,
        left: pieces,
        pause: None,
    });
    let response = block_on(&host.time, async {
        let response = host
            .service
            .call(request, &Arc::clone(&host.platform))
            .await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("our bodies do not fail");
        (parts.status.as_u16(), body.to_bytes())
    });
    let body: Value = serde_json::from_slice(&response.1).expect("JSON");
    let message = body["error"]["message"].as_str().unwrap_or_default();
    (response.0, message.to_owned(), host.time.elapsed_ms())
}

#[test]
fn a_body_has_thirty_seconds_in_all() {
    let second = Duration::from_secs(1);
    for (piece, every, pieces) in [
        ("", Duration::from_secs(3600), 1),
        (" ", Duration::from_secs(3600), 2),
        // drops that come in time each
        (" ", second, 3_600),
        (" ", Duration::from_millis(1), 1_000_000),
    ] {
        let (status, message, elapsed_ms) = answered(piece, every, pieces);
        assert_eq!((status, elapsed_ms), (408, 30_000), "{piece:?} {every:?}");
        assert!(message.contains("within 30 s"), "{message}");
    }
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    assert_eq!(answered(ping, 29 * second, 1).0, 200, "slow, and there");
}

#[test]
fn a_body_that_nobody_wants_is_waited_for_for_two_seconds() {
    let refused = [("host", "evil.example"), ("origin", "https://evil.example")];
    for (name, value) in refused {
        let request = Request::post("").header(name, value);
        for (every_ms, pieces, elapsed_ms) in [
            (3_600_000, 1, 2_000),
            (1_000, 3_600, 2_000),
            (1, 1_000_000, 2_000),
            (1, 500, 500),
        ] {
            let every = Duration::from_millis(every_ms);
            let (status, _, elapsed) = answered_to(&request, " ", every, pieces);
            assert_eq!((status, elapsed), (403, elapsed_ms), "{every:?} {pieces}");
        }
    }
}
