//! What the environments of a function share, in one DynamoDB table: results, rate limits, idempotent
//! writes, answers to questions, subscriptions, tasks. No policy: which call asks, and what happens when the table is down,
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
//! | `rate` | `full_at` (N, microseconds: when the bucket is full again), `by0` to `by7` (S, random names of the last updates) | one conditional `UpdateItem` for each lease, seldom a second, never more than four |
//! | `idempotency`, held | `holder` (S, a random name), `held_until` (N, milliseconds), `expires_ms` (N) | conditional `PutItem`; `DeleteItem` to let go; `GetItem` to wait |
//! | `idempotency`, done | `holder`, `payload`, `packed_from`, `expires_ms` | conditional `PutItem` |
//! | `topic` | `holder` (B, a random version), `payload`, `packed_from`, `expires_ms`: a resource's last change, or what a session subscribed to | consistent `GetItem`; conditional `PutItem` |
//! | `letter` | `payload`, `packed_from`: an answer to a question of a call that waits | conditional `PutItem`; `GetItem` until it is there |
//! | `task.head` | `payload`, `version` (N), `changed_by` (S, the random name of the last change), `expires_ms`; `call_at`, `questions_at`, `checkpoint_at`, `outcome_at` (N, the version with which that part was written) | conditional `UpdateItem`; `TransactWriteItems` where parts change with it |
//! | `events` | `last_at`, `floor_at`, `appended`, `dropped` (N), `changed_by`: where the log of an event begins and ends | consistent `GetItem`; in a transaction with the event |
//! | `event.` and 16 digits | `payload`, `packed_from`, `event_number` (N), `previous_at` (N): what happened, at its position | `TransactWriteItems`; consistent `Query` |
//! | `subscriber.` and an id | `payload`, `packed_from`, `version`, `changed_by`, `expires_ms`, `counted_until` (N) | conditional `PutItem`; `GetItem`; `Query`; `DeleteItem` |
//! | `subscriptions`, `subscribers` | `id_` and an id (N: when it expires); `until_` and a time (N: how many): what a subscriber and an event have | `UpdateItem` |
//! | `task.call`, `.questions`, `.checkpoint`, `.outcome` | `payload`, `packed_from`, `version` | consistent `GetItem`s at the same time |
//!
//! # What is guaranteed
//!
//! *Results* are read eventually consistent, at half the price: a replica that lags gives an older
//! result of the same call, which has not expired either, or none. One that was read is given for
//! two seconds more without a request.
//!
//! *Rate limits* hold among all environments: never more calls than the rate, and what one
//! environment has leased. A lease is for as many calls as the environment had of this caller in
//! the last second, at most a 32nd of the rate, and ends after a second; below 64 calls there are
//! no leases, and limits are exact. A caller whose bucket is known to be empty is refused without a
//! request, because a bucket only fills with time.
//!
//! *Writes*: of all who begin a key, one is the first, and the key is free again only if that one
//! lets go of it. A hold that ends without a result is known as one until it expires. Who lost its
//! hold can't overwrite what another call does. Each call has a name of its own, so that a request
//! that is sent twice is done once.
//!
//! *Tasks*: of all who saw the same head, one changes it, and parts that change with it are seen with
//! it or not at all. Reads are consistent, from every environment. IAM knows no transactions: they
//! need the rights of what is in them, which are those of the other stores.
//!
//! *Events*: who sees one sees all before it, because each is put in the transaction that moves the head
//! of its log. Of those who append at once one does, and the others go on behind it. What was written
//! of a subscription is read by the next request. How many there are is counted apart from them, and
//! wrong by what was lost in between, until that would have expired.
//!
//! # When the table is down
//!
//! Nothing is asked before the first use, and the client is made then. A request has a limit
//! ([`Table::timeout`]), and one retry inside it where a new connection may help. After three
//! failed requests for a key in a row that key is not asked for during five seconds; after failed
//! requests for three keys of one store in a row, or at once when the table is missing or
//! forbidden, no request of that store is sent for five seconds and every call fails at no cost;
//! then one call tries. The end of a write and parts of a task are sent all the same. Idle connections are not used again after a
//! minute, so that an environment that was frozen meanwhile does not wait on one that is gone.
//!
//! A request that is throttled says that its key is hot, and nothing of the table: no other key is
//! treated differently. A caller whose rate item is throttled is counted by each environment alone
//! for a second, from what it knew of the bucket.

mod attributes;
mod cache;
mod client;
mod connector;
mod event_counts;
mod event_log;
mod event_subscriptions;
mod failure;
mod idempotency;
mod limiter;
mod mailbox;
mod pack;
mod query;
mod table;
mod tasks;
mod topics;

use aws_sdk_dynamodb::config::SharedHttpClient;
pub use mcpfn_aws::{AccessKeys, AwsAccount};
pub use table::Table;

use client::TableClient;
use mcpfn_native::shared::{Breakers, HotResults, KnownBuckets};

/// The stores over one table and one connection pool, each with a circuit breaker of its
/// own. Made in no time: nothing happens before the first use. One of these belongs to a process,
/// behind an `Arc`.
#[derive(Debug)]
pub struct Stores {
    client: TableClient,
    breakers: Breakers,
    buckets: KnownBuckets,
    hot: HotResults,
}

impl Stores {
    /// Asks nothing yet.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            client: TableClient::new(table),
            breakers: Breakers::default(),
            buckets: KnownBuckets::default(),
            hot: HotResults::default(),
        }
    }

    /// The same over another HTTP client, as a test has one that plays the table.
    #[doc(hidden)]
    #[must_use]
    pub fn over(table: Table, http: impl aws_sdk_dynamodb::config::HttpClient + 'static) -> Self {
        let mut stores = Self::new(table);
        stores.client = stores.client.over(SharedHttpClient::new(http));
        stores
    }
}
