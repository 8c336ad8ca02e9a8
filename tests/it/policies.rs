//! Policies through the HTTP service: each refusal and each cached result, with stores in memory and
//! stores that are down.

mod bounds;
mod concurrent;
mod down;
mod hosts;
mod identity;
mod in_progress;
mod kept;
mod limits;
mod records;
mod scopes;
mod strangers;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn::prelude::*;
use mcpfn::{
    Principal, PrincipalKind,
    handler::BoxFuture,
    policy::{FailureMode, RateLimits},
    port::{Background, Rate},
};
use mcpfn_http::Config;
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::time::block_on;
use crate::support::{Host as _, Request, Response};

#[input]
struct Item {
    /// What.
    sku: String,
    /// How many.
    #[serde(default)]
    count: u32,
}

#[input]
struct Order {
    #[serde(flatten)]
    item: Item,
    /// Repeat it to repeat the order safely.
    #[serde(default, rename = "request")]
    #[schemars(extend("x-idempotency-key" = true))]
    _request: Option<String>,
}

/// How often handlers ran.
type Runs = Arc<AtomicUsize>;

fn counted(runs: &Runs) -> usize {
    runs.load(Ordering::SeqCst)
}

async fn work(run: usize, item: Item, cx: Cx) -> Result<String, ToolError> {
    match item.sku.as_str() {
        "broken" => return Err(ToolError::new("it is broken")),
        "slow" => cx.sleep(Duration::from_secs(60)).await,
        "wait" => cx.sleep(Duration::from_secs(1)).await,
        "panic" => panic!("boom"),
        "large" => return Ok("x".repeat(300_000)),
        "ask" if cx.answer("size").is_none() => {
            return Err(cx
                .ask()
                .form("size", Form::new("Which size?").text("size", "Size"))
                .into());
        }
        _ => {}
    }
    Ok(format!("run {run}: {} x {}", item.count, item.sku))
}

/// A shop whose tools count their runs and say the number.
fn shop(runs: &Runs) -> Builder {
    let count = |runs: &Runs| runs.fetch_add(1, Ordering::SeqCst) + 1;
    let read = |name: &str| {
        let runs = Arc::clone(runs);
        Tool::new(name)
            .description("Looks.")
            .read_only()
            .handler(move |item: Item, cx: Cx| work(count(&runs), item, cx))
    };
    let (minute, runs) = (Duration::from_secs(60), Arc::clone(runs));
    Server::builder("shop", "1.0.0")
        .tool(read("find").cache(minute))
        .tool(read("find_public").cache(minute).cache_public())
        .tool(read("find_stale").cache(minute).cache_stale(minute))
        .tool(read("look"))
        .tool(read("limited").rate_limit(Rate::per_minute(2)))
        .tool(
            Tool::new("buy")
                .description("Buys.")
                .handler(move |order: Order, cx: Cx| work(count(&runs), order.item, cx)),
        )
        .prompt(
            Prompt::new("weekly")
                .description("A week.")
                .handler(|| async { "week" }),
        )
}

fn host(runs: &Runs) -> InProcess {
    let stores = Arc::new(MemoryStores::default());
    InProcess::with_config(|| shop(runs), Config::default())
        .called_by(alice())
        .on(|platform| {
            let limits = RateLimits {
                limiter: Arc::clone(&stores) as _,
                rate: Some(Rate::per_minute(60)),
                failure_mode: FailureMode::Open,
            };
            platform
                .with_cache(Arc::clone(&stores) as _)
                .with_idempotency(stores, FailureMode::Open)
                .with_rate_limits(limits)
        })
}

fn alice() -> Principal {
    Principal::new(PrincipalKind::Iam, "arn:aws:iam::123456789012:user/alice")
}

fn bob() -> Principal {
    Principal::new(PrincipalKind::Iam, "arn:aws:iam::123456789012:user/bob")
}

fn call(tool: &str, arguments: Value) -> Request {
    Request::modern("tools/call", json!({"name": tool, "arguments": arguments}))
}

fn keyed(tool: &str, arguments: Value, key: Value) -> Request {
    Request::modern(
        "tools/call",
        json!({"name": tool, "arguments": arguments, "_meta": {"idempotencyKey": key, "dev.mcpfn/cache": true}}),
    )
}

fn says(response: &Response) -> String {
    let json = response.json();
    json["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {json}"))
        .to_owned()
}

fn kept(response: &Response) -> String {
    response.json()["result"]["_meta"]["dev.mcpfn/cache"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_used_up_budget_is_429_with_the_time_to_wait() {
    for revision in ["2026-07-28", "2025-11-25", "2025-03-26"] {
        let runs = Runs::default();
        let host = host(&runs);
        let call = Request::from_client(
            revision,
            json!({"id": 7, "method": "tools/call", "params": {"name": "limited", "arguments": {"sku": "a"}}}),
        );
        assert_eq!(host.send(&call).status, 200);
        assert_eq!(host.send(&call).status, 200);
        let refused = host.send(&call);
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (429, Some("30")),
            "{revision}"
        );
        let json = refused.json();
        assert_eq!(
            (&json["id"], &json["error"]["code"], &json["error"]["data"]),
            (&json!(7), &json!(429), &json!({"retryAfterSeconds": 30}))
        );
        assert_eq!(
            json["error"]["message"],
            "too many calls: 2 calls of `limited` in 60 s are allowed; try again in 30 s"
        );
        assert_eq!(counted(&runs), 2, "the handler does not run");
        host.time.pass(Duration::from_secs(30));
        assert_eq!(host.send(&call).status, 200);
        assert_eq!(
            host.log.calls(),
            [
                "limited ok off",
                "limited ok off",
                "limited rate_limited off",
                "limited ok off"
            ]
        );
    }
}

#[test]
fn each_caller_has_a_budget_over_all_that_runs_a_handler() {
    let runs = Runs::default();
    let mut host = host(&runs);
    for _ in 0..59 {
        assert_eq!(host.send(&call("look", json!({"sku": "a"}))).status, 200);
    }
    assert_eq!(
        host.send(&Request::modern("prompts/get", json!({"name": "weekly"})))
            .status,
        200
    );
    assert_eq!(host.send(&call("buy", json!({"sku": "a"}))).status, 429);
    assert_eq!(
        host.send(&Request::modern("prompts/get", json!({"name": "weekly"})))
            .status,
        429
    );
    // what a client finds out what server this is by is the same bytes for everyone
    assert_eq!(
        host.send(&Request::modern("server/discover", json!({})))
            .status,
        200
    );
    host.turn_into(bob());
    assert_eq!(host.send(&call("buy", json!({"sku": "a"}))).status, 200);
}

#[test]
fn a_call_that_one_limit_refuses_costs_the_other_nothing() {
    let runs = Runs::default();
    let host = host(&runs);
    let status = |tool: &str| host.send(&call(tool, json!({"sku": "a"}))).status;
    // two of the tool's own, and forty-eight that are refused
    assert_eq!((0..50).filter(|_| status("limited") == 200).count(), 2);
    assert_eq!((0..60).filter(|_| status("look") == 200).count(), 58);
    host.time.pass(Duration::from_secs(60));
    assert_eq!((0..60).filter(|_| status("look") == 200).count(), 60);
    assert_eq!((0..10).filter(|_| status("limited") == 200).count(), 0);
    host.time.pass(Duration::from_secs(2));
    assert_eq!((0..3).filter(|_| status("limited") == 200).count(), 2);
}

#[test]
fn callers_that_nobody_recognised_are_limited_by_their_address() {
    let runs = Runs::default();
    let mut config = Config::default();
    config.anonymous = true;
    let platform = host(&runs).platform;
    let mut host =
        InProcess::with_config(|| shop(&runs), config).on(|_| Arc::unwrap_or_clone(platform));
    let from = |address: &str| Principal::anonymous().at(address.parse().unwrap());
    host.turn_into(from("203.0.113.7"));
    let limited = call("limited", json!({"sku": "a"}));
    assert_eq!(
        [
            host.send(&limited).status,
            host.send(&limited).status,
            host.send(&limited).status
        ],
        [200, 200, 429]
    );
    host.turn_into(from("2001:db8::1"));
    assert_eq!(host.send(&limited).status, 200);
}

#[test]
fn a_kept_result_is_found_by_the_same_caller_and_the_same_arguments_only() {
    let runs = Runs::default();
    let mut host = host(&runs);
    assert_eq!(
        says(&host.send(&call("find", json!({"sku": "a", "count": 1})))),
        "run 1: 1 x a"
    );
    let spelled = Request::post(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find","arguments":{ "count" : 1, "sku":"\u0061"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "find");
    assert_eq!(
        says(&host.send(&spelled)),
        "run 1: 1 x a",
        "spelling does not matter"
    );
    assert_eq!(
        says(&host.send(&call("find", json!({"sku": "a", "count": 2})))),
        "run 2: 2 x a"
    );
    host.turn_into(bob());
    assert_eq!(
        says(&host.send(&call("find", json!({"sku": "a", "count": 1})))),
        "run 3: 1 x a"
    );
    host.turn_into(alice());
    host.time.pass(Duration::from_secs(60));
    assert_eq!(
        says(&host.send(&call("find", json!({"sku": "a", "count": 1})))),
        "run 4: 1 x a",
        "kept for a minute"
    );
    let legacy = Request::from_client(
        "2025-11-25",
        json!({"id": 1, "method": "tools/call", "params": {"name": "find", "arguments": {"sku": "a", "count": 1}}}),
    );
    assert_eq!(
        says(&host.send(&legacy)),
        "run 5: 1 x a",
        "what older clients are sent is written differently"
    );
}

#[test]
fn a_public_result_is_for_everybody() {
    let runs = Runs::default();
    let mut host = host(&runs);
    let find = call("find_public", json!({"sku": "a"}));
    assert_eq!(says(&host.send(&find)), "run 1: 0 x a");
    host.turn_into(bob());
    assert_eq!(says(&host.send(&find)), "run 1: 0 x a");
}

#[test]
fn failures_and_questions_are_not_kept() {
    let runs = Runs::default();
    let host = host(&runs);
    for sku in ["broken", "slow", "panic"] {
        let before = counted(&runs);
        for _ in 0..2 {
            assert_eq!(
                host.send(&call("find", json!({"sku": sku}))).json()["result"]["isError"],
                true,
                "{sku}"
            );
        }
        assert_eq!(counted(&runs), before + 2, "{sku}");
    }
    let form = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let ask = Request::modern(
        "tools/call",
        json!({"name": "find", "arguments": {"sku": "ask"}, "_meta": form}),
    );
    assert_eq!(
        host.send(&ask).json()["result"]["resultType"],
        "input_required"
    );
    assert_eq!(
        host.send(&ask).json()["result"]["resultType"],
        "input_required"
    );
    let answered = Request::modern(
        "tools/call",
        json!({"name": "find", "arguments": {"sku": "ask"}, "_meta": form, "inputResponses": {"size": {"action": "accept", "content": {"size": "XL"}}}}),
    );
    let first = says(&host.send(&answered));
    assert_ne!(
        says(&host.send(&answered)),
        first,
        "an answer belongs to its own conversation"
    );
}

#[test]
fn a_client_that_asks_hears_whether_the_result_was_kept() {
    let host = host(&Runs::default());
    let asks = Request::modern(
        "tools/call",
        json!({"name": "find", "arguments": {"sku": "a"}, "_meta": {"dev.mcpfn/cache": true}}),
    );
    assert_eq!(
        [kept(&host.send(&asks)), kept(&host.send(&asks))],
        ["miss", "hit"]
    );
    assert_eq!(
        kept(&host.send(&call("find", json!({"sku": "a"})))),
        "",
        "nobody asked"
    );
    assert_eq!(
        host.log.calls(),
        ["find ok miss", "find ok hit", "find ok hit"]
    );
}

/// Work that waits until a test lets it run.
#[derive(Default)]
struct Later(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Background for Later {
    fn run(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(work);
    }
}

impl Later {
    fn run_all(&self, host: &InProcess) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap());
        waiting
            .into_iter()
            .for_each(|work| block_on(&host.time, work));
    }
}

#[test]
fn a_stale_result_is_given_at_once_and_made_anew_after_the_answer() {
    let runs = Runs::default();
    let later = Arc::new(Later::default());
    let host = host(&runs).on(|platform| platform.with_background(Arc::clone(&later) as _));
    let find = Request::modern(
        "tools/call",
        json!({"name": "find_stale", "arguments": {"sku": "a"}, "_meta": {"dev.mcpfn/cache": true}}),
    );
    let ask = |kept_as: &str, run: &str| {
        let response = host.send(&find);
        assert_eq!(
            (kept(&response), says(&response)),
            (kept_as.to_owned(), run.to_owned())
        );
    };
    ask("miss", "run 1: 0 x a");
    ask("coalesced", "run 1: 0 x a");
    later.run_all(&host);
    ask("hit", "run 1: 0 x a");
    host.time.pass(Duration::from_secs(90));
    ask("stale", "run 1: 0 x a");
    ask("stale", "run 1: 0 x a");
    assert_eq!(counted(&runs), 1, "nothing runs before the answer is out");
    later.run_all(&host);
    // the first piece of background work left another one: to keep what it made
    later.run_all(&host);
    assert_eq!(counted(&runs), 2, "two stale answers make one new result");
    ask("hit", "run 2: 0 x a");
    host.time.pass(Duration::from_secs(121));
    ask("miss", "run 3: 0 x a");
}

#[test]
fn a_stale_result_is_made_anew_before_the_answer_where_the_host_can_not_do_it_after() {
    let runs = Runs::default();
    let host = host(&runs);
    let find = call("find_stale", json!({"sku": "a"}));
    assert_eq!(says(&host.send(&find)), "run 1: 0 x a");
    host.time.pass(Duration::from_secs(90));
    assert_eq!(says(&host.send(&find)), "run 2: 0 x a");
}

#[test]
fn a_repeated_write_gets_the_first_result() {
    let runs = Runs::default();
    let mut host = host(&runs);
    let buy = keyed("buy", json!({"sku": "a", "count": 3}), json!("order-1"));
    assert_eq!(says(&host.send(&buy)), "run 1: 3 x a");
    let again = host.send(&buy);
    assert_eq!(
        (says(&again), kept(&again)),
        ("run 1: 3 x a".to_owned(), "hit".to_owned())
    );
    host.time.pass(Duration::from_secs(23 * 3600));
    assert_eq!(says(&host.send(&buy)), "run 1: 3 x a");
    let other = host.send(&keyed("buy", json!({"sku": "b"}), json!("order-1")));
    assert!(
        says(&other).contains("used before with other arguments"),
        "{}",
        says(&other)
    );
    assert_eq!(
        says(&host.send(&keyed(
            "buy",
            json!({"sku": "a", "count": 3}),
            json!("order-2")
        ))),
        "run 2: 3 x a"
    );
    assert_eq!(
        says(&host.send(&call("buy", json!({"sku": "a", "count": 3})))),
        "run 3: 3 x a",
        "without a key a call is a call"
    );
    host.turn_into(bob());
    assert_eq!(
        says(&host.send(&buy)),
        "run 4: 3 x a",
        "a key is its caller's own"
    );
}

#[test]
fn the_key_may_be_an_argument() {
    let runs = Runs::default();
    let host = host(&runs);
    let buy = call("buy", json!({"sku": "a", "request": "order-1"}));
    assert_eq!(
        [says(&host.send(&buy)), says(&host.send(&buy))],
        ["run 1: 0 x a", "run 1: 0 x a"]
    );
    let two = host.send(&keyed(
        "buy",
        json!({"sku": "a", "request": "order-1"}),
        json!("order-2"),
    ));
    assert_eq!(two.error().0, -32602);
    assert!(two.error().1.contains("two different idempotency keys"));
}

#[test]
fn a_write_that_failed_may_be_repeated_and_one_that_may_have_happened_may_not() {
    let runs = Runs::default();
    let host = host(&runs);
    for (sku, runs_after) in [("broken", 2), ("slow", 3), ("panic", 4)] {
        let buy = keyed("buy", json!({"sku": sku}), json!(sku));
        let first = says(&host.send(&buy));
        let second = says(&host.send(&buy));
        assert_eq!(first, second);
        assert_eq!(counted(&runs), runs_after, "{sku}");
        // nobody is invited to write again who may have written
        let unknown = first.contains("The outcome is unknown: look whether it wrote");
        assert_eq!(unknown, sku != "broken", "{first}");
        assert!(!first.contains("later"), "{first}");
    }
}

#[test]
fn a_write_whose_result_is_too_large_to_keep_is_not_repeated_either() {
    let runs = Runs::default();
    let host = host(&runs);
    let buy = keyed("buy", json!({"sku": "large"}), json!("order-1"));
    assert_eq!(says(&host.send(&buy)).len(), 300_000);
    let again = host.send(&buy);
    assert!(says(&again).contains("happened before"), "{}", says(&again));
    assert_eq!(
        (counted(&runs), &again.json()["result"]["isError"]),
        (1, &json!(true))
    );
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    let host = host(&Runs::default());
    for key in [json!(""), json!(7), json!(null), json!("k".repeat(256))] {
        let refused = host.send(&keyed("buy", json!({"sku": "a"}), key));
        assert_eq!((refused.status, refused.error().0), (400, -32602));
        assert!(refused.error().1.contains("idempotencyKey"));
    }
}

#[test]
fn a_trace_comes_from_meta_or_else_from_headers_and_only_if_it_is_one() {
    const META: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let server = || {
        let trace = |_: NoArguments, cx: Cx| async move {
            format!("{:?} {:?}", cx.trace().traceparent, cx.trace().tracestate)
        };
        Server::builder("traced", "1").tool(
            Tool::new("trace")
                .description("Says its trace.")
                .handler(trace),
        )
    };
    let ask = |meta: Value, header: &str| {
        let request = Request::modern("tools/call", json!({"name": "trace", "_meta": meta}))
            .header("traceparent", header)
            .header("tracestate", "a=1");
        says(&InProcess::new(server).send(&request))
    };
    assert_eq!(
        ask(json!({"traceparent": META}), HEADER),
        format!("Some({META:?}) None")
    );
    assert_eq!(
        ask(json!({}), HEADER),
        format!("Some({HEADER:?}) Some(\"a=1\")")
    );
    assert_eq!(
        ask(json!({"traceparent": "'; drop table"}), "00-x"),
        "None None"
    );
}
