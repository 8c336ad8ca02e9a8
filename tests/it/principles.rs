//! What holds for a service behind HTTP: it is shared between threads, the same call gives the same
//! bytes, nothing is kept between calls, dropping is cancelling, silence has bounds. What holds for
//! a server as a value, without HTTP, is tested in `crates/core/tests`.

use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http_body::Body as _;
use mcpfn::JsonObject;
use mcpfn::prelude::*;
use mcpfn_http::{Config, Deadline, Service};
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::time::block_on;
use crate::support::{Host as _, Request, Response, everything};

fn is_shared<T: Send + Sync + 'static>() {}
fn is_sent<T: Send + 'static>() {}

#[test]
fn a_service_is_shared_between_threads() {
    is_shared::<Service>();
    is_sent::<mcpfn_http::Body>();
}

#[test]
fn what_a_client_calls_itself_decides_nothing() {
    let answers = |client: Value| -> Vec<String> {
        let meta = json!({"io.modelcontextprotocol/clientInfo": client.clone()});
        let modern = Request::modern("tools/list", json!({"_meta": meta}));
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client,
        });
        let handshake = json!({"id": 1, "method": "initialize", "params": params});
        let legacy = Request::from_client("2025-11-25", handshake);
        let answers = [modern, legacy].map(|request| everything().send(&request));
        answers.iter().map(Response::text).collect()
    };
    let one = answers(json!({"name": "one", "version": "1"}));
    assert!(one.iter().all(|body| body.contains("result")), "{one:?}");
    for name in ["claude", "admin", "mcpfn", "../x"] {
        assert_eq!(
            answers(json!({"name": name, "version": "99.0.0"})),
            one,
            "{name}"
        );
    }
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let asks = [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        (
            "tools/call",
            json!({"name": "add", "arguments": {"a": 1, "b": 2}}),
        ),
        ("tools/call", json!({"name": "add", "arguments": {"b": 2}})),
        (
            "tools/call",
            json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}}),
        ),
        ("resources/read", json!({"uri": "test://static-binary"})),
        ("prompts/get", json!({"name": "test_prompt_with_image"})),
        ("tools/call", json!({"name": "nobody"})),
    ];
    let (one, other) = (everything(), everything());
    // the other instance has answered something else before
    other.send(&Request::modern(
        "tools/call",
        json!({"name": "test_slow", "arguments": {"milliseconds": 3}}),
    ));
    for (method, params) in asks {
        for revision in ["2026-07-28", "2025-11-25", "2025-03-26"] {
            let request = Request::from_client(
                revision,
                json!({"id": 1, "method": method, "params": params}),
            );
            let first = one.send(&request);
            for again in [one.send(&request), other.send(&request)] {
                assert_eq!(
                    (again.status, again.text()),
                    (first.status, first.text()),
                    "{method} under {revision}"
                );
            }
        }
    }
}

#[test]
fn lists_do_not_change_with_what_was_asked_before() {
    let host = everything();
    let list = Request::modern("tools/list", json!({}));
    let before = host.send(&list).text();
    for method in ["initialize", "logging/setLevel", "resources/subscribe"] {
        let params = json!({"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}, "level": "debug", "uri": "test://static-text"});
        host.send(&Request::from_client(
            "2025-11-25",
            json!({"id": 1, "method": method, "params": params}),
        ));
    }
    assert_eq!(host.send(&list).text(), before);
}

fn sleepy() -> Builder {
    Server::builder("s", "1").tool(
        Tool::new("sleep")
            .description("Sleeps.")
            .timeout(Duration::from_secs(60))
            .handler(|args: JsonObject, cx: Cx| async move {
                let seconds = args
                    .get("seconds")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                cx.sleep(Duration::from_secs(seconds)).await;
                format!("{} ms left", cx.remaining().as_millis())
            }),
    )
}

#[test]
fn a_call_ends_before_its_host_must() {
    let host = InProcess::new(sleepy);
    let now = mcpfn::port::Clock::now_ms(&host.time);
    let ask = |seconds: u64, deadline_ms: u64| {
        let request = Request::modern(
            "tools/call",
            json!({"name": "sleep", "arguments": {"seconds": seconds}}),
        );
        let mut request = host.to_http(&request);
        request.extensions_mut().insert(Deadline(deadline_ms));
        let response = block_on(&host.time, host.service.call(request, &host.platform));
        let body: Value =
            serde_json::from_slice(response.body().as_full().expect("no stream")).expect("JSON");
        body["result"]["content"][0]["text"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    assert_eq!(ask(1, now + 3000), "2000 ms left");
    assert!(
        ask(5, now + 1000 + 2500)
            .starts_with("`sleep` did not finish within 2500 ms and was stopped.")
    );
    assert_eq!(host.time.elapsed_ms(), 3500);
    assert!(
        ask(1, now).starts_with("`sleep` did not finish within 0 s and was stopped."),
        "a deadline that is over"
    );
}

#[test]
fn a_silent_stream_gives_signs_of_life() {
    let host = InProcess::new(sleepy);
    let request = Request::modern(
        "tools/call",
        json!({"name": "sleep", "arguments": {"seconds": 35}, "_meta": {"progressToken": 1}}),
    );
    let response = host.send(&request);
    assert!(response.is_stream());
    let text = response.text();
    assert_eq!(
        text.split("\n\n")
            .filter(|event| event.starts_with(": "))
            .count(),
        3,
        "one for every ten seconds: {text}"
    );
    assert_eq!(response.messages().len(), 1, "comments are no messages");
    let without_token = host.send(&Request::modern(
        "tools/call",
        json!({"name": "sleep", "arguments": {"seconds": 35}}),
    ));
    assert!(!without_token.is_stream(), "who gave no token gets JSON");
}

#[test]
fn a_body_knows_its_length() {
    let service = Service::new(mcpfn_it::everything().build().unwrap(), Config::loopback());
    let host = everything();
    let request = host.to_http(&Request::modern("tools/list", json!({})));
    let response = block_on(&host.time, service.call(request, &host.platform));
    let length = response.body().as_full().expect("a whole body").len() as u64;
    assert_eq!(
        response.body().size_hint().exact(),
        Some(length),
        "so that a host can send Content-Length"
    );
}

#[test]
fn calls_of_a_batch_wait_together() {
    let host = InProcess::new(sleepy);
    let one = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "sleep", "arguments": {"seconds": 4}}});
    let batch = Value::Array((0..50).map(one).collect());
    let response = host.send(&Request::post(batch.to_string()));
    assert_eq!(response.json().as_array().map(Vec::len), Some(50));
    assert_eq!(host.time.elapsed_ms(), 4000);
}

#[test]
fn a_future_that_is_dropped_wakes_nobody() {
    let host = InProcess::new(sleepy);
    let request = host.to_http(&Request::modern(
        "tools/call",
        json!({"name": "sleep", "arguments": {"seconds": 30}}),
    ));
    let mut call = Box::pin(host.service.call(request, &host.platform));
    assert!(matches!(
        call.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        Poll::Pending
    ));
    drop(call);
    // the sleeps of a dropped call are gone: time has nowhere to go for the next one but to its own
    // end
    host.send(&Request::modern(
        "tools/call",
        json!({"name": "sleep", "arguments": {"seconds": 1}}),
    ));
    assert_eq!(host.time.elapsed_ms(), 1000);
}

#[test]
fn a_silent_call_shows_that_it_lives() {
    let ask = |seconds: u64, accept: &str, meta: Value| {
        let host = InProcess::new(sleepy);
        let params = json!({"name": "sleep", "arguments": {"seconds": seconds}, "_meta": meta});
        host.send(&Request::modern("tools/call", params).header("accept", accept))
            .text()
    };
    let (streams, token) = (
        "application/json, text/event-stream",
        json!({"progressToken": 1}),
    );
    let signs = |text: &str| text.matches(": still working\n\n").count();
    let text = ask(35, streams, token.clone());
    assert_eq!(signs(&text), 3, "every ten seconds: {text}");
    assert!(
        text.starts_with(": still working\n\n")
            && text.contains("\ndata: {")
            && text.ends_with("\n\n"),
        "the answer comes last: {text}"
    );
    // nobody who did not ask for reports, or can't read them, gets a stream; and a quick call needs
    // none
    for text in [
        ask(35, streams, json!({})),
        ask(35, "application/json", token.clone()),
        ask(9, streams, token),
    ] {
        assert!(text.starts_with('{') && signs(&text) == 0, "{text}");
    }
}
