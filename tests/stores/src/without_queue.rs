//! An engine of events without a queue, as the type that the checks take. Nothing asks it for work.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventJob, EventJobEnd, EventJobs, EventLog, EventPosition, EventQueue, EventRead,
    EventRetention, EventSubscriptions, StoreError, SubscriptionBounds, SubscriptionKey,
    SubscriptionRow, SubscriptionWritten, TakenEventJob,
};

use crate::events::{EventCheck, of_events};

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// An engine whose queue is the platform's own: it brings the work, and nothing takes it out.
#[derive(Debug)]
pub struct WithoutQueue<S>(pub Arc<S>);

/// Those of logs and subscriptions.
pub fn of_kept_events() -> impl Iterator<Item = EventCheck> {
    const OF_QUEUES: [&str; 2] = ["work", "what is given up"];
    of_events().filter(|check| {
        let of_queue = OF_QUEUES.iter().any(|begin| check.name.starts_with(begin));
        !of_queue && !check.name.contains("take at once")
    })
}

impl<S: EventLog> EventLog for WithoutQueue<S> {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> Answer<'a, EventPosition> {
        self.0.append(topic, body, now_ms, keep)
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> Answer<'a, EventRead> {
        self.0.read(topic, after, limit, now_ms, keep)
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> Answer<'a, EventPosition> {
        self.0.end(topic, now_ms, keep)
    }
}

impl<S: EventSubscriptions> EventSubscriptions for WithoutQueue<S> {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> Answer<'a, Option<SubscriptionRow>> {
        self.0.find(key, now_ms)
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> Answer<'a, SubscriptionWritten> {
        self.0
            .write(key, replaces, body, expires_ms, now_ms, bounds)
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> Answer<'a, ()> {
        self.0.remove(key)
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> Answer<'a, Vec<SubscriptionRow>> {
        self.0.page(topic, after, limit, now_ms)
    }
}

impl<S: EventLog> EventQueue for WithoutQueue<S> {
    fn put<'a>(&'a self, _: &'a str, _: Vec<EventJob>, _: u64) -> Answer<'a, ()> {
        none()
    }
}

impl<S: EventLog> EventJobs for WithoutQueue<S> {
    fn take<'a>(&'a self, _: &'a str, _: u64, _: u64, _: usize) -> Answer<'a, Vec<TakenEventJob>> {
        none()
    }

    fn finish<'a>(
        &'a self,
        _: &'a str,
        _: &'a TakenEventJob,
        _: EventJobEnd,
        _: u64,
    ) -> Answer<'a, bool> {
        none()
    }

    fn next_due<'a>(&'a self, _: &'a str, _: u64) -> Answer<'a, Option<u64>> {
        none()
    }

    fn dead<'a>(&'a self, _: &'a str, _: usize) -> Answer<'a, Vec<(EventJob, String)>> {
        none()
    }
}

fn none<'a, T: Send + 'a>() -> Answer<'a, T> {
    Box::pin(async { Err(StoreError::lasting("this engine has no queue")) })
}
