//! A call's life in an isolate: pieces as they happen, a client that goes away, a panic, work after
//! the answer, memory.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mcpfn_it::bodies::hostile_bodies;
use serde_json::{Value, json};

use crate::support::socket::encode;
use crate::tasks::BegunTask;
use crate::{Host as _, Request, Worker};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(10);

fn request(tool: &str, meta: Value) -> Request {
    Request::modern("tools/call", json!({"name": tool, "_meta": meta}))
}

/// A connection over which a request was sent, and whose answer nobody has read yet.
fn open(worker: Worker, request: &Request) -> TcpStream {
    let mut stream = TcpStream::connect(worker.0).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(worker.0, request)).unwrap();
    stream
}

/// Asks until the answer is this one.
fn until(worker: Worker, tool: &str, expected: &str) {
    let start = Instant::now();
    loop {
        let answer = worker.call(tool, json!({}));
        if answer == expected {
            return;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{tool} stays at {answer} instead of {expected}"
        );
    }
}

#[test]
fn a_stream_arrives_in_pieces() {
    let progress = request("test_tool_with_progress", json!({"progressToken": "p"}))
        .header("accept", "text/event-stream");
    let mut stream = open(Worker::named("everything"), &progress);
    let (start, mut received, mut arrivals) = (Instant::now(), String::new(), Vec::new());
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        received += std::str::from_utf8(&buffer[..read]).unwrap();
        let events = received.matches("data: ").count();
        arrivals.resize(events.max(arrivals.len()), start.elapsed());
    }
    assert_eq!(arrivals.len(), 4, "{received}");
    // the handler waits 50 ms after each of three reports
    let last = arrivals[3] - arrivals[0];
    assert!(
        last >= Duration::from_millis(100),
        "the pieces came together: {arrivals:?}"
    );
}

#[test]
fn a_client_that_goes_away_drops_its_call() {
    let worker = Worker::named("watched");
    // before the answer has begun
    let impatient = request("hold", json!({})).header("x-patience", "300");
    let mut connection = open(Worker::named("impatient"), &impatient);
    until(worker, "held", "1");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    until(worker, "held", "0");
    // in the middle of a stream
    let mut connection = open(worker, &request("hold", json!({"progressToken": "p"})));
    until(worker, "held", "1");
    let mut received = String::new();
    while !received.contains("data: ") {
        let mut buffer = [0; 4096];
        let read = connection.read(&mut buffer).unwrap();
        assert!(read > 0, "the stream ended: {received}");
        received += std::str::from_utf8(&buffer[..read]).unwrap();
    }
    drop(connection);
    until(worker, "held", "0");
}

#[test]
fn work_goes_on_after_the_answer() {
    let worker = Worker::named("watched");
    let before: u32 = worker.call("done", json!({})).parse().unwrap();
    assert_eq!(worker.call("work_after_the_answer", json!({})), "answered");
    until(worker, "done", &(before + 1).to_string());
}

#[test]
fn a_panic_costs_one_answer() {
    let worker = Worker::named("everything");
    let slow = request("test_slow", json!({}));
    let answer = worker.send(&slow).text();
    let panicked = worker.send(&request("test_panic", json!({})));
    // a failed result where the Worker unwinds, an error of the platform's where it aborts
    assert!([200, 500].contains(&panicked.status), "{}", panicked.status);
    assert!(
        !panicked.text().contains("a private message"),
        "{}",
        panicked.text()
    );
    assert_eq!(worker.send(&slow).text(), answer);
}

#[test]
fn a_call_in_flight_survives_the_panic_of_another() {
    let worker = Worker::named("everything");
    let progress = request("test_tool_with_progress", json!({"progressToken": "p"}));
    let mut stream = open(worker, &progress);
    let mut buffer = [0; 4096];
    let first = stream.read(&mut buffer).unwrap();
    let mut received = String::from_utf8_lossy(&buffer[..first]).into_owned();
    worker.send(&request("test_panic", json!({})));
    stream.read_to_string(&mut received).unwrap();
    assert!(received.contains("\"result\""), "{received}");
}

/// The module starts anew at the next request: what was in flight is cut, not left waiting.
#[test]
fn where_a_panic_aborts_a_call_in_flight_is_lost() {
    let worker = Worker::named("everything");
    let mut stream = open(
        worker,
        &request("test_tool_with_progress", json!({"progressToken": "p"})),
    );
    let mut received = [0; 4096];
    assert_ne!(stream.read(&mut received).unwrap(), 0);
    assert_eq!(worker.send(&request("test_panic", json!({}))).status, 500);
    assert_eq!(worker.send(&request("test_slow", json!({}))).status, 200);
    let mut rest = Vec::new();
    // either an end or a broken connection; waiting for longer than PATIENCE would be an error of
    // another kind
    let ended = stream.read_to_end(&mut rest).map_err(|error| error.kind());
    assert!(
        !matches!(ended, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "{ended:?}"
    );
    assert!(
        !String::from_utf8_lossy(&rest).contains("\"result\""),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}

#[test]
fn a_module_that_ends_starts_anew() {
    let worker = Worker::named("trapped");
    let response = worker.send(&request("trap", json!({})));
    assert_eq!(response.status, 500, "{}", response.text());
    assert_eq!(worker.call("held", json!({})), "0");
}

#[test]
fn ten_thousand_requests_leave_memory_as_it_is() {
    let worker = Worker::named("counted");
    let pages = || worker.call("memory", json!({})).parse::<u32>().unwrap();
    let mut stream = TcpStream::connect(worker.0).unwrap();
    let request = String::from_utf8(encode(worker.0, &request("held", json!({}))))
        .unwrap()
        .replace("connection: close\r\n", "");
    let mut ask = |times: u32| {
        let mut buffer = [0; 4096];
        for _ in 0..times {
            stream.write_all(request.as_bytes()).unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"}}") {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the connection ended");
                received.extend_from_slice(&buffer[..read]);
            }
        }
    };
    ask(1000);
    let before = pages();
    ask(10_000);
    assert_eq!(pages(), before, "pages of 64 KiB");
}

/// A module's memory never shrinks, so that its size afterwards is the most that any call took.
#[test]
fn a_call_takes_at_most_eight_times_its_body_and_16_mb() {
    const LARGEST: usize = 2 * 1024 * 1024;
    let worker = Worker::named("filled");
    let bytes = || worker.call("memory", json!({})).parse::<usize>().unwrap() * 65_536;
    let before = bytes();
    let mut most = (before, "nothing".to_owned());
    for parts in [usize::MAX, 99_000, 33_000, 16_600, 8_300, 1_600, 330, 270] {
        for hostile in hostile_bodies("any", LARGEST, parts) {
            // most shapes of the largest size are refused alike
            if parts == usize::MAX && !hostile.name.contains("Arguments") {
                continue;
            }
            let revision = if hostile.modern {
                "2026-07-28"
            } else {
                "2025-03-26"
            };
            let request = Request::post(hostile.body)
                .header("mcp-protocol-version", revision)
                .header("mcp-method", "tools/call")
                .header("mcp-name", "any");
            let status = worker.send(&request).status;
            assert!([200, 400].contains(&status), "{}: {status}", hostile.name);
            let after = bytes();
            if after > most.0 {
                most = (after, hostile.name);
            }
        }
    }
    println!("from {before} to {most:?} bytes");
    assert!(
        most.0 - before <= LARGEST * 8 + 16_000_000,
        "{before}, {most:?}"
    );
}

#[test]
fn a_task_goes_on_at_its_checkpoint_where_a_panic_aborts() {
    let task = BegunTask::at("stumbling", "stumble", json!({}));
    // the run after the one that took the module with it comes 50 s after that began
    let text = task.text(PATIENCE + Duration::from_secs(60));
    assert_eq!(text, "came to its end in run 2");
}
