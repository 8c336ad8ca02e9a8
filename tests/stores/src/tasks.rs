//! What every store of tasks must do: a change is made by one of those who saw the same head, and
//! seen by all from then on.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::port::{Swapped, TASK_PART_BYTES, TaskPart, TaskStore};

use super::contract::{Running, key, noise};

/// What is under test.
#[derive(Clone)]
pub struct TaskStores {
    /// A store.
    pub one: Arc<dyn TaskStore>,
    /// Another instance's view of the same store; where instances share nothing, the same one.
    pub other: Arc<dyn TaskStore>,
}

impl std::fmt::Debug for TaskStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskStores").finish_non_exhaustive()
    }
}

/// One thing that a store of tasks must do.
#[derive(Debug, Clone, Copy)]
pub struct TaskCheck {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the store does not.
    pub run: fn(TaskStores) -> Running,
}

/// All of them.
pub fn of_tasks() -> impl Iterator<Item = TaskCheck> {
    CHECKS.iter().copied()
}

const CHECKS: &[TaskCheck] = &[
    TaskCheck {
        name: "a task is read by another instance as soon as it was created, part by part",
        run: |stores| Box::pin(read_at_once(stores)),
    },
    TaskCheck {
        name: "a task that is there is not created again",
        run: |stores| Box::pin(created_once(stores)),
    },
    TaskCheck {
        name: "a change is made by one of many that saw the same head",
        run: |stores| Box::pin(one_change(stores)),
    },
    TaskCheck {
        name: "every change counts: none is lost among many that try until they made theirs",
        run: |stores| Box::pin(all_changes(stores)),
    },
    TaskCheck {
        name: "parts are replaced together with the head or not at all",
        run: |stores| Box::pin(together(stores)),
    },
    TaskCheck {
        name: "the largest parts come back byte for byte",
        run: |stores| Box::pin(large(stores)),
    },
    TaskCheck {
        name: "a task that expired is gone, and another one takes its key",
        run: |stores| Box::pin(expired(stores)),
    },
    TaskCheck {
        name: "a task that was removed is gone, and removing none is no error",
        run: |stores| Box::pin(removed(stores)),
    },
];

/// Times of a task that lives through a check.
fn times() -> (u64, u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ms = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0));
    (now_ms, now_ms + 600_000)
}

async fn created(stores: &TaskStores, key: &str) -> (u64, u64) {
    let (now_ms, expires_ms) = times();
    let (head, call) = (Bytes::from("head"), Bytes::from("call"));
    let created = stores.one.create(key, head, call, now_ms, expires_ms);
    assert!(created.await.unwrap());
    (now_ms, expires_ms)
}

async fn read(store: &Arc<dyn TaskStore>, key: &str, now_ms: u64) -> Option<(u64, Vec<Vec<u8>>)> {
    let read = store.read(key, &TaskPart::ALL, now_ms).await.unwrap()?;
    assert_eq!(read.parts.len(), TaskPart::ALL.len());
    let parts = read.parts.into_iter();
    let parts = parts.map(|part| part.map_or_else(Vec::new, Vec::from));
    Some((read.version, parts.collect()))
}

async fn read_at_once(stores: TaskStores) {
    let key = key();
    let (now_ms, _) = times();
    assert_eq!(read(&stores.other, &key, now_ms).await, None);
    created(&stores, &key).await;
    let (_, parts) = read(&stores.other, &key, now_ms).await.unwrap();
    assert_eq!(parts, [&b"head"[..], b"call", b"", b"", b""]);
    // in the order in which they are wanted
    let wanted = [TaskPart::Call, TaskPart::Outcome, TaskPart::Head];
    let read = stores.one.read(&key, &wanted, now_ms).await.unwrap();
    let (head, call) = (Bytes::from("head"), Bytes::from("call"));
    assert_eq!(read.unwrap().parts, [Some(call), None, Some(head)]);
}

async fn created_once(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let (head, call) = (Bytes::from("another"), Bytes::from("call"));
    let again = stores.other.create(&key, head, call, now_ms, expires_ms);
    assert!(!again.await.unwrap());
    assert_eq!(read(&stores.one, &key, now_ms).await.unwrap().1[0], b"head");
}

async fn one_change(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let (version, _) = read(&stores.one, &key, now_ms).await.unwrap();
    let attempts = (0..16_u8).map(|attempt| {
        let store = if attempt % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        };
        let (store, key) = (Arc::clone(store), key.clone());
        tokio::spawn(async move {
            let head = Bytes::from(vec![attempt]);
            let swapped = store.swap(&key, version, head, vec![], now_ms, expires_ms);
            (attempt, swapped.await.unwrap())
        })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut made = Vec::new();
    for attempt in attempts {
        match attempt.await.unwrap() {
            (attempt, Swapped::Done) => made.push(attempt),
            (_, swapped) => assert_eq!(swapped, Swapped::Changed),
        }
    }
    assert_eq!(made.len(), 1, "{made:?}");
    let (after, parts) = read(&stores.other, &key, now_ms).await.unwrap();
    assert_eq!(parts[0], made);
    assert!(after > version);
}

async fn all_changes(stores: TaskStores) {
    const WRITERS: usize = 6;
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let writers = (0..WRITERS).map(|writer| {
        let store = if writer % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        };
        let (store, key) = (Arc::clone(store), key.clone());
        tokio::spawn(async move {
            loop {
                let (version, parts) = read(&store, &key, now_ms).await.unwrap();
                let head = Bytes::from([&parts[0][..], b"+"].concat());
                let swapped = store.swap(&key, version, head, vec![], now_ms, expires_ms);
                match swapped.await.unwrap() {
                    Swapped::Done => break,
                    swapped => assert_eq!(swapped, Swapped::Changed),
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let (_, parts) = read(&stores.one, &key, now_ms).await.unwrap();
    assert_eq!(parts[0], [&b"head"[..], &[b'+'; WRITERS]].concat());
}

async fn together(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let (version, _) = read(&stores.one, &key, now_ms).await.unwrap();
    let swap = |version, text: &'static str| {
        let also = vec![
            (TaskPart::Checkpoint, Bytes::from(format!("point {text}"))),
            (TaskPart::Outcome, Bytes::from(format!("outcome {text}"))),
        ];
        let head = Bytes::from(text);
        stores
            .one
            .swap(&key, version, head, also, now_ms, expires_ms)
    };
    assert_eq!(swap(version, "a").await.unwrap(), Swapped::Done);
    assert_eq!(swap(version, "b").await.unwrap(), Swapped::Changed);
    let (version, parts) = read(&stores.other, &key, now_ms).await.unwrap();
    let expected: [&[u8]; 5] = [b"a", b"call", b"", b"point a", b"outcome a"];
    assert_eq!(parts, expected);
    assert_eq!(swap(version, "c").await.unwrap(), Swapped::Done);
    let (_, parts) = read(&stores.other, &key, now_ms).await.unwrap();
    assert_eq!(parts[3], b"point c");
}

async fn large(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = times();
    let largest = || Bytes::from(noise(TASK_PART_BYTES));
    let (call, point, outcome) = (largest(), largest(), largest());
    let created = stores
        .one
        .create(&key, "head".into(), call.clone(), now_ms, expires_ms);
    assert!(created.await.unwrap());
    let (mut version, _) = read(&stores.one, &key, now_ms).await.unwrap();
    for (part, bytes) in [
        (TaskPart::Checkpoint, &point),
        (TaskPart::Outcome, &outcome),
    ] {
        let also = vec![(part, bytes.clone())];
        let swapped = stores
            .one
            .swap(&key, version, "head".into(), also, now_ms, expires_ms);
        assert_eq!(swapped.await.unwrap(), Swapped::Done);
        version = read(&stores.one, &key, now_ms).await.unwrap().0;
    }
    let (_, parts) = read(&stores.other, &key, now_ms).await.unwrap();
    assert!(parts[1] == call && parts[3] == point && parts[4] == outcome);
}

async fn expired(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let (version, _) = read(&stores.one, &key, now_ms).await.unwrap();
    // a change may set another end
    let sooner_ms = expires_ms - 1_000;
    let swapped = stores
        .one
        .swap(&key, version, "b".into(), vec![], now_ms, sooner_ms);
    assert_eq!(swapped.await.unwrap(), Swapped::Done);
    let (version, _) = read(&stores.one, &key, sooner_ms - 1).await.unwrap();
    assert_eq!(read(&stores.other, &key, sooner_ms).await, None);
    let late = stores
        .other
        .swap(&key, version, "c".into(), vec![], sooner_ms, expires_ms);
    assert_eq!(late.await.unwrap(), Swapped::Gone);
    let (head, call) = (Bytes::from("new"), Bytes::from("new call"));
    let again = stores.other.create(&key, head, call, sooner_ms, expires_ms);
    assert!(again.await.unwrap());
    let (_, parts) = read(&stores.one, &key, sooner_ms).await.unwrap();
    assert_eq!(parts, [&b"new"[..], b"new call", b"", b"", b""]);
}

async fn removed(stores: TaskStores) {
    let key = key();
    let (now_ms, expires_ms) = created(&stores, &key).await;
    let (version, _) = read(&stores.one, &key, now_ms).await.unwrap();
    for _ in 0..2 {
        stores.other.remove(&key).await.unwrap();
        assert_eq!(read(&stores.one, &key, now_ms).await, None);
    }
    let swapped = stores
        .one
        .swap(&key, version, "b".into(), vec![], now_ms, expires_ms);
    assert_eq!(swapped.await.unwrap(), Swapped::Gone);
}
