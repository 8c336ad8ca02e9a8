//! The stores of Workers behind ports: D1 as a SQL database, KV for results, the rate-limit binding for call budgets. Nothing here
//! is exact among isolates: what must happen once needs a Durable Object, and there is none.

mod d1;
mod kv;
mod rate;

pub use d1::D1;
pub use kv::KvCache;
pub use rate::RateBindings;
