//! The end: what was asked before stdin ended is still answered, for as long as the limit says; who is
//! killed or told to end leaves nothing running at the server.

#[cfg(unix)]
use std::io::{BufRead as _, BufReader, Write as _};
#[cfg(unix)]
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use mcpfn_core::{NoArguments, Tool};
use serde_json::{Value, json};

use crate::bridge::Bridge;
use crate::forgetful::{cutting, http, serve as scripted};
use crate::{PATIENCE, builder, call, hello, serve, text};

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_default()
}

/// A bridge that gives calls so long once stdin has ended.
fn finishing(port: u16, seconds: &str) -> Bridge {
    Bridge::with(port, |command| {
        command.args(["--finish-seconds", seconds]);
    })
}

#[test]
fn what_was_asked_before_the_end_of_stdin_is_answered() {
    let (started, starts) = channel();
    let (open, gate) = tokio::sync::watch::channel(false);
    let wait = Tool::new("gate").description("Waits for the gate.");
    let (builder, _sees) = builder();
    let builder = builder.tool(wait.handler(move |_: NoArguments| {
        let (started, mut gate) = (started.clone(), gate.clone());
        async move {
            let _ = started.send(());
            let _ = gate.wait_for(|open| *open).await;
            "whole"
        }
    }));
    let mut bridge = Bridge::to(serve(builder, 0));
    bridge.send(&call(1, "gate"));
    bridge.send(&call(2, "gate"));
    for _ in 0..2 {
        starts.recv_timeout(PATIENCE).expect("the calls begin");
    }
    bridge.close();
    // a client that closes stdin does not have to wait for what it asks last
    open.send(true).expect("the calls wait");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = bridge.next();
        assert_eq!(text(&answer), "whole", "{answer}");
        ids.push(answer["id"].as_u64());
    }
    ids.sort_unstable();
    assert_eq!(ids, [Some(1), Some(2)]);
    assert!(bridge.end().success());
    assert!(bridge.is_silent());
}

#[test]
fn a_whole_conversation_may_be_written_at_once() {
    let mut bridge = Bridge::to(serve(builder().0, 0));
    bridge.send(&hello(1));
    bridge.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    bridge.send(&call(2, "greet"));
    assert!(bridge.end().success());
    let mut ids = [bridge.next()["id"].as_u64(), bridge.next()["id"].as_u64()];
    ids.sort_unstable();
    assert_eq!(ids, [Some(1), Some(2)]);
}

#[test]
fn a_call_without_an_end_is_refused_after_the_limit() {
    for seconds in ["0", "1"] {
        let (builder, sees) = builder();
        let mut bridge = finishing(serve(builder, 0), seconds);
        bridge.send(&call(3, "wait"));
        assert_eq!(sees.recv_timeout(PATIENCE), Ok("started"));
        assert_eq!(bridge.next()["method"], "notifications/progress");
        assert!(bridge.end().success());
        assert_eq!(sees.recv_timeout(PATIENCE), Ok("dropped"));
        let answer = bridge.next();
        let named = format!("within {seconds} s (--finish-seconds)");
        assert!(message(&answer).contains(&named), "{answer}");
        assert_eq!(answer["id"], 3);
        assert!(bridge.is_silent());
    }
}

#[cfg(unix)]
#[test]
fn who_is_told_to_end_answers_and_ends_at_once() {
    let (builder, sees) = builder();
    let mut bridge = finishing(serve(builder, 0), "3600");
    bridge.send(&call(3, "wait"));
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("started"));
    assert_eq!(bridge.next()["method"], "notifications/progress");
    bridge.close();
    bridge.terminate();
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("dropped"));
    let answer = bridge.next();
    assert!(message(&answer).contains("told to end"), "{answer}");
    assert!(bridge.end().success());
}

#[cfg(unix)]
#[test]
fn the_calls_of_a_client_that_was_killed_end() {
    let (builder, sees) = builder();
    let url = format!("http://127.0.0.1:{}/mcp", serve(builder, 0));
    let mut bridge = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"))
        .args(["mcpfn", "connect", &url, "--finish-seconds", "3600"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the bridge starts");
    let mut input = bridge.stdin.take().expect("a pipe");
    let mut output = BufReader::new(bridge.stdout.take().expect("a pipe"));
    writeln!(input, "{}", call(3, "wait")).expect("the bridge reads");
    let mut report = String::new();
    output.read_line(&mut report).expect("a report");
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("started"));
    // both pipes are closed, as the system does it for who is killed
    drop((input, output));
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("dropped"));
    assert!(bridge.wait().expect("the bridge ends").success());
}

#[test]
fn calls_of_a_bridge_that_was_killed_end_at_the_server() {
    let (builder, sees) = builder();
    let mut bridge = Bridge::to(serve(builder, 0));
    bridge.send(&call(3, "wait"));
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("started"));
    drop(bridge);
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("dropped"));
}

#[test]
fn a_connection_that_is_cut_after_the_end_of_stdin_is_told() {
    let (port, calls) = cutting();
    let mut bridge = Bridge::to(port);
    bridge.send(&call(1, "greet"));
    assert!(bridge.end().success());
    let answer = bridge.next();
    assert!(message(&answer).contains("not known whether"), "{answer}");
    assert_eq!(calls.try_iter().count(), 1);
}

#[test]
fn a_stream_goes_on_after_the_end_of_stdin() {
    let priming = "id: e0\nretry: 60\ndata:\n\n";
    let result = json!({"content": [{"type": "text", "text": "whole"}]});
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let port = scripted(move |asked| {
        let events = match asked.last_event.as_deref() {
            Some("e0") => format!("id: e1\ndata: {answer}\n\n"),
            _ => priming.to_owned(),
        };
        let kind = "content-type: text/event-stream";
        Some(format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n{kind}\r\n\r\n{events}"
        ))
    });
    let mut bridge = Bridge::to(port);
    bridge.send(&call(1, "greet"));
    assert!(bridge.end().success());
    assert_eq!(text(&bridge.next()), "whole");
}

#[test]
fn an_answer_that_is_cut_in_the_middle_is_no_unreachable_server() {
    let cut = http("200 OK", "", "{\"jsonrpc\":").replace("length: 11", "length: 100");
    let port = scripted(move |_| Some(cut.clone()));
    let mut bridge = Bridge::to(port);
    bridge.send(&call(1, "greet"));
    let answer = bridge.next();
    let said = message(&answer);
    assert!(
        said.contains("in the middle") && said.contains("not known whether"),
        "{answer}"
    );
    assert!(!said.contains("reached"), "{answer}");
}
