//! The contract, asked of the stores on a DynamoDB in this process.

use std::sync::Arc;

use mcpfn_lambda::dynamodb;
use mcpfn_store_tests::contract::{Stores, checks};
use mcpfn_store_tests::fake::Fake;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dynamodb_keeps_the_contract() {
    let fake = Fake::default();
    let stores = Stores {
        one: Arc::new(dynamodb::Stores::over(Fake::table(), fake.clone())),
        other: Arc::new(dynamodb::Stores::over(Fake::table(), fake)),
    };
    let mut failed = Vec::new();
    for check in checks() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
