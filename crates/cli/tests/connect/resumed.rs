//! Streams that are cut: what goes on by `Last-Event-ID`, what is asked once only, and what is an error.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use crate::bridge::Bridge;
use crate::forgetful::{http, serve};
use crate::{PATIENCE, call, hello, text};

/// Answers each request with the next of these texts, and says what was asked: `call` or the name of
/// the event after which the rest is wanted.
fn scripted(answers: &[String]) -> (u16, Receiver<String>) {
    let (seen, asked) = channel();
    let mut answers: VecDeque<String> = answers.to_vec().into();
    let port = serve(move |request| {
        let said = if request.line.starts_with("GET ") {
            request
                .last_event
                .clone()
                .unwrap_or_else(|| "all".to_owned())
        } else {
            "call".to_owned()
        };
        let _ = seen.send(said);
        answers.pop_front()
    });
    (port, asked)
}

/// A stream that says it is longer than what comes of it.
fn cut(events: &str) -> String {
    let long = events.len() + 100;
    format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\
         content-length: {long}\r\n\r\n{events}"
    )
}

/// A stream that ends as it should.
fn ended(events: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n{events}"
    )
}

fn report(id: &str, done: u64) -> String {
    let params = json!({"progressToken": 1, "progress": done});
    let report = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
    format!("id: {id}\ndata: {report}\n\n")
}

fn answer(id: &str) -> String {
    let result = json!({"content": [{"type": "text", "text": "whole"}]});
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
    format!("id: {id}\ndata: {answer}\n\n")
}

const PRIMING: &str = "id: e0\nretry: 60\ndata:\n\n";

#[test]
fn a_stream_that_is_cut_goes_on_where_it_was() {
    let unavailable = http("503 Service Unavailable", "", "");
    for (answers, asked, reports) in [
        // cut after a report, and again, and once in the middle of an event
        (
            vec![
                cut(&format!("{PRIMING}{}", report("e1", 1))),
                cut(&format!("{}id: e3\ndata: {{\"jso", report("e2", 2))),
                ended(&answer("e3")),
            ],
            vec!["call", "e1", "e2"],
            2,
        ),
        // ended on purpose, so that nothing has to stay open
        (
            vec![ended(PRIMING), ended("id: e1\n\n"), ended(&answer("e2"))],
            vec!["call", "e0", "e1"],
            0,
        ),
        // away for a moment, in two ways
        (
            vec![
                cut(PRIMING),
                unavailable,
                String::new(),
                ended(&answer("e1")),
            ],
            vec!["call", "e0", "e0", "e0"],
            0,
        ),
        // a rest with nothing in it
        (
            vec![cut(PRIMING), ended(""), ended(&answer("e1"))],
            vec!["call", "e0", "e0"],
            0,
        ),
    ] {
        let (port, seen) = scripted(&answers);
        let mut bridge = Bridge::to(port);
        bridge.send(&call(1, "greet"));
        for done in 1..=reports {
            let report = bridge.next();
            assert_eq!(report["params"]["progress"], done, "{report}");
        }
        let last = bridge.next();
        assert_eq!(text(&last), "whole", "{last}");
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), asked);
    }
}

#[test]
fn what_cannot_go_on_is_an_error_and_no_second_call() {
    let gone = http("405 Method Not Allowed", "", "");
    for (answers, asked, named) in [
        (
            vec![cut(&report("e1", 1).replace("id: e1\n", ""))],
            vec!["call"],
            "did not come to its end",
        ),
        (vec![cut(PRIMING), gone], vec!["call", "e0"], "405"),
        // a name that no header can have
        (
            vec![cut("id: a\u{1}b\ndata:\n\n")],
            vec!["call"],
            "no header",
        ),
    ] {
        let (port, seen) = scripted(&answers);
        let mut bridge = Bridge::to(port);
        bridge.send(&call(1, "greet"));
        let mut last = bridge.next();
        while last.get("method").is_some() {
            last = bridge.next();
        }
        let message = last["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(named), "{last}");
        assert_eq!(last["id"], 1);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), asked);
    }
}

#[test]
fn what_a_server_says_by_itself_is_heard_across_cuts() {
    let (seen, asked) = channel();
    let mut streams: VecDeque<String> = VecDeque::from([
        cut(&format!("{PRIMING}{}", report("e1", 1))),
        http("409 Conflict", "", ""),
        ended(&report("e2", 2)),
        http("404 Not Found", "", ""),
    ]);
    let port = serve(move |request| {
        if request.line.starts_with("GET ") {
            let _ = seen.send(request.last_event.clone().unwrap_or_default());
            return streams.pop_front();
        }
        if request.message["method"] != "initialize" {
            return Some(http("202 Accepted", "", ""));
        }
        let result = json!({"protocolVersion": "2025-06-18", "capabilities": {}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        Some(http("200 OK", "mcp-session-id: s\r\n", &body))
    });
    let mut bridge = Bridge::to(port);
    bridge.send(&hello(1));
    assert_eq!(bridge.next()["id"], 1);
    bridge.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    for done in 1..=2 {
        let report = bridge.next();
        assert_eq!(report["params"]["progress"], done, "{report}");
    }
    let mut all = Vec::new();
    while all.len() < 4 {
        all.push(asked.recv_timeout(PATIENCE).expect("a question"));
    }
    assert_eq!(all, ["", "e1", "e1", "e2"]);
    assert!(bridge.end().success());
}
