//! The stores of Workers behind ports: D1 as a SQL database, KV for results, the rate-limit binding for call budgets, Durable Objects
//! for writes that happen once. Only the last are exact among isolates.

mod d1;
mod kv;
#[cfg(feature = "once")]
mod once;
mod rate;

pub use d1::D1;
pub use kv::KvCache;
#[cfg(feature = "once")]
pub(crate) use once::DurableOnce;
pub use rate::RateBindings;
