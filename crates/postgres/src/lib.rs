//! What the instances of a server share, in PostgreSQL: results, rate limits, idempotent writes,
//! answers to questions, subscriptions, tasks, events, for those who have that and no Redis. No policy: which call asks, and what happens when PostgreSQL is
//! down, is the core's.
//!
//! ```
//! use mcpfn_postgres::{PostgresServer, PostgresStores};
//!
//! let server = PostgresServer::parse("postgres://mcpfn:hunter2@127.0.0.1/shop")?;
//! let stores = PostgresStores::new(server); // asks nothing before its first use
//! assert!(!format!("{stores:?}").contains("hunter2"));
//! # Ok::<(), String>(())
//! ```
//!
//! # Tables
//!
//! One for each port, in a schema of their own ([`PostgresServer::schema`]). The stores make them at
//! their first use where their role may; otherwise somebody runs [`TABLES`] once.
//!
//! | table | row | logged |
//! |---|---|---|
//! | `results` | a result, and when it expires; an answer to a question of a call that waits | no |
//! | `rates` | when the bucket is full again, and a random name of the last update | no |
//! | `event_logs`, `events` | a log: positions of the last event that is gone and of the last of all; an event under its log and position | yes |
//! | `event_subscriptions` | a subscription under its event and id: its owner, a version, a random name of the last change, when it expires | yes |
//! | `event_jobs`, `event_dead` | work for subscribers: when it can be taken, and how often it was; and what was given up, with the reason | yes |
//! | `tasks` | a task: its parts, a version, a random name of the last change, and when it expires | yes |
//! | `writes` | holder, end of the hold, when it expires, and the result once there is one; of a subscription, its version as the holder, and its value | yes |
//!
//! A decision is one statement on one row (`INSERT .. ON CONFLICT`), so that it is whole and no two
//! callers get the same. The key is the port's, a digest. Times that count are in the row and are
//! compared by who reads it; `gone_after` is by the server's clock, a minute after a row stops to
//! count. Such rows are deleted by the instances: at most a thousand of each table at a time, after
//! each 256 rows that one wrote, by one statement that skips what others have locked.
//!
//! Tables without a log cost no wait for the disk, and are empty after the server crashed: callers
//! have their whole rate again then. What is known of writes and tasks survives.
//!
//! # What is guaranteed
//!
//! As with Redis: *results* that were read are given for two seconds more without a question; *rate
//! limits* hold among all instances, exactly; of all *writes* that begin a key, one is the first, and
//! the key is free again only if that one lets go of it. Each call has a name of its own, so that a
//! question that is sent twice is done once. Of all who saw the same head of a *task*, one changes it.
//! Positions of *events* grow whatever the clocks of instances say, and an event is there before the next
//! one has a position; work for subscribers is taken by one at a time (`FOR UPDATE SKIP LOCKED`).
//! All of this holds as long as the server keeps what it
//! committed: a replica that takes over without the last commits may let a write happen twice.
//!
//! # When PostgreSQL is down
//!
//! Nothing is asked before the first use. There are at most four connections. A question has a limit
//! ([`PostgresServer::timeout`]), and one retry inside it where a new connection may help; the
//! breakers are those of the other stores. The end of a write and parts of a task are sent whatever
//! they say.

mod cache;
mod cleaning;
mod client;
mod event_log;
mod event_queue;
mod event_statements;
mod event_subscriptions;
mod failure;
mod idempotency;
mod limiter;
mod mailbox;
mod server;
mod statements;
mod stores;
mod tables;
mod tasks;
mod topics;

pub use server::PostgresServer;
pub use stores::PostgresStores;
pub use tables::TABLES;
