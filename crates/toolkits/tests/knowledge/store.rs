//! A database of documents for one test: SQLite in memory, or one of its own on a PostgreSQL
//! server. What serves it may only read.

use std::sync::Arc;

use mcpfn_ports::{Dialect, Embedder, Sql};
use mcpfn_sql::{Postgres, Sqlite};
use mcpfn_toolkits::knowledge::{self, StoredDocument};

use crate::place::{PASSWORD, postgres, unique, url_of};

/// One database, twice.
pub(crate) struct Store {
    pub(crate) filled: Arc<dyn Sql>,
    /// As a server gets it.
    pub(crate) served: Arc<dyn Sql>,
}

/// A database without any table.
pub(crate) async fn empty() -> Store {
    let Some(url) = postgres() else {
        let database = Sqlite::memory().unwrap();
        return Store {
            served: Arc::new(database.read_only()),
            filled: Arc::new(database),
        };
    };
    let (name, reader) = (unique("documents"), unique("reader"));
    let admin = Postgres::new(&url).unwrap();
    admin
        .execute(&format!("CREATE DATABASE {name}"), &[])
        .await
        .unwrap();
    let filled = Postgres::new(&url_of(None, &name)).unwrap();
    let roles = [
        format!("CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'"),
        format!("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {reader}"),
    ];
    filled.execute_all(roles).await.unwrap();
    let served = Postgres::new(&url_of(Some(&reader), &name)).unwrap();
    Store {
        filled: Arc::new(filled),
        served: Arc::new(served),
    }
}

/// A database with these documents.
pub(crate) async fn store(documents: &[StoredDocument], model: Option<&dyn Embedder>) -> Store {
    let store = empty().await;
    make_tables(&*store.filled).await;
    for document in documents {
        assert!(
            knowledge::add(&*store.filled, document, model)
                .await
                .unwrap()
                > 0
        );
    }
    store
}

/// What `ingest` does first; twice, because it may find them made.
pub(crate) async fn make_tables(database: &dyn Sql) {
    assert!(!knowledge::is_present(database).await.unwrap());
    for _ in 0..2 {
        for statement in knowledge::schema_for(database.dialect()) {
            database.execute(&statement, &[]).await.unwrap();
        }
    }
    assert!(knowledge::is_present(database).await.unwrap());
    assert_eq!(
        postgres().is_some(),
        database.dialect() == Dialect::Postgres
    );
}
