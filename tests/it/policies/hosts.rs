//! Policies through the hosts that have stores of their own: what one request leaves, the next one
//! finds.

use serde_json::json;

use super::{call, keyed, says};
use crate::support::{Host, hosts, servers};

/// The hosts as processes or sockets; the one in this process has the stores that a test gives it.
fn with_stores() -> impl Iterator<Item = Box<dyn Host>> {
    hosts(servers::counting)
        .into_iter()
        .filter(|host| host.name() != "in process")
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
fn every_host_makes_a_repeated_write_once() {
    for host in with_stores() {
        let buy = keyed("buy", json!({"id": "a"}), json!("order-1"));
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
