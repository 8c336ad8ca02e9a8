//! What guessing and stalling get on Workers: wrong keys of one network are counted before any
//! work, and a body that never comes is not waited for without end.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Host as _, Request, Worker};

fn list(key: &str, address: &str) -> Request {
    Request::modern("tools/list", json!({}))
        .header("x-api-key", key)
        .header("cf-connecting-ip", address)
}

#[test]
fn wrong_keys_of_one_network_are_refused_before_any_work() {
    let worker = Worker::named("keyed");
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for number in 0..200 {
        let address = format!("2001:db8:1:2::{number:x}");
        let response = worker.send(&list(&format!("wrong-{number}"), &address));
        if response.status == 429 {
            let wait = response.header("retry-after");
            let wait: Option<u32> = wait.and_then(|wait| wait.parse().ok());
            assert!(wait.is_some_and(|wait| wait > 0), "{:?}", response.headers);
        }
        *counted.entry(response.status).or_default() += 1;
    }
    let refused = counted.get(&401).copied().unwrap_or_default();
    // the clock goes on: one more for each second that this takes
    assert!((60..100).contains(&refused), "{counted:?}");
    assert_eq!(counted.get(&429), Some(&(200 - refused)), "{counted:?}");
    let other = worker.send(&list("robot-key", "2001:db8:1:3::1"));
    assert_eq!(other.status, 200, "{}", other.text());
}

/// Beginnings of requests, each of which promises more than it has.
const STALLED: [&str; 3] = [
    "content-length: 100\r\n\r\n{",
    "transfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
    "transfer-encoding: chunked\r\n\r\nff\r\n{",
];

#[test]
fn a_body_that_never_comes_is_answered_and_others_are_meanwhile() {
    let worker = Worker::named("everything");
    let begun = Instant::now();
    let streams: Vec<TcpStream> = STALLED
        .iter()
        .map(|rest| {
            let mut stream = TcpStream::connect(worker.0).expect("workerd accepts");
            let head =
                "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
            write!(stream, "{head}{rest}").expect("workerd reads");
            stream
        })
        .collect();
    for mut stream in streams {
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a timeout can be set");
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).expect("there is an answer");
        let line = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(line.starts_with("HTTP/1.1 408 "), "{line}");
        let call = json!({"name": "test_simple_text"});
        assert_eq!(
            worker.send(&Request::modern("tools/call", call)).status,
            200
        );
    }
    let took = begun.elapsed().as_secs();
    assert!((29..45).contains(&took), "{took} s");
}
