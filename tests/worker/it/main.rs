//! The Workers host in workerd, asked over sockets: every fixture, and what only this host does.
//! `cargo xtask worker` builds the Worker, starts workerd and says in `MCPFN_TEST_WORKER` where
//! each service listens: `everything=8001 watched=8002 ...`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!({..})` reads better as an argument than a reference to it"
)]

/// The hosts, fixtures and runner of the integration tests. Not all of it is needed here.
#[path = "../../it"]
mod it {
    #[allow(dead_code, reason = "each test binary needs a part of it")]
    pub(crate) mod support;
}

/// API keys and access tokens.
mod auth;
/// The toolkits over D1.
mod deployed;
/// Events, in Durable Objects and through a queue.
mod events;
/// Files in a bucket.
mod files;
/// The shared fixtures.
mod fixtures;
/// Stores that never answer.
mod hung;
/// The toolkits over PostgreSQL.
mod hyperdrive;
/// Idempotent writes.
mod idempotency;
/// A database that does not answer in time.
mod late;
/// Streams, disconnects, panics, memory: a call from its first byte to its last.
mod life;
/// Guessing and stalling.
mod limits;
/// The toolkits over tables of one's own in D1.
mod mapped;
/// Points of Analytics Engine.
mod metrics;
/// Wrong bindings of databases.
mod misbound;
/// Policies, with the stores of Workers.
mod policed;
/// Wrong and missing settings.
mod settings;
/// Tools that are tasks.
mod tasks;
/// The contract of stores of vectors.
#[path = "../../../crates/toolkits/tests/knowledge/vector_cases.rs"]
mod vector_cases;
/// An index of Vectorize.
mod vectors;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use it::support;
use serde_json::{Value, json};
use support::socket::send;
use support::{Host, Request, Response};

static PORTS: LazyLock<BTreeMap<String, u16>> = LazyLock::new(|| {
    let listed = std::env::var("MCPFN_TEST_WORKER")
        .expect("started by `cargo xtask worker`, which sets MCPFN_TEST_WORKER");
    let port = |pair: &str| {
        pair.split_once('=')
            .and_then(|(name, port)| Some((name.to_owned(), port.parse().ok()?)))
    };
    listed
        .split(' ')
        .map(|pair| port(pair).unwrap_or_else(|| panic!("`{pair}` is no service and port")))
        .collect()
});

/// A service in workerd.
#[derive(Debug, Clone, Copy)]
struct Worker(SocketAddr);

impl Worker {
    fn named(name: &str) -> Self {
        let port = PORTS
            .get(name)
            .unwrap_or_else(|| panic!("no service is called {name}"));
        Self((Ipv4Addr::LOCALHOST, *port).into())
    }

    /// The text that a tool gave.
    fn call(self, tool: &str, arguments: Value) -> String {
        let response = self.send(&Request::modern(
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        ));
        let message = response.json();
        message["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("no text: {message}"))
            .to_owned()
    }
}

impl Host for Worker {
    fn name(&self) -> &'static str {
        "worker, in workerd"
    }

    fn send(&self, request: &Request) -> Response {
        send(self.0, request)
    }
}
