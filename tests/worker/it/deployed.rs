//! The deployed server over D1, under `wrangler dev`: every tool of the toolkits that ask a
//! database answers what it answers over SQLite in this process, and SQL that a model wrote changes
//! nothing.

#[path = "../../../crates/toolkits/tests/it"]
pub(crate) mod toolkits {
    #[allow(dead_code, reason = "another package's data")]
    pub(crate) mod attacks;
}

#[path = "../../../crates/toolkits/tests/knowledge"]
mod handbook {
    pub(crate) mod questions;
}

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use handbook::questions;
use http_body_util::BodyExt as _;
use mcpfn::port::{Dialect, Sql};
use mcpfn::{Server, port::Platform};
use mcpfn_http::{Config, Service};
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::knowledge::{self, StoredDocument};
use mcpfn_toolkits::{register, shop};
use serde_json::{Value, json};
use toolkits::attacks::{ATTACKS, Ends};

use crate::support::in_process::InProcess;
use crate::{Host as _, Request, Worker};

const TOOLKITS: &str = "hello,catalog,database,crm,inventory,sql,knowledge,contracts";
const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/worker/documents");
/// A table with 114 MB in it; an isolate has 128 MB.
const LARGE: &str = include_str!("../large.sql");
const SKU: &str = "HDP-1032-MIB";

/// The same toolkits in this process, over the same shop.
struct Native {
    host: InProcess,
    service: Service,
    platform: Arc<Platform>,
    runtime: tokio::runtime::Runtime,
}

static NATIVE: LazyLock<Native> = LazyLock::new(|| {
    let server = || {
        register(Server::builder("mcpfn", "1.0.0"), TOOLKITS, &|_| None)
            .expect("these toolkits need no variable")
    };
    let mut config = Config::default();
    config.anonymous = true;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let database = Sqlite::memory().expect("a database in memory");
    runtime
        .block_on(database.execute_all(shop::tables().into_iter().chain(shop::sample())))
        .expect("the shop is made");
    runtime.block_on(fill(&database));
    let platform =
        mcpfn_native::platform(mcpfn_native::new_key()).with_port::<dyn Sql>(Arc::new(database));
    let service = Service::new(server().build().expect("a server"), config);
    Native {
        host: InProcess::new(server),
        service,
        platform: Arc::new(platform),
        runtime,
    }
});

/// The documents that `cargo xtask worker` has put on D1 with `ingest --sql`, here added one by
/// one.
async fn fill(database: &Sqlite) {
    for statement in knowledge::schema_for(Dialect::Sqlite) {
        database
            .execute(&statement, &[])
            .await
            .expect("the tables of documents are made");
    }
    let large = LARGE.split_terminator(";\n").map(str::to_owned);
    database.execute_all(large).await.expect("large cells");
    let mut files: Vec<_> = std::fs::read_dir(DOCUMENTS)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    for file in files {
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let document = StoredDocument::read(&name, &std::fs::read_to_string(&file).expect("text"))
            .expect("a document");
        knowledge::add(database, &document, None)
            .await
            .expect("the document is added");
    }
    // as `ingest` takes files
    let mut languages = questions::documents();
    languages.sort_by(|one, other| one.source.cmp(&other.source));
    for document in languages {
        knowledge::add(database, &document, None)
            .await
            .expect("the document is added");
    }
}

impl Native {
    fn answer(&self, request: &Request) -> Value {
        let request = self.host.to_http(request);
        self.runtime.block_on(async {
            let response = self.service.call(request, &self.platform).await;
            let body = response
                .into_body()
                .collect()
                .await
                .expect("our bodies do not fail")
                .to_bytes();
            serde_json::from_slice(&body).expect("JSON")
        })
    }
}

/// D1 runs one statement after the other, and what one test writes, another would find: these tests
/// take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(tool: &str, arguments: Value) -> Request {
    Request::modern("tools/call", json!({"name": tool, "arguments": arguments}))
}

fn ask(tool: &str, arguments: Value) -> Value {
    Worker::named("deployed")
        .send(&request(tool, arguments))
        .json()["result"]
        .take()
}

/// The text of an answer that is a failure.
fn refusal(result: &Value) -> Option<&str> {
    (result["isError"] == true).then(|| result["content"][0]["text"].as_str().unwrap_or_default())
}

#[test]
fn every_tool_answers_as_it_does_over_sqlite() {
    let _turn = turn();
    for (tool, arguments) in [
        ("hello_world", json!({})),
        ("search_products", json!({"query": "headphones"})),
        ("get_product", json!({"product_id": SKU})),
        ("get_product", json!({"product_id": "no such thing"})),
        ("list_tables", json!({})),
        ("describe_table", json!({"name": "products"})),
        ("query_table", json!({"table": "orders", "limit": 5})),
        ("query_table", json!({"table": "large", "limit": 100})),
        (
            "query_table",
            json!({"table": "large", "limit": 100, "order_by": [{"column": "cell", "direction": "desc"}]}),
        ),
        ("search_customers", json!({"query": "garcia", "limit": 10})),
        ("search_customers", json!({"query": "zyzzyva"})),
        ("search_accounts", json!({"query": "hotels", "limit": 10})),
        (
            "get_account_timeline",
            json!({"account_id": "ACC-1003", "limit": 50}),
        ),
        ("get_account_timeline", json!({"account_id": "ACC-9"})),
        ("get_open_opportunities", json!({"limit": 50})),
        ("get_open_opportunities", json!({"account_id": "ACC-1003"})),
        ("get_stock_levels", json!({"limit": 100})),
        ("get_stock_levels", json!({"sku": SKU})),
        ("get_sales_velocity", json!({"sku": SKU, "days": 31})),
        ("get_lead_time", json!({})),
        ("get_lead_time", json!({"supplier_or_sku": SKU})),
        ("suggest_reorders", json!({"limit": 20})),
        ("suggest_reorders", json!({"warehouse": "Atlantis"})),
        (
            "semantic_search",
            json!({"query": "how long does a party keep a secret?"}),
        ),
        (
            "semantic_search",
            json!({"query": "confidential information", "k": 20}),
        ),
        ("semantic_search", json!({"query": "DROP TABLE"})),
        (
            "semantic_search",
            json!({"query": "confidentail informaton"}),
        ),
        ("search_documents", json!({"text": "terminaton"})),
        ("semantic_search", json!({"query": "zyzzyva"})),
        ("search_documents", json!({})),
        (
            "search_documents",
            json!({"type": "nda", "party": "acme", "from": "2024-01-01", "to": "2025-12-31"}),
        ),
        ("search_documents", json!({"text": "termination notice"})),
        (
            "search_documents",
            json!({"text": "notice", "party": "brightwater"}),
        ),
        (
            "search_documents",
            json!({"text": "notice", "party": "nobody"}),
        ),
        (
            "extract_clause",
            json!({"document_id": "acme-nda", "clause": "3"}),
        ),
        (
            "extract_clause",
            json!({"document_id": "brightwater-lease", "clause": "rent"}),
        ),
        (
            "extract_clause",
            json!({"document_id": "gone", "clause": "1"}),
        ),
    ] {
        let request = request(tool, arguments.clone());
        let (here, there) = (
            NATIVE.answer(&request)["result"].take(),
            Worker::named("deployed").send(&request).json()["result"].take(),
        );
        assert_eq!(
            here["isError"], there["isError"],
            "{tool} {arguments}: {here} {there}"
        );
        let part = if here["structuredContent"].is_null() {
            "content"
        } else {
            "structuredContent"
        };
        assert!(
            !here[part].is_null() && here[part] == there[part],
            "{tool} {arguments}:\n{}\n{}",
            here[part],
            there[part]
        );
    }
}

#[test]
fn questions_find_their_answers_in_every_language() {
    let _turn = turn();
    for ((language, entries), (_, floor)) in questions::languages().iter().zip(questions::FLOORS) {
        let mut found = 0;
        for ([_, _, question], at) in entries.iter().zip(1..) {
            let wanted = json!(format!("{}-{at}", language.to_lowercase()));
            let request = request("semantic_search", json!({"query": question}));
            let here = NATIVE.answer(&request)["result"]["structuredContent"].take();
            let there = ask("semantic_search", json!({"query": question}));
            let there = &there["structuredContent"];
            assert_eq!(here, *there, "{question}");
            let passages = there["passages"].as_array().expect("passages");
            let is_wanted = |passage: &Value| passage["document_id"] == wanted;
            found += usize::from(passages.iter().any(is_wanted));
        }
        let all = entries.len();
        println!("| {language} | {found} of {all} |");
        assert!(found * 100 >= floor * all, "{language}: {found} of {all}");
    }
}

#[test]
fn prompts_and_resources_too() {
    let _turn = turn();
    for (method, params) in [
        ("resources/read", json!({"uri": "company://handbook"})),
        (
            "resources/read",
            json!({"uri": "knowledge://document/odd-text"}),
        ),
        (
            "prompts/get",
            json!({"name": "weekly_summary", "arguments": {}}),
        ),
    ] {
        let request = Request::modern(method, params);
        let (here, there) = (
            NATIVE.answer(&request)["result"].take(),
            Worker::named("deployed").send(&request).json()["result"].take(),
        );
        let part = if method == "prompts/get" {
            "messages"
        } else {
            "contents"
        };
        assert!(
            !here[part].is_null() && here[part] == there[part],
            "{method}:\n{here}\n{there}"
        );
    }
    // here it also shows the table in which wrangler notes migrations
    let schema = Worker::named("deployed")
        .send(&Request::modern(
            "resources/read",
            json!({"uri": "catalog://schema"}),
        ))
        .text();
    assert!(schema.contains("CREATE TABLE products"), "{schema}");
}

#[test]
fn what_is_written_is_found_again() {
    let _turn = turn();
    let note = "They said: 'yes', \"now\"; DROP TABLE activities; -- ½";
    let logged = ask(
        "create_activity_log",
        json!({"account_id": "acc-1003", "kind": "call", "note": note}),
    );
    assert_eq!(
        logged["structuredContent"]["account_id"], "ACC-1003",
        "{logged}"
    );
    let timeline = ask(
        "get_account_timeline",
        json!({"account_id": "ACC-1003", "limit": 50}),
    );
    assert!(
        timeline["structuredContent"]
            .to_string()
            .contains("DROP TABLE activities"),
        "{timeline}"
    );
    let refused = ask(
        "create_activity_log",
        json!({"account_id": "ACC-9", "kind": "call", "note": "x"}),
    );
    assert!(refusal(&refused).is_some(), "{refused}");

    let drafted = ask(
        "draft_purchase_order",
        json!({"sku": SKU, "quantity": 25, "warehouse": "rtm"}),
    );
    assert_eq!(drafted["structuredContent"]["quantity"], 25, "{drafted}");
    let id = drafted["structuredContent"]["id"].clone();
    let rows = ask(
        "query_table",
        json!({"table": "purchase_orders", "filters": [{"column": "id", "op": "eq", "value": id}], "limit": 5}),
    );
    assert_eq!(
        rows["structuredContent"]["rows"].as_array().map(Vec::len),
        Some(1),
        "{rows}"
    );
}

fn read(sql: &str) -> Value {
    ask("query_database", json!({"sql": sql}))
}

#[test]
fn questions_in_sql_are_answered_as_over_sqlite() {
    let _turn = turn();
    for sql in [
        "SELECT status, count(*) AS n FROM orders GROUP BY status ORDER BY status",
        "WITH big AS (SELECT sku FROM products WHERE price_cents > 100000) SELECT count(*) FROM \
         big JOIN sales ON sales.sku = big.sku",
        "SELECT sku, price_cents FROM products ORDER BY price_cents DESC, sku LIMIT 5;",
        "SELECT sku FROM products WHERE 1 = 0",
        "SELECT sku FROM products ORDER BY sku",
        "VALUES (1, 'a'), (2, NULL)",
        "SELECT 1.5 AS a, 'é' AS b, x'00ff' AS c, NULL AS d -- the end",
        "SELECT name FROM product_search WHERE product_search MATCH 'keyboard' ORDER BY rowid \
         LIMIT 3",
        "SELECT replace(printf('%.5000c', 'x'), 'x', 'é') AS long",
        "SELECT description, description AS again FROM products ORDER BY sku",
        "SELECT j.value FROM json_each('[1, 2]') AS j",
        "SELECT name FROM sqlite_master WHERE name = 'orders'",
        "SELECT 9007199254740991 AS a, 9007199254740993 AS b, -9223372036854775808 AS c, '1' AS d, 1.5",
    ] {
        let here = NATIVE.answer(&request("query_database", json!({"sql": sql})))["result"].take();
        let there = read(sql);
        assert!(
            refusal(&here).is_none() && here["structuredContent"] == there["structuredContent"],
            "{sql}:\n{here}\n{there}"
        );
    }
    let wide = |columns: usize| read(&format!("SELECT {}", vec!["1"; columns].join(", ")));
    assert!(refusal(&wide(99)).is_none());
    assert!(refusal(&wide(100)).unwrap().contains("at most 99"));
}

#[test]
fn mistakes_are_explained_by_the_database() {
    let _turn = turn();
    for (sql, word) in [
        ("SELECT nope FROM products", "nope"),
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nope", "nope"),
        ("DELETE FROM activities", "one SELECT"),
        ("SELECT ';'", "char(59)"),
    ] {
        let refused = read(sql);
        let said = refusal(&refused).unwrap_or_else(|| panic!("{sql}: {refused}"));
        assert!(
            said.starts_with("SQLite refused the statement: ") && said.contains(word),
            "{sql}: {said}"
        );
        assert!(
            !said.contains("mcpfn_asked") && !said.contains("at offset"),
            "{sql}: {said}"
        );
    }
}

/// What changes with any change.
fn marks() -> Value {
    let marks = "SELECT (SELECT count(*) FROM activities), (SELECT sum(quantity) FROM stock_levels), (SELECT sum(length(body)) FROM handbook), \
                 (SELECT count(*) FROM sqlite_master), (SELECT sum(length(sql) + rootpage) FROM sqlite_master), \
                 (SELECT count(*) FROM product_search WHERE product_search MATCH 'keyboard')";
    read(marks)["structuredContent"]["rows"][0].take()
}

/// Refused elsewhere because a value would be too large; here values beyond the limit stay in the
/// database, and its printf makes 100,000 characters and no more.
fn is_large(sql: &str) -> bool {
    ["printf(", "replace(hex(", "group_concat(", "string_agg("]
        .iter()
        .any(|function| sql.contains(function))
}

#[test]
fn files_are_in_a_bucket() {
    let _turn = turn();
    let path = "notes/Größe 1.md";
    // what an earlier run left
    ask(
        "move_file",
        json!({"from": "notes/b.md", "to": "notes/a.md", "overwrite": true}),
    );
    let left = ask("read_file", json!({"path": path}))["structuredContent"]["version"].clone();
    let written = ask(
        "write_file",
        json!({"path": path, "content": "# One", "if_version": left}),
    );
    assert_eq!(written["structuredContent"]["size"], 5, "{written}");
    let again = ask("write_file", json!({"path": path, "content": "# Two"}));
    assert!(
        refusal(&again).is_some_and(|said| said.contains("is there already")),
        "{again}"
    );
    let read = ask("read_file", json!({"path": path}));
    assert_eq!(read["structuredContent"]["text"], "# One", "{read}");
    assert_eq!(
        read["structuredContent"]["version"],
        written["structuredContent"]["version"]
    );
    let moved = ask(
        "move_file",
        json!({"from": path, "to": "notes/b.md", "overwrite": true}),
    );
    assert_eq!(moved["structuredContent"]["path"], "notes/b.md", "{moved}");
    let listed =
        ask("list_directory", json!({"path": "notes"}))["structuredContent"]["entries"].take();
    let paths: Vec<&Value> = listed
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| &entry["path"])
        .collect();
    assert!(
        paths.contains(&&json!("notes/b.md")) && !paths.contains(&&json!(path)),
        "{paths:?}"
    );
    for path in ["../x", "/etc/passwd", "notes%2fb.md"] {
        assert!(
            refusal(&ask("read_file", json!({"path": path}))).is_some(),
            "{path}"
        );
    }
    let resource = Worker::named("deployed")
        .send(&Request::modern(
            "resources/read",
            json!({"uri": "file:///notes/b.md"}),
        ))
        .text();
    assert!(resource.contains("# One"), "{resource}");
}

/// What this database has that others do not, and what would get out of the words around a
/// statement.
const D1_ATTACKS: [&str; 26] = [
    "SELECT 1) SELECT 1; DELETE FROM activities --",
    "SELECT 1) SELECT 1; DELETE FROM activities; WITH mcpfn_asked AS (SELECT 1",
    "SELECT * FROM pragma_optimize",
    "SELECT * FROM pragma_optimize(65538)",
    "SELECT * FROM \"PRAGMA_optimize\"(65538)",
    "SELECT * FROM [pragma_Optimize](65538)",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA defer_foreign_keys = ON",
    "PRAGMA case_sensitive_like = ON",
    "PRAGMA optimize",
    "EXPLAIN PRAGMA ignore_check_constraints = ON",
    "EXPLAIN SELECT 1",
    "QUERY PLAN SELECT 1",
    "SELECT 1) DELETE FROM activities /*",
    "SELECT 1) DELETE FROM activities --",
    "SELECT 1) SELECT * FROM mcpfn_asked /*",
    "SELECT 1), gone AS (SELECT 2",
    "SELECT 1) UNION ALL SELECT (2",
    "SELECT description FROM products) /*",
    "SELECT description FROM products /*",
    "SELECT * FROM mcpfn_asked",
    "WITH mcpfn_asked AS (SELECT 1) INSERT INTO handbook SELECT 97, 'x', 'y'",
    "SELECT * FROM _cf_METADATA",
    "SELECT * FROM sqlite_dbpage",
    "CREATE TABLE IF NOT EXISTS products (a)",
    "DROP TABLE IF EXISTS nothing",
];

#[test]
fn attacks_change_nothing_in_d1() {
    let _turn = turn();
    let before = marks();
    assert!(
        before[0].as_i64().is_some_and(|count| count > 0),
        "{before}"
    );
    let mut asked = 0;
    // workerd on this machine runs D1 in the thread that would look at the time (`late` has a
    // database elsewhere); in production D1 stops a statement after some 30 seconds
    for attack in ATTACKS.iter().filter(|attack| !attack.is_slow()) {
        let ended = read(attack.sql);
        let shown = ended.to_string();
        assert!(shown.len() < 90_000, "{}: {}", attack.sql, shown.len());
        if matches!(attack.ends(Dialect::Sqlite), Ends::Refused) && !is_large(attack.sql) {
            assert!(refusal(&ended).is_some(), "{}: {shown}", attack.sql);
        }
        assert_eq!(marks(), before, "{}", attack.sql);
        asked += 1;
    }
    assert!(asked >= 100, "{asked}");
    for sql in D1_ATTACKS {
        let ended = read(sql);
        assert!(refusal(&ended).is_some(), "{sql}: {ended}");
        assert_eq!(marks(), before, "{sql}");
    }
    // PRAGMA optimize would have made this table
    assert!(
        read("SELECT * FROM sqlite_stat1")
            .to_string()
            .contains("no such table"),
        "nothing has been analyzed"
    );
}
