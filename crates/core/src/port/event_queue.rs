//! The port to a queue of what is to be sent to subscribers. No implementation of it, and no rule:
//! what is in it is `event`.

use bytes::Bytes;

use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Work of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventJob {
    /// A key like those of the other stores: one that waits is not put once more.
    pub key: String,
    /// Up to 4 KiB.
    pub body: Bytes,
    /// Not before, in milliseconds since 1970.
    pub due_ms: u64,
}

/// Where work for subscribers waits: queues under keys like those of the other stores, each of one
/// server ([`Server::event_queue`](crate::Server::event_queue)). What takes it out gives it to
/// [`Server::run_event_job`](crate::Server::run_event_job).
pub trait EventQueue: MaybeSend + MaybeSync {
    /// Adds work. Ends well once it will be done although this instance ends here, as far as the
    /// platform can promise it. Doing it twice is no harm.
    ///
    /// # Errors
    /// When the queue does not respond in time, or has no room: nothing or a part of it was added.
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Work that was taken out of a queue, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenEventJob {
    /// The work.
    pub job: EventJob,
    /// By which who took it is known.
    pub lease: u64,
}

/// What follows work that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventJobEnd {
    /// Nothing.
    Done,
    /// This work in its place, from this time on.
    Again(Bytes, u64),
    /// Nobody does it any more: it is kept for an operator, with the reason.
    Dead(String),
}

/// A queue whose work instances take out themselves, each part by one of them at a time. On a platform
/// that brings the work, none is needed.
///
/// ```
/// use mcpfn_core::port::{EventJob, EventJobEnd, EventJobs, EventQueue, StoreError};
/// use mcpfn_testing::{TestEvents, block_on};
///
/// # block_on(async {
/// let queue = TestEvents::default();
/// let job = EventJob { key: "a".into(), body: "work".into(), due_ms: 10 };
/// queue.put("q", vec![job], 0).await?;
/// assert!(queue.take("q", 5, 100, 10).await?.is_empty());
/// assert_eq!(queue.next_due("q", 5).await?, Some(10));
/// let taken = queue.take("q", 10, 100, 10).await?.remove(0);
/// assert!(queue.take("q", 50, 100, 10).await?.is_empty(), "one at a time");
/// assert_eq!(queue.take("q", 100, 200, 10).await?.len(), 1, "its instance is gone");
/// assert!(!queue.finish("q", &taken, EventJobEnd::Done, 101).await?, "too late");
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait EventJobs: EventQueue {
    /// At most `limit` parts that are due and not taken, for who asks, until a time; then they can be
    /// taken again.
    ///
    /// # Errors
    /// When the queue does not respond in time.
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>>;

    /// Ends work that was taken; `false` if another one has it by now.
    ///
    /// # Errors
    /// When the queue does not respond in time: it is done again.
    fn finish<'a>(
        &'a self,
        queue: &'a str,
        taken: &'a TakenEventJob,
        end: EventJobEnd,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// When something can be taken, if anything waits.
    ///
    /// # Errors
    /// When the queue does not respond in time.
    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>>;

    /// At most `limit` parts that nobody does any more, with the reasons: the last ones first.
    ///
    /// # Errors
    /// When the queue does not respond in time.
    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>>;
}
