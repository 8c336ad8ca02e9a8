//! The ports that every call may need: the time, waiting, randomness, work after the response.

use std::time::Duration;

use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// The time of day.
pub trait Clock: MaybeSend + MaybeSync {
    /// Milliseconds since 1970-01-01T00:00Z.
    fn now_ms(&self) -> u64;
}

/// Waiting.
pub trait Timer: MaybeSend + MaybeSync {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Randomness that nobody can guess.
pub trait Random: MaybeSend + MaybeSync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Work that outlives its call.
pub trait Background: MaybeSend + MaybeSync {
    /// Runs `work` to its end beside the call, and also when the call is dropped. A host that
    /// freezes between requests waits for it first.
    fn run(&self, work: BoxFuture<'static, ()>);
}
