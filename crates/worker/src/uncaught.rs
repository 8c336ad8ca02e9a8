//! Panics as errors, so that one ends one call. Not the log's line of it, which a hook writes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A future whose panics end it and nothing else.
pub(crate) async fn uncaught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| guarded(|| future.as_mut().poll(cx))).await
}

/// Polls, and makes a panic an error. Where the standard library aborts instead, there is nothing
/// to catch.
pub(crate) fn guarded<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Result<T, Panicked>> {
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    }
}

/// A handler panicked; the panic hook has logged where.
#[derive(Debug)]
pub(crate) struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call failed unexpectedly; the log says where")
    }
}
