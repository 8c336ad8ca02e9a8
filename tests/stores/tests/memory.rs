//! The contract, asked of the stores in memory: those of a process, those of tests, and what the
//! objects of Workers decide.

use std::sync::Arc;

use mcpfn_core::port::{Mailbox, TaskStore, Topics};
use mcpfn_native::memory;
use mcpfn_store_tests::contract::{Store, Stores, checks};
use mcpfn_store_tests::events::{EventStore, EventStores, of_events};
use mcpfn_store_tests::mailbox::{Mailboxes, of_letters};
use mcpfn_store_tests::objects::Objects;
use mcpfn_store_tests::task_objects::TaskObjects;
use mcpfn_store_tests::tasks::{TaskStores, of_tasks};
use mcpfn_store_tests::topics::{TopicStores, of_topics};
use mcpfn_testing::{TestEvents, TestStores};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    keeps(Arc::new(memory::MemoryStores::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_of_tests_keep_the_contract() {
    // they have no bounds, and so no result that is too large
    keeps_all_but(Arc::new(TestStores::default()), "is too large is an error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_objects_of_workers_decide_keeps_the_contract() {
    keeps(Arc::new(Objects::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract_of_mailboxes() {
    let one: Arc<dyn Mailbox> = Arc::new(memory::MemoryStores::default());
    let other = Arc::clone(&one);
    let mailboxes = Mailboxes { one, other };
    for check in of_letters() {
        let ran = tokio::spawn((check.run)(mailboxes.clone())).await;
        assert!(ran.is_ok(), "{}", check.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract_of_tasks() {
    keeps_tasks(Arc::new(memory::MemoryStores::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_objects_of_workers_decide_keeps_the_contract_of_tasks() {
    keeps_tasks(Arc::new(TaskObjects::default())).await;
}

async fn keeps_tasks(one: Arc<dyn TaskStore>) {
    let other = Arc::clone(&one);
    let stores = TaskStores { one, other };
    for check in of_tasks() {
        let ran = tokio::spawn((check.run)(stores.clone())).await;
        assert!(ran.is_ok(), "{}", check.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_keep_the_contract_of_subscriptions() {
    let stores: [Arc<dyn Topics>; 2] = [
        Arc::new(memory::MemoryStores::default()),
        Arc::new(Objects::default()),
    ];
    for one in stores {
        let other = Arc::clone(&one);
        let stores = TopicStores { one, other };
        for check in of_topics() {
            let ran = tokio::spawn((check.run)(stores.clone())).await;
            assert!(ran.is_ok(), "{}", check.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract_of_events() {
    let engines: [Arc<dyn EventStore>; 2] = [
        Arc::new(memory::MemoryStores::default()),
        Arc::new(TestEvents::default()),
    ];
    for one in engines {
        let other = Arc::clone(&one);
        let stores = EventStores { one, other };
        for check in of_events() {
            let ran = tokio::spawn((check.run)(stores.clone())).await;
            assert!(ran.is_ok(), "{}", check.name);
        }
    }
}

async fn keeps(one: Arc<dyn Store>) {
    keeps_all_but(one, "every check").await;
}

async fn keeps_all_but(one: Arc<dyn Store>, without: &str) {
    let stores = Stores {
        other: one.clone(),
        one,
    };
    let mut failed = Vec::new();
    for check in checks().filter(|check| !check.name.contains(without)) {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
