//! What every engine of events must do: its log is read in order by who asks again and again, its
//! subscriptions are seen by all at once, and its queue gives work to one at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::port::{
    EVENT_BYTES, EventJob, EventJobEnd, EventJobs, EventLog, EventPosition, EventRetention,
    EventSubscriptions, SubscriptionBounds, SubscriptionKey, SubscriptionWritten,
};

use super::contract::{Running, key, noise};

/// All ports of an engine.
pub trait EventStore: EventLog + EventSubscriptions + EventJobs {}

impl<S: EventLog + EventSubscriptions + EventJobs> EventStore for S {}

/// What is under test.
#[derive(Clone)]
pub struct EventStores {
    /// An engine.
    pub one: Arc<dyn EventStore>,
    /// Another instance's view of the same one; where instances share nothing, the same.
    pub other: Arc<dyn EventStore>,
}

impl std::fmt::Debug for EventStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStores").finish_non_exhaustive()
    }
}

/// One thing that an engine must do.
#[derive(Debug, Clone, Copy)]
pub struct EventCheck {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the engine does not.
    pub run: fn(EventStores) -> Running,
}

/// All of them. Those of the queue want it for themselves.
pub fn of_events() -> impl Iterator<Item = EventCheck> {
    CHECKS.iter().copied()
}

/// `name: a check's sentence => its function`.
macro_rules! events {
    ($($name:literal => $run:ident,)*) => {
        const CHECKS: &[EventCheck] =
            &[$(EventCheck { name: $name, run: |stores| Box::pin($run(stores)) },)*];
    };
}

events! {
    "what is appended is read by another instance at once, in order, from any position" => in_order,
    "an event that comes later stands behind everything that was read, whatever the clocks say" => behind,
    "of many that append at once none is lost, and none shares a position" => all_appended,
    "what is too old or too much is dropped, and who was before it is told" => dropped,
    "a log that begins is behind what was asked for before" => begins,
    "the largest events come back byte for byte" => large_events,
    "a subscription is read by another instance as soon as it is written" => subscribed,
    "of many that write the same version one does" => one_writes,
    "a subscription that expired is gone, and another one takes its place" => expired,
    "a subscription that was removed is gone, and removing none is no error" => removed,
    "subscriptions come a page at a time, each once, and of one event alone" => pages,
    "nobody has more subscriptions than allowed, and a renewal always has its place" => bounded,
    "work is taken when it is due, by one at a time, and again once that one is gone" => taken,
    "work that waits is not there twice" => once,
    "work that ends late ends nothing, and what follows it is due in its time" => followed,
    "what is given up is kept with its reason" => given_up,
    "of many that take at once each part goes to one" => one_takes,
}

const KEEP: EventRetention = EventRetention {
    max_age_ms: 600_000,
    max_events: 10_000,
};
const ROOM: SubscriptionBounds = SubscriptionBounds {
    per_owner: 100,
    per_topic: 100,
};

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

async fn append(store: &Arc<dyn EventStore>, topic: &str, body: &str, at_ms: u64) -> EventPosition {
    let body = Bytes::copy_from_slice(body.as_bytes());
    store.append(topic, body, at_ms, KEEP).await.unwrap()
}

async fn read(
    store: &Arc<dyn EventStore>,
    topic: &str,
    after: EventPosition,
    at_ms: u64,
) -> (Vec<String>, bool) {
    let read = store.read(topic, after, 500, at_ms, KEEP).await.unwrap();
    assert!(read.events.is_sorted_by_key(|event| event.position));
    let bodies = read.events.iter();
    let bodies = bodies.map(|event| String::from_utf8_lossy(&event.body).into_owned());
    (bodies.collect(), read.truncated)
}

async fn in_order(stores: EventStores) {
    let (topic, now_ms) = (key(), now_ms());
    let begins = stores.other.end(&topic, now_ms, KEEP).await.unwrap();
    assert_eq!(
        read(&stores.one, &topic, begins, now_ms).await,
        (vec![], false)
    );
    let a = append(&stores.one, &topic, "a", now_ms).await;
    let b = append(&stores.other, &topic, "b", now_ms).await;
    append(&stores.one, &topic, "c", now_ms + 1).await;
    for store in [&stores.one, &stores.other] {
        let from = |position| read(store, &topic, position, now_ms + 2);
        assert_eq!(
            from(begins).await,
            (vec!["a".into(), "b".into(), "c".into()], false)
        );
        assert_eq!(from(a).await, (vec!["b".into(), "c".into()], false));
        assert_eq!(from(b).await, (vec!["c".into()], false));
    }
    let one = stores
        .one
        .read(&topic, begins, 1, now_ms, KEEP)
        .await
        .unwrap();
    assert_eq!(
        (one.events.len(), one.events[0].position, one.more),
        (1, a, true)
    );
}

async fn behind(stores: EventStores) {
    let (topic, now_ms) = (key(), now_ms());
    let begins = stores.one.end(&topic, now_ms, KEEP).await.unwrap();
    // an instance whose clock is behind
    let late = append(&stores.other, &topic, "late", now_ms - 5_000).await;
    assert!(late > begins);
    let next = append(&stores.one, &topic, "next", now_ms - 9_000).await;
    assert!(next > late);
    let end = stores.other.end(&topic, now_ms, KEEP).await.unwrap();
    assert_eq!(end, next);
}

async fn all_appended(stores: EventStores) {
    const EACH: usize = 20;
    let (topic, now_ms) = (key(), now_ms());
    let begins = stores.one.end(&topic, now_ms, KEEP).await.unwrap();
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(if writer % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        });
        let topic = topic.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                append(&store, &topic, &format!("{writer}-{number}"), now_ms).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let (bodies, _) = read(&stores.other, &topic, begins, now_ms).await;
    let unlike: BTreeSet<_> = bodies.iter().collect();
    assert_eq!((bodies.len(), unlike.len()), (4 * EACH, 4 * EACH));
}

async fn dropped(stores: EventStores) {
    let (topic, now_ms) = (key(), now_ms());
    let keep = EventRetention {
        max_age_ms: 10_000,
        max_events: 5,
    };
    let log = &stores.one;
    let begins = log.end(&topic, now_ms, keep).await.unwrap();
    let mut positions = Vec::new();
    for number in 0..9_u8 {
        let body = Bytes::from(vec![number]);
        positions.push(log.append(&topic, body, now_ms, keep).await.unwrap());
    }
    let other = &stores.other;
    let read = other.read(&topic, begins, 100, now_ms, keep).await.unwrap();
    let bodies: Vec<u8> = read.events.iter().map(|event| event.body[0]).collect();
    assert_eq!((bodies, read.truncated), (vec![4, 5, 6, 7, 8], true));
    let read = other
        .read(&topic, positions[5], 100, now_ms, keep)
        .await
        .unwrap();
    assert_eq!((read.events.len(), read.truncated), (3, false));
    let later_ms = now_ms + 20_000;
    let body = Bytes::from("new");
    log.append(&topic, body, later_ms, keep).await.unwrap();
    let read = other
        .read(&topic, positions[5], 100, later_ms, keep)
        .await
        .unwrap();
    assert_eq!((read.events.len(), read.truncated), (1, true));
}

async fn begins(stores: EventStores) {
    let (topic, now_ms) = (key(), now_ms());
    let before = EventPosition::at(now_ms - 1_000);
    assert_eq!(
        read(&stores.one, &topic, before, now_ms).await,
        (vec![], true)
    );
    let end = stores.other.end(&topic, now_ms, KEEP).await.unwrap();
    assert!(end > before);
    assert_eq!(
        read(&stores.one, &topic, end, now_ms).await,
        (vec![], false)
    );
}

async fn large_events(stores: EventStores) {
    let (topic, now_ms) = (key(), now_ms());
    let begins = stores.one.end(&topic, now_ms, KEEP).await.unwrap();
    let body = Bytes::from(noise(EVENT_BYTES));
    let append = stores.one.append(&topic, body.clone(), now_ms, KEEP);
    append.await.unwrap();
    let read = stores
        .other
        .read(&topic, begins, 10, now_ms, KEEP)
        .await
        .unwrap();
    assert!(read.events[0].body == body);
}

/// Keys of a subscription.
struct Keys {
    topic: String,
    owner: String,
    id: String,
}

impl Keys {
    fn new() -> Self {
        let id = format!("sub_{}", key());
        Self {
            topic: key(),
            owner: key(),
            id,
        }
    }

    fn key(&self) -> SubscriptionKey<'_> {
        SubscriptionKey {
            topic: &self.topic,
            owner: &self.owner,
            id: &self.id,
        }
    }

    async fn write(
        &self,
        store: &Arc<dyn EventStore>,
        replaces: Option<u64>,
        body: &str,
        (now_ms, expires_ms): (u64, u64),
    ) -> SubscriptionWritten {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let write = store.write(self.key(), replaces, body, expires_ms, now_ms, ROOM);
        write.await.unwrap()
    }
}

async fn subscribed(stores: EventStores) {
    let (keys, now_ms) = (Keys::new(), now_ms());
    let times = (now_ms, now_ms + 600_000);
    assert_eq!(stores.other.find(keys.key(), now_ms).await.unwrap(), None);
    let written = keys.write(&stores.one, None, "first", times).await;
    assert_eq!(written, SubscriptionWritten::Done);
    let row = stores
        .other
        .find(keys.key(), now_ms)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.id.as_str(), &row.body[..], row.expires_ms),
        (&*keys.id, &b"first"[..], times.1)
    );
    let again = keys.write(&stores.other, None, "another", times).await;
    assert_eq!(again, SubscriptionWritten::Changed, "one is there");
    let next = keys
        .write(&stores.other, Some(row.version), "second", times)
        .await;
    assert_eq!(next, SubscriptionWritten::Done);
    let late = keys
        .write(&stores.one, Some(row.version), "late", times)
        .await;
    assert_eq!(late, SubscriptionWritten::Changed);
    let row = stores.one.find(keys.key(), now_ms).await.unwrap().unwrap();
    assert_eq!(&row.body[..], b"second");
}

async fn one_writes(stores: EventStores) {
    let (keys, now_ms) = (Arc::new(Keys::new()), now_ms());
    let writers = (0..12).map(|writer| {
        let store = Arc::clone(if writer % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        });
        let keys = Arc::clone(&keys);
        tokio::spawn(async move {
            let times = (now_ms, now_ms + 600_000);
            let written = keys.write(&store, None, &writer.to_string(), times).await;
            (written == SubscriptionWritten::Done).then_some(writer)
        })
    });
    let mut done = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        done.extend(writer.await.unwrap());
    }
    assert_eq!(done.len(), 1, "{done:?}");
    let row = stores.one.find(keys.key(), now_ms).await.unwrap().unwrap();
    assert_eq!(row.body, done[0].to_string());
}

async fn expired(stores: EventStores) {
    let (keys, now_ms) = (Keys::new(), now_ms());
    let end_ms = now_ms + 100_000;
    keys.write(&stores.one, None, "old", (now_ms, end_ms)).await;
    let row = stores
        .one
        .find(keys.key(), end_ms - 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stores.other.find(keys.key(), end_ms).await.unwrap(), None);
    let page = stores
        .other
        .page(&keys.topic, None, 10, end_ms)
        .await
        .unwrap();
    assert!(page.is_empty());
    let times = (end_ms, end_ms + 100_000);
    let late = keys
        .write(&stores.other, Some(row.version), "late", times)
        .await;
    assert_eq!(late, SubscriptionWritten::Changed);
    let new = keys.write(&stores.other, None, "new", times).await;
    assert_eq!(new, SubscriptionWritten::Done);
}

async fn removed(stores: EventStores) {
    let (keys, now_ms) = (Keys::new(), now_ms());
    keys.write(&stores.one, None, "a", (now_ms, now_ms + 100_000))
        .await;
    for _ in 0..2 {
        stores.other.remove(keys.key()).await.unwrap();
        assert_eq!(stores.one.find(keys.key(), now_ms).await.unwrap(), None);
        let page = stores
            .one
            .page(&keys.topic, None, 10, now_ms)
            .await
            .unwrap();
        assert!(page.is_empty());
    }
}

async fn pages(stores: EventStores) {
    let (first, now_ms) = (Keys::new(), now_ms());
    let times = (now_ms, now_ms + 600_000);
    let mut ids = BTreeSet::new();
    for _ in 0..25 {
        let keys = Keys {
            topic: first.topic.clone(),
            ..Keys::new()
        };
        keys.write(&stores.one, None, &keys.id, times).await;
        ids.insert(keys.id);
    }
    first.write(&stores.one, None, &first.id, times).await;
    first.write(&stores.one, Some(0), "never", times).await;
    ids.insert(first.id.clone());
    Keys::new()
        .write(&stores.one, None, "of another event", times)
        .await;
    let (mut after, mut seen) = (None::<String>, Vec::new());
    loop {
        let page = stores
            .other
            .page(&first.topic, after.as_deref(), 10, now_ms);
        let page = page.await.unwrap();
        assert!(page.len() <= 10 && page.is_sorted_by(|a, b| a.id < b.id));
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen, ids.into_iter().collect::<Vec<_>>());
}

async fn bounded(stores: EventStores) {
    let (topic, owner, now_ms) = (key(), key(), now_ms());
    let write = |topic: &str, owner: &str, id: &str, replaces, at_ms: u64| {
        let keys = [topic, owner, id].map(str::to_owned);
        let store = Arc::clone(&stores.one);
        async move {
            let [topic, owner, id] = &keys;
            let bounds = SubscriptionBounds {
                per_owner: 2,
                per_topic: 3,
            };
            let key = SubscriptionKey { topic, owner, id };
            let write = store.write(key, replaces, "a".into(), at_ms + 50_000, at_ms, bounds);
            write.await.unwrap()
        }
    };
    let (done, full) = (SubscriptionWritten::Done, SubscriptionWritten::OwnerFull);
    assert_eq!(write(&topic, &owner, "a", None, now_ms).await, done);
    assert_eq!(
        write(&key(), &owner, "b", None, now_ms).await,
        done,
        "of another event"
    );
    assert_eq!(write(&topic, &owner, "c", None, now_ms).await, full);
    let row = SubscriptionKey {
        topic: &topic,
        owner: &owner,
        id: "a",
    };
    let there = stores.one.find(row, now_ms).await.unwrap().unwrap();
    assert_eq!(
        write(&topic, &owner, "a", Some(there.version), now_ms).await,
        done
    );
    for id in ["d", "e"] {
        assert_eq!(write(&topic, &key(), id, None, now_ms).await, done);
    }
    let full = SubscriptionWritten::TopicFull;
    assert_eq!(write(&topic, &key(), "f", None, now_ms).await, full);
    // what expired, or was removed, makes room
    assert_eq!(
        write(&topic, &owner, "c", None, now_ms + 60_000).await,
        done
    );
    let row = SubscriptionKey { id: "c", ..row };
    stores.one.remove(row).await.unwrap();
    assert_eq!(
        write(&topic, &owner, "g", None, now_ms + 60_001).await,
        done
    );
}

fn job(key: &str, due_ms: u64) -> EventJob {
    EventJob {
        key: key.to_owned(),
        body: format!("work {key}").into(),
        due_ms,
    }
}

async fn put(store: &Arc<dyn EventStore>, queue: &str, jobs: Vec<EventJob>, now_ms: u64) {
    store.put(queue, jobs, now_ms).await.unwrap();
}

async fn taken(stores: EventStores) {
    let queue = key();
    let (a, b, now_ms) = (key(), key(), now_ms());
    put(
        &stores.one,
        &queue,
        vec![job(&a, now_ms + 20), job(&b, now_ms + 10)],
        now_ms,
    )
    .await;
    assert!(
        stores
            .other
            .take(&queue, now_ms, now_ms + 100, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        stores.other.next_due(&queue, now_ms).await.unwrap(),
        Some(now_ms + 10)
    );
    let first = stores
        .other
        .take(&queue, now_ms + 30, now_ms + 1_000, 10)
        .await
        .unwrap();
    let keys: Vec<&str> = first.iter().map(|taken| taken.job.key.as_str()).collect();
    assert_eq!(keys, [&b, &a], "what is due first, first");
    assert_eq!(first[1].job.body, format!("work {a}"));
    let none = stores
        .one
        .take(&queue, now_ms + 31, now_ms + 1_000, 10)
        .await
        .unwrap();
    assert!(none.is_empty(), "it is taken");
    let again = stores
        .one
        .take(&queue, now_ms + 1_000, now_ms + 2_000, 10)
        .await
        .unwrap();
    assert_eq!(again.len(), 2, "who took it is gone");
    for taken in &again {
        assert!(
            stores
                .one
                .finish(&queue, taken, EventJobEnd::Done, now_ms + 1_001)
                .await
                .unwrap()
        );
    }
    assert_eq!(
        stores.one.next_due(&queue, now_ms + 9_000).await.unwrap(),
        None
    );
}

async fn once(stores: EventStores) {
    let queue = key();
    let (a, now_ms) = (key(), now_ms());
    put(&stores.one, &queue, vec![job(&a, now_ms)], now_ms).await;
    put(
        &stores.other,
        &queue,
        vec![job(&a, now_ms + 5), job(&a, now_ms)],
        now_ms,
    )
    .await;
    let taken = stores
        .one
        .take(&queue, now_ms + 10, now_ms + 1_000, 10)
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    put(&stores.other, &queue, vec![job(&a, now_ms)], now_ms).await;
    let none = stores
        .one
        .take(&queue, now_ms + 10, now_ms + 1_000, 10)
        .await
        .unwrap();
    assert!(none.is_empty(), "it is at work");
    stores
        .one
        .finish(&queue, &taken[0], EventJobEnd::Done, now_ms)
        .await
        .unwrap();
    put(&stores.other, &queue, vec![job(&a, now_ms)], now_ms).await;
    let new = stores
        .one
        .take(&queue, now_ms + 10, now_ms + 1_000, 10)
        .await
        .unwrap();
    assert_eq!(new.len(), 1, "it was done");
    stores
        .one
        .finish(&queue, &new[0], EventJobEnd::Done, now_ms)
        .await
        .unwrap();
}

async fn followed(stores: EventStores) {
    let queue = key();
    let (a, now_ms) = (key(), now_ms());
    put(&stores.one, &queue, vec![job(&a, now_ms)], now_ms).await;
    let first = stores
        .one
        .take(&queue, now_ms, now_ms + 10, 1)
        .await
        .unwrap()
        .remove(0);
    let second = stores
        .other
        .take(&queue, now_ms + 10, now_ms + 500, 1)
        .await
        .unwrap()
        .remove(0);
    let late = stores
        .one
        .finish(&queue, &first, EventJobEnd::Done, now_ms + 11)
        .await
        .unwrap();
    assert!(!late, "another one has it");
    let again = EventJobEnd::Again("more work".into(), now_ms + 100);
    assert!(
        stores
            .other
            .finish(&queue, &second, again, now_ms + 20)
            .await
            .unwrap()
    );
    assert!(
        stores
            .one
            .take(&queue, now_ms + 99, now_ms + 500, 1)
            .await
            .unwrap()
            .is_empty()
    );
    let third = stores
        .one
        .take(&queue, now_ms + 100, now_ms + 500, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (third.job.key.as_str(), &third.job.body[..]),
        (&*a, &b"more work"[..])
    );
    assert!(
        stores
            .one
            .finish(&queue, &third, EventJobEnd::Done, now_ms + 101)
            .await
            .unwrap()
    );
}

async fn given_up(stores: EventStores) {
    let queue = key();
    let (a, b, now_ms) = (key(), key(), now_ms());
    put(
        &stores.one,
        &queue,
        vec![job(&a, now_ms), job(&b, now_ms + 1)],
        now_ms,
    )
    .await;
    for taken in stores
        .one
        .take(&queue, now_ms + 1, now_ms + 500, 10)
        .await
        .unwrap()
    {
        let reason = format!("why {}", taken.job.key);
        let end = EventJobEnd::Dead(reason);
        assert!(
            stores
                .one
                .finish(&queue, &taken, end, now_ms)
                .await
                .unwrap()
        );
    }
    let dead = stores.other.dead(&queue, 2).await.unwrap();
    let dead: Vec<_> = dead
        .iter()
        .map(|(job, reason)| (&*job.key, &**reason))
        .collect();
    let reasons = [format!("why {b}"), format!("why {a}")];
    assert_eq!(
        dead,
        [(&*b, &*reasons[0]), (&*a, &*reasons[1])],
        "the last one first"
    );
    assert_eq!(stores.other.next_due(&queue, now_ms).await.unwrap(), None);
}

async fn one_takes(stores: EventStores) {
    let queue = key();
    const MANY: usize = 40;
    let now_ms = now_ms();
    let jobs: Vec<EventJob> = (0..MANY).map(|_| job(&key(), now_ms)).collect();
    put(&stores.one, &queue, jobs, now_ms).await;
    let takers = (0..6).map(|taker| {
        let store = Arc::clone(if taker % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        });
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let taken = store
                    .take(&queue, now_ms, now_ms + 60_000, 3)
                    .await
                    .unwrap();
                if taken.is_empty() {
                    return mine;
                }
                for taken in taken {
                    let ended = store
                        .finish(&queue, &taken, EventJobEnd::Done, now_ms)
                        .await
                        .unwrap();
                    assert!(ended);
                    mine.push(taken.job.key);
                }
            }
        })
    });
    let mut all = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        all.extend(taker.await.unwrap());
    }
    let unlike: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), unlike.len()), (MANY, MANY));
}
