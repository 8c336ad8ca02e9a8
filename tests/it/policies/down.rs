//! Stores that give no answer: calls go on, or are refused where the operator says so, and the log
//! hears of it.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn::{
    handler::BoxFuture,
    policy::{FailureMode, RateLimits},
    port::{
        Admission, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter, ResultCache, StoreError,
    },
};
use mcpfn_http::Config;
use serde_json::json;

use super::{Runs, alice, call, counted, keyed, says, shop};
use crate::support::Host as _;
use crate::support::in_process::InProcess;

/// Every answer is that there is none.
struct Down;

fn no_answer<T>() -> BoxFuture<'static, Result<T, StoreError>> {
    Box::pin(async { Err(StoreError::new("connection refused")) })
}

impl ResultCache for Down {
    fn get<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        no_answer()
    }

    fn put<'a>(&'a self, _: &'a str, _: Bytes, _: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        no_answer()
    }
}

impl RateLimiter for Down {
    fn admit<'a>(
        &'a self,
        _: &'a str,
        _: Rate,
        _: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        no_answer()
    }
}

impl IdempotencyStore for Down {
    fn begin<'a>(
        &'a self,
        _: &'a str,
        _: u64,
        _: u64,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        no_answer()
    }

    fn complete<'a>(
        &'a self,
        _: &'a str,
        _: Bytes,
        _: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        no_answer()
    }

    fn release<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        no_answer()
    }
}

fn host(runs: &Runs, failure_mode: FailureMode) -> InProcess {
    InProcess::with_config(|| shop(runs), Config::default())
        .called_by(alice())
        .on(|platform| {
            let limits = RateLimits {
                limiter: Arc::new(Down),
                rate: Some(Rate::per_minute(60)),
                failure_mode,
            };
            platform
                .with_cache(Arc::new(Down))
                .with_idempotency(Arc::new(Down), failure_mode)
                .with_rate_limits(limits)
        })
}

#[test]
fn a_store_that_is_down_fails_no_call() {
    let runs = Runs::default();
    let host = host(&runs, FailureMode::Open);
    assert_eq!(
        says(&host.send(&call("find", json!({"sku": "a"})))),
        "run 1: 0 x a"
    );
    assert_eq!(
        says(&host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1")))),
        "run 2: 0 x a"
    );
    let named: Vec<String> = host
        .log
        .stores()
        .iter()
        .filter_map(|line| line.split(':').next().map(str::to_owned))
        .collect();
    assert_eq!(
        named,
        [
            "rate limiter",
            "result cache",
            "result cache",
            "rate limiter",
            "store of writes"
        ]
    );
}

#[test]
fn an_operator_can_have_uncounted_calls_refused() {
    let runs = Runs::default();
    let refused = host(&runs, FailureMode::Closed).send(&call("look", json!({"sku": "a"})));
    assert_eq!(
        (
            refused.status,
            refused.header("retry-after"),
            refused.error().0
        ),
        (429, Some("60"), 429)
    );
    assert_eq!(counted(&runs), 0);
}

#[test]
fn an_operator_can_have_unprotected_writes_refused() {
    let runs = Runs::default();
    let host = InProcess::with_config(|| shop(&runs), Config::default())
        .called_by(alice())
        .on(|platform| platform.with_idempotency(Arc::new(Down), FailureMode::Closed));
    let refused = host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1")));
    assert!(
        says(&refused).contains("the write was not made"),
        "{}",
        says(&refused)
    );
    assert_eq!(counted(&runs), 0);
    assert_eq!(
        says(&host.send(&call("buy", json!({"sku": "a"})))),
        "run 1: 0 x a",
        "a write without a key asks no store"
    );
}
