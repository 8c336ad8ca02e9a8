//! The requests that are measured, each at three levels: the floor, `mcpfn-core` (message in,
//! answer out) and `mcpfn-http` (`http::Request` in, `http::Response` out).

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use mcpfn::jsonrpc::{self, Incoming, Message};
use mcpfn::prelude::*;
use mcpfn::{
    Principal, PrincipalKind, Scopes,
    host::{Envelope, Execution, Frame},
    policy::{FailureMode, RateLimits},
    port::{Platform, Rate},
};
use mcpfn_http::{Config, Service};
use mcpfn_it::fuzzing;
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use crate::harness::{Operation, timed};

/// One request to one server.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    tools: usize,
    /// Tools that one page of a list has.
    page: usize,
    method: &'static str,
    /// The tool's name and its arguments, where one is called.
    call: Option<fn() -> (&'static str, Value)>,
    /// Whether tools have scopes and rates and keep results, and the platform has stores, in
    /// memory.
    policies: bool,
    /// Whether each tool needs one of twenty scopes, of which the caller has half.
    half: bool,
}

pub(crate) const CALL: &str = "call";
pub(crate) const CALL_AMONG_MANY: &str = "call-10000";
/// Tools of most servers, and entries of a page: what a builder that is told nothing makes.
const TOOLS: usize = 30;
const PAGE: usize = 100;

impl Case {
    pub(crate) const ALL: &[Self] = &[
        Self {
            method: "server/discover",
            ..Self::of("discover", "`server/discover`")
        },
        Self::list("list-1", "`tools/list`, 1 tool", 1),
        Self::list("list", "`tools/list`, 30 tools", TOOLS),
        Self::list("list-1000", "the first 100 of 1,000 tools", 1_000),
        Self::list("list-10000", "the first 100 of 10,000 tools", 10_000),
        Self {
            half: true,
            ..Self::list(
                "list-half",
                "the first 100 that a caller sees of 1,000 tools, half of them",
                1_000,
            )
        },
        Self {
            page: 10_000,
            ..Self::list("list-whole", "10,000 tools on one page", 10_000)
        },
        Self::call(CALL, "`tools/call`, echo of 1 KB, 30 tools", echo),
        Self {
            tools: 10_000,
            ..Self::call(CALL_AMONG_MANY, "the same among 10,000 tools", echo)
        },
        Self::call("call-100k", "echo of 100 KB", || echo_of(100_000)),
        Self::call("call-4m", "echo of 4 MB", || echo_of(4_000_000)),
        Self::call(
            "structured",
            "`tools/call`, 20 rows as structured content",
            rows,
        ),
        Self::call("events", "a call that reports five steps, as events", steps),
        Self::call("invalid", "`tools/call`, arguments that do not fit", misfit),
        Self {
            policies: true,
            ..Self::call(
                "policies",
                "echo of 1 KB behind a scope and two budgets",
                echo,
            )
        },
        Self {
            policies: true,
            ..Self::call("kept", "20 rows, kept from the call before", rows)
        },
    ];

    const fn of(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            tools: TOOLS,
            page: PAGE,
            method: "tools/list",
            call: None,
            policies: false,
            half: false,
        }
    }

    const fn list(name: &'static str, about: &'static str, tools: usize) -> Self {
        Self {
            tools,
            ..Self::of(name, about)
        }
    }

    const fn call(
        name: &'static str,
        about: &'static str,
        call: fn() -> (&'static str, Value),
    ) -> Self {
        Self {
            method: "tools/call",
            call: Some(call),
            ..Self::of(name, about)
        }
    }

    /// How often an operation runs for its instructions to be counted: less often where one takes
    /// millions.
    pub(crate) fn times_to_count(&self) -> u64 {
        let (request, answer) = self.sizes();
        match request + answer {
            0..50_000 => 200,
            50_000..1_000_000 => 20,
            _ => 2,
        }
    }

    pub(crate) fn operation_names(&self) -> [String; 3] {
        ["floor", "core", "http"].map(|level| format!("{level}/{}", self.name))
    }

    /// The three operations, shown to give the same answer before anybody times them.
    pub(crate) fn operations(&self) -> [Operation; 3] {
        let platform = self.platform();
        let mut open = Config::default();
        open.anonymous = true;
        open.max_body = MAX_BYTES;
        let service = Service::new(self.server(), open);
        let request = self.request();
        let messages = through_core(service.server(), &platform, &request);
        assert_eq!(
            sent(&through_http(&service, &platform, request.clone())),
            messages,
            "{}",
            self.name
        );
        let values: Vec<Value> = messages
            .iter()
            .map(|message| serde_json::from_slice(message).expect("a message is JSON"))
            .collect();
        let answer = values.last().expect("there is an answer");
        assert!(answer["error"].is_null(), "{}: {answer}", self.name);
        assert_eq!(
            values.len(),
            if self.name == "events" { 6 } else { 1 },
            "{}",
            self.name
        );

        let [floor, core, http] = self.operation_names();
        let (server, asked, at_core) = (
            service.server().clone(),
            request.clone(),
            Arc::clone(&platform),
        );
        let read = request.body().clone();
        [
            Operation {
                name: floor,
                run: Box::new(move |times| {
                    timed(times, || (), |()| parse_and_write(&read, &values))
                }),
            },
            Operation {
                name: core,
                run: Box::new(move |times| {
                    let answered = || through_core(&server, &at_core, black_box(&asked));
                    timed(times, || (), |()| drop(black_box(answered())))
                }),
            },
            Operation {
                name: http,
                // a host makes the request, not the library: it is there before the clock starts
                run: Box::new(move |times| {
                    timed(
                        times,
                        || request.clone(),
                        |request| drop(black_box(through_http(&service, &platform, request))),
                    )
                }),
            },
        ]
    }

    /// Bytes of the request's body and of the messages of the answer.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let request = self.request();
        let messages = through_core(&self.server(), &self.platform(), &request);
        (request.body().len(), messages.iter().map(Bytes::len).sum())
    }

    fn caller(&self) -> Principal {
        if !self.half {
            return Principal::local();
        }
        let scopes: Vec<String> = (0..KINDS).step_by(2).map(scope).collect();
        Principal::new(PrincipalKind::Jwt, "somebody").with_scopes(Scopes::parse(&scopes.join(" ")))
    }

    fn server(&self) -> Server {
        server(self)
    }

    fn platform(&self) -> Arc<Platform> {
        let platform = fuzzing::platform();
        if !self.policies {
            return platform;
        }
        let stores = Arc::new(MemoryStores::default());
        let limits = RateLimits {
            limiter: Arc::clone(&stores) as _,
            rate: Some(PLENTY),
            failure_mode: FailureMode::Open,
        };
        let platform = Arc::unwrap_or_clone(platform).with_cache(Arc::clone(&stores) as _);
        Arc::new(
            platform
                .with_idempotency(stores, FailureMode::Open)
                .with_rate_limits(limits),
        )
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
            if tool == STEPS {
                params["_meta"]["progressToken"] = "steps".into();
            }
            request = request.header("mcp-name", tool);
        }
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params}).to_string();
        let request = request.header("content-length", body.len());
        request
            .extension(self.caller())
            .body(body.into())
            .expect("these headers are valid")
    }
}

/// A kilobyte with a few characters that JSON escapes, as text has them.
fn echo() -> (&'static str, Value) {
    echo_of(23 * 45)
}

/// About so many bytes of it.
fn echo_of(bytes: usize) -> (&'static str, Value) {
    (
        "echo",
        json!({"text": "The quick brown fox said \"hello\" to the dog.\n".repeat(bytes / 45)}),
    )
}

const STEPS: &str = "steps";

fn steps() -> (&'static str, Value) {
    (STEPS, json!({"text": "done"}))
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

/// Of a request, more than any has here.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// So much that no run uses it up.
const PLENTY: Rate = Rate {
    calls: 4_000_000_000,
    per: Duration::from_secs(86_400),
};

/// Scopes, of which each tool needs one where callers see different lists.
const KINDS: usize = 20;

fn scope(number: usize) -> String {
    format!("bench:{}", number % KINDS)
}

fn server(case: &Case) -> Server {
    let (tools, page, policies) = (case.tools, case.page, case.policies);
    // made beforehand: what a handler does is not what is measured
    let found: Arc<[Row]> = (0..20)
        .map(|id| Row {
            id,
            name: format!("Fox \"{id}\", red"),
            price: 9.5,
            in_stock: id % 2 == 0,
        })
        .collect();
    let search = |name: String| {
        let found = Arc::clone(&found);
        Tool::new(name)
            .description(
                "Search the product catalog. Use this when the user asks about products, \
                prices or stock.",
            )
            .read_only()
            .handler(move |search: Search| {
                let rows = if search.category.is_none() && !search.query.is_empty() {
                    search.limit.min(found.len())
                } else {
                    0
                };
                let found = found[..rows].to_vec();
                async move { found }
            })
    };
    let mut echo = Tool::new("echo")
        .description("Says it again.")
        .read_only()
        .handler(|text: Text| async move { text.text });
    let mut rows = search("rows".to_owned());
    if policies {
        echo = echo.scope("bench:echo").rate_limit(PLENTY);
        rows = rows
            .scope("bench:rows")
            .rate_limit(PLENTY)
            .cache(Duration::from_secs(60));
    }
    let steps = Tool::new(STEPS)
        .description("Says it again after five reports.")
        .read_only()
        .handler(|text: Text, cx: Cx| async move {
            (1..=5).for_each(|step| cx.progress(f64::from(step), Some(5.0), None));
            text.text
        });
    let builder = Server::builder("bench", "1.0.0")
        .instructions("Nothing here does anything.")
        .page_size(page)
        .tool(echo);
    let builder = if tools > 1 {
        builder.tool(rows).tool(steps)
    } else {
        builder
    };
    (3..tools)
        .fold(builder, |builder, number| {
            let tool = search(format!("search_{number}"));
            builder.tool(if case.half {
                tool.scope(scope(number))
            } else {
                tool
            })
        })
        .build()
        .expect("the tools are valid")
}

fn parse_and_write(request: &[u8], messages: &[Value]) {
    black_box(serde_json::from_slice::<Value>(black_box(request)).expect("a request is JSON"));
    for message in messages {
        black_box(serde_json::to_vec(black_box(message)).expect("a message is JSON"));
    }
}

/// The messages of the answer: one, or those that a call reports before it.
fn through_core(server: &Server, platform: &Arc<Platform>, asked: &Request<Bytes>) -> Vec<Bytes> {
    let caller = asked.extensions().get::<Principal>().cloned();
    let Ok(Incoming::Single(Message::Request(request))) =
        jsonrpc::read(asked.body(), jsonrpc::MAX_VALUES)
    else {
        panic!("the body is one request")
    };
    let envelope = Envelope::new(request);
    let era = envelope.era(None).expect("the request describes itself");
    let call = envelope
        .into_call(era, caller.expect("each request has its caller"))
        .expect("the metadata is valid");
    let mut running = match server.reply(call, platform) {
        Execution::Done(answer) => return vec![answer.message],
        Execution::Running(running) => running,
    };
    let mut messages = Vec::new();
    loop {
        match at_once(running.frame()) {
            Some(Frame::Response(answer)) => {
                messages.push(answer.message);
                return messages;
            }
            Some(Frame::Notification(message)) => messages.push(message),
            other => panic!("expected the answer, not {other:?}"),
        }
    }
}

fn through_http(service: &Service, platform: &Arc<Platform>, request: Request<Bytes>) -> Bytes {
    let mut request = request.map(Full::new);
    // as a host says it of the person at this machine: for a stranger no result is kept
    request.extensions_mut().insert(Principal::local());
    let response = at_once(service.call(request, platform));
    match response.body().as_full() {
        Some(whole) => whole.clone(),
        None => at_once(response.into_body().collect())
            .expect("no stream fails")
            .to_bytes(),
    }
}

/// The messages in a body: it is one, or its events have them.
fn sent(body: &Bytes) -> Vec<Bytes> {
    if body.starts_with(b"{") {
        return vec![body.clone()];
    }
    body.split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"data: "))
        .map(Bytes::copy_from_slice)
        .collect()
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}
