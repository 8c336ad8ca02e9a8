//! What adapters of stores have in common that several instances share, whatever service keeps
//! them: when the service is asked, how long and how often, and what an instance remembers between
//! two questions. Which service it is, and what it is asked, is the adapters' business.

mod breaker;
mod buckets;
mod hot;
mod kept;
mod service;
mod watched;

pub use breaker::{Breaker, Closed, Pass};
pub use buckets::KnownBuckets;
pub use hot::HotResults;
pub use kept::{GRACE_MS, kept_for_ms};
pub use service::{RequestFailure, RequestLimits, SharedService, Unanswered};
pub use watched::{letters, watched};

/// One for each store: what fails for one says nothing of the others.
#[derive(Debug, Default)]
pub struct Breakers {
    /// Of cached results.
    pub cache: Breaker,
    /// Of rate limits.
    pub limiter: Breaker,
    /// Of idempotent writes.
    pub idempotency: Breaker,
    /// Of answers to questions.
    pub mailbox: Breaker,
    /// Of tasks.
    pub tasks: Breaker,
    /// Of subscriptions.
    pub topics: Breaker,
    /// Of events.
    pub events: Breaker,
}
