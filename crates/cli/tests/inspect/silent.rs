//! Servers that give no whole answer, and never end: each request has its limit, also the last word
//! of a handshake.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Instant;

use crate::{PATIENCE, err, run};

/// Answers with this text, and leaves the connection open.
fn start(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            // the beginning of a request is enough, and who hung up gets no answer
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
            open.push(stream);
        }
    });
    format!("http://127.0.0.1:{port}/mcp")
}

#[test]
fn a_request_ends_after_its_time() {
    let silent = start("");
    let stream =
        start("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: still here\n\n");
    let body = start("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"json");
    for target in [
        [silent.as_str()].as_slice(),
        &[&stream],
        &[&body],
        &["--command", "sleep,60"],
    ] {
        let begun = Instant::now();
        let mut arguments = vec!["inspect", "--timeout-seconds", "1"];
        arguments.extend_from_slice(target);
        let failed = run(&arguments);
        assert!(!failed.status.success(), "{target:?}");
        let said = err(&failed);
        assert!(
            said.contains("within 1 s; --timeout-seconds"),
            "{target:?}: {said}"
        );
        assert!(begun.elapsed() < PATIENCE, "{target:?}");
    }
    let range = err(&run(&["inspect", &silent, "--timeout-seconds", "0"]));
    assert!(range.contains("1..=3600"), "{range}");
}
