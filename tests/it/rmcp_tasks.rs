//! Questions that are declined, and tasks, as the Rust SDK meets them: a client that says it can do tasks
//! and one that does not, in both eras.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig,
    ClientRequest, ElicitRequestParams, ElicitResult, ElicitationAction, GetTaskParams,
    Implementation, ProtocolVersion, Request, TaskPayload, TaskStatus, UpdateTaskParams,
};
use rmcp::service::{PeerRequestOptions, RequestContext, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::{Value, json};

use crate::support::process::Process;

/// Answers every question so, or never.
struct Client {
    does_tasks: bool,
    action: Option<ElicitationAction>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let capabilities = match self.does_tasks {
            true => {
                json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}})
            }
            false => json!({"elicitation": {}}),
        };
        let capabilities: ClientCapabilities =
            serde_json::from_value(capabilities).expect("capabilities");
        ClientConfig::new(capabilities, Implementation::new("it", "1"))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        match &self.action {
            Some(action) => Ok(ElicitResult::new(action.clone())),
            None => std::future::pending().await,
        }
    }
}

type Running = RunningService<RoleClient, Client>;

async fn connected(lifecycle: ClientLifecycleMode, client: Client) -> (Process, Running) {
    let (process, address) = Process::http();
    let transport = StreamableHttpClientTransport::from_uri(format!("http://{address}/mcp"));
    let client = client.serve_with_lifecycle(transport, lifecycle).await;
    (process, client.expect("rmcp connects over HTTP"))
}

fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ended = tokio::time::timeout(Duration::from_secs(20), future).await;
        ended.expect("rmcp ends in time");
    });
}

fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().expect("an object").clone();
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

async fn begun(client: &Running, tool: &'static str, arguments: Value) -> String {
    match client.call_tool_once(params(tool, arguments)).await {
        Ok(CallToolResponse::Task(created)) => created.task.task_id,
        other => panic!("no task: {other:?}"),
    }
}

/// As soon as it is in this state.
async fn when(client: &Running, id: &str, status: TaskStatus) -> TaskPayload {
    loop {
        let got = client
            .get_task(GetTaskParams::new(id))
            .await
            .expect("the task");
        if got.task.status() == status {
            return got.task.payload;
        }
        assert_eq!(got.task.status(), TaskStatus::Working);
        let pause = got.task.task.poll_interval_ms.expect("a pause");
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[test]
fn a_task_is_polled_answered_and_cancelled() {
    block_on(async {
        let client = Client {
            does_tasks: true,
            action: Some(ElicitationAction::Accept),
        };
        let (_process, client) = connected(modern(), client).await;
        let id = begun(&client, "count_slowly", json!({"to": 2, "step_ms": 10})).await;
        let TaskPayload::Completed { result } = when(&client, &id, TaskStatus::Completed).await
        else {
            panic!("no result");
        };
        assert_eq!(text(&Value::Object(result)), "counted from 0 to 2");

        let id = begun(&client, "multi_input", json!({})).await;
        let TaskPayload::InputRequired { input_requests } =
            when(&client, &id, TaskStatus::InputRequired).await
        else {
            panic!("no question");
        };
        let answer = json!({"action": "accept", "content": {"name": "Ada"}});
        let answers = input_requests
            .keys()
            .map(|key| (key.clone(), answer.clone()));
        let answers = UpdateTaskParams::new(&id, answers.collect());
        client
            .update_task(answers)
            .await
            .expect("an acknowledgement");
        let TaskPayload::Completed { result } = when(&client, &id, TaskStatus::Completed).await
        else {
            panic!("no result");
        };
        assert_eq!(text(&Value::Object(result)), "both answered");

        let id = begun(&client, "slow_compute", json!({"seconds": 60})).await;
        let cancelled = client.cancel_task(CancelTaskParams::new(&id)).await;
        cancelled.expect("an acknowledgement");
        when(&client, &id, TaskStatus::Cancelled).await;
        client.cancel().await.expect("rmcp goes");
    });
}

#[test]
fn a_question_is_declined_and_tasks_are_calls_for_who_can_do_none() {
    for (lifecycle, is_modern) in [(modern(), true), (ClientLifecycleMode::Initialize, false)] {
        block_on(async move {
            let client = Client {
                does_tasks: false,
                action: Some(ElicitationAction::Decline),
            };
            let (_process, client) = connected(lifecycle, client).await;
            let call = |tool, arguments| client.call_tool(params(tool, arguments));
            let written = |result| serde_json::to_value(result).expect("JSON");
            let asked = call("test_streaming_elicitation", json!({})).await;
            let asked = written(asked.expect("no error"));
            assert!(text(&asked).contains("stranger"), "{asked}");
            let counted = call("count_slowly", json!({"to": 2, "step_ms": 10})).await;
            let counted = written(counted.expect("no error"));
            assert_eq!(text(&counted), "counted from 0 to 2");
            let said = match call("failing_job", json!({})).await {
                Ok(result) if !is_modern => text(&written(result)).to_owned(),
                Err(error) if is_modern => error.to_string(),
                other => panic!("{other:?}"),
            };
            assert!(said.contains("io.modelcontextprotocol/tasks"), "{said}");
            client.cancel().await.expect("rmcp goes");
        });
    }
}

#[test]
fn a_question_that_nobody_answers_ends_with_the_clients_patience() {
    for (lifecycle, is_modern) in [(modern(), true), (ClientLifecycleMode::Initialize, false)] {
        block_on(async move {
            let client = Client {
                does_tasks: false,
                action: None,
            };
            let (_process, client) = connected(lifecycle, client).await;
            let (patience, question) = (Duration::from_secs(1), "test_streaming_elicitation");
            let call = params(question, json!({}));
            if is_modern {
                // its own handler is what never ends: no request is open meanwhile
                let ended = tokio::time::timeout(patience, client.call_tool(call)).await;
                assert!(ended.is_err(), "{ended:?}");
            } else {
                let call = ClientRequest::CallToolRequest(Request::new(call));
                let options = PeerRequestOptions::with_timeout(patience);
                let sent = client.send_cancellable_request(call, options).await;
                let ended = sent.expect("it is sent").await_response().await;
                let is_timeout = matches!(ended, Err(ServiceError::Timeout { .. }));
                assert!(is_timeout, "{ended:?}");
            }
            // the server goes on with others
            let greeted = client.call_tool(params("greet", json!({"name": "World"})));
            let greeted = serde_json::to_value(greeted.await.expect("no error")).expect("JSON");
            assert_eq!(text(&greeted), "Hello, World!");
            client.cancel().await.expect("rmcp goes");
        });
    }
}
