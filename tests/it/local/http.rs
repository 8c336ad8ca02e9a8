//! The local host over HTTP: its signals, and connections that go away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use mcpfn::prelude::*;
use serde_json::json;

use crate::support::Request;
use crate::support::process::{PATIENCE, Process};
use crate::support::socket::{Local, encode, send, send_raw};

use super::{Reports, waiting};

#[test]
fn http_greets_with_addresses_and_configuration() {
    let (process, address) = Process::http();
    assert_eq!(
        process.stdout.next(),
        format!("health at http://{address}/health")
    );
    assert!(process.stdout.find("serving ").contains("test_simple_text"));
    assert!(
        process
            .stdout
            .find("speaking MCP ")
            .contains("2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05")
    );
    assert_eq!(
        process.stdout.find("    claude mcp add"),
        format!("    claude mcp add --scope user --transport http everything http://{address}/mcp")
    );
    process.stdout.find("Stop with Ctrl-C.");
    assert!(address.ip().is_loopback());
}

#[test]
fn http_lets_a_call_end_when_told_to_stop() {
    let (mut process, address) = Process::http();
    let request = Request::modern(
        "tools/call",
        json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}}),
    );
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(address, &request)).unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    // the first report: the handler is at work
    while !String::from_utf8_lossy(&received).contains("started") {
        let read = stream.read(&mut buffer).expect("the stream begins");
        assert_ne!(read, 0, "the stream ends too early");
        received.extend_from_slice(&buffer[..read]);
    }
    process.terminate();
    stream.read_to_end(&mut received).expect("the stream ends");
    assert!(
        String::from_utf8_lossy(&received).contains(r#""text":"done""#),
        "{}",
        String::from_utf8_lossy(&received)
    );
    assert_eq!(process.wait().code(), Some(0));
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}

/// A client holds it for as long as it can, and a server that waits for that never ends.
#[test]
fn a_stream_of_changes_ends_with_its_result_when_told_to_stop() {
    let (mut process, address) = Process::http_with(&[("MCPFN_SUBSCRIPTIONS", "poll")]);
    let wanted = json!({"notifications": {"resourceSubscriptions": ["test://static-text"]}});
    let request = Request::modern("subscriptions/listen", wanted);
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(address, &request)).unwrap();
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&received).contains("acknowledged") {
        let read = stream.read(&mut buffer).expect("the stream begins");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8_lossy(&received).into_owned();
    assert!(text.contains("test://static-text"), "it is held: {text}");
    let told = std::time::Instant::now();
    process.terminate();
    stream.read_to_end(&mut received).expect("the stream ends");
    let text = String::from_utf8_lossy(&received);
    assert!(text.contains(r#""resultType":"complete""#), "{text}");
    assert_eq!(process.wait().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5), "it was waited for");
}

/// What a person reads beside the server, and what is shown of what runs now.
#[test]
fn a_task_at_work_is_seen() {
    let (process, address) = Process::http_with(&[("MCPFN_LOG_FORMAT", "json")]);
    let capabilities = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let request = |arguments: serde_json::Value| {
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": capabilities});
        let params = json!({"name": "count_slowly", "arguments": arguments, "_meta": meta});
        send_raw(
            address,
            &encode(address, &Request::modern("tools/call", params)),
        )
    };
    let shown = || {
        let mut get = Request::post("").without("content-type");
        (get.method, get.path) = ("GET".to_owned(), "/tasks".to_owned());
        send_raw(address, &encode(address, &get)).json()
    };
    assert_eq!(shown(), json!({"tasks": []}));
    // longer than the test, and one that ends
    let begun = request(json!({"to": 100, "step_ms": 1000}));
    let id = begun.json()["result"]["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    let line = process.stderr.find_with(r#""event":"task_status""#);
    assert!(line.contains("1 of 100"), "{line}");
    assert!(!line.contains(&id), "the id is a secret: {line}");
    let running = shown();
    let running = &running["tasks"][0];
    assert_eq!(
        (&running["tool"], &running["status"]),
        (&json!("count_slowly"), &json!("1 of 100"))
    );
    assert!(line.contains(running["task"].as_str().unwrap()), "{line}");
    request(json!({"to": 1, "step_ms": 1}));
    let line = process.stderr.find_with(r#""event":"task_ended""#);
    assert!(line.contains(r#""status":"completed""#), "{line}");
    assert_eq!(shown()["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn http_stops_at_once_when_nothing_is_in_flight() {
    let (mut process, address) = Process::http();
    // a connection that is kept open and idle does not hold the process back
    let mut idle = TcpStream::connect(address).expect("a connection");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    write!(
        idle,
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{ping}",
        ping.len()
    )
    .unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_ne!(idle.read(&mut [0; 1024]).expect("an answer"), 0);
    let told = std::time::Instant::now();
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert!(
        told.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        told.elapsed()
    );
}

#[test]
fn a_signal_counts_from_the_first_moment() {
    // told to stop as soon as it says where it listens: a service manager may do that
    let codes: Vec<Option<i32>> = (0..8)
        .map(|_| {
            let (mut process, _) = Process::http();
            process.terminate();
            process.wait().code()
        })
        .collect();
    assert_eq!(
        codes,
        [Some(0); 8],
        "no code: the signal killed it, because nothing listened for signals yet"
    );
}

#[test]
fn http_keeps_a_connection_for_the_next_request() {
    let local = Local::start(mcpfn_it::everything);
    let mut first = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    first.headers.push(("x-first".to_owned(), "1".to_owned()));
    let first = String::from_utf8(encode(local.address, &first))
        .unwrap()
        .replace("connection: close\r\n", "");
    let second = encode(
        local.address,
        &Request::post(r#"{"jsonrpc":"2.0","id":"second","method":"ping"}"#),
    );
    let both = [first.as_bytes(), &second].concat();
    let response = send_raw(local.address, &both);
    assert!(
        String::from_utf8_lossy(&response.body).contains("second"),
        "both are answered on one connection"
    );
}

fn client_goes_away(reports: Reports) {
    let (started, when_started) = channel();
    let (dropped, when_dropped) = channel();
    let local = Local::start(move || waiting(started, dropped, reports));
    let request = Request::modern(
        "tools/call",
        json!({"name": "wait", "_meta": {"progressToken": 1}}),
    );
    let mut stream = TcpStream::connect(local.address).expect("a connection");
    stream.write_all(&encode(local.address, &request)).unwrap();
    when_started
        .recv_timeout(PATIENCE)
        .expect("the handler starts");
    assert!(when_dropped.try_recv().is_err(), "it is at work");
    drop(stream);
    when_dropped
        .recv_timeout(PATIENCE)
        .expect("the handler is dropped when its client goes away");
}

#[test]
fn http_drops_the_handler_of_a_client_that_goes_away() {
    client_goes_away(Reports::None);
}

#[test]
fn http_drops_the_handler_of_a_stream_that_nobody_reads() {
    client_goes_away(Reports::One);
}

#[test]
fn a_slow_tool_is_stopped_and_the_server_goes_on() {
    let (_process, address) = Process::http();
    let slow = Request::modern(
        "tools/call",
        json!({"name": "test_slow", "arguments": {"milliseconds": 60_000}}),
    );
    let result = send(address, &slow).json()["result"].clone();
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"][0]["text"],
        "`test_slow` did not finish within 250 ms and was stopped. Try a narrower request, or the \
         same one later."
    );
    let panic = Request::modern("tools/call", json!({"name": "test_panic"}));
    assert_eq!(send(address, &panic).json()["result"]["isError"], true);
    let text = Request::modern("tools/call", json!({"name": "test_simple_text"}));
    assert_eq!(send(address, &text).status, 200);
}

#[test]
fn a_panic_outside_of_the_future_is_contained_too() {
    let server = || {
        Server::builder("panics", "1")
            .tool(
                Tool::new("early")
                    .description("Panics before its future.")
                    .handler(|_: NoArguments| -> std::future::Ready<String> { panic!("early") }),
            )
            .prompt(
                Prompt::new("words")
                    .description("Has words.")
                    .handler(|words: Words| async move { words.word })
                    .complete("word", |_: String, _| -> std::future::Ready<Vec<String>> {
                        panic!("while completing")
                    }),
            )
    };
    let local = Local::start(server);
    let early = send(
        local.address,
        &Request::modern("tools/call", json!({"name": "early"})),
    );
    assert_eq!(early.json()["result"]["isError"], true);
    let params = json!({"ref": {"type": "ref/prompt", "name": "words"}, "argument": {"name": "word", "value": "a"}});
    let completed = send(
        local.address,
        &Request::modern("completion/complete", params),
    );
    assert_eq!(
        completed.json()["result"]["completion"]["values"],
        json!([])
    );
}

#[derive(serde::Deserialize, JsonSchema)]
struct Words {
    /// A word.
    word: String,
}
