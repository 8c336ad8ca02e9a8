//! Many calls at once, on real threads and real time: cached results and writes are made once,
//! budgets are exact.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use mcpfn::{
    handler::BoxFuture,
    policy::{FailureMode, RateLimits},
    port::{Background, Platform, Rate},
};
use mcpfn_http::{Config, Service};
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{Tasks, new_key, platform};
use mcpfn_testing::TestClient;
use serde_json::json;
use tokio::task::JoinSet;

use super::{Runs, alice, call, counted, keyed, shop};
use crate::support::Request;
use crate::support::in_process::InProcess;

struct Busy {
    host: Arc<InProcess>,
    service: Service,
    platform: Arc<Platform>,
    tasks: Tasks,
    runs: Runs,
}

impl Busy {
    fn new(rate: Option<Rate>) -> Self {
        let runs = Runs::default();
        let stores = Arc::new(MemoryStores::default());
        let tasks = Tasks::default();
        let limits = RateLimits {
            limiter: Arc::clone(&stores) as _,
            rate,
            failure_mode: FailureMode::Open,
        };
        let platform = platform(new_key())
            .with_cache(Arc::clone(&stores) as _)
            .with_idempotency(stores, FailureMode::Open)
            .with_rate_limits(limits)
            .with_background(Arc::new(tasks.clone()));
        let server = shop(&runs).build().unwrap();
        let host = InProcess::with_config(|| shop(&runs), Config::default()).called_by(alice());
        Self {
            host: Arc::new(host),
            service: Service::new(server, Config::default()),
            platform: Arc::new(platform),
            tasks,
            runs,
        }
    }

    /// The status of the answer.
    async fn send(&self, request: &Request) -> u16 {
        self.service
            .call(self.host.to_http(request), &self.platform)
            .await
            .status()
            .as_u16()
    }

    async fn at_once(self: &Arc<Self>, count: usize, request: Request) -> Vec<u16> {
        let mut calls = JoinSet::new();
        for _ in 0..count {
            let (busy, request) = (Arc::clone(self), request.clone());
            calls.spawn(async move { busy.send(&request).await });
        }
        calls.join_all().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_equal_calls_run_the_handler_once() {
    let busy = Arc::new(Busy::new(None));
    let statuses = busy
        .at_once(1000, call("find", json!({"sku": "wait"})))
        .await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(counted(&busy.runs), 1);
}

/// Workers stop a request that waits for what another one does.
#[test]
fn equal_calls_wait_for_each_other_where_the_host_lets_them() {
    for shares in [true, false] {
        let runs = Runs::default();
        let client = TestClient::new(shop(&runs)).map_platform(|platform| {
            if shares {
                platform
            } else {
                platform.without_sharing()
            }
        });
        let find = || client.call("find", json!({"sku": "wait"})).into_future();
        let mut calls = [find(), find()];
        for call in &mut calls {
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        assert_eq!(counted(&runs), if shares { 1 } else { 2 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_repeated_fifty_times_at_once_happens_once() {
    let busy = Arc::new(Busy::new(None));
    let statuses = busy
        .at_once(50, keyed("buy", json!({"sku": "wait"}), json!("order-1")))
        .await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(counted(&busy.runs), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_budget_is_exact_among_calls_at_once() {
    let busy = Arc::new(Busy::new(Some(Rate {
        calls: 20,
        per: Duration::from_secs(3600),
    })));
    let statuses = busy.at_once(200, call("look", json!({"sku": "a"}))).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20);
    assert_eq!(counted(&busy.runs), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_with_a_key_ends_even_when_its_client_goes_away() {
    let busy = Arc::new(Busy::new(None));
    let buy = keyed("buy", json!({"sku": "wait"}), json!("order-1"));
    let gone = tokio::time::timeout(Duration::from_millis(100), busy.send(&buy)).await;
    assert!(gone.is_err(), "the client has gone away before the answer");
    busy.tasks.drain().await;
    assert_eq!(busy.send(&buy).await, 200);
    assert_eq!(
        counted(&busy.runs),
        1,
        "the repeat got the result of the first"
    );
}

#[tokio::test]
async fn background_work_is_waited_for_also_when_it_starts_more() {
    let tasks = Tasks::default();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let inner = tasks.clone();
    let work: BoxFuture<'static, ()> = Box::pin(async move {
        tokio::task::yield_now().await;
        inner.run(Box::pin(async move {
            tokio::task::yield_now().await;
            sender.send("done").unwrap();
        }));
    });
    tasks.run(work);
    tasks.drain().await;
    assert_eq!(receiver.try_recv(), Ok("done"));
}
