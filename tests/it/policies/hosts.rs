//! Policies through the hosts that have stores of their own: what one request leaves, the next one
//! finds.

use serde_json::{Value, json};

use super::says;
use crate::support::lambda::{Front, Lambda};
use crate::support::socket::Local;
use crate::support::{Host, Request, servers};

/// The hosts as processes or sockets; the one in this process has the stores that a test gives it.
/// Their callers are known: the person at this machine, and one with a key.
fn with_stores() -> impl Iterator<Item = Box<dyn Host>> {
    let keys = format!("robot:{}:*", mcpfn_auth::hash_key(KEY));
    let variables = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &*keys)];
    let lambda = |front| Box::new(Lambda::start_with(servers::counting, front, &variables));
    let hosts: [Box<dyn Host>; 3] = [
        Box::new(Local::start(servers::counting)),
        lambda(Front::Url),
        lambda(Front::RestStreaming),
    ];
    hosts.into_iter()
}

const KEY: &str = "robot-key";

fn call(tool: &str, arguments: Value) -> Request {
    super::call(tool, arguments).header("x-api-key", KEY)
}

fn keyed(tool: &str, arguments: Value, key: Value) -> Request {
    super::keyed(tool, arguments, key).header("x-api-key", KEY)
}

#[test]
fn no_host_keeps_anything_for_strangers() {
    for front in [Front::Url, Front::RestStreaming] {
        let lambda = Lambda::start(servers::counting, front);
        let find = super::call("find", json!({"id": "stranger"}));
        assert_ne!(says(&lambda.send(&find)), says(&lambda.send(&find)));
        let buy = super::keyed("buy", json!({"id": "stranger"}), json!("order-1"));
        let refused = says(&lambda.send(&buy));
        assert!(refused.contains("the write was not made"), "{refused}");
    }
}

#[test]
fn every_host_keeps_results() {
    for host in with_stores() {
        let first = says(&host.send(&call("find", json!({"id": "a"}))));
        assert_eq!(
            says(&host.send(&call("find", json!({"id": "a"})))),
            first,
            "{}",
            host.name()
        );
        assert_ne!(
            says(&host.send(&call("find", json!({"id": "b"})))),
            first,
            "{}",
            host.name()
        );
        let look = call("look", json!({"id": "a"}));
        assert_ne!(
            says(&host.send(&look)),
            says(&host.send(&look)),
            "{}",
            host.name()
        );
    }
}

#[test]
fn every_host_makes_a_repeated_write_once_or_not_at_all() {
    for host in with_stores() {
        let buy = keyed("buy", json!({"id": "a"}), json!("order-1"));
        let list = Request::modern("tools/list", json!({})).header("x-api-key", KEY);
        let list = host.send(&list);
        let offers = list.text().contains("x-idempotency-key");
        // without a table an environment of Lambda knows nothing of the writes of others
        let remembers = !host.name().starts_with("lambda");
        assert_eq!(offers, remembers, "{}", host.name());
        if !remembers {
            let refused = says(&host.send(&buy));
            assert!(refused.contains("the write was not made"), "{refused}");
            continue;
        }
        assert_eq!(
            says(&host.send(&buy)),
            says(&host.send(&buy)),
            "{}",
            host.name()
        );
        let plain = call("buy", json!({"id": "a"}));
        assert_ne!(
            says(&host.send(&plain)),
            says(&host.send(&plain)),
            "{}",
            host.name()
        );
    }
}
