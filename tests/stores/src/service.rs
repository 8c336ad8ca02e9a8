//! What holds for the stores of every service that is reached by a connection: how many connections
//! there are, and what is lost with one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{Admission, Hold, IdempotencyStatus, Rate, Swapped, TaskPart, TaskStore};
use tokio::time::timeout;

use crate::contract::Store;
use crate::pipe::{Flow, Pipe};
use crate::report::Report;

/// A service under test.
#[derive(Clone)]
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its stores, reached at an address, with a limit for each question.
    pub stores: fn(SocketAddr, Duration) -> Arc<dyn Store>,
    /// Its tasks, reached in the same way.
    pub tasks: fn(SocketAddr, Duration) -> Arc<dyn TaskStore>,
    /// Most connections that the stores of one process have.
    pub connections: usize,
    /// How long a question may take in an outage: enough for a first connection on a busy machine,
    /// without optimization, and at most a second.
    pub limit: Duration,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// Longer than a server on a busy machine takes for 200 questions at a time.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Any time; that of the checks below.
const NOW: u64 = 1_795_168_800_000;

impl Service {
    /// Stores behind a proxy.
    pub async fn behind(&self, limit: Duration) -> (Pipe, Arc<dyn Store>) {
        let pipe = Pipe::start(self.address).await.expect("a port is free");
        let stores = (self.stores)(pipe.address, limit);
        (pipe, stores)
    }

    /// Stores without a proxy.
    #[must_use]
    pub fn direct(&self) -> Arc<dyn Store> {
        (self.stores)(self.address, PATIENCE)
    }
}

/// Asks all of it.
pub async fn connections(service: &Service, report: &mut Report) {
    let of = |service: &Service| service.clone();
    report
        .check("few connections serve all calls", few(of(service)))
        .await;
    report
        .check(
            "a call that goes away takes no answer of another",
            gone(of(service)),
        )
        .await;
    report
        .check(
            "kept connections that were cut cost new ones and no failure",
            cut(of(service)),
        )
        .await;
    report
        .check(
            "a kept connection that fell silent costs one attempt, once",
            silent(of(service)),
        )
        .await;
    report
        .check(
            "who begins and loses the answer is still the first",
            lost_begin(of(service)),
        )
        .await;
    report
        .check(
            "a decision whose answer is lost counts once",
            lost_decision(of(service)),
        )
        .await;
    report
        .check(
            "a result whose answer is lost is kept",
            lost_result(of(service)),
        )
        .await;
    report
        .check(
            "a task, and a change of one, whose answer is lost is made once",
            lost_change(of(service)),
        )
        .await;
}

async fn few(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    assert_eq!(
        pipe.connections(),
        0,
        "nothing happens before the first use"
    );
    let calls = (0..200).map(|call| {
        let stores = Arc::clone(&stores);
        tokio::spawn(async move {
            let key = format!("few-{}", call % 7);
            let rate = Rate::per_minute(100);
            stores.admit(&key, rate, NOW).await.unwrap();
            stores.get(&key, NOW).await.unwrap();
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let made = pipe.connections();
    assert!((1..=service.connections).contains(&made), "{made}");
}

async fn gone(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    let keys: Vec<String> = (0..20).map(|key| format!("gone-{key}")).collect();
    for key in &keys {
        let value = Bytes::from(key.clone());
        stores.put(key, value, NOW + 1000).await.unwrap();
    }
    let other = (service.stores)(pipe.address, PATIENCE);
    for round in 0..5 {
        for key in &keys {
            // dropped at its first wait, or a little later
            let asked = other.get(key, NOW);
            let limit = Duration::from_micros(100 * round);
            drop(timeout(limit, asked).await);
            let found = other.get(key, NOW).await.unwrap();
            assert_eq!(found, Some(Bytes::from(key.clone())));
        }
    }
}

async fn cut(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    // as many connections as there may be, all of which end
    for _ in 0..5 {
        let start = Instant::now();
        let calls = (0..2 * service.connections).map(|call| {
            let stores = Arc::clone(&stores);
            tokio::spawn(async move { stores.get(&format!("cut-{call}"), NOW).await })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        assert!(start.elapsed() < PATIENCE / 5, "{:?}", start.elapsed());
        pipe.set(Flow::Cut);
        pipe.set(Flow::Pass);
    }
}

async fn silent(service: Service) {
    let limit = Duration::from_secs(2);
    let (pipe, stores) = service.behind(limit).await;
    stores.get("silent", NOW).await.unwrap();
    pipe.set(Flow::Silent);
    let start = Instant::now();
    let mending = tokio::spawn({
        let stores = Arc::clone(&stores);
        async move { stores.get("silent", NOW).await }
    });
    // the connection has met its silence by then, and keeps it
    tokio::time::sleep(limit / 5).await;
    pipe.set(Flow::Pass);
    mending.await.unwrap().unwrap();
    let took = start.elapsed();
    assert!(took >= limit * 3 / 5 && took < limit, "{took:?}");
    let start = Instant::now();
    stores.get("silent", NOW).await.unwrap();
    assert!(start.elapsed() < limit * 3 / 5, "{:?}", start.elapsed());
}

/// Asks while answers are lost, until the connection has ended, and then lets them come.
async fn losing<T: Send + 'static>(
    pipe: &Pipe,
    question: impl Future<Output = T> + Send + 'static,
) -> T {
    let before = pipe.connections();
    pipe.set(Flow::Lost);
    let asking = tokio::spawn(question);
    while pipe.connections() == before && !asking.is_finished() {
        tokio::task::yield_now().await;
    }
    pipe.set(Flow::Pass);
    asking.await.expect("it does not panic")
}

fn hold(now_ms: u64) -> Hold {
    Hold {
        now_ms,
        until_ms: now_ms + 1000,
        expires_ms: now_ms + 60_000,
    }
}

async fn lost_begin(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    let other = service.direct();
    let (key, holder) = (format!("lost-{}", pipe.address.port()), [7; 16]);
    // there is a connection to lose, and a server that knows what it will be asked
    let warm = format!("warm-{key}");
    stores.begin(&warm, &holder, hold(NOW)).await.unwrap();
    let begun = losing(&pipe, {
        let (stores, key) = (Arc::clone(&stores), key.clone());
        async move { stores.begin(&key, &holder, hold(NOW)).await }
    });
    // where the second question was lost, too, it is an error, and the hold is there
    if let Ok(begun) = begun.await {
        assert_eq!(begun, IdempotencyStatus::Acquired, "it finds its own name");
    }
    assert_eq!(
        other.begin(&key, &[8; 16], hold(NOW + 999)).await,
        Ok(IdempotencyStatus::InProgress)
    );
    let result = Bytes::from_static(b"1");
    stores
        .complete(&key, &holder, result.clone(), NOW + 3000)
        .await
        .unwrap();
    assert_eq!(
        other.begin(&key, &[8; 16], hold(NOW)).await,
        Ok(IdempotencyStatus::Completed(result))
    );
}

async fn lost_decision(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    let key = format!("decision-{}", pipe.address.port());
    let rate = Rate::per_minute(2);
    let warm = format!("warm-{key}");
    stores.admit(&warm, rate, NOW).await.unwrap();
    let decided = losing(&pipe, {
        let (stores, key) = (Arc::clone(&stores), key.clone());
        async move { stores.admit(&key, rate, NOW).await }
    });
    if let Ok(decided) = decided.await {
        assert_eq!(decided, Admission::Admitted);
    }
    assert_eq!(
        stores.admit(&key, rate, NOW).await,
        Ok(Admission::Admitted),
        "1 + 1 are 2"
    );
    let third = stores.admit(&key, rate, NOW).await;
    assert!(matches!(third, Ok(Admission::Refused { .. })), "{third:?}");
}

async fn lost_result(service: Service) {
    let (pipe, stores) = service.behind(PATIENCE).await;
    let (key, holder) = (format!("result-{}", pipe.address.port()), [7; 16]);
    let result = Bytes::from_static(b"1");
    for key in [format!("warm-{key}"), key.clone()] {
        let begun = stores.begin(&key, &holder, hold(NOW)).await;
        assert_eq!(begun, Ok(IdempotencyStatus::Acquired));
        if key.starts_with("warm") {
            let kept = stores.complete(&key, &holder, result.clone(), NOW + 60_000);
            kept.await.unwrap();
        }
    }
    let kept = losing(&pipe, {
        let (stores, key, result) = (Arc::clone(&stores), key.clone(), result.clone());
        async move { stores.complete(&key, &holder, result, NOW + 60_000).await }
    });
    // the retry may be lost, too: that is an error, and the result is there all the same
    drop(kept.await);
    assert_eq!(
        service.direct().begin(&key, &[8; 16], hold(NOW)).await,
        Ok(IdempotencyStatus::Completed(result))
    );
}

async fn lost_change(service: Service) {
    let pipe = Pipe::start(service.address).await.expect("a port is free");
    let stores = (service.tasks)(pipe.address, PATIENCE);
    let key = format!("task-{}", pipe.address.port());
    let create = async |key: &str| {
        let (head, call) = (Bytes::from("head"), Bytes::from("call"));
        stores.create(key, head, call, NOW, NOW + 60_000).await
    };
    let read = async || {
        let parts = [TaskPart::Head, TaskPart::Outcome];
        stores.read(&key, &parts, NOW).await.unwrap().unwrap()
    };
    let lost = |version, also: Vec<(TaskPart, Bytes)>| {
        let (stores, key) = (Arc::clone(&stores), key.clone());
        losing(&pipe, async move {
            let head = Bytes::from("changed");
            let swap = stores.swap(&key, version, head, also, NOW, NOW + 60_000);
            swap.await
        })
    };
    // there is a connection to lose, and a server that knows what it will be asked
    create(&format!("warm-{key}")).await.unwrap();
    let created = losing(&pipe, {
        let (stores, key) = (Arc::clone(&stores), key.clone());
        async move {
            let (head, call) = (Bytes::from("head"), Bytes::from("call"));
            stores.create(&key, head, call, NOW, NOW + 60_000).await
        }
    });
    // where the second question was lost, too, it is an error, and the task is there
    if let Ok(created) = created.await {
        assert!(created, "it finds its own name");
    }
    assert_eq!(create(&key).await, Ok(false));
    let mut before = read().await;
    for also in [vec![], vec![(TaskPart::Outcome, Bytes::from("outcome"))]] {
        let last = !also.is_empty();
        let swapped = lost(before.version, also).await;
        let after = read().await;
        // where the second question was lost, too, the first may not have arrived on a busy machine
        if swapped.is_err() && after.version == before.version {
            continue;
        }
        assert!(
            swapped.is_err() || swapped == Ok(Swapped::Done),
            "it finds its own name"
        );
        assert_eq!(after.version, before.version + 1);
        let outcome = last.then(|| Bytes::from("outcome"));
        assert_eq!(after.parts, [Some(Bytes::from("changed")), outcome]);
        before = after;
    }
}
