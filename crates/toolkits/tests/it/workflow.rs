//! Several calls as one: order, results as arguments, failures, scopes, and a run that ends in the
//! middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcpfn_core::{Builder, Cx, Json, JsonObject, Scopes, Server, Tool, ToolError};
use mcpfn_ports::Sql;
use mcpfn_testing::{Answer, TestClient, TestClock};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::databases;

/// What was called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<std::sync::Mutex<Vec<String>>>);

impl Calls {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn times(&self, name: &str) -> usize {
        self.all().iter().filter(|called| *called == name).count()
    }
}

fn server(calls: &Calls) -> Builder {
    let read = |name: &'static str, calls: Calls| {
        let tool = Tool::new(name).description("Reads.").read_only();
        tool.handler(move |args: JsonObject, cx: Cx| {
            let calls = calls.clone();
            async move {
                calls.0.lock().unwrap().push(name.to_owned());
                let wait = args.get("wait_ms").and_then(Value::as_u64).unwrap_or(0);
                cx.sleep(Duration::from_millis(wait)).await;
                match args.get("fail") {
                    Some(_) => Err(ToolError::new("the shelf is empty")),
                    None => Ok(Json(json!({"given": args, "items": [{"id": 7}]}))),
                }
            }
        })
    };
    let written = Arc::new(AtomicU32::new(0));
    let of_write = calls.clone();
    let write = Tool::new("write")
        .description("Writes.")
        .scope("shelf:write");
    let write = write.handler(move |_: JsonObject| {
        of_write.0.lock().unwrap().push("write".to_owned());
        let times = written.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Json(json!({ "times": times })) }
    });
    let text = Tool::new("text").description("Tells.").read_only();
    let large = Tool::new("large").description("Tells much.").read_only();
    let builder = Server::builder("shelf", "1.0.0")
        .tool(read("read", calls.clone()))
        .tool(read("look", calls.clone()))
        .tool(write)
        .tool(text.handler(|_: JsonObject| async { "only words" }))
        .tool(large.handler(|_: JsonObject| async { "x".repeat(60_000) }));
    register(builder, "workflow", &|_| None).unwrap()
}

fn client(calls: &Calls) -> TestClient {
    TestClient::with_clock(server(calls), TestClock::auto())
}

fn report(client: &TestClient, steps: impl serde::Serialize) -> Value {
    let result = client
        .call("run_workflow", json!({ "steps": steps }))
        .wait()
        .unwrap();
    assert!(!result.is_error(), "{}", result.text());
    result.structured()
}

fn refusal(client: &TestClient, steps: impl serde::Serialize) -> String {
    let result = client
        .call("run_workflow", json!({ "steps": steps }))
        .wait()
        .unwrap();
    assert!(result.is_error(), "{}", result.text());
    result.text()
}

fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let steps = report["steps"].as_array().unwrap().iter();
    let status = |step: &Value, member: &str| step[member].as_str().unwrap().to_owned();
    let all: Vec<(String, String)> = steps
        .map(|step| (status(step, "id"), status(step, "status")))
        .collect();
    all.into_iter()
        .map(|(id, status)| (&*id.leak(), &*status.leak()))
        .collect()
}

#[test]
fn results_are_arguments_and_independent_steps_run_at_once() {
    let calls = Calls::default();
    let client = client(&calls);
    let before = client.platform().now_ms();
    let report = report(
        &client,
        json!([
            {"id": "last", "tool": "look", "arguments": {
                "id": {"$result": "slow", "pointer": "/items/0/id"},
                "deep": [{"all": {"$result": "words"}}],
            }, "depends_on": ["slow2"]},
            {"id": "slow", "tool": "read", "arguments": {"wait_ms": 2000}},
            {"id": "slow2", "tool": "read", "arguments": {"wait_ms": 2000}},
            {"id": "words", "tool": "text"},
        ]),
    );
    assert_eq!(report["complete"], true);
    let order: Vec<&str> = statuses(&report).iter().map(|(id, _)| *id).collect();
    assert_eq!((order[0], order[3]), ("words", "last"));
    let given = &report["steps"][3]["result"]["given"];
    assert_eq!(*given, json!({"id": 7, "deep": [{"all": "only words"}]}));
    assert_eq!(
        report["steps"][3]["after"],
        json!(["slow", "slow2", "words"])
    );
    let took = client.platform().now_ms() - before;
    assert!(took < 3_000, "{took} ms: both at once");
    // each is a call of its own in the log
    let audited = client.audit().calls();
    assert_eq!(audited.iter().filter(|call| call.name == "read").count(), 2);
}

#[test]
fn a_step_that_fails_stops_what_needs_it_and_nothing_else() {
    let calls = Calls::default();
    let client = client(&calls);
    let report = report(
        &client,
        json!([
            {"id": "a", "tool": "read", "arguments": {"fail": true}},
            {"id": "b", "tool": "look", "depends_on": ["a"]},
            {"id": "c", "tool": "look", "arguments": {"x": {"$result": "b"}}},
            {"id": "d", "tool": "text"},
            {"id": "e", "tool": "look", "arguments": {"x": {"$result": "d", "pointer": "/no"}}},
            {"id": "f", "tool": "large"},
        ]),
    );
    assert_eq!(report["complete"], false);
    let mut found = statuses(&report);
    found.sort_unstable();
    let expected = [
        ("a", "failed"),
        ("b", "skipped"),
        ("c", "skipped"),
        ("d", "done"),
        ("e", "failed"),
        ("f", "failed"),
    ];
    assert_eq!(found, expected);
    let step = |id: &str| {
        let steps = report["steps"].as_array().unwrap();
        steps.iter().find(|step| step["id"] == id).unwrap()["error"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(step("a").contains("the shelf is empty"));
    assert!(step("b").contains("`a`") && step("c").contains("`b`"));
    assert!(step("e").contains("nothing at the pointer \"/no\""));
    assert!(step("f").contains("ask for less"));
    assert_eq!(calls.times("look"), 0);
}

#[test]
fn every_mistake_is_told_before_anything_is_called() {
    let calls = Calls::default();
    let client = client(&calls);
    let all = refusal(
        &client,
        json!([
            {"id": "a b", "tool": "read"},
            {"id": "one", "tool": "reed"},
            {"id": "one", "tool": "run_workflow"},
            {"id": "two", "tool": "read", "depends_on": ["two", "three"]},
            {"id": "four", "tool": "read", "arguments": {"x": {"$result": 1}}},
        ]),
    );
    for said in [
        "nothing was called",
        "step `a b`: an id has",
        "unknown tool `reed`",
        "two steps have the id `one`",
        "no step of another",
        "it needs itself",
        "a step `three`",
        "the id of a step",
    ] {
        assert!(all.contains(said), "{said} in {all}");
    }
    let circle = json!([
        {"id": "a", "tool": "read", "depends_on": ["b"]},
        {"id": "b", "tool": "read", "arguments": {"x": {"$result": "a"}}},
    ]);
    assert!(refusal(&client, circle).contains("in a circle, or a step that does: a, b"));
    let many: Vec<Value> = (0..21)
        .map(|id| json!({"id": id.to_string(), "tool": "read"}))
        .collect();
    assert!(refusal(&client, json!(many)).contains("/steps"));
    assert!(refusal(&client, json!([])).contains("/steps"));
    assert!(calls.all().is_empty());
}

#[test]
fn a_step_needs_the_scopes_of_its_tool_and_writing_one_more() {
    let calls = Calls::default();
    let all = client(&calls);
    let write = json!([{"id": "w", "tool": "write"}]);
    let reader = all.clone().scopes("workflow:read");
    assert!(refusal(&reader, write.clone()).contains("needs the scope shelf:write"));
    let writer = all.clone().scopes("workflow:read shelf:write");
    assert!(refusal(&writer, write.clone()).contains("needs the scope workflow:write"));
    let none = all
        .clone()
        .principal(mcpfn_core::Principal::local().with_scopes(Scopes::parse("shelf")));
    let error = none
        .call("run_workflow", json!({"steps": write.clone()}))
        .wait()
        .unwrap_err();
    assert_eq!(error.code(), Some(403));
    assert!(calls.all().is_empty());
    let both = all.clone().scopes("workflow shelf");
    let planned = both.call(
        "run_workflow",
        json!({"steps": write.clone(), "dry_run": true}),
    );
    let planned: Value = planned.wait().unwrap().structured();
    assert_eq!(statuses(&planned), [("w", "planned")]);
    assert_eq!(
        (&planned["steps"][0]["writes"], calls.times("write")),
        (&json!(true), 0)
    );
    assert_eq!(report(&both, write.clone())["complete"], true);
    // a person who can be asked is asked, once
    let asked = both.clone().answer("confirm", Answer::decline());
    assert!(refusal(&asked, write).contains("declined"));
    assert_eq!(calls.times("write"), 1);
}

#[test]
fn a_workflow_goes_on_where_it_was_and_writes_once() {
    let calls = Calls::default();
    let clock = TestClock::manual();
    let client = TestClient::with_clock(server(&calls), clock.clone()).does_tasks();
    let steps = json!([
        {"id": "first", "tool": "read"},
        {"id": "second", "tool": "write", "depends_on": ["first"]},
        {"id": "third", "tool": "look", "arguments": {"wait_ms": 4000}, "depends_on": ["second"]},
    ]);
    let task = client
        .begin("run_workflow", json!({ "steps": steps }))
        .wait()
        .unwrap();
    let (key, _) = client.tasks().orders()[0].clone();
    client.tasks().lose_orders();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let run = client.server().run_task(&key, client.platform(), None);
        let mut run = std::pin::pin!(run);
        assert!(Future::poll(run.as_mut(), &mut context).is_pending());
    }
    // as if the process had ended in the third step
    assert_eq!(calls.all(), ["read", "write", "look"]);
    let shown = client.task(task.id()).wait().unwrap();
    assert_eq!(shown.message(), Some("2 of 3 steps"));
    clock.advance(Duration::from_secs(46));
    let run = client.server().run_task(&key, client.platform(), None);
    let mut run = std::pin::pin!(run);
    while Future::poll(run.as_mut(), &mut context).is_pending() {
        clock.advance(Duration::from_secs(1));
    }
    let ended: Value = client.task(task.id()).wait().unwrap().result().structured();
    assert_eq!(ended["complete"], true);
    assert_eq!(calls.all(), ["read", "write", "look", "look"]);
    // the same name of a run, in a call of its own: the write is known
    let named = |client: &TestClient| {
        let arguments =
            json!({"steps": [{"id": "w", "tool": "write"}], "idempotency_key": "run-1"});
        let report: Value = client
            .call("run_workflow", arguments)
            .wait()
            .unwrap()
            .structured();
        report["steps"][0]["result"]["times"].clone()
    };
    let plain = TestClient::with_clock(server(&calls), TestClock::auto());
    assert_eq!(named(&plain), named(&plain));
}

/// Over the demo shop, as a model would.
#[test]
fn an_account_is_found_and_everything_about_it_read() {
    let builder = register(Server::builder("shop", "1.0.0"), "crm,workflow", &|_| None).unwrap();
    let client = TestClient::new(builder).with_port::<dyn Sql>(databases::writing());
    client.time().set_ms(1_793_000_000_000);
    let report = report(
        &client,
        json!([
            {"id": "find", "tool": "search_accounts", "arguments": {"query": "hotel"}},
            {"id": "timeline", "tool": "get_account_timeline", "arguments": {
                "account_id": {"$result": "find", "pointer": "/accounts/0/id"}}},
            {"id": "open", "tool": "get_open_opportunities", "arguments": {
                "account_id": {"$result": "find", "pointer": "/accounts/0/id"}}},
        ]),
    );
    assert_eq!(report["complete"], true, "{report:#}");
}
