//! Policies under `wrangler dev`: KV keeps results, a rate-limit binding counts, Durable Objects
//! remember writes. Two callers with API keys, of whom one may read secrets.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Host as _, Request, Response, Worker};

/// Longest wait for what is kept after an answer.
const PATIENCE: Duration = Duration::from_secs(10);
const ALICE: &str = "alice-key";
const BOB: &str = "bob-key";

fn call(key: &str, tool: &str, arguments: Value, meta: Value) -> Response {
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    Worker::named("policed").send(&Request::modern("tools/call", params).header("x-api-key", key))
}

fn says(response: &Response) -> String {
    let json = response.json();
    json["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {json}"))
        .to_owned()
}

/// A key or an argument that no other run of these tests has used: the stores outlive one.
fn fresh(name: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    format!("{name}-{}", now.as_nanos())
}

fn find(key: &str, sku: &str) -> (String, String) {
    let response = call(
        key,
        "find",
        json!({"sku": sku}),
        json!({"dev.mcpfn/cache": true}),
    );
    let kept = response.json()["result"]["_meta"]["dev.mcpfn/cache"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (kept, says(&response))
}

#[test]
fn a_result_is_kept_for_its_own_caller() {
    let sku = fresh("sku");
    let (kept, first) = find(ALICE, &sku);
    assert_eq!(kept, "miss");
    let start = Instant::now();
    // it is put after the answer
    while find(ALICE, &sku).0 != "hit" {
        assert!(start.elapsed() < PATIENCE, "nothing is kept");
    }
    let kept = find(ALICE, &sku).1;
    assert!(kept.ends_with(&sku), "{kept}");
    assert_eq!(find(ALICE, &sku), ("hit".to_owned(), kept.clone()));
    let (kept_for_bob, run_for_bob) = find(BOB, &sku);
    assert_eq!(kept_for_bob, "miss", "another caller's result is not his");
    assert!(run_for_bob != kept && run_for_bob != first, "{run_for_bob}");
    assert_eq!(find(ALICE, &fresh("other")).0, "miss");
}

#[test]
fn a_caller_sees_and_calls_what_its_scopes_allow() {
    let listed = |key: &str| {
        let response = Worker::named("policed")
            .send(&Request::modern("tools/list", json!({})).header("x-api-key", key))
            .json();
        let tools = response["result"]["tools"]
            .as_array()
            .unwrap_or_else(|| panic!("no tools: {response}"))
            .clone();
        (
            tools.iter().any(|tool| tool["name"] == "secret"),
            response["result"]["cacheScope"].clone(),
        )
    };
    for _ in 0..2 {
        assert_eq!(listed(ALICE), (true, json!("private")));
        assert_eq!(listed(BOB), (false, json!("private")));
    }
    assert_eq!(
        says(&call(ALICE, "secret", json!({}), json!({}))),
        "not any more"
    );
    let refused = call(BOB, "secret", json!({}), json!({}));
    assert_eq!(
        (refused.status, refused.error().1.as_str()),
        (403, "`secret` needs the scope secrets:read")
    );
    let challenge = refused
        .header("www-authenticate")
        .unwrap_or_default()
        .to_owned();
    assert!(
        challenge.contains(r#"scope="secrets:read", error="insufficient_scope""#),
        "{challenge}"
    );
}

#[test]
fn a_used_up_budget_is_429_with_the_time_to_wait() {
    // windows are Cloudflare's: a new one may begin among these, but one of the two has more than
    // two of them
    let refused = (0..6)
        .map(|_| call(ALICE, "limited", json!({}), json!({})))
        .find(|answer| answer.status != 200);
    let refused = refused.expect("a budget of 2 is used up by 6 calls");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("10")),
        "{}",
        refused.text()
    );
    let json = refused.json();
    let expected = (&json!(1), &json!(429), &json!({"retryAfterSeconds": 10}));
    assert_eq!(
        (&json["id"], &json["error"]["code"], &json["error"]["data"]),
        expected
    );
    assert_eq!(
        call(BOB, "limited", json!({}), json!({})).status,
        200,
        "a budget is its caller's own"
    );
}

#[test]
fn a_handler_that_hangs_ends_at_its_deadline() {
    let start = Instant::now();
    let answer = call(ALICE, "hang", json!({}), json!({}));
    assert!(
        start.elapsed() >= Duration::from_millis(300) && start.elapsed() < PATIENCE,
        "{:?}",
        start.elapsed()
    );
    assert_eq!(answer.json()["result"]["isError"], true);
    assert!(
        says(&answer).contains("300 ms") || says(&answer).contains("0.3 s"),
        "{}",
        says(&answer)
    );
}

#[test]
fn a_result_that_is_too_large_is_a_sentence() {
    for _ in 0..3 {
        let answer = call(ALICE, "huge", json!({}), json!({}));
        assert_eq!(
            (answer.status, &answer.json()["result"]["isError"]),
            (200, &json!(true))
        );
        assert!(answer.body.len() < 2000, "{} bytes", answer.body.len());
    }
    assert_eq!(
        says(&call(ALICE, "secret", json!({}), json!({}))),
        "not any more",
        "the isolate lives"
    );
}

fn buy(key: &str, sku: &str, order: &str) -> Response {
    call(
        key,
        "buy",
        json!({"sku": sku}),
        json!({"idempotencyKey": order}),
    )
}

#[test]
fn a_repeated_write_gets_the_first_result() {
    let order = fresh("order");
    let first = says(&buy(ALICE, "a", &order));
    let again = call(
        ALICE,
        "buy",
        json!({"sku": "a"}),
        json!({"idempotencyKey": order, "dev.mcpfn/cache": true}),
    );
    assert_eq!(
        (
            says(&again),
            &again.json()["result"]["_meta"]["dev.mcpfn/cache"]
        ),
        (first.clone(), &json!("hit"))
    );
    assert!(says(&buy(ALICE, "b", &order)).contains("used before with other arguments"));
    assert_ne!(
        says(&buy(BOB, "a", &order)),
        first,
        "a key is its caller's own"
    );
    assert_ne!(says(&buy(ALICE, "a", &fresh("order"))), first);
}

#[test]
fn a_write_that_failed_may_be_repeated_and_one_that_may_have_happened_may_not() {
    let order = fresh("order");
    let failed = says(&buy(ALICE, "broken", &order));
    assert!(failed.starts_with("it is broken: run "), "{failed}");
    assert_ne!(says(&buy(ALICE, "broken", &order)), failed, "it runs again");
    let order = fresh("order");
    let late = buy(ALICE, "slow", &order);
    assert_eq!(late.json()["result"]["isError"], true);
    let start = Instant::now();
    let again = buy(ALICE, "slow", &order);
    assert_eq!(says(&again), says(&late));
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "it does not run again: {:?}",
        start.elapsed()
    );
}

#[test]
fn fifty_repeats_at_once_are_one_write() {
    let order = fresh("order");
    let said: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| says(&buy(BOB, "a", &order))))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("every call is answered"))
            .collect()
    });
    assert!(
        said.iter()
            .all(|one| *one == said[0] && one.starts_with("run ")),
        "{said:?}"
    );
}
