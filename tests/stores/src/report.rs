//! One line per check, and the counts. A check is a task of its own, so that its panic is its
//! failure.

use std::future::Future;
use std::sync::Arc;

use mcpfn_core::port::{Mailbox, TaskStore, Topics};

use crate::contract::{Store, Stores, checks};
use crate::events::{EventStore, EventStores, of_events};
use crate::mailbox::{Mailboxes, of_letters};
use crate::tasks::{TaskStores, of_tasks};
use crate::topics::{TopicStores, of_topics};
use crate::without_queue::of_kept_events;

/// What passed and what failed.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Runs one check and says how it went.
    pub async fn check(&mut self, name: &str, check: impl Future<Output = ()> + Send + 'static) {
        // the panic's own message is on standard error already
        if tokio::spawn(check).await.is_ok() {
            println!("ok {name}");
            self.passed += 1;
        } else {
            println!("FAILED {name}");
            self.failed += 1;
        }
    }

    /// The whole contract, of two views of one store; `how` is the end of the checks' names.
    pub async fn contract(&mut self, one: Arc<dyn Store>, other: Arc<dyn Store>, how: &str) {
        let stores = Stores { one, other };
        for check in checks() {
            let name = format!("{}{how}", check.name);
            self.check(&name, (check.run)(stores.clone())).await;
        }
    }

    /// That of mailboxes, of two views of one.
    pub async fn letters(&mut self, one: Arc<dyn Mailbox>, other: Arc<dyn Mailbox>) {
        let mailboxes = Mailboxes { one, other };
        for check in of_letters() {
            self.check(check.name, (check.run)(mailboxes.clone())).await;
        }
    }

    /// That of tasks, of two views of one store; `how` is the end of the checks' names.
    pub async fn tasks(&mut self, one: Arc<dyn TaskStore>, other: Arc<dyn TaskStore>, how: &str) {
        let stores = TaskStores { one, other };
        for check in of_tasks() {
            let name = format!("{}{how}", check.name);
            self.check(&name, (check.run)(stores.clone())).await;
        }
    }

    /// That of events, likewise.
    pub async fn events(&mut self, one: Arc<dyn EventStore>, other: Arc<dyn EventStore>) {
        let stores = EventStores { one, other };
        for check in of_events() {
            self.check(check.name, (check.run)(stores.clone())).await;
        }
    }

    /// That of events but for the queue, likewise.
    pub async fn kept_events(&mut self, one: Arc<dyn EventStore>, other: Arc<dyn EventStore>) {
        let stores = EventStores { one, other };
        for check in of_kept_events() {
            self.check(check.name, (check.run)(stores.clone())).await;
        }
    }

    /// That of stores of subscriptions, likewise.
    pub async fn topics(&mut self, one: Arc<dyn Topics>, other: Arc<dyn Topics>) {
        let stores = TopicStores { one, other };
        for check in of_topics() {
            self.check(check.name, (check.run)(stores.clone())).await;
        }
    }

    /// Says the counts, and whether all is well.
    #[must_use]
    pub fn end(&self) -> bool {
        println!("{} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}
