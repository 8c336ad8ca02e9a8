//! Tasks: calls that begin in one environment, run in those of another function, and are asked for in
//! a third, each frozen while it is idle; with events that come twice, and runs that are killed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::port::{Swapped, TaskPart, TaskStore as _};
use mcpfn_lambda::dynamodb;
use mcpfn_lambda_emulator::{Bootstrap, Deliveries, Fleet, Queue, table};
use mcpfn_store_tests::fake::Fake;
use serde_json::{Value, json};

use crate::{start, through_url};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two functions over one table.
struct Pair {
    front: Arc<Fleet>,
    queue: Queue,
    table: Fake,
}

impl Pair {
    async fn start(deliveries: Deliveries) -> Self {
        let table = Fake::default();
        let address = table::serve(table.clone()).await.unwrap();
        let dynamodb = format!("http://{address}");
        let function = |lambda: &str, own: &[(&str, &str)], least| {
            let mut variables = vec![
                ("MCPFN_AUTH", "none"),
                ("MCPFN_RATE_LIMIT", "none"),
                ("MCPFN_STATE_KEY", KEY),
                ("MCPFN_DYNAMODB_TABLE", "mcpfn"),
                ("MCPFN_DYNAMODB_TIMEOUT_MS", "5000"),
                ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
                ("AWS_ENDPOINT_URL_LAMBDA", lambda),
                ("AWS_ACCESS_KEY_ID", "AKIA"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
            ];
            variables.extend_from_slice(own);
            let program = env!("CARGO_BIN_EXE_everything-lambda");
            Arc::new(Fleet::new(Bootstrap::new(program, &variables), least))
        };
        let runs = |lambda: std::net::SocketAddr| {
            let mode = [("MCPFN_LAMBDA_MODE", "tasks")];
            function(&format!("http://{lambda}"), &mode, 1)
        };
        let queue = Queue::start(runs, deliveries).await.unwrap();
        let named = [("MCPFN_TASKS_FUNCTION", "shop-tasks:live")];
        let front = function(&format!("http://{}", queue.address), &named, 3);
        Self {
            front,
            queue,
            table,
        }
    }

    /// A request of a client that can do tasks, answered by another environment than the last.
    async fn ask(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1.0.0"},
            "io.modelcontextprotocol/clientCapabilities": {
                "elicitation": {"form": {}},
                "extensions": {"io.modelcontextprotocol/tasks": {}},
            },
        });
        let name = params.get("name").or_else(|| params.get("taskId")).cloned();
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut invocation = through_url(&message);
        let headers = &mut invocation.event["headers"];
        headers["mcp-protocol-version"] = json!("2026-07-28");
        headers["mcp-method"] = json!(method);
        headers["mcp-name"] = name.unwrap_or_default();
        self.front.call(invocation).await.unwrap().json()
    }

    /// Begins a task, and gives its id.
    async fn begin(&self, tool: &str, arguments: Value) -> String {
        let call = json!({"name": tool, "arguments": arguments});
        let begun = self.ask("tools/call", call).await;
        let id = begun["result"]["taskId"].as_str();
        id.unwrap_or_else(|| panic!("{begun}")).to_owned()
    }

    async fn task(&self, id: &str) -> Value {
        let answer = self.ask("tasks/get", json!({"taskId": id})).await;
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }

    /// Asks for a task until it is as expected.
    async fn until(&self, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let task = self.task(id).await;
            if is(&task) {
                return task;
            }
            let logs = || (self.queue.fleet().log(), self.queue.ended());
            assert!(begun.elapsed() < PATIENCE, "{task}: {:#?}", logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The text of a task that has ended well.
    async fn result(&self, id: &str) -> String {
        let ended = |task: &Value| !["working", "input_required"].contains(&status(task));
        let task = self.until(id, ended).await;
        let text = task["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{task}")).to_owned()
    }

    /// So many deliveries have ended, well or not.
    async fn delivered(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.queue.ended().len() < count {
            let logs = || (self.queue.fleet().log(), self.queue.ended());
            assert!(begun.elapsed() < PATIENCE, "{:#?}", logs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The hold of a run on its task is over, as it is 45 seconds after its last sign.
    async fn let_go(&self) {
        let key = self.queue.ordered()[0].event["mcpfn.task"].clone();
        let key = key.as_str().unwrap();
        let stores = dynamodb::Stores::over(Fake::table(), self.table.clone());
        loop {
            let read = stores.read(key, &[TaskPart::Head], 0).await.unwrap();
            let read = read.unwrap();
            let bytes = read.parts[0].as_ref().unwrap();
            let mut head: Value = serde_json::from_slice(bytes).unwrap();
            let until = &mut head["lease"]["until_ms"];
            assert!(until.is_u64(), "{head}");
            *until = json!(1);
            let expires_ms = head["created_ms"].as_u64().unwrap() + 3_600_000;
            let head = Bytes::from(head.to_string());
            let swapped = stores.swap(key, read.version, head, vec![], 0, expires_ms);
            if swapped.await.unwrap() == Swapped::Done {
                return;
            }
        }
    }

    /// Runs that the audit log knows.
    fn runs(&self) -> usize {
        let log = self.queue.fleet().log();
        let lines = log
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines.filter(|line: &Value| line["event"] == "call").count()
    }
}

fn status(task: &Value) -> &str {
    task["status"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_begins_runs_and_ends_in_three_environments() {
    let pair = Pair::start(Deliveries::default()).await;
    let id = pair
        .begin("count_slowly", json!({"to": 3, "step_ms": 100}))
        .await;
    assert_eq!(pair.result(&id).await, "counted from 0 to 3");
    assert!(
        pair.front.started() >= 2,
        "asked for where it did not begin"
    );
    let ordered = pair.queue.ordered();
    assert_eq!(
        (ordered.len(), &*ordered[0].function),
        (1, "shop-tasks:live")
    );
    let event = ordered[0].event.to_string();
    assert!(!event.contains("count") && !event.contains(&id), "{event}");
    assert_eq!((pair.queue.ended(), pair.runs()), (vec![Ok(())], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_asked_by_one_function_and_answered_at_the_other() {
    let pair = Pair::start(Deliveries::default()).await;
    let id = pair
        .begin("confirm_delete", json!({"filename": "a.txt"}))
        .await;
    let asks = pair
        .until(&id, |task| status(task) == "input_required")
        .await;
    assert!(asks["inputRequests"]["confirm"].is_object(), "{asks}");
    let answers = json!({"confirm": {"action": "accept", "content": {"confirm": true}}});
    let update = json!({"taskId": &id, "inputResponses": answers});
    let taken = pair.ask("tasks/update", update).await;
    assert!(taken["result"].is_object(), "{taken}");
    assert_eq!(pair.result(&id).await, "deleted");
    assert_eq!(pair.queue.ordered().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_twice_runs_once() {
    let twice = Deliveries {
        copies: 2,
        ..Deliveries::default()
    };
    let pair = Pair::start(twice).await;
    let id = pair
        .begin("count_slowly", json!({"to": 4, "step_ms": 200}))
        .await;
    assert_eq!(pair.result(&id).await, "counted from 0 to 4");
    pair.delivered(2).await;
    assert_eq!(pair.queue.ended(), [Ok(()), Ok(())]);
    assert_eq!((pair.queue.fleet().started(), pair.runs()), (2, 1));
}

/// Kills the run once it has come to its second step.
async fn killed(pair: &Pair) -> String {
    let id = pair
        .begin("count_slowly", json!({"to": 6, "step_ms": 150}))
        .await;
    let further = |task: &Value| {
        let message = task["statusMessage"].as_str().unwrap_or_default();
        message.starts_with(['2', '3', '4'])
    };
    pair.until(&id, further).await;
    assert_eq!(pair.queue.fleet().kill().await, 1);
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_goes_on_from_its_checkpoint_when_its_client_asks() {
    let pair = Pair::start(Deliveries::default()).await;
    let id = killed(&pair).await;
    assert_eq!(status(&pair.task(&id).await), "working");
    assert_eq!(pair.queue.ordered().len(), 1, "somebody may still be at it");
    pair.let_go().await;
    let result = pair.result(&id).await;
    assert!(
        !result.starts_with("counted from 0") && result.ends_with("to 6"),
        "{result}"
    );
    assert_eq!(pair.queue.ordered().len(), 2);
    assert!(pair.queue.ended()[0].is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_goes_on_when_the_platform_delivers_its_event_again() {
    let again = Deliveries {
        retries: 1,
        pause: Duration::from_secs(1),
        ..Deliveries::default()
    };
    let pair = Pair::start(again).await;
    let id = killed(&pair).await;
    pair.let_go().await;
    // nobody asks meanwhile
    pair.delivered(2).await;
    let task = pair.task(&id).await;
    assert_eq!(status(&task), "completed", "{task}");
    let text = task["result"]["content"][0]["text"].as_str().unwrap();
    assert!(!text.starts_with("counted from 0"), "{text}");
    assert_eq!(pair.queue.ordered().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_takes_longer_than_an_invocation_goes_on_in_the_next() {
    let short = Deliveries {
        timeout: Duration::from_secs(5),
        ..Deliveries::default()
    };
    let pair = Pair::start(short).await;
    let id = pair
        .begin("count_slowly", json!({"to": 25, "step_ms": 100}))
        .await;
    // nobody asks meanwhile
    pair.delivered(2).await;
    let result = pair.result(&id).await;
    assert!(
        !result.starts_with("counted from 0") && result.ends_with("to 25"),
        "{result}"
    );
    let ordered = pair.queue.ordered();
    assert_eq!(ordered[1].event["hop"], 1, "{ordered:?}");
    let itself = "arn:aws:lambda:eu-west-1:123456789012:function:everything";
    assert_eq!(ordered[1].function, itself);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_wait_is_waited_and_a_long_one_is_left_to_the_client() {
    let pair = Pair::start(Deliveries::default()).await;
    let id = pair.begin("come_back", json!({"after_ms": 300})).await;
    // nobody asks meanwhile
    pair.delivered(1).await;
    let task = pair.task(&id).await;
    assert_eq!(task["result"]["content"][0]["text"], "back", "{task}");
    let id = pair
        .begin("come_back", json!({"after_ms": 3_600_000}))
        .await;
    pair.delivered(2).await;
    assert_eq!(status(&pair.task(&id).await), "working");
    assert_eq!(
        (pair.queue.ordered().len(), pair.queue.ended()),
        (2, vec![Ok(()), Ok(())])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_where_its_client_has_cancelled_the_task() {
    let pair = Pair::start(Deliveries::default()).await;
    let id = pair
        .begin("count_slowly", json!({"to": 500, "step_ms": 100}))
        .await;
    pair.until(&id, |task| task["statusMessage"].is_string())
        .await;
    let cancelled = pair.ask("tasks/cancel", json!({"taskId": &id})).await;
    assert!(cancelled["result"].is_object(), "{cancelled}");
    pair.delivered(1).await;
    assert_eq!(status(&pair.task(&id).await), "cancelled");
    assert_eq!(pair.queue.ended(), [Ok(())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_the_function_that_they_are_for_and_no_other() {
    let pair = Pair::start(Deliveries::default()).await;
    let invocation = mcpfn_lambda_emulator::Invocation::new;
    // a task that there is not: nothing to do
    let none = json!({"mcpfn.task": "a", "hop": 0});
    assert_eq!(
        pair.queue
            .fleet()
            .event(invocation(none.clone()))
            .await
            .unwrap(),
        "null"
    );
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let refused = pair.queue.fleet().event(through_url(&call)).await;
    assert!(format!("{refused:?}").contains("NotATask"), "{refused:?}");
    let refused = pair.front.event(invocation(none)).await;
    assert!(format!("{refused:?}").contains("NotHttp"), "{refused:?}");
}

#[tokio::test]
async fn a_function_of_tasks_without_what_it_needs_does_not_start() {
    let function = start(&[("MCPFN_AUTH", "none"), ("MCPFN_LAMBDA_MODE", "tasks")]).await;
    function.exited().await;
    let told = function.init_error().unwrap().to_string();
    for name in ["MCPFN_DYNAMODB_TABLE", "MCPFN_STATE_KEY"] {
        assert!(told.contains(name), "{told}");
    }
}
