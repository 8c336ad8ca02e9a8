//! The stores of Workers behind ports: D1 as a SQL database, PostgreSQL through Hyperdrive as another,
//! KV for results, the rate-limit binding for rate limits, Durable Objects for idempotent writes and
//! for tasks and for events, a queue for what is sent of these, R2 for files, Vectorize for vectors. Only
//! these objects and R2 are exact among isolates.

mod d1;
#[cfg(feature = "events")]
mod event_queue;
#[cfg(feature = "events")]
mod events;
#[cfg(feature = "hyperdrive")]
mod hyperdrive;
#[cfg(feature = "idempotency")]
mod idempotency;
mod kv;
#[cfg(any(feature = "events", feature = "idempotency", feature = "tasks"))]
pub(crate) mod objects;
#[cfg(feature = "r2")]
mod r2;
mod rate;
#[cfg(feature = "tasks")]
mod tasks;
#[cfg(feature = "vectorize")]
mod vectorize;

pub use d1::D1;
#[cfg(feature = "events")]
pub(crate) use event_queue::QueueOfEvents;
#[cfg(feature = "events")]
pub(crate) use events::DurableEvents;
#[cfg(feature = "hyperdrive")]
pub use hyperdrive::Hyperdrive;
#[cfg(feature = "idempotency")]
pub(crate) use idempotency::DurableIdempotency;
pub use kv::KvCache;
#[cfg(feature = "r2")]
pub use r2::R2;
pub use rate::RateBindings;
#[cfg(feature = "tasks")]
pub(crate) use tasks::DurableTasks;
#[cfg(feature = "tasks")]
pub use tasks::TaskObject;
#[cfg(feature = "vectorize")]
pub use vectorize::Vectorize;
