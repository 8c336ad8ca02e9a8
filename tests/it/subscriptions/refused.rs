//! Subscriptions that can't be had, and a store that is down.

use mcpfn::handler::BoxFuture;
use mcpfn::policy::{FailureMode, RateLimits};
use mcpfn::port::{Kept, Rate, Replace, StoreError, TopicRecord};

use super::*;

#[test]
fn a_subscription_says_what_is_wrong_with_it() {
    let pair = Pair::new();
    let session = pair.session("2025-11-25");
    let long = format!("shop://items/{}", "x".repeat(2048));
    for (request, code, says) in [
        (
            session.request("resources/subscribe", "shop://moon"),
            -32002,
            "`shop://moon` does not exist",
        ),
        (
            session.request("resources/subscribe", &long),
            -32602,
            "at most 2048 bytes",
        ),
        (
            session
                .request("resources/subscribe", "shop://stock")
                .without("mcp-session-id"),
            -32600,
            "`Mcp-Session-Id`",
        ),
        (
            session
                .request("resources/subscribe", "shop://stock")
                .header("mcp-session-id", "0123456789"),
            -32600,
            "`Mcp-Session-Id`",
        ),
        (
            Request::from_client(
                "2025-11-25",
                json!({"id": 1, "method": "resources/unsubscribe"}),
            ),
            -32602,
            "`params.uri`",
        ),
    ] {
        let error = pair.here.send(&request).json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn a_session_has_at_most_50() {
    let pair = Pair::new();
    let session = pair.session("2025-11-25");
    for item in 0..50 {
        let subscribed = session.subscribe(&pair.here, &format!("shop://items/{item}"));
        assert_eq!(subscribed["result"], json!({}), "{item}");
    }
    let refused = session.subscribe(&pair.there, "shop://stock");
    assert_eq!(refused["error"]["code"], -32602);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("50 resources"), "{message}");
    let told = session.poll(&pair.here, None);
    // what proxies take of a header
    assert!(told.id.unwrap().len() < 2048);
}

#[test]
fn a_get_without_a_session_or_without_subscriptions_is_405() {
    let off = Pair::with(Subscriptions::default(), Arc::new(MemoryStores::default()));
    let pair = Pair::new();
    let session = pair.session("2025-11-25");
    let get = || session.get(None);
    for (host, request, says) in [
        (&off.here, get(), "there are no sessions"),
        (
            &pair.here,
            get().without("mcp-session-id"),
            "`Mcp-Session-Id`",
        ),
        (
            &pair.here,
            get().header("mcp-session-id", "mine"),
            "`Mcp-Session-Id`",
        ),
        (
            &pair.here,
            get().header("accept", "application/json"),
            "`Accept:",
        ),
        (
            &pair.here,
            get().header("mcp-protocol-version", "2026-07-28"),
            "`Mcp-Session-Id`",
        ),
    ] {
        let response = host.send(&request);
        assert_eq!(response.status, 405, "{}", response.text());
        assert!(response.header("allow").unwrap().contains("POST"));
        assert!(response.text().contains(says), "{}", response.text());
    }
    let unknown = get().header("mcp-protocol-version", "2031-01-01");
    assert_eq!(pair.here.send(&unknown).status, 400);
    let error = &off
        .here
        .send(&session.request("resources/subscribe", "shop://stock"));
    assert_eq!(error.json()["error"]["code"], -32601);
}

/// A store that gives no answer.
struct Down;

impl Topics for Down {
    fn read<'a>(
        &'a self,
        _keys: &'a [String],
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn write<'a>(
        &'a self,
        _key: &'a str,
        _record: TopicRecord,
        _replace: Replace,
        _kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Err(StoreError::new("hunter2 is down")) })
    }
}

#[test]
fn a_store_that_is_down_fails_no_call_and_is_told_to_the_log_alone() {
    let pair = Pair::with(BOTH, Arc::new(Down));
    let session = pair.session("2025-11-25");
    pair.change("shop://stock");
    assert_eq!(pair.there.log.stores(), ["topics: hunter2 is down"]);
    let refused = session.subscribe(&pair.here, "shop://stock");
    assert_eq!(refused["error"]["code"], -32603);
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    let others = Pair::new();
    let seen = [others.session("2025-11-25"), others.session("2025-11-25")];
    let seen = seen[1].poll(&others.here, None).id;
    let told = session.poll(&pair.here, seen.as_deref());
    assert!(
        told.uris.is_empty() && told.id.is_none(),
        "not this session's"
    );
    assert_eq!(
        pair.here.time.elapsed_ms(),
        2_000,
        "a second for each question"
    );
}

#[test]
fn who_asks_too_often_is_told_to_come_again_and_misses_nothing() {
    let mut pair = Pair::new();
    let stores = Arc::new(MemoryStores::default());
    pair.here = pair.here.on(|platform| {
        platform.with_rate_limits(RateLimits {
            limiter: stores,
            rate: Some(Rate::per_minute(3)),
            failure_mode: FailureMode::Open,
        })
    });
    let session = pair.session("2025-11-25");
    session.subscribe(&pair.here, "shop://stock");
    let seen = session.poll(&pair.here, None).id;
    session.poll(&pair.here, seen.as_deref());
    pair.change("shop://stock");
    for foreign in [None, Some("AAAA")] {
        let told = session.poll(&pair.here, foreign);
        assert!(told.uris.is_empty() && told.id.is_none());
    }
    let told = session.poll(&pair.here, seen.as_deref());
    assert_eq!((told.uris.len(), &told.id), (0, &seen));
    let refused = session.subscribe(&pair.here, "shop://items/1");
    assert_eq!(refused["error"]["code"], 429);
    pair.here.time.pass(Duration::from_secs(60));
    let told = session.poll(&pair.here, told.id.as_deref());
    assert_eq!(told.uris, ["shop://stock"]);
    let limited = pair.here.log.calls();
    let limited = limited.iter().filter(|call| call.contains("rate_limited"));
    assert_eq!(limited.count(), 4, "{:?}", pair.here.log.calls());
}
