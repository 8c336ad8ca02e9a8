//! What every store of subscriptions must do: what one instance writes the others read, and of
//! writers who replace the same one is the first.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::port::{Kept, Replace, TopicRecord, Topics};

use crate::contract::{Running, key, noise};

/// What is under test.
#[derive(Clone)]
pub struct TopicStores {
    /// Where it is written.
    pub one: Arc<dyn Topics>,
    /// Where it is read; where instances share nothing, the same one.
    pub other: Arc<dyn Topics>,
}

impl std::fmt::Debug for TopicStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicStores").finish_non_exhaustive()
    }
}

/// One thing that such a store must do.
#[derive(Debug, Clone, Copy)]
pub struct TopicCheck {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the store does not.
    pub run: fn(TopicStores) -> Running,
}

/// All of them.
pub fn of_topics() -> impl Iterator<Item = TopicCheck> {
    CHECKS.iter().copied()
}

const CHECKS: &[TopicCheck] = &[
    TopicCheck {
        name: "a record is read by every instance, and replaced whatever is there",
        run: |stores| Box::pin(replaced(stores)),
    },
    TopicCheck {
        name: "51 records are read together, in the order of their keys",
        run: |stores| Box::pin(several(stores)),
    },
    TopicCheck {
        name: "of many who write where nothing is one is the first",
        run: |stores| Box::pin(first(stores)),
    },
    TopicCheck {
        name: "of many who replace a version one is the first",
        run: |stores| Box::pin(swapped(stores)),
    },
    TopicCheck {
        name: "a record that is sent twice is written once",
        run: |stores| Box::pin(twice(stores)),
    },
    TopicCheck {
        name: "a version that is not there is not replaced",
        run: |stores| Box::pin(absent(stores)),
    },
    TopicCheck {
        name: "what has expired is not there, to the millisecond",
        run: |stores| Box::pin(expired(stores)),
    },
    TopicCheck {
        name: "a value of 128 KiB comes as it went, whatever its bytes",
        run: |stores| Box::pin(large(stores)),
    },
];

fn now_ms() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

fn record(version: u8, value: impl AsRef<[u8]>) -> TopicRecord {
    TopicRecord {
        version: [version; 16],
        value: Bytes::copy_from_slice(value.as_ref()),
    }
}

async fn write(store: &dyn Topics, key: &str, record: TopicRecord, replace: Replace) -> bool {
    let now_ms = now_ms();
    let expires_ms = now_ms + 600_000;
    let kept = Kept { now_ms, expires_ms };
    store.write(key, record, replace, kept).await.unwrap()
}

async fn read(store: &dyn Topics, key: &str) -> Option<TopicRecord> {
    let keys = [key.to_owned()];
    let mut found = store.read(&keys, now_ms()).await.unwrap();
    assert_eq!(found.len(), 1);
    found.pop().unwrap()
}

async fn replaced(TopicStores { one, other }: TopicStores) {
    let key = key();
    assert_eq!(read(&*other, &key).await, None);
    for (version, value) in [(1, ""), (2, "two"), (0, "")] {
        let record = record(version, value);
        assert!(write(&*one, &key, record.clone(), Replace::Anything).await);
        assert_eq!(read(&*other, &key).await, Some(record));
    }
}

async fn several(TopicStores { one, other }: TopicStores) {
    let keys: Vec<String> = (0..51).map(|_| key()).collect();
    for (place, key) in keys.iter().enumerate().filter(|(place, _)| place % 3 > 0) {
        let record = record(7, place.to_string());
        assert!(write(&*one, key, record, Replace::Nothing).await);
    }
    let found = other.read(&keys, now_ms()).await.unwrap();
    let expected = (0..51).map(|place| (place % 3 > 0).then(|| record(7, place.to_string())));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(other.read(&[], now_ms()).await.unwrap(), []);
}

/// How many of eight at the same time, by turns at both instances.
async fn winners(stores: &TopicStores, key: &str, replace: Replace) -> usize {
    let writers: Vec<_> = (0..8)
        .map(|writer: u8| {
            let store = match writer % 2 {
                0 => Arc::clone(&stores.one),
                _ => Arc::clone(&stores.other),
            };
            let (key, record) = (key.to_owned(), record(100 + writer, [writer]));
            tokio::spawn(async move { write(&*store, &key, record, replace).await })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += usize::from(writer.await.unwrap());
    }
    won
}

async fn first(stores: TopicStores) {
    let key = key();
    assert_eq!(winners(&stores, &key, Replace::Nothing).await, 1);
    assert!(read(&*stores.one, &key).await.is_some());
}

async fn swapped(stores: TopicStores) {
    let key = key();
    assert!(write(&*stores.one, &key, record(1, "a"), Replace::Nothing).await);
    assert_eq!(winners(&stores, &key, Replace::Version([1; 16])).await, 1);
    let there = read(&*stores.other, &key).await.unwrap();
    assert_ne!(there.version, [1; 16]);
    assert_eq!(there.value[..], [there.version[0] - 100]);
}

async fn twice(TopicStores { one, other }: TopicStores) {
    let key = key();
    for replace in [
        Replace::Nothing,
        Replace::Nothing,
        Replace::Version([9; 16]),
    ] {
        assert!(
            write(&*one, &key, record(1, "a"), replace).await,
            "{replace:?}"
        );
    }
    for _ in 0..2 {
        assert!(write(&*other, &key, record(2, "b"), Replace::Version([1; 16])).await);
    }
    assert_eq!(read(&*one, &key).await, Some(record(2, "b")));
}

async fn absent(TopicStores { one, other }: TopicStores) {
    let key = key();
    let replace = Replace::Version([1; 16]);
    assert!(!write(&*one, &key, record(2, "b"), replace).await);
    assert_eq!(read(&*other, &key).await, None);
    assert!(write(&*one, &key, record(3, "c"), Replace::Nothing).await);
    for replace in [replace, Replace::Nothing] {
        assert!(!write(&*other, &key, record(2, "b"), replace).await);
    }
    assert_eq!(read(&*one, &key).await, Some(record(3, "c")));
}

async fn expired(TopicStores { one, other }: TopicStores) {
    let (keys, now_ms) = ([key()], now_ms());
    let kept = |now_ms, expires_ms| Kept { now_ms, expires_ms };
    let first = kept(now_ms, now_ms + 50_000);
    let wrote = one.write(&keys[0], record(1, "a"), Replace::Nothing, first);
    assert!(wrote.await.unwrap());
    for (later_ms, there) in [(49_999, true), (50_000, false)] {
        let found = other.read(&keys, now_ms + later_ms).await.unwrap();
        assert_eq!(found[0].is_some(), there, "{later_ms}");
        let later = kept(now_ms + later_ms, now_ms + 100_000);
        let placed = other.write(&keys[0], record(2, "b"), Replace::Nothing, later);
        assert_eq!(placed.await.unwrap(), !there, "{later_ms}");
    }
    let late = kept(now_ms + 100_000, now_ms + 200_000);
    let swap = one.write(&keys[0], record(3, "c"), Replace::Version([2; 16]), late);
    assert!(!swap.await.unwrap());
}

async fn large(TopicStores { one, other }: TopicStores) {
    let (key, value) = (key(), noise(128 * 1024));
    let record = record(5, value);
    assert!(write(&*one, &key, record.clone(), Replace::Nothing).await);
    assert_eq!(read(&*other, &key).await, Some(record));
}
