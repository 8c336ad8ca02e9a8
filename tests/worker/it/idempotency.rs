//! Idempotent writes, in Durable Objects: the contract of every such store, asked of two
//! Workers that share objects, and a tool that writes.

/// The contract of stores; the checks of results and budgets are for stores that have these.
#[path = "../../stores/src"]
pub(crate) mod stores {
    #[allow(dead_code, unreachable_pub, reason = "another package's public module")]
    pub(crate) mod contract;
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn::{
    handler::BoxFuture,
    port::{
        Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter,
        ResultCache, StoreError,
    },
};
use mcpfn_native::memory;
use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};
use stores::contract;

/// What a message carries; of more, the Worker makes the rest.
const MAX: usize = 1_200_000;

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
                Err(match text.strip_prefix("never: ") {
                    Some(text) => StoreError::lasting(text),
                    None => StoreError::new(text),
                })
            } else {
                Ok(read(text))
            }
        })
    }
}

fn status(said: &str) -> Option<IdempotencyStatus> {
    Some(match said.split_once(' ').unwrap_or((said, "")) {
        ("done", result) => {
            let result = STANDARD.decode(result).expect("a result in Base64");
            IdempotencyStatus::Completed(result.into())
        }
        ("first", _) => IdempotencyStatus::Acquired,
        ("running", _) => IdempotencyStatus::InProgress,
        ("unknown", _) => IdempotencyStatus::Unknown,
        ("free", _) => return None,
        _ => panic!("the store said {said}"),
    })
}

impl IdempotencyStore for Objects {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        let holder = STANDARD.encode(holder);
        let (now_ms, until_ms, expires_ms) = (hold.now_ms, hold.until_ms, hold.expires_ms);
        self.ask(
            "begin",
            json!({"key": key, "holder": holder, "now_ms": now_ms, "until_ms": until_ms, "expires_ms": expires_ms}),
            |said| status(said).expect("who begins is told of the key"),
        )
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        self.ask("look", json!({"key": key, "now_ms": now_ms}), status)
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let sent = STANDARD.encode(&result[..result.len().min(MAX)]);
        let more = result.len().saturating_sub(MAX);
        let holder = STANDARD.encode(holder);
        self.ask(
            "complete",
            json!({"key": key, "holder": holder, "result": sent, "more": more, "expires_ms": expires_ms}),
            |_| (),
        )
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let holder = STANDARD.encode(holder);
        self.ask("release", json!({"key": key, "holder": holder}), |_| ())
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
    };
    let mut failed = Vec::new();
    for check in contract::of_writes() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// From a caller that is known.
fn known(request: Request) -> Request {
    request.header("x-api-key", "robot-key")
}

fn buy(id: &str, key: Option<&str>) -> String {
    buy_of("counting", id, key)
}

fn buy_of(service: &str, id: &str, key: Option<&str>) -> String {
    let meta = key.map_or_else(|| json!({}), |key| json!({"idempotencyKey": key}));
    let request = Request::modern(
        "tools/call",
        json!({"name": "buy", "arguments": {"id": id}, "_meta": meta}),
    );
    let answer = Worker::named(service).send(&known(request)).json();
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

/// Now, as the objects have it.
fn now_ms() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    u64::try_from(now.as_millis()).expect("a time in this era")
}

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const ME: &Holder = &[1; 16];

#[tokio::test]
async fn an_alarm_deletes_what_expired_and_nothing_else() {
    let now_ms = now_ms();
    let store = Objects::of("swept");
    let hold = |until_ms, expires_ms| Hold {
        now_ms: 1,
        until_ms,
        expires_ms,
    };
    let acquired = Ok(IdempotencyStatus::Acquired);
    let held = store.begin("s-held", ME, hold(now_ms + DAY, now_ms + DAY));
    assert_eq!(held.await, acquired);
    let alarm = shard("look", "s-held")["alarm"]
        .as_u64()
        .expect("a table with rows has an alarm");
    assert!(
        (now_ms..=now_ms + 2 * HOUR).contains(&alarm),
        "{alarm} and not within two hours of {now_ms}"
    );
    let over = store.begin("s-gone", ME, hold(2, 2));
    assert_eq!(over.await, acquired);
    let unknown = store.begin("s-unknown", ME, hold(2, now_ms + DAY));
    assert_eq!(unknown.await, acquired);
    for (key, expires_ms) in [("s-done", now_ms + DAY), ("s-over", now_ms - 1)] {
        assert_eq!(store.begin(key, ME, hold(2, 2)).await, acquired);
        let done = Bytes::from_static(b"done");
        store.complete(key, ME, done, expires_ms).await.unwrap();
    }
    assert_eq!(shard("look", "s-held"), json!({"rows": 5, "alarm": alarm}));
    let left = shard("sweep", "s-held");
    assert!(
        left["rows"] == 3 && left["alarm"].as_u64() >= Some(alarm),
        "{left}"
    );
    let look = async |key| store.look(key, now_ms).await.unwrap();
    assert_eq!(look("s-held").await, Some(IdempotencyStatus::InProgress));
    assert_eq!(look("s-unknown").await, Some(IdempotencyStatus::Unknown));
    let done = IdempotencyStatus::Completed(Bytes::from_static(b"done"));
    assert_eq!(look("s-done").await, Some(done));
    assert_eq!(look("s-over").await, None);
    // who comes late finds no other holder
    let late = store.complete("s-gone", ME, Bytes::from_static(b"late"), now_ms + DAY);
    late.await.unwrap();
}

#[tokio::test]
async fn an_alarm_that_was_given_up_is_set_again() {
    let now_ms = now_ms();
    let store = Objects::of("swept");
    let hold = Hold {
        now_ms,
        until_ms: now_ms + 1,
        expires_ms: now_ms + DAY,
    };
    store.begin("t-1", ME, hold).await.unwrap();
    // the runtime gave the alarm up, and the object went to sleep
    assert_eq!(shard("forget", "t-1")["alarm"], Value::Null);
    store.begin("t-2", ME, hold).await.unwrap();
    let looked = shard("look", "t-1");
    assert!(looked["alarm"].as_u64() > Some(now_ms), "{looked}");
    // a sweep that fails is no end of sweeps either
    let failed = shard("break", "t-1");
    assert!(failed["alarm"].as_u64() > Some(now_ms), "{failed}");
}

#[test]
fn without_objects_no_key_is_offered_and_a_call_with_one_is_refused() {
    let offers = |service: &str| {
        let list = known(Request::modern("tools/list", json!({})));
        let list = Worker::named(service).send(&list);
        let tools = list.json()["result"]["tools"].take();
        let tools = tools.as_array().expect("a list of tools");
        let buy = tools.iter().find(|tool| tool["name"] == "buy");
        let properties = &buy.expect("it buys")["inputSchema"]["properties"];
        assert!(properties["id"].is_object(), "{properties}");
        properties["request"].is_object()
    };
    assert!(offers("counting") && !offers("forgetful"));
    let refused = buy_of("forgetful", "a", Some("order-1"));
    assert!(refused.contains("the write was not made"), "{refused}");
    let with_argument = Request::modern(
        "tools/call",
        json!({"name": "buy", "arguments": {"id": "a", "request": "order-1"}}),
    );
    let refused = Worker::named("forgetful")
        .send(&known(with_argument))
        .text();
    assert!(refused.contains("the write was not made"), "{refused}");
    assert!(buy_of("forgetful", "a", None).starts_with("run 0 "));
}

#[test]
fn objects_that_never_answer_hold_no_call_for_long() {
    let start = Instant::now();
    let refused = buy_of("waiting", "a", Some("order-1"));
    assert!(refused.contains("the write was not made"), "{refused}");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(buy_of("waiting", "a", None).starts_with("run 0 "));
}

#[tokio::test]
async fn an_object_that_is_slow_or_loses_requests_is_asked_again_or_is_an_error() {
    let (store, now_ms) = (Objects::of("swept"), now_ms());
    let hold = Hold {
        now_ms,
        until_ms: now_ms + HOUR,
        expires_ms: now_ms + DAY,
    };
    let slow = format!("u-slow-{now_ms}");
    let acquired = Ok(IdempotencyStatus::Acquired);
    assert_eq!(store.begin(&slow, ME, hold).await, acquired);
    let other = store.begin(&slow, &[2; 16], hold).await;
    assert_eq!(other, Ok(IdempotencyStatus::InProgress));
    let rows = |key: &str| shard("look", key)["rows"].as_u64();
    let before = rows("u-");
    for (key, more) in [("u-early", 0), ("u-lost", 1)] {
        let key = format!("{key}-{now_ms}");
        let refused = store.begin(&key, ME, hold).await.unwrap_err();
        assert!(!refused.is_lasting(), "{refused}");
        // asked twice, and done once if at all
        assert_eq!(rows("u-"), before.map(|before| before + more), "{key}");
    }
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
