//! What holds for a server as a value, whatever host it has: it is shared between threads, nothing
//! runs before it is polled, dropping is cancelling, nothing follows an answer, and results are
//! bounded and checked. What needs HTTP is in the workspace's `tests`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use mcpfn::{
    Cx, JsonObject, LogLevel, NoArguments, Principal, Server, Tool, ToolError,
    content::CallToolResult,
    host::{Call, Execution, Frame, Running},
    policy::{FailureMode, RateLimits},
    port::{Platform, Rate, RateLimiter},
};
use mcpfn_testing::{RecordedFailure, TestClient, block_on};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::with_call;

fn is_shared<T: Send + Sync + 'static>() {}
fn is_sent<T: Send + 'static>() {}

#[test]
fn a_server_is_shared_between_threads() {
    is_shared::<Server>();
    is_shared::<Platform>();
    is_shared::<Cx>();
    is_sent::<Running>();
}

/// A call of a tool at work.
fn running(client: &TestClient, tool: &str, meta: &Value) -> Running {
    let params = json!({"name": tool, "_meta": meta});
    let reply = |call: Call<'_>| client.server().reply(call, client.platform());
    match with_call("tools/call", &params, reply) {
        Execution::Running(running) => running,
        Execution::Done(answer) => panic!("answered at once: {:?}", answer.message),
    }
}

/// A host that counts no lists has them without asking anybody.
#[test]
fn a_list_is_there_at_once_where_nothing_counts_it() {
    let tool = Tool::new("t").description("Does it.");
    let tool = tool.handler(|_: NoArguments| async { "done" });
    let client = TestClient::new(Server::builder("s", "1").tool(tool));
    let stores: Arc<dyn RateLimiter> = Arc::new(client.stores().clone());
    for (rate, at_once) in [(None, true), (Some(Rate::per_minute(1)), false)] {
        let limits = RateLimits {
            limiter: Arc::clone(&stores),
            rate,
            failure_mode: FailureMode::Closed,
        };
        let client = client.clone();
        let client = client.map_platform(|platform| platform.with_rate_limits(limits));
        let reply = |call: Call<'_>| client.server().reply(call, client.platform());
        let execution = with_call("tools/list", &json!({}), reply);
        assert_eq!(matches!(execution, Execution::Done(_)), at_once);
        let message = block_on(execution.into_response()).message;
        assert!(String::from_utf8_lossy(&message).contains("Does it."));
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
    let client = TestClient::new(Server::builder("s", "1").tool(tool));
    drop(running(&client, "wait", &json!({})));
    assert_eq!(counts(), (0, 0));
    let mut polled = running(&client, "wait", &json!({}));
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
    let client = TestClient::new(Server::builder("s", "1").logging().tool(tool));
    let meta = json!({"progressToken": 1, "io.modelcontextprotocol/logLevel": "debug"});
    let mut call = running(&client, "leak", &meta);
    assert!(matches!(block_on(call.frame()), Some(Frame::Response(_))));
    let cx = kept.lock().unwrap().take().expect("the handler ran");
    // "progress notifications MUST stop after completion" (basic/utilities/progress); a task of the
    // handler's may not know that
    cx.progress(1.0, None, None);
    cx.log(LogLevel::Error, "too late");
    assert!(
        block_on(call.frame()).is_none(),
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
    let client = TestClient::new(server());
    let mut call = running(&client, "count", &json!({"progressToken": "t"}));
    let mut sent = Vec::new();
    while let Some(Frame::Notification(notification)) = block_on(call.frame()) {
        let notification: Value = serde_json::from_slice(&notification).unwrap();
        assert_eq!(notification["method"], "notifications/progress");
        sent.push(notification["params"].clone());
    }
    let expected = [1.0, 1.5, 2.0];
    let expected = expected.map(|progress| json!({"progressToken": "t", "progress": progress}));
    assert_eq!(sent, expected);
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
    let client = TestClient::new(server());
    let result = client.call("flood", json!({})).wait().unwrap();
    assert_eq!(result.text(), "flooded");
    let waited = client.progress().len();
    assert!(
        waited > 0 && waited < 1000,
        "{waited} messages wait for the client"
    );
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
    let client = TestClient::new(server());
    let ask = |bytes: u64| client.call("fill", json!({"bytes": bytes})).wait().unwrap();
    assert!(!ask(500).is_error());
    let refused = ask(5000);
    assert!(refused.is_error());
    let said = refused.text();
    assert!(
        said.contains("`fill`") && said.contains("more than the 1000") && said.len() < 500,
        "{said}"
    );
}

#[test]
fn the_answers_of_a_batch_are_bounded_together() {
    let fill = Tool::new("fill")
        .description("Gives 400 bytes.")
        .handler(|_: JsonObject| async { "x".repeat(400) });
    let server = Server::builder("s", "1").max_result_bytes(1000).tool(fill);
    let client = TestClient::new(server);
    let ask = |id: usize, method: &str| {
        let params = json!({"name": "fill"});
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    };
    let mut messages: Vec<String> = (0..49).map(|id| ask(id, "tools/call")).collect();
    messages.insert(40, ask(49, "ping"));
    let text = format!("[{}]", messages.join(","));
    let items: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
    let caller = Arc::new(Principal::local());
    let batch = client
        .server()
        .batch(&items, &caller, None, client.platform());
    let answers = block_on(batch.unwrap().unwrap());
    assert!(answers.len() < 1000 + 50 * 200, "{}", answers.len());
    let answers: Vec<Value> = serde_json::from_slice(&answers).unwrap();
    let mut whole = Vec::new();
    for answer in &answers {
        if answer.get("result").is_some() {
            whole.push(answer["id"].as_u64().unwrap());
            continue;
        }
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(said.contains("more than 1000 bytes together"), "{said}");
    }
    assert_eq!(whole, [0, 1, 49], "a short answer still fits");
    let ids: Vec<u64> = answers
        .iter()
        .map(|one| one["id"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (0..40).chain([49]).chain(40..49).collect();
    assert_eq!(ids, expected);
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
    let client = TestClient::new(server());
    let ask = |arguments: Value| client.call("lies", arguments).wait().unwrap();
    assert_eq!(ask(json!({"n": 1})).structured::<Value>(), json!({"n": 1}));
    let refused = ask(json!({"n": "one"}));
    assert!(refused.is_error());
    let written = refused.as_json();
    assert_eq!(written.get("structuredContent"), None);
    assert!(!written.to_string().contains("secret"), "{written}");
    let causes = client.audit().causes();
    assert!(causes[0].contains("/n"), "the log says where: {causes:?}");
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
    let client = TestClient::new(server());
    let ask = |name: &str| {
        let result = client.call(name, json!({})).wait().unwrap();
        assert!(result.is_error(), "{name}");
        result.text()
    };
    assert_eq!(ask("plain"), "try another word");
    assert_eq!(ask("missing"), "no such product");
    assert_eq!(client.audit().failures(), []);
    let caused = ask("caused");
    assert!(
        caused.starts_with("the shop is closed (error id "),
        "{caused}"
    );
    for said in [caused, ask("internal"), ask("foreign")] {
        assert!(
            !said.contains("hunter2") && !said.contains("digit"),
            "{said}"
        );
        let failures = client.audit().failures();
        let told = |failure: &RecordedFailure| said.contains(&failure.id);
        assert!(failures.iter().any(told), "{said}, {failures:?}");
    }
    assert_eq!(
        client.audit().causes(),
        [
            "password=hunter2 refused",
            "password=hunter2",
            "invalid digit found in string"
        ]
    );
}

/// What a resource's handler refuses lies in the URI; what has a cause does not.
#[test]
fn a_resource_says_whose_fault_it_is() {
    use mcpfn::Resource;

    #[mcpfn::input]
    struct Which {
        which: String,
    }
    let handler = |args: Which| async move {
        Err::<String, _>(match args.which.as_str() {
            "refused" => ToolError::new("the name has a space"),
            "missing" => ToolError::not_found("there is none"),
            "down" => ToolError::unavailable("try again later", "connection refused"),
            _ => ToolError::internal("a bug"),
        })
    };
    let template = Resource::new("x://{which}", "x")
        .description("X.")
        .handler(handler);
    let client = TestClient::new(Server::builder("x", "1").resource(template));
    for (which, code) in [
        ("refused", -32602),
        ("missing", -32602),
        ("down", -32603),
        ("bug", -32603),
    ] {
        let error = client.read(&format!("x://{which}")).wait().unwrap_err();
        assert_eq!(error.code(), Some(code), "{which}: {error}");
    }
}

/// Clients read the first page only: there is one, unless it would be too large.
#[test]
fn a_list_has_one_page_where_it_can() {
    let server = |tools: usize, bytes: usize, scope: bool| {
        (0..tools).fold(Server::builder("many", "1"), |builder, number| {
            let tool = Tool::new(format!("tool_{number}"))
                .description("x".repeat(bytes))
                .handler(|_: NoArguments| async { "" });
            let guarded = scope && number == 0;
            builder.tool(if guarded { tool.scope("secret") } else { tool })
        })
    };
    for (tools, bytes, pages) in [
        (1, 1, 1),
        (101, 100, 1),
        (1000, 600, 1),
        (1001, 1, 2),
        (150, 10_000, 2),
        (3, 950_000, 3),
    ] {
        for (scope, scopes) in [(false, "*"), (true, "*"), (true, "")] {
            let client = TestClient::new(server(tools, bytes, scope)).scopes(scopes);
            let (mut cursor, mut seen, mut names) = (Value::Null, 0, Vec::new());
            loop {
                let params = match &cursor {
                    Value::Null => json!({}),
                    cursor => json!({"cursor": cursor}),
                };
                let page = client.request("tools/list", params).wait().unwrap();
                let listed = page["tools"].as_array().unwrap();
                names.extend(
                    listed
                        .iter()
                        .map(|tool| tool["name"].as_str().unwrap().to_owned()),
                );
                assert!(page["tools"].to_string().len() < 1_000_000 && listed.len() <= 1000);
                seen += 1;
                cursor = page["nextCursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            let hidden = usize::from(scope && scopes.is_empty() && tools > 0);
            let fewer = tools - hidden;
            let wanted = (0..tools)
                .skip(hidden)
                .map(|number| format!("tool_{number}"));
            assert!(names.iter().cloned().eq(wanted), "{tools} {bytes}");
            // without the hidden one there may be a page less
            let fits = seen == pages || (fewer < tools && seen + 1 == pages);
            assert!(fits, "{tools} {bytes}: {seen}");
        }
    }
}

/// What is offered is a hundred at most, and what is said of the others is true.
#[test]
fn a_completion_says_whether_there_is_more() {
    use mcpfn::{Completions, Prompt};

    #[mcpfn::input]
    struct Words {
        #[allow(dead_code, reason = "it is completed, and that is all")]
        word: String,
    }
    let words = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<String>>();
    for (found, values, total, more) in [
        (words(3).into(), 3, json!(3), false),
        (words(100).into(), 100, json!(100), false),
        (words(101).into(), 100, json!(101), true),
        (words(2800).into(), 100, json!(2800), true),
        (Completions::some(words(100)), 100, Value::Null, true),
        (Completions::some(words(3)), 3, Value::Null, true),
    ] {
        let found: Completions = found;
        let prompt = Prompt::new("p")
            .description("P.")
            .handler(|_: Words| async { "" })
            .complete("word", move |_: String, _: Cx| {
                std::future::ready(found.clone())
            });
        let client = TestClient::new(Server::builder("x", "1").prompt(prompt));
        let params = json!({"ref": {"type": "ref/prompt", "name": "p"},
            "argument": {"name": "word", "value": ""}});
        let said = client
            .request("completion/complete", params)
            .wait()
            .unwrap();
        let said = &said["completion"];
        assert_eq!(said["values"].as_array().unwrap().len(), values);
        assert_eq!((&said["total"], &said["hasMore"]), (&total, &json!(more)));
    }
}
