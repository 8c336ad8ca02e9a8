//! The requests that are measured, each at three levels: the floor, `mcpfn-core` (message in, answer out) and `mcpfn-http`
//! (`http::Request` in, `http::Response` out).

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use mcpfn::jsonrpc::{self, Incoming, Message};
use mcpfn::prelude::*;
use mcpfn::{Envelope, Frame, Limits, Platform, Principal, Rate, Reply, WhenDown};
use mcpfn_http::{Config, Service};
use mcpfn_it::fuzzing;
use mcpfn_native::memory::Stores;
use serde_json::{Value, json};

use crate::harness::{Operation, timed};

/// One request to one server.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    tools: usize,
    method: &'static str,
    /// The tool's name and its arguments, where one is called.
    call: Option<fn() -> (&'static str, Value)>,
    /// Whether tools have scopes and rates and keep results, and the platform has stores, in memory.
    policies: bool,
}

pub(crate) const CALL: &str = "call";
pub(crate) const CALL_AMONG_MANY: &str = "call-10000";

impl Case {
    pub(crate) const ALL: &[Self] = &[
        Self { name: "discover", about: "`server/discover`", tools: 30, method: "server/discover", call: None, policies: false },
        Self { name: "list", about: "`tools/list`, 30 tools", tools: 30, method: "tools/list", call: None, policies: false },
        Self {
            name: CALL,
            about: "`tools/call`, echo of 1 KB, 30 tools",
            tools: 30,
            method: "tools/call",
            call: Some(echo),
            policies: false,
        },
        Self {
            name: CALL_AMONG_MANY,
            about: "the same among 10,000 tools",
            tools: 10_000,
            method: "tools/call",
            call: Some(echo),
            policies: false,
        },
        Self {
            name: "structured",
            about: "`tools/call`, 20 rows as structured content",
            tools: 30,
            method: "tools/call",
            call: Some(rows),
            policies: false,
        },
        Self {
            name: "invalid",
            about: "`tools/call`, arguments that do not fit",
            tools: 30,
            method: "tools/call",
            call: Some(misfit),
            policies: false,
        },
        Self {
            name: "policies",
            about: "echo of 1 KB behind a scope and two budgets",
            tools: 30,
            method: "tools/call",
            call: Some(echo),
            policies: true,
        },
        Self {
            name: "kept",
            about: "20 rows, kept from the call before",
            tools: 30,
            method: "tools/call",
            call: Some(rows),
            policies: true,
        },
    ];

    pub(crate) fn operation_names(&self) -> [String; 3] {
        ["floor", "core", "http"].map(|level| format!("{level}/{}", self.name))
    }

    /// The three operations, shown to give the same answer before anybody times them.
    pub(crate) fn operations(&self) -> [Operation; 3] {
        let platform = self.platform();
        let mut open = Config::default();
        open.anonymous = true;
        let service = Service::new(server(self.tools, self.policies), open);
        let request = self.request();
        let answer = through_core(service.server(), &platform, request.body());
        assert_eq!(through_http(&service, &platform, request.clone()), answer, "{}", self.name);
        let value: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        assert!(value["error"].is_null(), "{}: {value}", self.name);

        let [floor, core, http] = self.operation_names();
        let (server, body, at_core) = (service.server().clone(), request.body().clone(), Arc::clone(&platform));
        let read = body.clone();
        [
            Operation { name: floor, run: Box::new(move |times| timed(times, || (), |()| parse_and_write(&read, &value))) },
            Operation {
                name: core,
                run: Box::new(move |times| timed(times, || (), |()| drop(black_box(through_core(&server, &at_core, black_box(&body)))))),
            },
            Operation {
                name: http,
                // a host makes the request, not the library: it is there before the clock starts
                run: Box::new(move |times| {
                    timed(times, || request.clone(), |request| drop(black_box(through_http(&service, &platform, request))))
                }),
            },
        ]
    }

    /// Bytes of the request's and of the answer's body.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let request = self.request();
        (request.body().len(), through_core(&server(self.tools, self.policies), &self.platform(), request.body()).len())
    }

    fn platform(&self) -> Arc<Platform> {
        let platform = fuzzing::platform();
        if !self.policies {
            return platform;
        }
        let stores = Arc::new(Stores::default());
        let limits = Limits { limiter: Arc::clone(&stores) as _, rate: Some(PLENTY), when_down: WhenDown::Admit };
        let platform = Arc::unwrap_or_clone(platform).with_cache(Arc::clone(&stores) as _);
        Arc::new(platform.with_once(stores, WhenDown::Admit).with_limits(limits))
    }

    /// As a client of 2026-07-28 sends it.
    fn request(&self) -> Request<Bytes> {
        let mut params = json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0.0"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        }});
        let mut request = Request::post("/mcp")
            .header("host", "mcp.example.com")
            .header("user-agent", "bench/1.0.0")
            .header("accept", "application/json, text/event-stream")
            .header("accept-encoding", "gzip, br")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", self.method);
        if let Some((tool, arguments)) = self.call.map(|call| call()) {
            params["name"] = tool.into();
            params["arguments"] = arguments;
            request = request.header("mcp-name", tool);
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params}).to_string();
        request.header("content-length", body.len()).body(body.into()).expect("these headers are valid")
    }
}

/// A kilobyte with a few characters that JSON escapes, as text has them.
fn echo() -> (&'static str, Value) {
    ("echo", json!({"text": "The quick brown fox said \"hello\" to the dog.\n".repeat(23)}))
}

fn rows() -> (&'static str, Value) {
    ("rows", json!({"query": "fox", "limit": 20}))
}

fn misfit() -> (&'static str, Value) {
    ("rows", json!({"query": 7, "limit": 2000, "colour": "red"}))
}

#[input]
struct Text {
    /// What to say again.
    text: String,
}

#[input]
#[serde(deny_unknown_fields)]
struct Search {
    /// Words from the name, the number or the description, e.g. "bluetooth headphones".
    #[schemars(length(min = 2, max = 200))]
    query: String,
    /// Only this category.
    #[serde(default)]
    category: Option<String>,
    /// Most results to return.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    limit: usize,
}

#[output]
#[derive(Clone)]
struct Row {
    id: u32,
    name: String,
    price: f64,
    in_stock: bool,
}

/// So much that no run uses it up.
const PLENTY: Rate = Rate { calls: 4_000_000_000, per: Duration::from_secs(86_400) };

fn server(tools: usize, policies: bool) -> Server {
    // made beforehand: what a handler does is not what is measured
    let found: Arc<[Row]> = (0..20).map(|id| Row { id, name: format!("Fox \"{id}\", red"), price: 9.5, in_stock: id % 2 == 0 }).collect();
    let search = |name: String| {
        let found = Arc::clone(&found);
        Tool::new(name)
            .describe("Search the product catalog. Use this when the user asks about products, prices or stock.")
            .read_only()
            .handler(move |search: Search| {
                let rows = if search.category.is_none() && !search.query.is_empty() { search.limit.min(found.len()) } else { 0 };
                let found = found[..rows].to_vec();
                async move { found }
            })
    };
    let mut echo = Tool::new("echo").describe("Says it again.").read_only().handler(|text: Text| async move { text.text });
    let mut rows = search("rows".to_owned());
    if policies {
        echo = echo.scope("bench:echo").rate(PLENTY);
        rows = rows.scope("bench:rows").rate(PLENTY).cache(Duration::from_secs(60));
    }
    let builder = Server::builder("bench", "1.0.0").instructions("Nothing here does anything.").page_size(100).tool(echo);
    let builder = builder.tool(rows);
    (2..tools).fold(builder, |builder, number| builder.tool(search(format!("search_{number}")))).build().expect("the tools are valid")
}

fn parse_and_write(request: &[u8], answer: &Value) {
    black_box(serde_json::from_slice::<Value>(black_box(request)).expect("a request is JSON"));
    black_box(serde_json::to_vec(black_box(answer)).expect("an answer is JSON"));
}

fn through_core(server: &Server, platform: &Arc<Platform>, body: &[u8]) -> Bytes {
    let Ok(Incoming::Single(Message::Request(request))) = jsonrpc::read(body) else { panic!("the body is one request") };
    let envelope = Envelope::new(request);
    let era = envelope.era(None).expect("the request describes itself");
    let call = envelope.into_call(era, Principal::anonymous()).expect("the metadata is valid");
    match server.reply(call, platform) {
        Reply::Answer(answer) => answer.message,
        Reply::Running(mut running) => match at_once(running.frame()) {
            Some(Frame::Answer(answer)) => answer.message,
            other => panic!("expected the answer, not {other:?}"),
        },
    }
}

fn through_http(service: &Service, platform: &Arc<Platform>, request: Request<Bytes>) -> Bytes {
    let response = at_once(service.call(request.map(Full::new), platform));
    response.body().as_full().expect("the body is no stream").clone()
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}
