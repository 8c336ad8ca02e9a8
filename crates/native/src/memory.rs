//! Stores in this process: results, rate limits, idempotent writes, answers to questions, subscriptions,
//! tasks, events. For one process that serves every caller, and for tests; instances do not share them, and nothing outlives the process.
//! Bounded, whatever callers do.

mod cache;
mod event_ports;
mod events;
mod idempotency;
mod jobs;
mod letters;
mod limiter;
mod limits;
mod subscribers;
mod tasks;
mod topics;

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Kept, Mailbox, Rate, RateLimiter,
    Replace, ResultCache, StoreError, Swapped, TaskPart, TaskParts, TaskStore, TopicRecord, Topics,
};
use tokio::sync::Notify;

pub use limits::MemoryLimits;

/// All stores, in memory. Locks are held for single operations on maps and never across a
/// wait.
#[derive(Debug, Default)]
pub struct MemoryStores {
    results: Mutex<cache::Results>,
    buckets: Mutex<limiter::Buckets>,
    writes: Mutex<idempotency::WriteTable>,
    letters: Mutex<letters::Letters>,
    tasks: Mutex<tasks::TaskTable>,
    records: Mutex<topics::TopicTable>,
    events: Mutex<events::EventLogs>,
    subscribers: Mutex<subscribers::SubscriberTable>,
    jobs: Mutex<jobs::JobQueues>,
    /// Told of each letter.
    arrived: Notify,
    limits: MemoryLimits,
}

impl MemoryStores {
    /// Empty stores.
    #[must_use]
    pub fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

/// What is behind a lock is whole after a panic, too: every change is one call on a map.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ResultCache for MemoryStores {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.results).get(key, now_ms)) })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.results).put(key, value, expires_ms, self.limits);
            Ok(())
        })
    }
}

impl RateLimiter for MemoryStores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        Box::pin(async move {
            Ok(lock(&self.buckets).admit(key, rate, now_ms.saturating_mul(1000), self.limits))
        })
    }

    fn give_back(&self, key: &str, rate: Rate, _now_ms: u64) {
        lock(&self.buckets).give_back(key, rate);
    }
}

impl IdempotencyStore for MemoryStores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move { lock(&self.writes).begin(key, holder, hold, self.limits) })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.writes).look(key, now_ms)) })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.writes).complete(key, holder, result, expires_ms, self.limits)
        })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.writes).release(key, holder);
            Ok(())
        })
    }
}

impl Mailbox for MemoryStores {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let limits = self.limits;
            lock(&self.letters).put(key, letter, now_ms, expires_ms, limits)?;
            self.arrived.notify_waiters();
            Ok(())
        })
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(async move {
            loop {
                let mut arrived = pin!(self.arrived.notified());
                // before the look: a letter that comes between the two is not missed
                arrived.as_mut().enable();
                let found = lock(&self.letters).take(keys);
                if let Some(letters) = found {
                    return Ok(letters);
                }
                arrived.await;
            }
        })
    }
}

impl TaskStore for MemoryStores {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let limits = self.limits;
        Box::pin(
            async move { lock(&self.tasks).create(key, [head, call], now_ms, expires_ms, limits) },
        )
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.tasks).read(key, parts, now_ms)) })
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        mut also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        also.push((TaskPart::Head, head));
        let limits = self.limits;
        Box::pin(
            async move { lock(&self.tasks).swap(key, version, also, now_ms, expires_ms, limits) },
        )
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.tasks).remove(key);
            Ok(())
        })
    }
}

impl Topics for MemoryStores {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        Box::pin(async move {
            let records = lock(&self.records);
            let found = keys.iter().map(|key| records.find(key, now_ms).cloned());
            Ok(found.collect())
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { lock(&self.records).write(key, record, replace, kept, self.limits) })
    }
}
