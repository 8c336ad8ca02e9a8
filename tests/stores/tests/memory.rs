//! The contract, asked of the stores in memory.

use std::sync::Arc;

use mcpfn_native::memory;
use mcpfn_store_tests::contract::{Stores, checks};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    let one = Arc::new(memory::MemoryStores::default());
    let stores = Stores {
        other: one.clone(),
        one,
        two: false,
    };
    let mut failed = Vec::new();
    for check in checks() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
