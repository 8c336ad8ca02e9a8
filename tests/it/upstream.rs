//! Servers of the Rust SDK (rmcp) behind one endpoint, in both eras, and rmcp as its client. What a
//! fake server can show is in the toolkits' own tests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcpfn::prelude::{Builder, NoArguments, Server};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig,
    ContentBlock, Implementation, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ServerCapabilities, ServerConfig,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ClientHandler, ErrorData, RoleClient, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::socket::Local;

const CALLERS_SECRET: &str = "the-callers-own-token";

/// A server with two tools: one that finds a book, and one that works until it is told to stop.
#[derive(Clone)]
struct Shelf {
    finish: Arc<Notify>,
}

impl ServerHandler for Shelf {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({"type": "object", "properties": {"title": {"type": "string"}}});
        let schema = schema.as_object().expect("an object").clone();
        let tool = |name: &'static str| {
            rmcp::model::Tool::new(name, "Does what its name says.", schema.clone())
        };
        Ok(ListToolsResult::with_all_items(vec![
            tool("find"),
            tool("work"),
        ]))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if call.name == "find" {
            let title = call
                .arguments
                .as_ref()
                .and_then(|arguments| arguments.get("title"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            let mut found = CallToolResult::success(vec![ContentBlock::text("found")]);
            found.structured_content =
                Some(json!({"isbn": format!("isbn of {title}"), "huge": u64::MAX}));
            return Ok(found.into());
        }
        let token = cx
            .meta
            .get_progress_token()
            .ok_or_else(|| ErrorData::invalid_params("no progress token", None))?;
        let report = ProgressNotificationParam::new(token, 1.0)
            .with_total(2.0)
            .with_message("half way");
        cx.peer
            .notify_progress(report)
            .await
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        self.finish.notified().await;
        Ok(CallToolResult::success(vec![ContentBlock::text("worked")]).into())
    }
}

/// A running server of rmcp, and every request's headers and body as it got them.
struct Upstream {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    finish: Arc<Notify>,
}

impl Upstream {
    /// With `old`, it refuses what servers before 2026-07-28 do not know, and keeps sessions.
    async fn start(old: bool) -> Self {
        let (finish, asked) = (
            Arc::<Notify>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let shelf = Shelf {
            finish: Arc::clone(&finish),
        };
        let sessions = Arc::<LocalSessionManager>::default();
        let service = StreamableHttpService::new(
            move || Ok(shelf.clone()),
            sessions,
            StreamableHttpServerConfig::default(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, kept) = (service.clone(), Arc::clone(&kept));
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (service, kept) = (service.clone(), Arc::clone(&kept));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.expect("a whole request").to_bytes();
                        kept.lock().unwrap().push(format!(
                            "{:?} {}",
                            head.headers,
                            String::from_utf8_lossy(&body)
                        ));
                        if old
                            && head
                                .headers
                                .get("mcp-protocol-version")
                                .is_some_and(|version| version == "2026-07-28")
                        {
                            let mut refused = Response::new(
                                Full::new(Bytes::from("Bad Request: Unsupported protocol version"))
                                    .boxed(),
                            );
                            *refused.status_mut() = StatusCode::BAD_REQUEST;
                            return Ok::<_, Infallible>(refused);
                        }
                        Ok(service
                            .handle(Request::from_parts(head, Full::new(body)))
                            .await)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
            }
        });
        Self {
            address,
            asked,
            finish,
        }
    }

    fn asked(&self) -> String {
        self.asked.lock().unwrap().join("\n")
    }
}

/// A client that hands progress on.
struct Client(UnboundedSender<(f64, Option<String>)>);

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("it", "1"),
        )
    }

    async fn on_progress(
        &self,
        report: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.0
            .send((report.progress, report.message))
            .expect("the test listens");
    }
}

type Heard = UnboundedReceiver<(f64, Option<String>)>;

async fn client(address: SocketAddr) -> (RunningService<RoleClient, Client>, Heard) {
    let config = StreamableHttpClientTransportConfig::with_uri(format!("http://{address}/mcp"))
        .auth_header(CALLERS_SECRET);
    let (reports, heard) = unbounded_channel();
    let client = Client(reports)
        .serve(StreamableHttpClientTransport::from_config(config))
        .await
        .expect("rmcp connects");
    (client, heard)
}

/// A tool of the front itself.
fn own() -> Builder {
    let tool = mcpfn::Tool::new("order")
        .description("Orders a book.")
        .handler(|arguments: Order| async move { format!("ordered {}", arguments.isbn) });
    Server::builder("front", "1").tool(tool).tool(
        mcpfn::Tool::new("hello")
            .description("Says hello.")
            .handler(|_: NoArguments| async { "hello" }),
    )
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Order {
    /// What `find` gave.
    isbn: String,
}

fn object(value: Value) -> rmcp::model::JsonObject {
    value.as_object().expect("an object").clone()
}

async fn call(
    client: &RunningService<RoleClient, Client>,
    tool: &'static str,
    arguments: Value,
) -> CallToolResult {
    client
        .call_tool(CallToolRequestParams::new(tool).with_arguments(object(arguments)))
        .await
        .expect("a result")
}

fn text(result: &CallToolResult) -> &str {
    result
        .content
        .first()
        .and_then(|block| block.as_text())
        .map(|text| text.text.as_str())
        .expect("text")
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
            .expect("it ends in time");
    });
}

#[test]
fn one_workflow_over_three_servers() {
    block_on(async {
        let (shelf, archive) = (Upstream::start(false).await, Upstream::start(true).await);
        let list = format!(
            "shelf=http://{}/mcp,archive=http://{}/mcp,gone=http://127.0.0.1:9/mcp",
            shelf.address, archive.address
        );
        let front = Local::fronting(&list, own());
        let (client, _) = client(front.address).await;

        let tools: Vec<String> = client
            .list_all_tools()
            .await
            .expect("tools")
            .into_iter()
            .map(|tool| tool.name.into_owned())
            .collect();
        assert_eq!(
            tools,
            [
                "order",
                "hello",
                "shelf__find",
                "shelf__work",
                "archive__find",
                "archive__work"
            ]
        );
        let new = call(&client, "shelf__find", json!({"title": "New"})).await;
        let old = call(&client, "archive__find", json!({"title": "Old"})).await;
        for (found, title) in [(new, "New"), (old, "Old")] {
            let found = found.structured_content.expect("structured content");
            assert_eq!(found["huge"], u64::MAX);
            let isbn = found["isbn"].as_str().expect("an ISBN");
            assert_eq!(
                text(&call(&client, "order", json!({"isbn": isbn})).await),
                format!("ordered isbn of {title}")
            );
        }
        let down = call(&client, "gone__find", json!({})).await;
        assert_eq!(down.is_error, Some(true));
        assert!(
            text(&down).starts_with("`gone` can't be reached."),
            "{}",
            text(&down)
        );

        // the new one spoke without a handshake, the old one after it and in a session
        assert!(
            shelf.asked().contains("\"mcp-method\": \"tools/call\"")
                && !shelf.asked().contains("initialize"),
            "{}",
            shelf.asked()
        );
        assert!(
            archive.asked().contains("notifications/initialized")
                && archive.asked().contains("mcp-session-id"),
            "{}",
            archive.asked()
        );
        assert!(
            shelf.asked().contains("Bearer shelf-token")
                && !archive.asked().contains("authorization")
        );
        for asked in [shelf.asked(), archive.asked()] {
            assert!(
                !asked.contains(CALLERS_SECRET),
                "a caller's token went on: {asked}"
            );
        }
        client.cancel().await.expect("rmcp goes");
        // straight to a server, the same client does show its token
        let (client, _) = self::client(shelf.address).await;
        assert!(shelf.asked().contains(CALLERS_SECRET));
        client.cancel().await.expect("rmcp goes");
    });
}

/// A front whose list has its own list in it: neither waits for the other.
#[test]
fn a_server_that_fronts_itself_waits_for_nobody() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = listener.local_addr().unwrap();
        let front = Local::fronting(&format!("me=http://{door}/mcp"), own());
        let address = front.address;
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(address)
                        .await
                        .expect("the front listens");
                    drop(copy_bidirectional(&mut from, &mut to).await);
                });
            }
        });
        let started = std::time::Instant::now();
        let (client, _) = client(front.address).await;
        let names = async || -> Vec<String> {
            let tools = client.list_all_tools().await.expect("tools");
            tools
                .into_iter()
                .map(|tool| tool.name.into_owned())
                .collect()
        };
        assert_eq!(names().await, ["order", "hello", "me__order", "me__hello"]);
        let ordered = call(&client, "me__order", json!({"isbn": "1"})).await;
        assert_eq!(text(&ordered), "ordered 1");
        let took = started.elapsed();
        assert!(took < std::time::Duration::from_secs(3), "{took:?}");
        client.cancel().await.expect("rmcp goes");
    });
}

/// The server reports, and goes on only when the client at the other end has heard of it.
async fn progress_is_heard_while_it_happens(old: bool) {
    let shelf = Upstream::start(old).await;
    let front = Local::fronting(&format!("shelf=http://{}/mcp", shelf.address), own());
    let (client, mut heard) = client(front.address).await;
    let request = rmcp::model::ClientRequest::CallToolRequest(rmcp::model::Request::new(
        CallToolRequestParams::new("shelf__work"),
    ));
    let handle = client
        .send_cancellable_request(request, PeerRequestOptions::no_options())
        .await
        .expect("a request is sent");
    let report = heard.recv().await.expect("the client lives");
    assert_eq!(report, (1.0, Some("half way".to_owned())));
    shelf.finish.notify_one();
    let rmcp::model::ServerResult::CallToolResult(result) =
        handle.await_response().await.expect("an answer")
    else {
        panic!("not a tool's result")
    };
    assert_eq!(text(&result), "worked");
    client.cancel().await.expect("rmcp goes");
}

#[test]
fn progress_of_a_new_server() {
    block_on(progress_is_heard_while_it_happens(false));
}

#[test]
fn progress_of_a_server_with_a_handshake() {
    block_on(progress_is_heard_while_it_happens(true));
}
