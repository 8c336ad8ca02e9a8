//! What holds for a server as a value: it is shared between threads, the same call gives the same
//! bytes, nothing is kept between calls, dropping is cancelling, and nothing follows an answer.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http_body::Body as _;
use mcpfn::jsonrpc::{Incoming, Message, read};
use mcpfn::prelude::*;
use mcpfn::{Call, Envelope, Execution, Frame, JsonObject, LogLevel, Platform, Principal, Running};
use mcpfn_http::{Config, Deadline, Service};
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::time::{Log, Time, block_on, keys, platform};
use crate::support::{Host as _, Request, complete, everything};

fn is_shared<T: Send + Sync + 'static>() {}
fn is_sent<T: Send + 'static>() {}

#[test]
fn a_server_is_shared_between_threads() {
    is_shared::<Server>();
    is_shared::<Service>();
    is_shared::<Platform>();
    is_shared::<Cx>();
    is_sent::<Running>();
    is_sent::<mcpfn_http::Body>();
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

/// A call as a host without HTTP makes it.
fn with_call<T>(message: &Value, then: impl FnOnce(Call<'_>) -> T) -> T {
    let mut message = message.clone();
    complete("2026-07-28", &mut message);
    let text = message.to_string();
    let Ok(Incoming::Single(Message::Request(request))) = read(text.as_bytes()) else {
        panic!("{text} is no request")
    };
    let envelope = Envelope::new(request);
    let era = envelope.era(None).expect("an era");
    then(envelope.into_call(era, Principal::local()).expect("a call"))
}

fn running(server: &Server, platform: &Arc<Platform>, message: &Value) -> Running {
    match with_call(message, |call| server.reply(call, platform)) {
        Execution::Running(running) => running,
        Execution::Done(answer) => panic!("answered at once: {:?}", answer.message),
    }
}

#[test]
fn nothing_runs_before_it_is_polled_and_dropping_cancels() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (started, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = || {
        (
            started.load(Ordering::SeqCst),
            dropped.load(Ordering::SeqCst),
        )
    };
    let tool = {
        let (started, dropped) = (Arc::clone(&started), Arc::clone(&dropped));
        Tool::new("wait")
            .description("Waits.")
            .handler(move |_: NoArguments, cx: Cx| {
                started.fetch_add(1, Ordering::SeqCst);
                let guard = Guard(Arc::clone(&dropped));
                async move {
                    cx.sleep(Duration::from_secs(1)).await;
                    drop(guard);
                    "waited"
                }
            })
    };
    let server = Server::builder("s", "1").tool(tool).build().unwrap();
    let platform = platform(&Time::new(), &Log::default(), keys());
    let call = json!({"id": 1, "method": "tools/call", "params": {"name": "wait"}});
    drop(running(&server, &platform, &call));
    assert_eq!(counts(), (0, 0));
    let mut polled = running(&server, &platform, &call);
    assert!(
        polled
            .poll_frame(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert_eq!(counts(), (1, 0));
    drop(polled);
    assert_eq!(counts(), (1, 1));
}

#[test]
fn nothing_follows_an_answer() {
    let kept: Arc<Mutex<Option<Cx>>> = Arc::default();
    let tool = {
        let kept = Arc::clone(&kept);
        Tool::new("leak").description("Keeps its context.").handler(
            move |_: NoArguments, cx: Cx| {
                *kept.lock().unwrap() = Some(cx);
                async { "done" }
            },
        )
    };
    let server = Server::builder("s", "1")
        .logging()
        .tool(tool)
        .build()
        .unwrap();
    let time = Time::new();
    let platform = platform(&time, &Log::default(), keys());
    let meta = json!({"progressToken": 1, "io.modelcontextprotocol/logLevel": "debug",
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let mut call = running(
        &server,
        &platform,
        &json!({"id": 1, "method": "tools/call", "params": {"name": "leak", "_meta": meta}}),
    );
    assert!(matches!(
        block_on(&time, call.frame()),
        Some(Frame::Response(_))
    ));
    let cx = kept.lock().unwrap().take().expect("the handler ran");
    // "progress notifications MUST stop after completion" (basic/utilities/progress); a task of the
    // handler's may not know that
    cx.progress(1.0, None, None);
    cx.log(LogLevel::Error, "too late");
    assert!(
        block_on(&time, call.frame()).is_none(),
        "a notification follows the answer"
    );
}

#[test]
fn progress_grows_or_is_left_out() {
    let server = || {
        Server::builder("s", "1").tool(Tool::new("count").description("Counts strangely.").handler(
            |_: NoArguments, cx: Cx| async move {
                for progress in [1.0, 1.0, 0.5, f64::NAN, f64::INFINITY, 1.5, -1.0, 2.0] {
                    cx.progress(progress, Some(f64::NAN), None);
                }
                "counted"
            },
        ))
    };
    let response = InProcess::new(server).send(&Request::modern(
        "tools/call",
        json!({"name": "count", "_meta": {"progressToken": "t"}}),
    ));
    let messages = response.messages();
    let sent: Vec<&Value> = messages
        .iter()
        .filter(|message| message["method"] == "notifications/progress")
        .map(|message| &message["params"])
        .collect();
    let expected: Vec<Value> = [1.0, 1.5, 2.0]
        .map(|progress| json!({"progressToken": "t", "progress": progress}))
        .to_vec();
    assert_eq!(sent, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_flood_of_reports_is_bounded() {
    let server = || {
        Server::builder("s", "1").tool(Tool::new("flood").description("Reports too much.").handler(
            |_: NoArguments, cx: Cx| async move {
                for step in 0..100_000_u32 {
                    cx.progress(f64::from(step), None, None);
                }
                "flooded"
            },
        ))
    };
    let response = InProcess::new(server).send(&Request::modern(
        "tools/call",
        json!({"name": "flood", "_meta": {"progressToken": 1}}),
    ));
    assert!(
        response.messages().len() < 1000,
        "{} messages wait for the client",
        response.messages().len()
    );
    assert_eq!(response.json()["result"]["content"][0]["text"], "flooded");
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
    let now = mcpfn::Clock::now_ms(&host.time);
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
fn a_result_that_is_too_large_is_refused_with_its_size() {
    let server = || {
        Server::builder("s", "1").max_result_bytes(1000).tool(
            Tool::new("fill")
                .description("Gives much.")
                .handler(|args: JsonObject| async move {
                    "x".repeat(
                        args.get("bytes")
                            .and_then(Value::as_u64)
                            .and_then(|bytes| usize::try_from(bytes).ok())
                            .unwrap_or_default(),
                    )
                }),
        )
    };
    let host = InProcess::new(server);
    let ask = |bytes: u64| {
        host.send(&Request::modern(
            "tools/call",
            json!({"name": "fill", "arguments": {"bytes": bytes}}),
        ))
        .json()
    };
    assert_eq!(ask(500)["result"]["isError"], Value::Null);
    let refused = ask(5000);
    assert_eq!(refused["result"]["isError"], true);
    let said = refused["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        said.contains("`fill`") && said.contains("more than the 1000") && said.len() < 500,
        "{said}"
    );
}

#[test]
fn a_result_that_breaks_its_own_schema_is_not_sent() {
    let server = || {
        Server::builder("s", "1").tool(
            Tool::new("lies")
                .description("Promises a number.")
                .output_schema(json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}))
                .handler(|args: JsonObject| async move { CallToolResult::text("secret words").structured(Value::Object(args)) }),
        )
    };
    let host = InProcess::new(server);
    let ask = |arguments: Value| {
        host.send(&Request::modern(
            "tools/call",
            json!({"name": "lies", "arguments": arguments}),
        ))
        .json()["result"]
            .clone()
    };
    assert_eq!(ask(json!({"n": 1}))["structuredContent"], json!({"n": 1}));
    let refused = ask(json!({"n": "one"}));
    assert_eq!(refused["isError"], true);
    assert_eq!(refused.get("structuredContent"), None);
    assert!(!refused.to_string().contains("secret"), "{refused}");
    assert!(
        host.log.kept()[0].cause.contains("/n"),
        "the log says where: {:?}",
        host.log.kept()
    );
}

#[test]
fn causes_go_to_the_log_and_sentences_to_the_model() {
    let server = || {
        let fail = |name: &str, make: fn() -> ToolError| {
            Tool::new(name)
                .description("Fails.")
                .handler(move |_: NoArguments| async move { Err::<String, _>(make()) })
        };
        Server::builder("s", "1")
            .tool(fail("plain", || ToolError::new("try another word")))
            .tool(fail("caused", || {
                ToolError::unavailable("the shop is closed", "password=hunter2 refused")
            }))
            .tool(fail("internal", || ToolError::internal("password=hunter2")))
            .tool(fail("foreign", || {
                "x".parse::<u8>().expect_err("no number").into()
            }))
            .tool(fail("missing", || ToolError::not_found("no such product")))
    };
    let host = InProcess::new(server);
    let ask = |name: &str| {
        let result = host
            .send(&Request::modern("tools/call", json!({"name": name})))
            .json()["result"]
            .clone();
        assert_eq!(result["isError"], true, "{name}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask("plain"), "try another word");
    assert_eq!(ask("missing"), "no such product");
    assert_eq!(host.log.kept(), []);
    let caused = ask("caused");
    assert!(
        caused.starts_with("the shop is closed (error id "),
        "{caused}"
    );
    for said in [caused, ask("internal"), ask("foreign")] {
        let kept = host.log.kept().pop().expect("a record");
        assert!(
            !said.contains("hunter2") && !said.contains("digit"),
            "{said}"
        );
        assert!(
            host.log.kept().iter().any(|kept| said.contains(&kept.id)),
            "{said}, {kept:?}"
        );
    }
    let causes: Vec<String> = host.log.kept().into_iter().map(|kept| kept.cause).collect();
    assert_eq!(
        causes,
        [
            "password=hunter2 refused",
            "password=hunter2",
            "invalid digit found in string"
        ]
    );
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
