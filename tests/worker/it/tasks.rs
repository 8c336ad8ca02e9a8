//! Tasks, in Durable Objects: the contract of every such store, asked of two Workers that share
//! objects, and tasks from their call to their end. That a run is taken up after workerd was killed
//! is asked by `killed.mjs`.

/// The contract of stores of tasks.
#[path = "../../stores/src"]
mod stores {
    use crate::idempotency::stores::contract;
    #[allow(unreachable_pub, reason = "another package's public module")]
    pub(crate) mod tasks;
}

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{StoreError, Swapped, TaskPart, TaskParts, TaskStore};
use serde_json::{Value, json};

use crate::support::socket::encode;
use crate::{Host as _, Request, Worker};
use stores::tasks::{TaskStores, of_tasks};

/// Longest wait for a task to come to a status.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(100);
/// Longer than a run waits before another one looks after it.
const LONG_S: u32 = 55;

/// The objects, behind the tools of a Worker.
struct Objects(Worker);

impl Objects {
    fn ask<'a, T: 'a>(
        &'a self,
        tool: &'static str,
        arguments: Value,
        read: impl FnOnce(&str) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let worker = self.0;
        Box::pin(async move {
            let call = json!({"name": tool, "arguments": arguments});
            let answer = tokio::task::spawn_blocking(move || {
                worker.send(&Request::modern("tools/call", call)).json()
            });
            let answer = answer.await.expect("the Worker answers");
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_else(|| panic!("no text: {answer}"));
            if answer["result"]["isError"] == true {
                return Err(StoreError::new(text));
            }
            Ok(read(text))
        })
    }
}

fn parts(said: &str) -> Option<TaskParts> {
    let read: Value = serde_json::from_str(said).expect("JSON");
    let part = |part: &Value| {
        let bytes = STANDARD.decode(part.as_str()?).expect("a part in Base64");
        Some(Bytes::from(bytes))
    };
    Some(TaskParts {
        version: read["version"].as_u64()?,
        parts: read["parts"].as_array()?.iter().map(part).collect(),
    })
}

impl TaskStore for Objects {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (head, call) = (STANDARD.encode(head), STANDARD.encode(call));
        self.ask(
            "create",
            json!({
                "key": key, "head": head, "call": call, "now_ms": now_ms,
                "expires_ms": expires_ms,
            }),
            |said| said == "true",
        )
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        wanted: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        let wanted: Vec<&str> = wanted.iter().map(|part| part.name()).collect();
        self.ask(
            "read",
            json!({"key": key, "parts": wanted, "now_ms": now_ms}),
            parts,
        )
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let also = also.iter();
        let also: Vec<Value> = also
            .map(|(part, bytes)| json!({"part": part.name(), "bytes": STANDARD.encode(bytes)}))
            .collect();
        let head = STANDARD.encode(head);
        self.ask(
            "swap",
            json!({
                "key": key, "version": version, "head": head, "also": also, "now_ms": now_ms,
                "expires_ms": expires_ms,
            }),
            |said| match said {
                "done" => Swapped::Done,
                "changed" => Swapped::Changed,
                said => {
                    assert_eq!(said, "gone");
                    Swapped::Gone
                }
            },
        )
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask("remove", json!({"key": key}), |_| ())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_objects_keep_the_contract_of_tasks() {
    let stores = TaskStores {
        one: Arc::new(Objects(Worker::named("tasks"))),
        other: Arc::new(Objects(Worker::named("tasks-too"))),
    };
    let mut failed = Vec::new();
    for check in of_tasks() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("a clock after 1970");
    u64::try_from(now.as_millis()).expect("a time in this era")
}

#[tokio::test]
async fn an_object_removes_what_it_keeps_once_it_has_expired() {
    let (store, now_ms) = (Objects(Worker::named("tasks")), now_ms());
    let key = format!("expires-{now_ms}");
    let (head, call) = (Bytes::from("head"), Bytes::from("call"));
    let created = store.create(&key, head, call, now_ms, now_ms + 1_500);
    assert_eq!(created.await, Ok(true));
    // as one who believes that it has not expired
    let there = async || {
        let read = store.read(&key, &[TaskPart::Head, TaskPart::Call], now_ms);
        read.await.unwrap().is_some()
    };
    assert!(there().await);
    let start = Instant::now();
    while there().await {
        assert!(start.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(BETWEEN).await;
    }
    assert!(
        start.elapsed() > Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
}

/// A message of a client that does tasks, to a server.
fn ask(server: &str, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": {
        "elicitation": {"form": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    }});
    let mut request = Request::modern(method, params.clone());
    if let Some(id) = params["taskId"].as_str() {
        request = request.header("mcp-name", id);
    }
    let mut answer = Worker::named(server).send(&request).json();
    match answer.get_mut("result") {
        Some(result) => result.take(),
        None => answer,
    }
}

/// A task that was begun by a call.
pub(crate) struct BegunTask {
    server: &'static str,
    id: String,
}

impl BegunTask {
    fn of(tool: &str, arguments: Value) -> Self {
        Self::at("everything", tool, arguments)
    }

    pub(crate) fn at(server: &'static str, tool: &str, arguments: Value) -> Self {
        let call = json!({"name": tool, "arguments": arguments});
        let result = ask(server, "tools/call", call);
        assert_eq!(result["resultType"], "task", "{result}");
        let id = result["taskId"].as_str().expect("an id").to_owned();
        Self { server, id }
    }

    fn now(&self) -> Value {
        ask(self.server, "tasks/get", json!({"taskId": self.id}))
    }

    /// The task, once it is as wanted.
    fn once(&self, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let task = self.now();
            if wanted(&task) {
                return task;
            }
            assert!(start.elapsed() < patience, "{task}");
            std::thread::sleep(BETWEEN);
        }
    }

    pub(crate) fn text(&self, patience: Duration) -> String {
        let task = self.once(patience, |task| task["status"] == "completed");
        let text = task["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text: {task}")).to_owned()
    }

    fn cancel(&self) {
        let result = ask(self.server, "tasks/cancel", json!({"taskId": self.id}));
        assert_eq!(result["resultType"], "complete", "{result}");
    }
}

#[test]
fn a_task_is_begun_asked_for_and_done() {
    let task = BegunTask::of("slow_compute", json!({"seconds": 1.5, "label": "it"}));
    assert_eq!(task.now()["status"], "working");
    assert_eq!(task.text(PATIENCE), "computed it in 1.5 s");
    // and stays done
    assert_eq!(task.text(PATIENCE), "computed it in 1.5 s");
}

#[test]
fn a_task_that_is_at_work_is_cancelled() {
    let task = BegunTask::of("count_slowly", json!({"to": 1000, "step_ms": 200}));
    task.once(PATIENCE, |task| task["statusMessage"].is_string());
    task.cancel();
    task.once(PATIENCE, |task| task["status"] == "cancelled");
    task.cancel();
    assert_eq!(task.now()["status"], "cancelled");
}

#[test]
fn a_task_asks_its_client_and_goes_on_with_the_answers() {
    let task = BegunTask::of("multi_input", json!({}));
    let asks = |task: &Value| task["status"] == "input_required";
    let asked = task.once(PATIENCE, asks);
    let keys: Vec<String> = asked["inputRequests"]
        .as_object()
        .map_or_else(Vec::new, |asked| asked.keys().cloned().collect());
    assert_eq!(keys.len(), 2, "{asked}");
    let answer = |key: &str| {
        let given = json!({"action": "accept", "content": {"name": "Ada"}});
        let params = json!({"taskId": task.id, "inputResponses": {key: given, "unknown": 7}});
        let result = ask(task.server, "tasks/update", params);
        assert_eq!(result["resultType"], "complete", "{result}");
    };
    answer(&keys[0]);
    let asked = task.once(PATIENCE, asks);
    assert!(asked["inputRequests"][&keys[1]].is_object(), "{asked}");
    answer(&keys[1]);
    assert_eq!(task.text(PATIENCE), "both answered");
}

#[test]
fn a_run_that_is_longer_than_its_watchdog_runs_once() {
    let task = BegunTask::of("count_slowly", json!({"to": LONG_S, "step_ms": 1000}));
    let patience = PATIENCE + Duration::from_secs(LONG_S.into());
    assert_eq!(task.text(patience), format!("counted from 0 to {LONG_S}"));
}

#[test]
fn a_task_goes_on_later_and_ends_with_a_panic() {
    let task = BegunTask::at("stumbling", "stumble", json!({}));
    let text = task.text(PATIENCE);
    assert!(text.starts_with("internal error of `stumble`"), "{text}");
}

#[test]
fn tasks_of_many_objects_run_at_the_same_time() {
    let start = Instant::now();
    let tasks: Vec<BegunTask> = (0..10)
        .map(|_| BegunTask::of("slow_compute", json!({"seconds": 2})))
        .collect();
    for task in &tasks {
        task.text(PATIENCE);
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_task_that_was_never_begun_is_unknown() {
    let answer = ask("everything", "tasks/get", json!({"taskId": "nonsense"}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[test]
fn a_stream_tells_of_tasks_until_their_end() {
    let task = BegunTask::at(
        "listened",
        "slow_compute",
        json!({"seconds": 1, "label": "it"}),
    );
    let capabilities = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let params = json!({
        "notifications": {"taskIds": [task.id, "none"]},
        "_meta": {"io.modelcontextprotocol/clientCapabilities": capabilities},
    });
    let Worker(address) = Worker::named("listened");
    let listen = Request::modern("subscriptions/listen", params);
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(address, &listen)).unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    // it looks every ten seconds
    while !heard.contains(r#""status":"completed""#) {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the stream ended: {heard}");
        heard += &String::from_utf8_lossy(&buffer[..read]);
    }
    assert!(heard.contains("notifications/tasks"), "{heard}");
    assert!(heard.contains("computed it in 1 s"), "{heard}");
}

#[test]
fn without_objects_a_tool_that_must_be_a_task_is_a_mistake() {
    let response = Worker::named("taskless").send(&Request::modern("tools/list", json!({})));
    let (_, message) = response.error();
    assert!(
        response.status == 503
            && message.contains("failing_job")
            && message.contains("give it a place for tasks"),
        "{message}"
    );
}
