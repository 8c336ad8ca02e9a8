//! What the environments of a function share, in one DynamoDB table: results, rate limits, idempotent
//! writes. No policy: which call asks, and what happens when the table is down,
//! is the core's.
//!
//! # AccessKeys
//!
//! One table, on demand, with the key `pk` (S) and `sk` (S). `pk` is the port's key, a digest, so
//! that load spreads over all partitions; `sk` says whose item it is. `expires_at` (N, seconds) is
//! the table's time to live: it only cleans up, up to days late, and is always at or after the
//! moment at which the item stops to count. Times that count are in milliseconds or microseconds
//! and are compared by the reader.
//!
//! | `sk` | attributes | requests |
//! |---|---|---|
//! | `cache` | `payload` (B), `packed_from` (N: its size before LZ4, absent if it is not packed), `expires_ms` (N) | `GetItem`, `PutItem` |
//! | `rate` | `full_at` (N, microseconds: when the bucket is full again) | one conditional `UpdateItem`, seldom a second, never more than four |
//! | `once`, held | `holder` (S, a random name), `held_until` (N, milliseconds) | conditional `PutItem`; `DeleteItem` to let go |
//! | `once`, done | `holder`, `payload`, `packed_from`, `expires_ms` | conditional `PutItem` |
//!
//! # What is guaranteed
//!
//! *Results* are read eventually consistent, at half the price: a replica that lags gives an older
//! result of the same call, which has not expired either, or none.
//!
//! *Rate limits* are exact among all environments. A caller whose bucket is known to be empty is
//! refused without a request, because a bucket only fills with time.
//!
//! *Writes*: of all who begin a key, one is the first. An environment whose hold expired, after
//! another one began, can't overwrite what that one does: its `finish` fails and its `abandon` does
//! nothing. Inside one environment the latest to begin counts as the holder.
//!
//! # When the table is down
//!
//! Nothing is asked before the first use, and the client is made then. A request has a limit
//! ([`Table::timeout`]), and one retry inside it where a new connection may help. After three
//! failed requests in a row, or at once when the table is missing or forbidden, no request is sent
//! for five seconds and every call fails at no cost; then one call tries. Idle connections are not
//! used again after a minute, so that an environment that was frozen meanwhile does not wait on one
//! that is gone.

mod attributes;
mod breaker;
mod cache;
mod client;
mod connector;
mod failure;
mod idempotency;
mod limiter;
mod pack;
mod table;

pub use mcpfn_aws::AccessKeys;
pub use table::Table;

use client::TableClient;
use idempotency::HeldKeys;
use limiter::Known;

/// The three stores over one table, one connection pool and one circuit breaker. Made in no time:
/// nothing happens before the first use. One of these belongs to a process, behind an `Arc`.
#[derive(Debug)]
pub struct Stores {
    client: TableClient,
    known: Known,
    holds: HeldKeys,
}

impl Stores {
    /// Asks nothing yet.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            client: TableClient::new(table),
            known: Known::default(),
            holds: HeldKeys::default(),
        }
    }
}
