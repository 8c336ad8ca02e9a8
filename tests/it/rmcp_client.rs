//! The Rust SDK (rmcp) as a client of the binary `everything`, over HTTP and stdio, in both eras.

use std::borrow::Cow;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ClientRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, GetPromptRequestParams, Implementation,
    ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams, Request, ServerResult,
};
use rmcp::service::{
    NotificationContext, PeerRequestOptions, RequestContext, RunningService, ServiceError,
};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::process::Process;
use crate::support::socket::Local;

/// Progress, and the words with it.
type Report = (f64, Option<String>);

/// A client that hands reports on and answers forms.
struct Client {
    reports: UnboundedSender<Report>,
    heard: Mutex<UnboundedReceiver<Report>>,
}

impl Client {
    fn new() -> Self {
        let (reports, heard) = unbounded_channel();
        Self {
            reports,
            heard: Mutex::new(heard),
        }
    }
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let capabilities: ClientCapabilities =
            serde_json::from_value(json!({"elicitation": {}})).expect("capabilities");
        ClientConfig::new(capabilities, Implementation::new("it", "1"))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.reports
            .send((params.progress, params.message))
            .expect("the client lives");
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({"name": "Ada"})))
    }
}

type Running = RunningService<RoleClient, Client>;

fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

fn either() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: None,
    }
}

async fn over_http(lifecycle: ClientLifecycleMode) -> (Process, Running) {
    let (process, address) = Process::http();
    let transport = StreamableHttpClientTransport::from_uri(format!("http://{address}/mcp"));
    let client = Client::new()
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .expect("rmcp connects over HTTP");
    (process, client)
}

async fn over_stdio(lifecycle: ClientLifecycleMode) -> Running {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_everything"));
    command.arg("--stdio").kill_on_drop(true);
    let transport = TokioChildProcess::new(command).expect("the binary starts");
    Client::new()
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .expect("rmcp connects over stdio")
}

fn object(value: Value) -> rmcp::model::JsonObject {
    value.as_object().expect("an object").clone()
}

async fn call(
    client: &Running,
    tool: impl Into<Cow<'static, str>>,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    client
        .call_tool(CallToolRequestParams::new(tool).with_arguments(object(arguments)))
        .await
}

fn text(result: &CallToolResult) -> &str {
    result
        .content
        .first()
        .and_then(|block| block.as_text())
        .map(|text| text.text.as_str())
        .expect("text")
}

/// What every client does.
async fn everything_works(client: Running, is_modern: bool) {
    everything_works_behind("", client, is_modern).await;
}

/// The same, of a server that is behind another one under this name.
async fn everything_works_behind(front: &str, client: Running, is_modern: bool) {
    let name = |name: &str| {
        if front.is_empty() {
            name.to_owned()
        } else {
            format!("{front}__{name}")
        }
    };
    let uri = |uri: &str| {
        if front.is_empty() {
            uri.to_owned()
        } else {
            format!("{front}+{uri}")
        }
    };

    let peer = client.peer_info().expect("rmcp knows its server");
    let expected = if is_modern {
        ProtocolVersion::V_2026_07_28
    } else {
        ProtocolVersion::V_2025_11_25
    };
    assert_eq!(peer.protocol_version, expected);

    let tools = client.list_all_tools().await.expect("tools are listed");
    let (listed, _, _) = mcpfn_it::everything_with_events().build().unwrap().counts();
    // rmcp drops tools whose schemas it does not like
    assert_eq!(
        tools.len(),
        listed,
        "{:?}",
        tools.iter().map(|tool| &tool.name).collect::<Vec<_>>()
    );
    assert_eq!(
        client
            .list_all_prompts()
            .await
            .expect("prompts are listed")
            .len(),
        5
    );
    assert_eq!(
        client
            .list_all_resources()
            .await
            .expect("resources are listed")
            .len(),
        // three of its own, what begins each of two skills, and the skill of a server in front
        5 + usize::from(!front.is_empty())
    );
    assert_eq!(
        client
            .list_all_resource_templates()
            .await
            .expect("templates are listed")
            .len(),
        1
    );

    let sum = call(&client, name("add"), json!({"a": 2, "b": 40}))
        .await
        .expect("a result");
    assert_eq!(sum.structured_content, Some(json!({"sum": 42})));
    let refused = call(&client, name("add"), json!({"a": "two", "b": 40}))
        .await
        .expect("a refusal that a model can read is a result");
    assert_eq!(refused.is_error, Some(true));
    assert!(text(&refused).contains("/a"), "{}", text(&refused));
    let unknown = call(&client, name("no_such_tool_here"), json!({}))
        .await
        .expect_err("an unknown tool is an error");
    assert!(
        matches!(&unknown, ServiceError::McpError(error) if error.code.0 == -32602),
        "{unknown:?}"
    );
    let region = call(
        &client,
        name("test_header_parameter"),
        json!({"region": "Zürich"}),
    )
    .await
    .expect("header parameters are sent and agree");
    assert_eq!(text(&region), "Zürich");

    let read = client
        .read_resource(ReadResourceRequestParams::new(uri(
            "test://template/7/data",
        )))
        .await
        .expect("a resource is read");
    assert_eq!(read.contents.len(), 1);
    let missing = client
        .read_resource(ReadResourceRequestParams::new(uri("test://nothing")))
        .await
        .expect_err("it does not exist");
    assert!(
        matches!(&missing, ServiceError::McpError(error) if error.code.0 == if is_modern { -32602 } else { -32002 }),
        "{missing:?}"
    );
    let prompt = GetPromptRequestParams::new(name("test_prompt_with_arguments"))
        .with_arguments(object(json!({"arg1": "x", "arg2": "y"})));
    assert_eq!(
        client
            .get_prompt(prompt)
            .await
            .expect("a prompt")
            .messages
            .len(),
        1
    );
    let values = client
        .complete_prompt_simple(name("test_prompt_with_arguments"), "arg1", "p")
        .await
        .expect("values");
    assert_eq!(values, ["pValue1", "pValue2"]);

    let request = ClientRequest::CallToolRequest(Request::new(CallToolRequestParams::new(name(
        "test_tool_with_progress",
    ))));
    let handle = client
        .send_cancellable_request(request, PeerRequestOptions::no_options())
        .await
        .expect("a request is sent");
    let ServerResult::CallToolResult(result) = handle.await_response().await.expect("an answer")
    else {
        panic!("not a tool's result")
    };
    assert_eq!(text(&result), "done");
    // rmcp handles each notification in a task of its own: they may come late and in any order
    let mut reports = Vec::new();
    while reports.len() < 3 {
        reports.push(
            client
                .service()
                .heard
                .lock()
                .await
                .recv()
                .await
                .expect("the client lives"),
        );
    }
    reports.sort_by(|(one, _): &Report, (other, _)| one.total_cmp(other));
    let report = |progress, words: &str| (progress, Some(words.to_owned()));
    assert_eq!(
        reports,
        [
            report(0.0, "started"),
            report(50.0, "half way"),
            report(100.0, "finished")
        ]
    );

    let asked = call(
        &client,
        name("test_input_required_result_elicitation"),
        json!({}),
    )
    .await
    .expect("a question or a refusal is no error");
    assert_eq!(
        text(&asked),
        "Hello, Ada!",
        "rmcp answers the form, on the stream or by calling again"
    );
    client.cancel().await.expect("rmcp goes");
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(std::time::Duration::from_secs(20), future)
            .await
            .expect("rmcp ends in time");
    });
}

#[test]
fn http_modern() {
    block_on(async {
        let (_process, client) = over_http(modern()).await;
        everything_works(client, true).await;
    });
}

#[test]
fn http_with_a_handshake() {
    block_on(async {
        let (_process, client) = over_http(ClientLifecycleMode::Initialize).await;
        everything_works(client, false).await;
    });
}

#[test]
fn http_finds_out_by_itself() {
    block_on(async {
        let (_process, client) = over_http(either()).await;
        everything_works(client, true).await;
    });
}

#[test]
fn stdio_modern() {
    block_on(async { everything_works(over_stdio(modern()).await, true).await });
}

#[test]
fn stdio_with_a_handshake() {
    block_on(async {
        everything_works(over_stdio(ClientLifecycleMode::Initialize).await, false).await;
    });
}

#[test]
fn stdio_finds_out_by_itself() {
    block_on(async { everything_works(over_stdio(either()).await, true).await });
}

async fn through_another_server(lifecycle: ClientLifecycleMode, is_modern: bool) {
    let (_process, address) = Process::http();
    let front = Local::fronting(
        &format!("up=http://{address}/mcp"),
        mcpfn::Server::builder("front", "1"),
    );
    let transport =
        StreamableHttpClientTransport::from_uri(format!("http://{}/mcp", front.address));
    let client = Client::new()
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .expect("rmcp connects over HTTP");
    everything_works_behind("up", client, is_modern).await;
}

#[test]
fn through_another_server_modern() {
    block_on(through_another_server(modern(), true));
}

#[test]
fn through_another_server_with_a_handshake() {
    block_on(through_another_server(
        ClientLifecycleMode::Initialize,
        false,
    ));
}
