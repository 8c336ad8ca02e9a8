//! The contract of files, asked of a directory.

use std::sync::Arc;

use mcpfn_files::Directory;
use mcpfn_store_tests::files::{Files, checks};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_keeps_the_contract() {
    let top = std::env::temp_dir().join(format!("mcpfn-contract-{}", std::process::id()));
    std::fs::create_dir_all(&top).unwrap();
    let store = Arc::new(Directory::open(&top).unwrap());
    let files = Files {
        store,
        directories: true,
        exact: true,
    };
    let mut failed = Vec::new();
    for check in checks() {
        if tokio::spawn((check.run)(files.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    std::fs::remove_dir_all(&top).unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}
