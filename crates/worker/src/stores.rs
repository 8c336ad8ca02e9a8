//! The stores of Workers behind ports: D1 as a SQL database, KV for results, the rate-limit binding
//! for call budgets, Durable Objects for writes that happen once, R2 for files. Only the last two
//! are exact among isolates.

mod d1;
mod kv;
#[cfg(feature = "once")]
mod once;
#[cfg(feature = "r2")]
mod r2;
mod rate;

pub use d1::D1;
pub use kv::KvCache;
#[cfg(feature = "once")]
pub(crate) use once::DurableOnce;
#[cfg(feature = "r2")]
pub use r2::R2;
pub use rate::RateBindings;
