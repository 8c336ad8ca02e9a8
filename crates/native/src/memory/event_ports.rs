//! The ports to events, over the tables of this process.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventJob, EventJobEnd, EventJobs, EventLog, EventPosition, EventQueue, EventRead,
    EventRetention, EventSubscriptions, StoreError, SubscriptionBounds, SubscriptionKey,
    SubscriptionRow, SubscriptionWritten, TakenEventJob,
};

use super::{MemoryStores, lock};

impl EventLog for MemoryStores {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        let limits = self.limits;
        Box::pin(async move { Ok(lock(&self.events).append(topic, body, now_ms, keep, limits)) })
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>> {
        Box::pin(async move { Ok(lock(&self.events).read(topic, after, limit, now_ms, keep)) })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move { Ok(lock(&self.events).end(topic, now_ms, keep)) })
    }
}

impl EventSubscriptions for MemoryStores {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.subscribers).find(key, now_ms)) })
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
        let (row, limits) = ((body, expires_ms), self.limits);
        Box::pin(async move {
            lock(&self.subscribers).write(key, replaces, row, now_ms, bounds, limits)
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.subscribers).remove(key);
            Ok(())
        })
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.subscribers).page(topic, after, limit, now_ms)) })
    }
}

impl EventQueue for MemoryStores {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { lock(&self.jobs).queue(queue).put(jobs, self.limits) })
    }
}

impl EventJobs for MemoryStores {
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.jobs).queue(queue).take(now_ms, until_ms, limit)) })
    }

    fn finish<'a>(
        &'a self,
        queue: &'a str,
        taken: &'a TakenEventJob,
        end: EventJobEnd,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(lock(&self.jobs).queue(queue).end(taken, end)) })
    }

    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.jobs).queue(queue).next_due()) })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.jobs).queue(queue).dead(limit)) })
    }
}
