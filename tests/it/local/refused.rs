//! Refusals of requests whose bodies are still on their way: each arrives, whatever is refused and
//! however the body is sent, and the next request on the connection is served. A client that
//! closed its half after a request is answered, too.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv6Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Request;
use crate::support::eager::{Client, PING, Refused, SIZES, all_arrive};
use crate::support::process::Process;
use crate::support::socket::{decode, encode, send};

/// What is refused before its body is read: its status, its request line and its headers.
const REFUSED: [Refused; 6] = [
    (403, "POST /mcp", "host: evil.example"),
    (
        403,
        "POST /mcp",
        "host: localhost\r\norigin: https://evil.example",
    ),
    (
        403,
        "POST /mcp",
        "host: localhost\r\nforwarded: for=192.0.2.1",
    ),
    (404, "POST /elsewhere", "host: localhost"),
    (405, "PUT /mcp", "host: localhost"),
    (
        415,
        "POST /mcp",
        "host: localhost\r\ncontent-type: text/plain",
    ),
];

/// What is refused for want of a credential.
const UNKNOWN: [Refused; 2] = [
    (401, "POST /mcp", "host: localhost"),
    (
        401,
        "POST /mcp",
        "host: localhost\r\nauthorization: Bearer wrong",
    ),
];

#[test]
fn a_refusal_arrives_whatever_is_still_being_sent() {
    let (_process, address) = Process::http();
    all_arrive(address, &REFUSED, &SIZES, "host: localhost");
    let too_large = [(413, "POST /mcp", "host: localhost")];
    all_arrive(
        address,
        &too_large,
        &[5 << 20, 6 << 20, 48 << 20],
        "host: localhost",
    );
}

#[test]
fn a_refused_credential_is_told_whatever_is_still_being_sent() {
    let (_process, address) = Process::http_with(&[
        ("MCPFN_AUTH", "api-key"),
        (
            "MCPFN_API_KEYS",
            // of the key "good"
            "ci:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c:*",
        ),
    ]);
    all_arrive(
        address,
        &UNKNOWN,
        &SIZES,
        "host: localhost\r\nauthorization: Bearer good",
    );
}

#[test]
fn a_body_beyond_every_bound_is_refused_and_the_connection_closed() {
    let (_process, address) = Process::http();
    // it says that it has more than anybody reads, and sends it slowly
    let mut client = Client::connect(address);
    write!(
        client.0,
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000000000\r\n\r\n{PING}"
    )
    .unwrap();
    let began = Instant::now();
    let (head, _) = client.answer().expect("an answer");
    assert!(
        head.contains(" 413 ") && head.contains("connection: close"),
        "{head}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    // one that is waited for comes within its bound
    let mut client = Client::connect(address);
    write!(
        client.0,
        "POST /mcp HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 1000\r\n\r\n{PING}"
    )
    .unwrap();
    let began = Instant::now();
    let (head, _) = client.answer().expect("an answer");
    assert!(
        head.contains(" 403 ") && head.contains("connection: close"),
        "{head}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_head_that_is_too_large_is_told() {
    let (_process, address) = Process::http();
    let mut client = Client::connect(address);
    let long = "x".repeat(4 << 20);
    let sent = client.send(
        "POST /mcp",
        &format!("host: localhost\r\nx-long: {long}"),
        b"",
        false,
    );
    assert_eq!(sent.and_then(|()| client.status()), Ok(431));
}

#[test]
fn whoever_waits_for_a_go_ahead_is_refused_without_one() {
    let (_process, address) = Process::http();
    let mut client = Client::connect(address);
    write!(
        client.0,
        "POST /mcp HTTP/1.1\r\nhost: evil.example\r\nexpect: 100-continue\r\ncontent-length: \
         1000\r\n\r\n"
    )
    .unwrap();
    let began = Instant::now();
    let (head, _) = client.answer().expect("an answer");
    assert!(
        head.contains(" 403 "),
        "no `100 Continue` before it: {head}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "nobody waits for the body"
    );
}

#[test]
fn a_client_that_closed_its_half_is_answered() {
    let (_process, address) = Process::http();
    for request in [
        Request::post(PING),
        Request::modern("tools/call", json!({"name": "test_simple_text"})),
        // stopped by its own limit, after a quarter of a second
        Request::modern(
            "tools/call",
            json!({"name": "test_slow", "arguments": {"milliseconds": 60_000}}),
        ),
    ] {
        for closing in ["connection: close\r\n", ""] {
            let bytes = String::from_utf8(encode(address, &request)).unwrap();
            let bytes = bytes.replace("connection: close\r\n", closing);
            let mut client = Client::connect(address);
            client.0.write_all(bytes.as_bytes()).unwrap();
            client.0.shutdown(Shutdown::Write).unwrap();
            let mut received = Vec::new();
            client
                .0
                .read_to_end(&mut received)
                .expect("an answer, and an end");
            assert_eq!(decode(&received).status, 200, "{}", request.method);
        }
    }
    // a body that is not there yet never will be
    let mut client = Client::connect(address);
    write!(
        client.0,
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{{"
    )
    .unwrap();
    client.0.shutdown(Shutdown::Write).unwrap();
    let began = Instant::now();
    match client.0.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn both_addresses_of_this_machine_are_served() {
    let (_process, address) = Process::http();
    let other = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
    for host in ["localhost", "[::1]", "127.0.0.1"] {
        let mut request = Request::post(PING);
        request
            .headers
            .push(("host".to_owned(), format!("{host}:{}", address.port())));
        assert_eq!(send(other, &request).status, 200, "{host}");
    }
}
