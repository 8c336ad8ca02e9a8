//! Idempotent writes, in Durable Objects: the contract of every such store, asked of two
//! Workers that share objects, and a tool that writes.

/// The contract of stores; the checks of results and budgets are for stores that have these.
#[path = "../../stores/src"]
mod stores {
    #[allow(dead_code, unreachable_pub, reason = "another package's public module")]
    pub(crate) mod contract;
}

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn::{
    handler::BoxFuture,
    port::{
        Admission, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter, ResultCache, StoreError,
    },
};
use mcpfn_native::memory;
use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};
use stores::contract;

/// What a message carries; of more, the Worker makes the rest.
const MAX: usize = 2_500_000;

/// The objects, behind the tools of a Worker. The other two ports are in memory, where the contract
/// has something to compare with.
struct Objects {
    worker: Worker,
    memory: memory::MemoryStores,
}

impl Objects {
    fn of(service: &str) -> Arc<Self> {
        Arc::new(Self {
            worker: Worker::named(service),
            memory: memory::MemoryStores::default(),
        })
    }

    fn ask<'a, T: 'a>(
        &'a self,
        tool: &'static str,
        arguments: Value,
        read: impl FnOnce(&str) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let worker = self.worker;
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(move || {
                worker
                    .send(&Request::modern(
                        "tools/call",
                        json!({"name": tool, "arguments": arguments}),
                    ))
                    .json()
            });
            let answer = answer.await.expect("the Worker answers");
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_else(|| panic!("no text: {answer}"));
            if answer["result"]["isError"] == true {
                Err(StoreError::new(text))
            } else {
                Ok(read(text))
            }
        })
    }
}

impl IdempotencyStore for Objects {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
        held_until_ms: u64,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        self.ask(
            "begin",
            json!({"key": key, "now_ms": now_ms, "held_until_ms": held_until_ms}),
            |said| match said.split_once(' ') {
                Some(("done", result)) => IdempotencyStatus::Completed(
                    STANDARD.decode(result).expect("a result in Base64").into(),
                ),
                None if said == "first" => IdempotencyStatus::Acquired,
                None if said == "running" => IdempotencyStatus::InProgress,
                _ => panic!("the store said {said}"),
            },
        )
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let sent = STANDARD.encode(&result[..result.len().min(MAX)]);
        self.ask("complete", json!({"key": key, "result": sent, "more": result.len().saturating_sub(MAX), "expires_ms": expires_ms}), |_| ())
    }

    fn release<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask("release", json!({"key": key}), |_| ())
    }
}

impl ResultCache for Objects {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        self.memory.get(key, now_ms)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.memory.put(key, value, expires_ms)
    }
}

impl RateLimiter for Objects {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        self.memory.admit(key, rate, now_ms)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_objects_keep_the_contract() {
    let stores = contract::Stores {
        one: Objects::of("idempotency"),
        other: Objects::of("once-too"),
        two: true,
    };
    let mut failed = Vec::new();
    for check in contract::of_writes() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

fn buy(id: &str, key: Option<&str>) -> String {
    let meta = key.map_or_else(|| json!({}), |key| json!({"idempotencyKey": key}));
    let request = Request::modern(
        "tools/call",
        json!({"name": "buy", "arguments": {"id": id}, "_meta": meta}),
    );
    let answer = Worker::named("counting").send(&request).json();
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {answer}"))
        .to_owned()
}

/// The number in `run 7 for a`.
fn run(said: &str) -> u32 {
    said.split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no run: {said}"))
}

#[test]
fn a_write_repeated_fifty_times_at_once_happens_once() {
    let before = run(&buy("b", None));
    let said: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| buy("a", Some("order-1"))))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("every call is answered"))
            .collect()
    });
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    assert_eq!(buy("a", Some("order-1")), said[0], "and later");
    assert!(buy("b", Some("order-1")).contains("used before with other arguments"));
    assert_ne!(
        buy("a", Some("order-2")),
        said[0],
        "another key is another write"
    );
    // the first, the one after the fifty, and the one with another key
    assert_eq!(run(&buy("b", None)), before + 3);
}

/// What is in one object.
fn shard(what: &str, key: &str) -> Value {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    request.path = format!("/{what}?shard={}", &key[..1]);
    Worker::named("sweep").send(&request).json()
}

#[tokio::test]
async fn an_alarm_deletes_what_expired_and_nothing_else() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now_ms = u64::try_from(now.as_millis()).expect("a time in this era");
    let (hour, day) = (3_600_000, 86_400_000);
    let store = Objects::of("swept");
    assert_eq!(
        store.begin("s-held", now_ms, now_ms + day).await,
        Ok(IdempotencyStatus::Acquired)
    );
    let alarm = shard("look", "s-held")["alarm"]
        .as_u64()
        .expect("a table with rows has an alarm");
    assert!(
        (now_ms..=now_ms + 2 * hour).contains(&alarm),
        "{alarm} and not within two hours of {now_ms}"
    );
    assert_eq!(
        store.begin("s-gone", 1, 2).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(
        store.begin("s-done", 1, 2).await,
        Ok(IdempotencyStatus::Acquired)
    );
    store
        .complete("s-done", Bytes::from_static(b"done"), now_ms + day)
        .await
        .unwrap();
    assert_eq!(
        store.begin("s-over", 1, 2).await,
        Ok(IdempotencyStatus::Acquired)
    );
    store
        .complete("s-over", Bytes::from_static(b"over"), now_ms - 1)
        .await
        .unwrap();
    assert_eq!(shard("look", "s-held"), json!({"rows": 4, "alarm": alarm}));
    let left = shard("sweep", "s-held");
    assert!(
        left["rows"] == 2 && left["alarm"].as_u64() >= Some(alarm),
        "{left}"
    );
    assert_eq!(
        store.begin("s-held", now_ms, now_ms + day).await,
        Ok(IdempotencyStatus::InProgress)
    );
    assert_eq!(
        store.begin("s-done", now_ms, now_ms + day).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"done")))
    );
    // who comes late finds no other holder
    store
        .complete("s-gone", Bytes::from_static(b"late"), now_ms + day)
        .await
        .unwrap();
}

#[test]
fn what_is_no_namespace_of_objects_is_named() {
    let response = Worker::named("misbound").send(&Request::modern("tools/list", json!({})));
    let (_, message) = response.error();
    assert!(
        response.status == 503
            && message.contains("durable_objects")
            && message.contains("McpfnIdempotency"),
        "{message}"
    );
}
