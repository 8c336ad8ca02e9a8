//! Tasks from their clients' side, run when the test says so: what becomes one, what a run that
//! ends without a word leaves, what is asked in between, and who may see them.

use std::future::Future as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcpfn_core::host::{Capability, TaskRun};
use mcpfn_core::round_trip::Form;
use mcpfn_core::task::TaskOptions;
use mcpfn_core::{
    Builder, Cx, JsonObject, NoArguments, Principal, PrincipalKind, Revision, Scopes, Server, Tool,
    ToolError,
};
use mcpfn_testing::{ClientError, TestClient, TestClock, block_on};
use serde_json::{Value, json};

/// How often a handler began, and how often it came to the end of its work.
#[derive(Clone, Default)]
struct Work(Arc<(AtomicU32, AtomicU32)>);

impl Work {
    fn begin(&self) -> u32 {
        self.0.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn begun(&self) -> u32 {
        self.0.0.load(Ordering::Relaxed)
    }
}

fn tool(name: &str, options: TaskOptions) -> Tool {
    Tool::new(name).description("Does it.").task(options)
}

fn builder(work: &Work) -> Builder {
    let (work_of_count, work_of_once) = (work.clone(), work.clone());
    let options = TaskOptions::new().poll(Duration::from_secs(2));
    let count = tool("count", options)
        .scope("count")
        .handler(move |args: JsonObject, cx: Cx| {
            let work = work_of_count.clone();
            async move {
                work.begin();
                let to = args.get("to").and_then(Value::as_u64).unwrap_or(3);
                let mut counted: u64 = cx.task().resume().unwrap_or_default();
                while counted < to {
                    cx.sleep(Duration::from_secs(10)).await;
                    counted += 1;
                    cx.task().status(format!("{counted} of {to}"));
                    cx.task().checkpoint(&counted).await?;
                }
                Ok::<_, ToolError>(format!("counted to {counted}"))
            }
        });
    let ask = tool("ask", options).handler(|_: NoArguments, cx: Cx| async move {
        let form = |question: &str| Form::new(question).boolean("yes", "Yes?");
        let first = cx.elicit("sure", form("Sure?"))?;
        if first.accepted().is_some_and(|form| form["yes"] == true) {
            return Ok("done".to_owned());
        }
        // asked again under the same key
        Err::<String, ToolError>(cx.ask().form("sure", form("Really not?")).into())
    });
    let later = tool("later", options).handler(|_: NoArguments, cx: Cx| async move {
        let times: u32 = cx.task().resume().unwrap_or_default();
        if times == 2 {
            return Ok(format!("{times} times later"));
        }
        cx.task().checkpoint(&(times + 1)).await?;
        Err(cx.task().later(Duration::from_secs(60)))
    });
    let required =
        tool("required", options.required()).handler(|_: NoArguments| async { "only as a task" });
    let large = tool("large", options).handler(|_: NoArguments| async { "x".repeat(300_000) });
    let fails = tool("fails", options).handler(|_: NoArguments| async {
        Err::<String, _>(ToolError::unavailable("the shop is closed", "secret cause"))
    });
    let refused = tool("refused", options).handler(|_: NoArguments| async {
        Err::<String, _>(ToolError::missing_capability(Capability::Roots))
    });
    let panics = tool("panics", options).handler(|_: NoArguments, cx: Cx| async move {
        assert!(!cx.task().is_task(), "secret panic");
        "in a call"
    });
    let once = tool("once", options)
        .destructive(true)
        .handler(move |_: NoArguments| {
            let work = work_of_once.clone();
            async move { format!("begun {} times", work.begin()) }
        });
    let when_large = tool("when_large", options.begun_by_handler()).handler(
        |args: JsonObject, cx: Cx| async move {
            let answer = cx.elicit("name", Form::new("Name?").text("name", "Name"))?;
            let name = answer.text("name").unwrap_or_default().to_owned();
            if args.get("rows").and_then(Value::as_u64) > Some(1000) {
                cx.task().begin()?;
            }
            Ok::<_, ToolError>(format!("{name}, task: {}", cx.task().is_task()))
        },
    );
    Server::builder("shop", "1.0.0")
        .tool(count)
        .tool(ask)
        .tool(later)
        .tool(required)
        .tool(large)
        .tool(fails)
        .tool(refused)
        .tool(panics)
        .tool(once)
        .tool(when_large)
}

fn client(work: &Work) -> TestClient {
    TestClient::with_clock(builder(work), TestClock::auto())
        .capabilities(json!({"elicitation": {}}))
        .does_tasks()
}

fn begun(client: &TestClient, tool: &str) -> String {
    let task = client.begin(tool, json!({})).wait().unwrap();
    assert_eq!(task.as_json()["resultType"], "task");
    assert_eq!(task.status(), "working");
    task.id().to_owned()
}

#[test]
fn a_task_goes_from_its_call_to_its_result() {
    let work = Work::default();
    let client = client(&work);
    let task = client.begin("count", json!({"to": 2})).wait().unwrap();
    let (created, id) = (task.as_json().clone(), task.id().to_owned());
    assert!(id.len() == 43 && work.begun() == 0, "nothing ran yet");
    for absent in ["result", "error", "inputRequests", "requestState"] {
        assert!(created.get(absent).is_none(), "{absent}");
    }
    assert_eq!(
        (&created["ttlMs"], &created["pollIntervalMs"]),
        (&json!(3_600_000), &json!(2000))
    );
    // at once
    assert_eq!(client.task(&id).wait().unwrap().status(), "working");
    assert_eq!(client.run_tasks(), 1);
    let task = client.task(&id).wait().unwrap();
    assert_eq!(task.result().text(), "counted to 2");
    assert_eq!(task.message(), Some("2 of 2"));
    assert_eq!(task.as_json()["resultType"], "complete");
    let created_at = &created["createdAt"];
    assert_eq!(&task.as_json()["createdAt"], created_at);
    assert_ne!(&task.as_json()["lastUpdatedAt"], created_at);
    // it ends with its time
    client.time().advance(Duration::from_secs(3600));
    let gone = client.task(&id).wait().unwrap_err();
    assert_eq!(gone.code(), Some(-32602));
    let methods: Vec<String> = client
        .audit()
        .calls()
        .iter()
        .map(|call| call.method.clone())
        .collect();
    assert!(methods.contains(&"tasks/run".to_owned()), "{methods:?}");
}

/// One sentence for what is gone, foreign and made up.
#[test]
fn a_task_is_its_callers_alone() {
    let client = client(&Work::default());
    let id = begun(&client, "count");
    let other = |kind, subject: &str| {
        let other = Principal::new(kind, subject).with_scopes(Scopes::all());
        client.clone().principal(other)
    };
    let unknown = client.task("made-up").wait().unwrap_err();
    for stranger in [
        other(PrincipalKind::Jwt, "local"),
        other(PrincipalKind::Local, "other"),
        client.clone().principal(Principal::anonymous()),
    ] {
        for error in [
            stranger.task(&id).wait().unwrap_err(),
            stranger.cancel_task(&id).wait().unwrap_err(),
            stranger.answer_task(&id, json!({})).wait().unwrap_err(),
        ] {
            assert_eq!(error.code(), Some(-32602));
            let same = error.to_string().replace(&id, "made-up");
            assert_eq!(same, unknown.to_string());
        }
    }
    assert_eq!(client.task(&id).wait().unwrap().status(), "working");
    // without the scope there is no task
    let error = client
        .clone()
        .scopes("")
        .begin("count", json!({}))
        .wait()
        .unwrap_err();
    assert_eq!(error.code(), Some(403));
    assert_eq!(client.tasks().orders().len(), 1);
}

/// A run goes on with what its caller was allowed at the call.
#[test]
fn scopes_are_those_of_the_call() {
    let scoped = Tool::new("scopes")
        .description("Tells.")
        .task(TaskOptions::new());
    let scoped = scoped.handler(|_: NoArguments, cx: Cx| async move {
        let principal = cx.principal();
        let scopes: Vec<&str> = principal.scopes.iter().collect();
        format!(
            "{:?} {} {}",
            principal.kind,
            principal.subject,
            scopes.join(" ")
        )
    });
    let caller = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::parse("a b:read"));
    let client = TestClient::new(Server::builder("shop", "1.0.0").tool(scoped))
        .principal(caller)
        .does_tasks();
    let id = begun(&client, "scopes");
    client.run_tasks();
    let task = client.task(&id).wait().unwrap();
    assert_eq!(task.result().text(), "Jwt alice a b:read");
}

#[test]
fn what_can_not_be_a_task_is_none() {
    let work = Work::default();
    let with = client(&work);
    let plain = TestClient::with_clock(builder(&work), TestClock::auto());
    // within its call, in memory
    let text = |result: mcpfn_testing::ToolResult| result.text();
    assert_eq!(
        plain.call("panics", json!({})).wait().map(text).unwrap(),
        "in a call"
    );
    let later = plain.call("later", json!({})).wait().unwrap();
    assert!(later.is_error() && later.text().contains("did not finish within 5 s"));
    let count = plain
        .call("count", json!({"to": 0}))
        .wait()
        .map(text)
        .unwrap();
    assert_eq!(count, "counted to 0");
    let error = plain.call("required", json!({})).wait().unwrap_err();
    assert_eq!(error.code(), Some(-32021));
    let ClientError::Rpc(refusal) = error else {
        panic!("{error}");
    };
    let required = refusal.data.unwrap()["requiredCapabilities"]["extensions"].clone();
    assert_eq!(required, json!({"io.modelcontextprotocol/tasks": {}}));
    let old = plain.clone().revision(Revision::LATEST_LEGACY);
    let sentence = old.call("required", json!({})).wait().unwrap();
    assert!(sentence.is_error() && sentence.text().contains("runs as a task only"));
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({"taskId": "x", "inputResponses": {}});
        let undeclared = plain.request(method, params.clone()).wait().unwrap_err();
        assert_eq!(undeclared.code(), Some(-32021), "{method}");
        let legacy = with.clone().revision(Revision::LATEST_LEGACY);
        let unknown = legacy.request(method, params).wait().unwrap_err();
        assert_eq!(unknown.code(), Some(-32601), "{method}");
        let missing = with.request(method, json!({})).wait().unwrap_err();
        assert!(missing.to_string().contains("params.taskId"), "{missing}");
    }
    for method in ["tasks/result", "tasks/list"] {
        let error = with
            .request(method, json!({"taskId": "x"}))
            .wait()
            .unwrap_err();
        assert_eq!(error.code(), Some(-32601), "{method}");
    }
}

/// The extension is declared where it is served, and never in a handshake.
#[test]
fn the_extension_is_declared_where_it_is_served() {
    let declared = |builder: Builder, revision| {
        let client = TestClient::new(builder).revision(revision);
        let discovery = client.request(
            if revision == Revision::LATEST { "server/discover" } else { "initialize" },
            json!({"protocolVersion": revision.as_str(), "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}),
        );
        let result = discovery.wait().unwrap();
        !result["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_null()
    };
    let plain = || {
        let tool = Tool::new("tick").description("Ticks.");
        Server::builder("a", "1").tool(tool.handler(|_: NoArguments| async { "tick" }))
    };
    let tasks =
        || plain().tool(tool("t", TaskOptions::new()).handler(|_: NoArguments| async { "" }));
    assert!(declared(tasks(), Revision::LATEST));
    assert!(!declared(tasks(), Revision::LATEST_LEGACY));
    assert!(!declared(plain(), Revision::LATEST));
    assert!(!declared(tasks().without_tasks(), Revision::LATEST));
    let required = tool("t", TaskOptions::new().required()).handler(|_: NoArguments| async { "" });
    let error = plain().tool(required).without_tasks().build().unwrap_err();
    assert!(
        error.to_string().contains("can only run as a task"),
        "{error}"
    );
    let short = TaskOptions::new().ttl(Duration::from_secs(1));
    let error = plain()
        .tool(tool("t", short).handler(|_: NoArguments| async { "" }))
        .build();
    assert!(error.unwrap_err().to_string().contains("longer than `run`"));
}

#[test]
fn ends_of_handlers_are_ends_of_tasks() {
    let client = client(&Work::default());
    let ended = |tool: &str| {
        let id = begun(&client, tool);
        client.run_tasks();
        client.task(&id).wait().unwrap()
    };
    let fails = ended("fails");
    assert!(fails.result().is_error() && fails.result().text().contains("the shop is closed"));
    let refused = ended("refused");
    assert_eq!(
        (refused.status(), &refused.as_json()["error"]["code"]),
        ("failed", &json!(-32021))
    );
    assert!(refused.as_json().get("result").is_none());
    let panics = ended("panics");
    assert!(panics.result().is_error());
    let large = ended("large");
    assert!(
        large.result().text().contains("more than the 262144"),
        "{:.300}",
        large.as_json()
    );
    for task in [&fails, &panics] {
        assert!(
            !task.as_json().to_string().contains("secret"),
            "{}",
            task.as_json()
        );
    }
    let arguments = json!({"pad": "x".repeat(300_000)});
    let refused = client.call("count", arguments).wait().unwrap();
    assert!(refused.text().contains("at most 262144 bytes of arguments"));
}

#[test]
fn a_task_that_waits_for_its_time_runs_nothing_in_between() {
    let client =
        TestClient::with_clock(builder(&Work::default()), TestClock::manual()).does_tasks();
    let id = begun(&client, "later");
    for _ in 0..2 {
        assert_eq!(client.run_tasks(), 1);
        assert_eq!(client.task(&id).wait().unwrap().status(), "working");
        assert_eq!(client.run_tasks(), 0);
        // its order is lost: who asks for it once its time has come orders it again
        client.tasks().lose_orders();
        client.time().advance(Duration::from_secs(59));
        client.task(&id).wait().unwrap();
        assert_eq!(client.tasks().orders().len(), 0);
        client.time().advance(Duration::from_secs(1));
        client.task(&id).wait().unwrap();
        assert_eq!(client.tasks().orders().len(), 1);
    }
    client.run_tasks();
    assert_eq!(
        client.task(&id).wait().unwrap().result().text(),
        "2 times later"
    );
}

/// As if the process had ended in the middle.
#[test]
fn a_run_that_ends_without_a_word_is_followed_from_the_checkpoint() {
    let work = Work::default();
    let clock = TestClock::manual();
    let client = TestClient::with_clock(builder(&work), clock.clone()).does_tasks();
    let id = begun(&client, "count");
    let (key, _) = client.tasks().orders()[0].clone();
    client.tasks().lose_orders();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let run = client.server().run_task(&key, client.platform(), None);
        let mut run = std::pin::pin!(run);
        for _ in 0..4 {
            assert!(run.as_mut().poll(&mut context).is_pending());
            clock.advance(Duration::from_secs(5));
        }
    }
    // two of three are done, or one and nearly two
    let lease = client.task(&id).wait().unwrap();
    assert_eq!(
        (lease.status(), lease.message()),
        ("working", Some("1 of 3"))
    );
    assert!(
        client.tasks().orders().is_empty(),
        "it may still be running"
    );
    // a second event finds it taken
    let second = block_on(client.server().run_task(&key, client.platform(), None));
    assert!(matches!(second, TaskRun::Again { .. }), "{second:?}");
    assert_eq!(work.begun(), 1);
    clock.advance(Duration::from_secs(46));
    client.task(&id).wait().unwrap();
    assert_eq!(client.tasks().orders().len(), 1);
    let third = client.server().run_task(&key, client.platform(), None);
    let mut third = std::pin::pin!(third);
    while third.as_mut().poll(&mut context).is_pending() {
        clock.advance(Duration::from_secs(5));
    }
    assert_eq!(
        client.task(&id).wait().unwrap().result().text(),
        "counted to 3"
    );
    assert_eq!(work.begun(), 2);
}

#[test]
fn a_run_that_is_cut_by_the_deadline_goes_on_in_another() {
    let work = Work::default();
    let client = client(&work);
    let id = begun(&client, "count");
    let (key, now_ms) = client.tasks().orders()[0].clone();
    client.tasks().lose_orders();
    let deadline = Some(now_ms + 25_000);
    let run = block_on(client.server().run_task(&key, client.platform(), deadline));
    assert!(
        matches!(run, TaskRun::Again { at_ms } if at_ms <= now_ms + 25_000),
        "{run:?}"
    );
    let task = client.task(&id).wait().unwrap();
    assert_eq!((task.status(), task.message()), ("working", Some("2 of 3")));
    let run = block_on(client.server().run_task(&key, client.platform(), None));
    assert_eq!((run, work.begun()), (TaskRun::Ended, 2));
    assert_eq!(
        client.task(&id).wait().unwrap().result().text(),
        "counted to 3"
    );
    // a task that never comes further is given up
    let id = begun(&client, "count");
    let (key, _) = client.tasks().orders()[0].clone();
    for _ in 0..5 {
        let deadline = Some(client.platform().now_ms() + 5_000);
        block_on(client.server().run_task(&key, client.platform(), deadline));
    }
    let run = block_on(client.server().run_task(&key, client.platform(), None));
    let task = client.task(&id).wait().unwrap();
    assert_eq!((run, task.status()), (TaskRun::Ended, "failed"));
    assert_eq!(task.as_json()["error"]["code"], -32603);
}

#[test]
fn what_is_asked_is_answered_once() {
    let client = client(&Work::default());
    let id = begun(&client, "ask");
    client.run_tasks();
    let asks = client.task(&id).wait().unwrap();
    assert_eq!(
        (asks.status(), asks.questions()),
        ("input_required", vec!["sure"])
    );
    let request = &asks.as_json()["inputRequests"]["sure"];
    assert_eq!(
        (&request["method"], &request["params"]["message"]),
        (&json!("elicitation/create"), &json!("Sure?"))
    );
    let answer = |keys: Value| client.answer_task(&id, keys).wait();
    // others are acknowledged, and change nothing
    for unknown in [
        json!({}),
        json!({"other": {"ignored": true}}),
        json!({"sure~2": 7}),
    ] {
        assert_eq!(answer(unknown).unwrap()["resultType"], "complete");
        assert_eq!(client.tasks().orders().len(), 0);
    }
    for wrong in [json!({"sure": 7}), json!({"sure": {"action": "maybe"}})] {
        let error = answer(wrong).unwrap_err();
        assert!(
            error.code() == Some(-32602) && error.to_string().contains("`sure`"),
            "{error}"
        );
    }
    for wrong in [json!([]), json!("x"), Value::Null] {
        assert!(
            answer(wrong)
                .unwrap_err()
                .to_string()
                .contains("params.inputResponses")
        );
    }
    answer(json!({"sure": {"action": "accept", "content": {"yes": false}}})).unwrap();
    assert_eq!(client.task(&id).wait().unwrap().status(), "working");
    client.run_tasks();
    // the same key of the handler is another one for the client
    let again = client.task(&id).wait().unwrap();
    assert_eq!(again.questions(), ["sure~2"]);
    answer(json!({"sure": {"action": "accept", "content": {"yes": true}}})).unwrap();
    assert_eq!(
        client.task(&id).wait().unwrap().status(),
        "input_required",
        "a late answer"
    );
    answer(json!({"sure~2": {"action": "accept", "content": {"yes": true}}})).unwrap();
    client.run_tasks();
    assert_eq!(client.task(&id).wait().unwrap().result().text(), "done");
    // a client that can't be asked
    let unable = client.clone().capabilities(json!({}));
    let id = begun(&unable, "ask");
    unable.run_tasks();
    let task = unable.task(&id).wait().unwrap();
    assert_eq!(
        (task.status(), &task.as_json()["error"]["code"]),
        ("failed", &json!(-32021))
    );
}

#[test]
fn a_task_is_cancelled_while_it_waits_runs_or_has_ended() {
    let work = Work::default();
    let client = client(&work);
    let acknowledged = |id: &str| {
        let result = client.cancel_task(id).wait().unwrap();
        assert_eq!(
            (&result["resultType"], result.get("status")),
            (&json!("complete"), None)
        );
        client.task(id).wait().unwrap().status().to_owned()
    };
    // before it runs
    let id = begun(&client, "count");
    assert_eq!(acknowledged(&id), "cancelled");
    client.run_tasks();
    assert_eq!((acknowledged(&id).as_str(), work.begun()), ("cancelled", 0));
    // while it waits for its client
    let id = begun(&client, "ask");
    client.run_tasks();
    assert_eq!(acknowledged(&id), "cancelled");
    let late = json!({"sure": {"action": "accept", "content": {"yes": true}}});
    client.answer_task(&id, late).wait().unwrap();
    assert_eq!(
        (client.run_tasks(), acknowledged(&id).as_str()),
        (0, "cancelled")
    );
    // once it has ended
    let id = begun(&client, "count");
    client.run_tasks();
    assert_eq!(acknowledged(&id), "completed");
    // while it runs
    let clock = TestClock::manual();
    let client = TestClient::with_clock(builder(&work), clock.clone()).does_tasks();
    let id = begun(&client, "count");
    let (key, _) = client.tasks().orders()[0].clone();
    let run = client.server().run_task(&key, client.platform(), None);
    let mut run = std::pin::pin!(run);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(run.as_mut().poll(&mut context).is_pending());
    client.cancel_task(&id).wait().unwrap();
    assert_eq!(client.task(&id).wait().unwrap().status(), "working");
    clock.advance(Duration::from_secs(2));
    assert!(
        run.as_mut().poll(&mut context).is_ready(),
        "by the next beat"
    );
    assert_eq!(client.task(&id).wait().unwrap().status(), "cancelled");
}

#[test]
fn a_handler_may_ask_first_or_answer_at_once() {
    let client = client(&Work::default());
    let call = |rows: u64, answers: Value| {
        let mut params = json!({"name": "when_large", "arguments": {"rows": rows}});
        if !answers.is_null() {
            params["inputResponses"] = answers;
        }
        client.request("tools/call", params).wait().unwrap()
    };
    let first = call(5000, Value::Null);
    assert_eq!(first["resultType"], "input_required");
    let answers = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    let small = call(10, answers.clone());
    assert_eq!(small["content"][0]["text"], "Ada, task: false");
    let large = call(5000, answers);
    assert_eq!(large["resultType"], "task");
    client.run_tasks();
    let task = client
        .task(large["taskId"].as_str().unwrap())
        .wait()
        .unwrap();
    assert_eq!(task.result().text(), "Ada, task: true");
}

#[test]
fn a_repeat_of_an_idempotent_write_gets_the_same_task() {
    let work = Work::default();
    let client = client(&work);
    let begin = |client: &TestClient| {
        let request = client.begin("once", json!({}));
        request.idempotency_key("k-1").wait()
    };
    let (first, second) = (begin(&client).unwrap(), begin(&client).unwrap());
    assert_eq!(first.id(), second.id());
    assert_eq!((client.run_tasks(), work.begun()), (1, 1));
    let plain = TestClient::clone(&client).capabilities(json!({}));
    let other = client.begin("once", json!({})).wait().unwrap();
    assert_ne!(other.id(), first.id());
    let _ = plain;
}

#[test]
fn what_can_not_be_kept_is_not_begun() {
    let work = Work::default();
    let client = client(&work);
    client.tasks().go_down();
    let error = client.begin("count", json!({})).wait().unwrap_err();
    assert!(error.to_string().contains("nothing was done"), "{error}");
    let error = client.task("x").wait().unwrap_err();
    assert_eq!(error.code(), Some(-32603));
    client.tasks().come_back();
    assert_eq!((client.run_tasks(), work.begun()), (0, 0));
    // an order that is lost between the store and the runner
    let id = begun(&client, "count");
    client.tasks().lose_orders();
    client.time().advance(Duration::from_secs(9));
    client.task(&id).wait().unwrap();
    assert_eq!(client.tasks().orders().len(), 0);
    client.time().advance(Duration::from_secs(1));
    client.task(&id).wait().unwrap();
    client.run_tasks();
    assert_eq!(client.task(&id).wait().unwrap().status(), "completed");
}

/// After a deployment: the tool is gone, or its arguments are others.
#[test]
fn a_task_of_an_older_version_ends_in_a_sentence() {
    let work = Work::default();
    let client = client(&work);
    let id = begun(&client, "count");
    let (key, _) = client.tasks().orders()[0].clone();
    let tick = Tool::new("tick").description("Ticks.");
    let tick = tick.handler(|_: NoArguments| async { "tick" });
    let newer = Server::builder("shop", "2.0.0").tool(tick).build().unwrap();
    let run = block_on(newer.run_task(&key, client.platform(), None));
    let task = client.task(&id).wait().unwrap();
    assert_eq!((run, task.status()), (TaskRun::Ended, "failed"));
    let message = task.as_json()["error"]["message"].as_str().unwrap();
    assert!(message.contains("no part of this server"), "{message}");
    assert_eq!(
        block_on(newer.run_task("no such key", client.platform(), None)),
        TaskRun::Ended
    );
}
