//! The integration tests, one binary. Each module below says what belongs in it.

#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!({..})` reads better as an argument than a reference to it"
)]

/// Hosts, servers, the fixture format and its runner, time under control. No tests of the product.
mod support;

/// What must work: every file of `fixtures/wire` through every host. A new case is a new file.
mod wire;

/// What must be refused: every file of `fixtures/refuse` through every host, and what no file can
/// say (sizes, depths, bytes).
mod refuse;

/// The endpoint inside other servers: axum at every kind of path, hyper, `lambda_http`'s own loops;
/// whom middleware names.
mod mounted;

/// The page for browsers: who gets it, and from which pages calls are taken.
mod page;

/// The local host as a process: pipes, signals, exit codes, dropped connections, the command line.
mod local;

/// The Rust SDK as a client, over HTTP and stdio, in both eras.
mod rmcp_client;

/// The same SDK with questions that it declines, and with tasks.
mod rmcp_tasks;

/// Servers of the Rust SDK behind one endpoint, in both eras: a workflow over two of them, progress
/// while it happens, whose credential goes where.
mod upstream;

/// What the ready server registers, for every kind of caller, against a table.
mod authorization;

/// The local host behind a proxy: whom it trusts, which hosts it answers to.
mod proxied;

/// What the registry of MCP servers reads of a domain, on every host.
mod registry;

/// What holds for a server as a value: shared, without memory, bounded, cancelled by dropping.
mod principles;

/// What surrounds a handler: rate limits, cached results, idempotent writes, records.
mod policies;

/// Questions in the middle of a call: asked on its stream by one instance, answered to another.
mod questions;

/// Subscriptions to resources: told of by one instance, written on another.
mod subscriptions;

/// Random bytes, messages and requests: no panic, and an answer that keeps the rules.
mod fuzzed;

/// Rules of the repository, with advice.
mod tidy;
