//! Stores that give no answer: calls go on, or are refused where the operator says so, and the log
//! hears of it.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn::{
    handler::BoxFuture,
    policy::{FailureMode, RateLimits},
    port::{
        Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter,
        ResultCache, StoreError,
    },
};
use mcpfn_http::Config;
use serde_json::json;

use super::{Runs, alice, call, counted, keyed, says, shop};
use crate::support::Host as _;
use crate::support::in_process::InProcess;

/// Stores that are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Down {
    /// Every answer is that there is none.
    Refusing,
    /// There never is one.
    Hanging,
}

impl Down {
    fn no_answer<T>(self) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
    {
        Box::pin(async move {
            if self == Self::Hanging {
                std::future::pending::<()>().await;
            }
            Err(StoreError::new("connection refused"))
        })
    }
}

impl ResultCache for Down {
    fn get<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        self.no_answer()
    }

    fn put<'a>(&'a self, _: &'a str, _: Bytes, _: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        self.no_answer()
    }
}

impl RateLimiter for Down {
    fn admit<'a>(
        &'a self,
        _: &'a str,
        _: Rate,
        _: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        self.no_answer()
    }
}

impl IdempotencyStore for Down {
    fn begin<'a>(
        &'a self,
        _: &'a str,
        _: &'a Holder,
        _: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        self.no_answer()
    }

    fn look<'a>(
        &'a self,
        _: &'a str,
        _: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        self.no_answer()
    }

    fn complete<'a>(
        &'a self,
        _: &'a str,
        _: &'a Holder,
        _: Bytes,
        _: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.no_answer()
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        self.no_answer()
    }
}

fn host(runs: &Runs, down: Down, failure_mode: FailureMode) -> InProcess {
    InProcess::with_config(|| shop(runs), Config::default())
        .called_by(alice())
        .on(|platform| {
            let limits = RateLimits {
                limiter: Arc::new(down),
                rate: Some(Rate::per_minute(60)),
                failure_mode,
            };
            platform
                .with_cache(Arc::new(down))
                .with_idempotency(Arc::new(down), failure_mode)
                .with_rate_limits(limits)
        })
}

#[test]
fn a_store_that_is_down_fails_no_call_and_holds_none_for_long() {
    for (down, each_ms) in [(Down::Refusing, 0), (Down::Hanging, 1000)] {
        let runs = Runs::default();
        let host = host(&runs, down, FailureMode::Open);
        let found = host.send(&call("find", json!({"sku": "a"})));
        assert_eq!(says(&found), "run 1: 0 x a");
        // the limiter, the look for a result, and to keep it: each is asked once
        assert_eq!(host.time.elapsed_ms(), 3 * each_ms, "{down:?}");
        let bought = host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1")));
        assert_eq!(says(&bought), "run 2: 0 x a");
        let mut named: Vec<String> = host
            .log
            .stores()
            .iter()
            .filter_map(|line| line.split(':').next().map(str::to_owned))
            .collect();
        // the end of the write is tried until its hold is over
        named.dedup();
        let expected = [
            "rate limiter",
            "result cache",
            "rate limiter",
            "store of writes",
        ];
        assert_eq!(named, expected, "{down:?}");
    }
}

#[test]
fn an_operator_can_have_uncounted_calls_refused() {
    for down in [Down::Refusing, Down::Hanging] {
        let runs = Runs::default();
        let host = host(&runs, down, FailureMode::Closed);
        let refused = host.send(&call("look", json!({"sku": "a"})));
        assert_eq!(
            (
                refused.status,
                refused.header("retry-after"),
                refused.error().0
            ),
            (429, Some("60"), 429)
        );
        assert_eq!(counted(&runs), 0);
        assert!(host.time.elapsed_ms() <= 1000, "{down:?}");
    }
}

#[test]
fn an_operator_can_have_unprotected_writes_refused() {
    for down in [Down::Refusing, Down::Hanging] {
        let runs = Runs::default();
        let host = InProcess::with_config(|| shop(&runs), Config::default())
            .called_by(alice())
            .on(|platform| platform.with_idempotency(Arc::new(down), FailureMode::Closed));
        let refused = host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1")));
        assert!(
            says(&refused).contains("the write was not made"),
            "{}",
            says(&refused)
        );
        assert_eq!(counted(&runs), 0);
        assert!(host.time.elapsed_ms() <= 1000, "{down:?}");
        assert_eq!(
            says(&host.send(&call("buy", json!({"sku": "a"})))),
            "run 1: 0 x a",
            "a write without a key asks no store"
        );
    }
}

#[test]
fn a_key_that_nothing_remembers_is_refused_before_the_write() {
    let runs = Runs::default();
    let host = InProcess::with_config(|| shop(&runs), Config::default()).called_by(alice());
    for request in [
        keyed("buy", json!({"sku": "a"}), json!("order-1")),
        call("buy", json!({"sku": "a", "request": "order-1"})),
    ] {
        let refused = says(&host.send(&request));
        assert!(refused.contains("the write was not made"), "{refused}");
    }
    assert_eq!(counted(&runs), 0);
    let bought = host.send(&call("buy", json!({"sku": "a"})));
    assert_eq!(says(&bought), "run 1: 0 x a");
}
