//! The local host over stdin and stdout: its lines, its end, what it cancels.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{PATIENCE, Process, command};
use crate::support::{servers, stdio};

use super::{Reports, call, ids, message, waiting};

#[test]
fn stdio_writes_one_line_per_message_and_nothing_else() {
    let mut process = Process::stdio();
    process.say(&message(1, "server/discover", json!({})));
    process.say("");
    process.say(&call(2, "test_panic", json!({})));
    process.say(&call(3, "test_simple_text", json!({})));
    process.say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\"}");
    process.say("not json");
    process.end_input();
    assert!(process.wait().success());
    let output = process.stdout.collect_all();
    let messages: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is a message"))
        .collect();
    assert_eq!(messages.len(), 4, "{output}");
    let mut answered = ids(&output);
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
    assert!(
        messages
            .iter()
            .any(|message| message["error"]["code"] == -32700 && message.get("id").is_none())
    );
    let panicked = messages
        .iter()
        .find(|message| message["id"] == 2)
        .expect("an answer");
    let said = panicked["result"]["content"][0]["text"]
        .as_str()
        .expect("text");
    assert!(!said.contains("private"), "{said}");
    let id = said
        .split("(error id ")
        .nth(1)
        .and_then(|rest| rest.split(')').next())
        .expect("an error id");
    let log = process.stderr.collect_all();
    assert!(
        log.contains(id) && log.contains("a private message"),
        "the log has the cause under the id {id}: {log}"
    );
}

#[test]
fn stdio_answers_as_calls_end() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [2]);
    assert_eq!(ids(&process.stdout.next()), [1]);
}

#[test]
fn stdio_reports_before_the_answer() {
    let mut process = Process::stdio();
    process.say(&message(
        1,
        "tools/call",
        json!({"name": "test_tool_with_progress", "_meta": {"progressToken": "p"}}),
    ));
    let lines: Vec<Value> = (0..4)
        .map(|_| serde_json::from_str(&process.stdout.next()).expect("JSON"))
        .collect();
    assert!(
        lines[..3]
            .iter()
            .all(|line| line["method"] == "notifications/progress"),
        "{lines:?}"
    );
    assert_eq!(lines[3]["id"], 1);
}

#[test]
fn stdio_cancels_a_call_and_says_nothing_of_it() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_slow", json!({"milliseconds": 200})));
    process.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"changed my mind"}}"#);
    process
        .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"2"}}"#);
    process.end_input();
    assert!(process.wait().success());
    assert_eq!(
        ids(&process.stdout.collect_all()),
        [2],
        "calls in flight end before the process does; the cancelled one is gone"
    );
}

#[test]
fn stdio_drops_a_cancelled_handler() {
    let (dropped, when_dropped) = channel();
    let (started, when_started) = channel();
    let input = [
        call(1, "wait", json!({})),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
            .to_owned(),
    ];
    let output = stdio::raw(
        move || waiting(started, dropped, Reports::None),
        (input.join("\n") + "\n").as_bytes(),
        1000,
    );
    assert_eq!(output, "");
    // it may be cancelled before it was polled at all, and then there was nothing to drop
    assert_eq!(
        when_started.try_recv().is_ok(),
        when_dropped.try_recv().is_ok()
    );
}

#[test]
fn stdio_finishes_calls_in_flight_at_the_end_of_input() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 150})));
    process.end_input();
    assert!(process.wait().success());
    assert_eq!(ids(&process.stdout.collect_all()), [1]);
}

#[test]
fn stdio_finishes_calls_in_flight_when_told_to_stop() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [2]);
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(ids(&process.stdout.collect_all()), [1]);
}

#[test]
fn stdio_refuses_a_line_that_is_too_long_and_goes_on() {
    let mut process = Process::start(
        command(&["--stdio"])
            .stdin(Stdio::piped())
            .env("MCPFN_MAX_BODY_BYTES", "1000"),
    );
    process.say(&"x".repeat(100_000));
    let refused: Value = serde_json::from_str(&process.stdout.next()).expect("JSON");
    assert_eq!(
        (&refused["error"]["code"], refused.get("id")),
        (&json!(-32600), None)
    );
    assert!(
        refused["error"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("1000")),
        "{refused}"
    );
    process.say(&call(7, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [7]);
    process.end_input();
    assert!(process.wait().success());
}

#[test]
fn stdio_refuses_a_line_with_too_many_values_and_goes_on() {
    let mut process = Process::start(
        command(&["--stdio"])
            .stdin(Stdio::piped())
            .env("MCPFN_MAX_VALUES", "40"),
    );
    let many = json!({"a": vec![1; 40]});
    process.say(&call(6, "test_simple_text", many));
    let refused: Value = serde_json::from_str(&process.stdout.next()).expect("JSON");
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert!(
        refused["error"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("40 JSON values")),
        "{refused}"
    );
    process.say(&call(7, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [7]);
    process.end_input();
    assert!(process.wait().success());
}

#[test]
fn stdio_takes_a_last_line_without_line_break_and_windows_line_breaks() {
    let input = format!(
        "{}\r\n{}",
        call(1, "test_simple_text", json!({})),
        call(2, "test_simple_text", json!({}))
    );
    let mut answered = ids(&stdio::raw(mcpfn_it::everything, input.as_bytes(), 10_000));
    answered.sort_unstable();
    assert_eq!(answered, [1, 2]);
}

#[test]
fn stdio_ends_when_nobody_reads_any_more() {
    let mut child = command(&["--stdio"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("stdin");
    for id in 1..200 {
        if writeln!(stdin, "{}", call(id, "test_simple_text", json!({}))).is_err() {
            break;
        }
    }
    drop(stdin);
    let start = std::time::Instant::now();
    while child
        .try_wait()
        .expect("the process can be asked")
        .is_none()
    {
        assert!(start.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Its input may stay open: whoever started it is gone.
#[test]
fn stdio_ends_when_its_answers_can_not_be_written() {
    let mut child = command(&["--stdio"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("stdin");
    writeln!(stdin, "{}", call(1, "test_simple_text", json!({}))).expect("it reads");
    let start = std::time::Instant::now();
    while child
        .try_wait()
        .expect("the process can be asked")
        .is_none()
    {
        assert!(start.elapsed() < PATIENCE, "the process lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stdin);
}

#[test]
fn stdio_remembers_what_the_handshake_agreed_on() {
    let list = json!({"id": 1, "method": "tools/list"});
    let titled = |revision: &str| {
        stdio::exchange(servers::rich, revision, std::slice::from_ref(&list))[0]["result"]["tools"]
            [0]
        .get("title")
        .is_some()
    };
    assert!(!titled("2024-11-05"));
    assert!(!titled("2025-03-26"));
    assert!(titled("2025-06-18"));
    assert!(titled("2025-11-25"));
}
