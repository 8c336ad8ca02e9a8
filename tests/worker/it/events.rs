//! Events, in Durable Objects and through a queue: the contract of every such store, asked of two
//! Workers that share objects, and events from what happens to a receiver. That a delivery arrives after
//! workerd was killed is asked by `events_killed.mjs`.

/// What is billed.
mod cost;
/// From a server to receivers.
mod sent;

/// The contract of stores of events.
#[path = "../../stores/src"]
mod stores {
    use crate::idempotency::stores::contract;
    #[allow(unreachable_pub, reason = "another package's public module")]
    pub(crate) mod events;
}

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{
    EventJob, EventJobEnd, EventJobs, EventLog, EventPosition, EventQueue, EventRead,
    EventRetention, EventSubscriptions, LoggedEvent, StoreError, SubscriptionBounds,
    SubscriptionKey, SubscriptionRow, SubscriptionWritten, TakenEventJob,
};
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};
use stores::events::{EventStores, of_events};

/// The objects, behind the tools of a Worker. Work of a queue is in memory, where the contract has
/// something to compare with: the queue of this platform gives its work itself.
struct Objects {
    worker: Worker,
    queue: Arc<MemoryStores>,
}

impl Objects {
    fn ask<'a, T: 'a>(
        &'a self,
        tool: &'static str,
        arguments: Value,
        read: impl FnOnce(&str) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let worker = self.worker;
        Box::pin(async move {
            let call = json!({"name": tool, "arguments": arguments});
            let answer = tokio::task::spawn_blocking(move || {
                worker.send(&Request::modern("tools/call", call)).json()
            });
            let answer = answer.await.expect("the Worker answers");
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_else(|| panic!("no text: {answer}"));
            if answer["result"]["isError"] == true {
                return Err(StoreError::new(text));
            }
            Ok(read(text))
        })
    }
}

fn kept(keep: EventRetention) -> Value {
    json!({"max_age_ms": keep.max_age_ms, "max_events": keep.max_events})
}

fn position(said: &str) -> EventPosition {
    EventPosition::from_number(said.parse().expect("a position"))
}

fn bytes(value: &Value) -> Bytes {
    let text = value.as_str().expect("Base64");
    STANDARD.decode(text).expect("Base64").into()
}

fn json_of(said: &str) -> Value {
    serde_json::from_str(said).expect("JSON")
}

fn rows(said: &str) -> Vec<SubscriptionRow> {
    let Value::Array(rows) = json_of(said) else {
        panic!("no list: {said}")
    };
    let row = |row: Value| SubscriptionRow {
        id: row[0].as_str().expect("an id").to_owned(),
        version: row[1].as_u64().expect("a version"),
        body: bytes(&row[2]),
        expires_ms: row[3].as_u64().expect("a time"),
    };
    rows.into_iter().map(row).collect()
}

impl EventLog for Objects {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        let body = STANDARD.encode(body);
        let append = json!({"topic": topic, "body": body, "now_ms": now_ms, "keep": kept(keep)});
        self.ask("append", append, position)
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>> {
        let read = json!({
            "topic": topic, "after": after.number(), "limit": limit, "now_ms": now_ms,
            "keep": kept(keep),
        });
        self.ask("read", read, |said| {
            let read = json_of(said);
            let event = |event: &Value| LoggedEvent {
                position: EventPosition::from_number(event[0].as_u64().expect("a position")),
                body: bytes(&event[1]),
            };
            let events = read["events"].as_array().expect("events");
            EventRead {
                events: events.iter().map(event).collect(),
                truncated: read["truncated"] == true,
                more: read["more"] == true,
            }
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        let end = json!({"topic": topic, "now_ms": now_ms, "keep": kept(keep)});
        self.ask("end", end, position)
    }
}

fn named(key: SubscriptionKey<'_>, now_ms: u64) -> Value {
    json!({"topic": key.topic, "owner": key.owner, "id": key.id, "now_ms": now_ms})
}

impl EventSubscriptions for Objects {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        self.ask("find", named(key, now_ms), |said| rows(said).pop())
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>> {
        let write = json!({
            "key": named(key, now_ms), "replaces": replaces, "body": STANDARD.encode(body),
            "expires_ms": expires_ms, "per_owner": bounds.per_owner,
            "per_topic": bounds.per_topic,
        });
        self.ask("write", write, |said| match said {
            "done" => SubscriptionWritten::Done,
            "changed" => SubscriptionWritten::Changed,
            "owner full" => SubscriptionWritten::OwnerFull,
            said => {
                assert_eq!(said, "topic full");
                SubscriptionWritten::TopicFull
            }
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask("remove", named(key, 0), |_| ())
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        let page = json!({"topic": topic, "after": after, "limit": limit, "now_ms": now_ms});
        self.ask("page", page, rows)
    }
}

impl EventQueue for Objects {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.queue.put(queue, jobs, now_ms)
    }
}

impl EventJobs for Objects {
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>> {
        self.queue.take(queue, now_ms, until_ms, limit)
    }

    fn finish<'a>(
        &'a self,
        queue: &'a str,
        taken: &'a TakenEventJob,
        end: EventJobEnd,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.queue.finish(queue, taken, end, now_ms)
    }

    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.queue.next_due(queue, now_ms)
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>> {
        self.queue.dead(queue, limit)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_objects_keep_the_contract_of_events() {
    let queue = Arc::new(MemoryStores::default());
    let of = |name| {
        Arc::new(Objects {
            worker: Worker::named(name),
            queue: Arc::clone(&queue),
        })
    };
    let stores = EventStores {
        one: of("events"),
        other: of("events-too"),
    };
    let mut failed = Vec::new();
    for check in of_events() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
