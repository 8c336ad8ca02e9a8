//! Files of a store that become documents: which, what is left out, who may, and a run that is handed
//! over in the middle.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::{Server, port::HttpClient};
use mcpfn_files::Directory;
use mcpfn_ports::{Blobs, Dialect, Rows, Sql, SqlError, SqlValue};
use mcpfn_testing::{TestClient, TestClock};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::handed_over::{EndsOnce, pause};
use crate::store::{Store, empty};

/// A directory of files, gone when dropped.
struct Files(PathBuf);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcpfn-ingest-{}-{number}", std::process::id());
        let files_at = Self(std::env::temp_dir().join(name));
        for (path, text) in files {
            files_at.put(path, text.as_bytes());
        }
        files_at
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn variable(name: &str) -> Option<String> {
    (name == "MCPFN_KNOWLEDGE_WRITABLE").then(|| "on".to_owned())
}

fn client(store: &Store, files: &Files) -> TestClient {
    let builder = Server::builder("documents", "0.0.0");
    let server = register(builder, "knowledge, files", &variable).unwrap();
    let blobs: Arc<dyn Blobs> = Arc::new(Directory::open(&files.0).unwrap());
    TestClient::with_clock(server, TestClock::manual())
        .with_port::<dyn Sql>(Arc::clone(&store.filled))
        .with_port::<dyn Blobs>(blobs)
        .with_port::<dyn HttpClient>(Arc::new(mcpfn_native::Client::new()))
}

async fn ingest(client: &TestClient, path: &str) -> Value {
    let result = client
        .call("ingest_documents", json!({ "path": path }))
        .await
        .unwrap();
    assert!(!result.is_error(), "{}", result.text());
    result.structured()
}

async fn found(client: &TestClient, query: &str) -> Vec<String> {
    let result = client
        .call("semantic_search", json!({ "query": query }))
        .await
        .unwrap();
    let passages: Value = result.structured();
    let sources = passages["passages"].as_array().unwrap().iter();
    sources
        .map(|passage| passage["source"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn text_files_become_documents_and_others_do_not() {
    let files = Files::new(&[
        ("terms.md", "# Terms\n\nDelivery takes nine working days."),
        (
            "policies/returns.txt",
            "Parcels come back within thirty days.",
        ),
        (
            "policies/old/page.HTML",
            "<h1>Warranty</h1><p>Two years for toasters.</p>",
        ),
        ("policies/empty.md", "  "),
        ("policies.md", "Complaints are answered by Ruth."),
        ("photo.png", "no text"),
        ("other/Terms.md", "# Others\n\nThe same id as the terms."),
    ]);
    files.put("latin.txt", b"caf\xe9");
    let store = empty().await;
    let client = client(&store, &files);
    let report = ingest(&client, "").await;
    assert_eq!(
        (&report["documents"], &report["left_out"]),
        (&json!(5), &json!(2)),
        "{report}"
    );
    let reasons = report["reasons"].to_string();
    for reason in ["it has no text", "not text in UTF-8"] {
        assert!(reasons.contains(reason), "{reasons}");
    }
    assert_eq!(found(&client, "toasters").await, ["policies/old/page.HTML"]);
    assert_eq!(
        found(&client, "thirty days").await[0],
        "policies/returns.txt"
    );
    // again, with one that changed: it is replaced
    files.put(
        "policies/returns.txt",
        b"Parcels come back within forty weeks.",
    );
    let report = ingest(&client, "policies/").await;
    assert_eq!(report["documents"], 2);
    assert!(found(&client, "forty weeks").await.len() == 1);
    let sentence = client
        .call("ingest_documents", json!({"path": "nowhere"}))
        .await
        .unwrap();
    assert!(
        sentence.is_error() && sentence.text().contains("list_directory"),
        "{}",
        sentence.text()
    );
}

#[tokio::test]
async fn it_is_there_where_the_operator_wants_it_and_for_whom_the_scope_allows_it() {
    let files = Files::new(&[("a.md", "A text.")]);
    let store = empty().await;
    let client = client(&store, &files);
    let reader = client.clone().scopes("knowledge:read files:read");
    let tools = reader.list_tools().await.unwrap();
    assert!(tools.iter().all(|tool| tool.name != "ingest_documents"));
    let refused = reader
        .call("ingest_documents", json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(403));
    let writer = client.clone().scopes("knowledge:write");
    assert_eq!(ingest(&writer, "").await["documents"], 1);
    let builder = || Server::builder("documents", "0.0.0");
    let off = register(builder(), "knowledge, files", &|_| None).unwrap();
    let listed = TestClient::new(off).list_tools().wait().unwrap();
    assert!(listed.iter().all(|tool| tool.name != "ingest_documents"));
    let mistake = register(builder(), "knowledge", &variable)
        .unwrap_err()
        .to_string();
    assert!(mistake.contains("add `files` to the list"), "{mistake}");
    // a database that may only be read
    let reading = client.with_port::<dyn Sql>(Arc::clone(&store.served));
    let refused = reading.call("ingest_documents", json!({})).await.unwrap();
    assert!(
        refused.text().contains("open for reading only"),
        "{}",
        refused.text()
    );
}

/// A database that counts what is written.
struct Counting(Arc<dyn Sql>, AtomicU32);

impl Sql for Counting {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        most: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        self.0.query(sql, parameters, most)
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        if sql.starts_with("INSERT INTO documents") {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move {
            pause().await;
            self.0.execute(sql, parameters).await
        })
    }
}

#[tokio::test]
async fn a_run_that_is_handed_over_goes_on_behind_the_last_file_that_was_kept() {
    let texts: Vec<(String, String)> = (0..25)
        .map(|number| {
            let path = match number % 3 {
                0 => format!("{number:02}.md"),
                1 => format!("{number:02}/a.md"),
                _ => format!("{number:02}/deep/down/a-{number}.md"),
            };
            (path, format!("---\ntitle: T{number}\n---\nText {number}."))
        })
        .collect();
    // the first one and the last one have the same id
    let twins = [("+.md", "One."), ("=.md", "Another.")];
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .chain(twins)
        .collect();
    let (store, files) = (empty().await, Files::new(&texts));
    let database = Arc::new(Counting(Arc::clone(&store.filled), AtomicU32::new(0)));
    let client = client(&store, &files)
        .with_port::<dyn Sql>(Arc::clone(&database) as _)
        .does_tasks();
    let task = client.begin("ingest_documents", json!({})).await.unwrap();
    let (key, _) = client.tasks().orders()[0].clone();
    let written = Arc::clone(&database);
    let shutdown = EndsOnce::new(move || written.1.load(Ordering::Relaxed) >= 14);
    let shutdown = Arc::new(shutdown);
    let ending = client
        .clone()
        .map_platform(|platform| platform.with_shutdown(shutdown));
    ending
        .server()
        .run_task(&key, ending.platform(), None)
        .await;
    let working = client.task(task.id()).await.unwrap();
    assert_eq!(working.status(), "working", "{working:?}");
    let first = database.1.load(Ordering::Relaxed);
    assert!((14..26).contains(&first), "{first}");
    client
        .server()
        .run_task(&key, client.platform(), None)
        .await;
    let ended = client.task(task.id()).await.unwrap();
    let report: Value = ended.result().structured();
    assert_eq!(
        (&report["documents"], &report["left_out"]),
        (&json!(26), &json!(1))
    );
    let reason = &report["reasons"][0];
    assert!(reason.as_str().unwrap().contains("as +.md has"), "{reason}");
    // from a checkpoint, of which there is one after each ten files
    let again = database.1.load(Ordering::Relaxed) - first;
    assert!(again == 16 || again == 6, "{again}");
    let count = "SELECT count(*) FROM documents";
    let rows = store.filled.query(count, &[], 1).await.unwrap().rows;
    assert_eq!(rows[0][0].as_i64(), Some(26));
}
