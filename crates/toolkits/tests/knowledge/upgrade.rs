//! Databases that an older version made: served as they are, brought up to date with what they
//! hold, by `ingest` and by the migrations of D1.

use mcpfn_ports::{Dialect, Sql};
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::knowledge;
use serde_json::json;

use crate::host::Client;
use crate::place::postgres;
use crate::store::{Store, empty};

/// What the first version made; migrations that were applied are never changed.
const FIRST_SQLITE: &str = include_str!("../../../../infra/migrations/0002_documents.sql");
const FIRST_POSTGRES: &str =
    include_str!("../../../../tests/fixtures/knowledge/first-postgres.sql");
/// What brings D1 up to date.
const SECOND: &str = include_str!("../../../../infra/migrations/0003_words.sql");

fn statements(file: &str) -> impl Iterator<Item = &str> {
    file.split_terminator(";\n")
}

/// A document as the first version added it.
async fn add(database: &dyn Sql, id: &str, title: &str, text: &str) {
    let document = "INSERT INTO documents (id, source, title, characters) VALUES (?1, ?1, ?2, ?3)";
    let characters = text.chars().count() as i64;
    let values = [id.into(), title.into(), characters.into()];
    database.execute(document, &values).await.unwrap();
    let passage = "INSERT INTO passages (document, title, starts, section, text) VALUES \
                   ((SELECT number FROM documents WHERE id = ?1), ?2, 0, ?2, ?3)";
    let values = [id.into(), title.into(), text.into()];
    database.execute(passage, &values).await.unwrap();
}

async fn old() -> Store {
    let store = empty().await;
    let first = if postgres().is_some() {
        FIRST_POSTGRES
    } else {
        FIRST_SQLITE
    };
    for statement in statements(first) {
        store.filled.execute(statement, &[]).await.unwrap();
    }
    add(
        &*store.filled,
        "leave",
        "Leave",
        "Employees have paid leave.",
    )
    .await;
    add(
        &*store.filled,
        "nianjia",
        "年假",
        "每位员工每年享有带薪年假。",
    )
    .await;
    add(
        &*store.filled,
        "strasse",
        "Große Straße",
        "Straßenkarte am Empfang",
    )
    .await;
    store
}

async fn found(client: &Client, query: &str) -> Vec<String> {
    let answer = client
        .call("semantic_search", json!({"query": query}))
        .await
        .unwrap();
    let passages = answer["passages"].as_array().unwrap().iter();
    passages
        .map(|passage| passage["document_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn tables_of_the_first_version_are_served_and_brought_up_to_date() {
    let store = old().await;
    let client = Client::new(&store, None);
    let none: [&str; 0] = [];
    assert_eq!(found(&client, "employees leave").await, ["leave"]);
    assert_eq!(found(&client, "带薪").await, none);
    assert_eq!(found(&client, "employes").await, none, "there are no words");
    for _ in 0..2 {
        knowledge::prepare(&*store.filled).await.unwrap();
        for (query, expected) in [
            ("employees leave", "leave"),
            ("emploiees", "leave"),
            ("带薪", "nianjia"),
            ("GROSSE STRASSE", "strasse"),
        ] {
            assert_eq!(found(&client, query).await, [expected], "{query}");
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_was_cut_off_goes_on() {
    // wherever it ends, the next one finishes what is left
    for cut in 1..12 {
        let store = old().await;
        let cut_off = CutOff(&*store.filled, cut.into());
        let is_cut = knowledge::prepare(&cut_off).await.is_err();
        knowledge::prepare(&*store.filled).await.unwrap();
        let client = Client::new(&store, None);
        for (query, expected) in [
            ("带薪", "nianjia"),
            ("leave", "leave"),
            ("emploiees", "leave"),
        ] {
            assert_eq!(found(&client, query).await, [expected], "{cut} {query}");
        }
        if postgres().is_some() && !is_cut {
            break;
        }
    }
}

/// A database that fails after so many statements that write.
struct CutOff<'a>(&'a dyn Sql, std::sync::atomic::AtomicU32);

impl Sql for CutOff<'_> {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [mcpfn_ports::SqlValue],
        most: usize,
    ) -> mcpfn_core::handler::BoxFuture<'a, Result<mcpfn_ports::Rows, mcpfn_ports::SqlError>> {
        self.0.query(sql, parameters, most)
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [mcpfn_ports::SqlValue],
    ) -> mcpfn_core::handler::BoxFuture<'a, Result<u64, mcpfn_ports::SqlError>> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.1.load(Relaxed);
        if left == 0 {
            let cut = mcpfn_ports::SqlError::Unavailable("cut off".to_owned());
            return Box::pin(async { Err(cut) });
        }
        self.1.store(left - 1, Relaxed);
        self.0.execute(sql, parameters)
    }
}

#[tokio::test]
async fn migrations_of_d1_make_what_ingest_makes() {
    let shape = |migrated: bool| async move {
        let database = Sqlite::memory().unwrap();
        if migrated {
            let all = statements(FIRST_SQLITE).chain(statements(SECOND));
            for statement in all {
                database.execute(statement, &[]).await.unwrap();
            }
        } else {
            for statement in knowledge::schema_for(Dialect::Sqlite) {
                database.execute(&statement, &[]).await.unwrap();
            }
        }
        // new columns stand at the end of a table's own text, so they are compared as such
        let objects = "SELECT type, name, CASE type WHEN 'table' THEN '' ELSE coalesce(sql, '') END \
                       FROM sqlite_master ORDER BY type, name";
        let columns =
            "SELECT name, type, \"notnull\" FROM pragma_table_info('passages') ORDER BY name";
        [
            database.query(objects, &[], 100).await.unwrap().rows,
            database.query(columns, &[], 100).await.unwrap().rows,
        ]
    };
    assert_eq!(shape(true).await, shape(false).await);
}

#[tokio::test]
async fn documents_on_d1_are_found_after_the_migration() {
    if postgres().is_some() {
        return;
    }
    let store = old().await;
    for statement in statements(SECOND) {
        store.filled.execute(statement, &[]).await.unwrap();
    }
    let client = Client::new(&store, None);
    assert_eq!(found(&client, "employees leave").await, ["leave"]);
    // what needs an analysis, and words to be meant, come when a document is added again
    let text = "# 年假\n每位员工每年享有带薪年假。";
    let again = knowledge::StoredDocument::read("nianjia.md", text).unwrap();
    knowledge::add(&*store.filled, &again, None).await.unwrap();
    assert_eq!(found(&client, "带薪").await, ["nianjia"]);
}
