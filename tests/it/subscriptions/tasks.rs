//! Tasks on a stream of changes: which are told of, what of them, and until when.

use std::cell::Cell;

use mcpfn::port::Shutdown;
use mcpfn::round_trip::Form;
use mcpfn_core::handler::BoxFuture;
use mcpfn_testing::TestTasks;

use super::listened::{frames, listen};
use super::*;

/// Comes further with each run: a step, a question, the end.
fn shop() -> Builder {
    let options = mcpfn::task::TaskOptions::new();
    let pack = Tool::new("pack")
        .description("Packs a parcel.")
        .task(options);
    let pack = pack.handler(|_: NoArguments, cx: Cx| async move {
        let task = cx.task();
        if task.resume::<bool>().is_none() {
            task.status("wrapped");
            task.checkpoint(&true).await?;
            return Err(task.later(Duration::ZERO));
        }
        let sure = cx.elicit(
            "ribbon",
            Form::new("A ribbon?").boolean("ribbon", "A ribbon"),
        )?;
        Ok(format!("with a ribbon: {}", sure.accepted().is_some()))
    });
    Server::builder("shop", "1.0.0")
        .tool(pack)
        .subscriptions(BOTH)
}

fn instance(tasks: &TestTasks) -> InProcess {
    let tasks = tasks.clone();
    InProcess::with_config(shop, Config::default())
        .called_by(caller("alice", Scopes::all()))
        .on(|platform| platform.with_tasks(Arc::new(tasks.clone()), Arc::new(tasks)))
}

fn with_tasks(mut params: Value) -> Value {
    let capabilities = json!({
        "elicitation": {},
        "extensions": {"io.modelcontextprotocol/tasks": {}}
    });
    params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": capabilities});
    params
}

fn ask(host: &InProcess, method: &str, name: &str, params: Value) -> Value {
    let request = Request::modern(method, with_tasks(params)).header("mcp-name", name);
    let answer = host.send(&request).json();
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

fn begun(host: &InProcess) -> String {
    let params = json!({"name": "pack", "arguments": {}});
    let task = ask(host, "tools/call", "pack", params);
    task["taskId"].as_str().unwrap().to_owned()
}

/// What was ordered, by the instance that was told to.
fn run(host: &InProcess, tasks: &TestTasks) {
    let (key, _) = tasks.orders().first().expect("a run was ordered").clone();
    tasks.lose_orders();
    let next = host.service.server().run_task(&key, &host.platform, None);
    if let mcpfn::host::TaskRun::Again { at_ms } = block_on(&host.time, next) {
        let order = mcpfn::port::TaskRunner::start(tasks, &key, at_ms);
        block_on(&host.time, order).unwrap();
    }
}

fn wants(ids: &[&str]) -> Request {
    let params = with_tasks(json!({"notifications": {"taskIds": ids}}));
    let message = json!({"id": 7, "method": "subscriptions/listen", "params": params});
    Request::from_client("2026-07-28", message)
}

/// The states that were told, between the acknowledgement and the result.
fn states(frames: &[(u64, Value)]) -> Vec<&Value> {
    let (last, before) = frames.split_last().unwrap();
    assert_eq!(last.1["result"]["resultType"], "complete", "{}", last.1);
    let told = before[1..].iter().map(|(_, frame)| {
        assert_eq!(frame["method"], "notifications/tasks", "{frame}");
        let id = &frame["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(*id, 7);
        &frame["params"]
    });
    told.collect()
}

#[test]
fn a_task_is_told_of_from_its_beginning_to_its_end() {
    let tasks = TestTasks::default();
    let (here, mut there) = (instance(&tasks), instance(&tasks));
    // what is run there is at the same hour
    there.platform = Arc::clone(&here.platform);
    there.turn_into(caller("bob", Scopes::all()));
    let foreign = begun(&there);
    tasks.lose_orders();
    there.turn_into(caller("alice", Scopes::all()));
    let id = begun(&here);
    let told = Cell::new(0);
    let frames = frames(&here, &wants(&[&id, &foreign, "none", &id]), |_| {
        told.set(told.get() + 1);
        match told.get() {
            // a step, then a question, and after its answer the end
            2 | 3 | 5 => run(&there, &tasks),
            4 => {
                let answer = json!({"action": "accept", "content": {"ribbon": true}});
                let params = json!({"taskId": id, "inputResponses": {"ribbon": answer}});
                ask(&there, "tasks/update", &id, params);
            }
            _ => {}
        }
    });
    let acknowledged = &frames[0].1["params"]["notifications"];
    assert_eq!(*acknowledged, json!({"taskIds": [id]}));
    let states = states(&frames);
    let told = states.iter().map(|state| {
        let member = |name: &str| state[name].as_str().unwrap_or_default();
        (member("status"), member("statusMessage"))
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("working", ""),
            ("working", "wrapped"),
            ("input_required", "wrapped"),
            ("working", "wrapped"),
            ("completed", "wrapped"),
        ]
    );
    let asked = states
        .iter()
        .find(|state| state["status"] == "input_required")
        .unwrap();
    assert_eq!(
        asked["inputRequests"]["ribbon"]["method"],
        "elicitation/create"
    );
    // the last one is what `tasks/get` has
    let mut last = (*states.last().unwrap()).clone();
    last.as_object_mut().unwrap().remove("_meta");
    let mut got = ask(&here, "tasks/get", &id, json!({"taskId": id}));
    let members = got.as_object_mut().unwrap();
    members.retain(|member, _| member != "resultType" && member != "_meta");
    assert_eq!(last, got);
    // ended as soon as there is nothing more to tell
    assert!(here.time.elapsed_ms() < 60_000);
}

#[test]
fn a_task_that_has_ended_is_told_of_at_once() {
    let tasks = TestTasks::default();
    let here = instance(&tasks);
    let id = begun(&here);
    ask(&here, "tasks/cancel", &id, json!({"taskId": id}));
    let frames = frames(&here, &wants(&[&id]), |_| ());
    let states = states(&frames);
    assert_eq!(
        (states.len(), &states[0]["status"]),
        (1, &json!("cancelled"))
    );
    assert_eq!(here.time.elapsed_ms(), 0);
}

#[test]
fn an_outage_delays_what_is_told_and_loses_nothing() {
    let tasks = TestTasks::default();
    let here = instance(&tasks);
    let id = begun(&here);
    let began = Cell::new(false);
    let frames = frames(&here, &wants(&[&id]), |_| {
        if began.replace(true) && tasks.orders().len() == 1 {
            ask(&here, "tasks/cancel", &id, json!({"taskId": id}));
            tasks.lose_orders();
            // two looks of a stream of one task
            tasks.fail(2);
        }
    });
    let told = states(&frames);
    assert_eq!(told.last().unwrap()["status"], "cancelled");
    let second = frames.last().unwrap().0;
    assert!((8..30).contains(&second), "after the outage: {second}");
}

/// Nobody would look at it, and a client that waits for its end would for ever.
#[test]
fn a_task_that_expires_ends_its_stream() {
    let tasks = TestTasks::default();
    let here = instance(&tasks);
    let id = begun(&here);
    tasks.lose_orders();
    here.time.pass(Duration::from_secs(3590));
    let frames = frames(&here, &wants(&[&id]), |_| ());
    // the run that it lacked was ordered, as by who asks for it
    assert!(!tasks.orders().is_empty());
    assert_eq!(states(&frames).len(), 1);
    assert!(frames.last().unwrap().0 <= 3605);
}

#[test]
fn what_is_wrong_with_the_tasks_of_a_stream_is_said() {
    let tasks = TestTasks::default();
    let here = instance(&tasks);
    let undeclared = listen(json!(1), json!({"taskIds": ["a"]}));
    let error = here.send(&undeclared).json()["error"].clone();
    assert_eq!(error["code"], -32021, "{error}");
    let required = &error["data"]["requiredCapabilities"]["extensions"];
    assert_eq!(*required, json!({"io.modelcontextprotocol/tasks": {}}));
    let many: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let error = here.send(&wants(&many)).json()["error"].clone();
    assert_eq!(error["code"], -32602);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("at most 10 tasks"),
        "{error}"
    );
    // an outage at the beginning is no stream
    tasks.go_down();
    let error = here.send(&wants(&["a"])).json()["error"].clone();
    assert_eq!(error["code"], -32603, "{error}");
    // and where there are no tasks, none is acknowledged
    let without = Pair::new();
    let frames = frames(&without.here, &wants(&["a"]), |_| ());
    assert_eq!(frames[0].1["params"]["notifications"], json!({}));
    assert_eq!(frames.len(), 2);
}

/// Ends after so many seconds.
struct EndsAt(time::Time, u64);

impl Shutdown for EndsAt {
    fn begun(&self) -> BoxFuture<'static, ()> {
        use mcpfn::port::Timer as _;
        let left = (self.1 * 1000).saturating_sub(self.0.elapsed_ms());
        self.0.sleep(Duration::from_millis(left))
    }
}

#[test]
fn an_instance_that_ends_ends_its_streams_with_their_result() {
    let tasks = TestTasks::default();
    let here = instance(&tasks);
    let shutdown = EndsAt(here.time.clone(), 7);
    let here = here.on(|platform| platform.with_shutdown(Arc::new(shutdown)));
    let id = begun(&here);
    let of_task = frames(&here, &wants(&[&id]), |_| ());
    assert_eq!((of_task.last().unwrap().0, states(&of_task).len()), (7, 1));
    let pair = Pair::new();
    let shutdown = EndsAt(pair.here.time.clone(), 3);
    let here = pair
        .here
        .on(|platform| platform.with_shutdown(Arc::new(shutdown)));
    let request = listen(json!(7), json!({"resourceSubscriptions": ["shop://stock"]}));
    let of_resource = frames(&here, &request, |_| ());
    assert_eq!((of_resource.last().unwrap().0, of_resource.len()), (3, 2));
}
