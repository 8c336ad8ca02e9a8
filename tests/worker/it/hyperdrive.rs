//! The deployable server over PostgreSQL, through the Hyperdrive that `wrangler dev` has: every tool of
//! the toolkits that ask a database answers what it answers over PostgreSQL in this process, and SQL that
//! a model wrote changes nothing. The superuser's URL is in `MCPFN_TEST_POSTGRES`.

use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use mcpfn::Server;
use mcpfn::port::{Dialect, Platform, Sql};
use mcpfn_http::{Config, Service};
use mcpfn_sql::Postgres;
use mcpfn_toolkits::knowledge::{self, StoredDocument};
use mcpfn_toolkits::{register, shop};
use serde_json::{Value, json};

use crate::deployed::toolkits::attacks::{ATTACKS, Ends};
use crate::support::in_process::InProcess;
use crate::{Host as _, Request, Worker};

const TOOLKITS: &str = "catalog,database,crm,inventory,sql,knowledge,contracts";

const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/worker/documents");

/// As `crates/xtask/src/worker/hyperdrive.rs` binds them.
const DATABASE: &str = "hyperdrive_shop";
const WRITER: &str = "hyperdrive_writer";
const READER: &str = "hyperdrive_reader";
const PASSWORD: &str = "hunter2-of-the-tests";

/// Takes away what every role may call until it is revoked.
const CLOSE: &str = "DO $$ DECLARE f regprocedure; BEGIN \
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN \
     ('pg_terminate_backend', 'pg_cancel_backend', 'pg_logical_emit_message', 'pg_stat_get_activity', \
      'pg_stat_get_backend_activity') \
    LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f); END LOOP; END $$";

/// The shop on the server, its superuser, and the same toolkits in this process.
struct Native {
    owner: Postgres,
    host: InProcess,
    service: Service,
    platform: Arc<Platform>,
    runtime: tokio::runtime::Runtime,
}

static NATIVE: LazyLock<Native> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (owner, database) = runtime.block_on(shop_on_a_server());
    let server = || {
        register(Server::builder("mcpfn", "1.0.0"), TOOLKITS, &|_| None)
            .expect("these toolkits need no variable")
    };
    let mut config = Config::default();
    config.anonymous = true;
    let platform =
        mcpfn_native::platform(mcpfn_native::new_key()).with_port::<dyn Sql>(Arc::new(database));
    Native {
        owner,
        host: InProcess::new(server),
        service: Service::new(server().build().expect("a server"), config),
        platform: Arc::new(platform),
        runtime,
    }
});

async fn shop_on_a_server() -> (Postgres, Postgres) {
    let url = std::env::var("MCPFN_TEST_POSTGRES")
        .expect("started by `cargo xtask worker`, which sets MCPFN_TEST_POSTGRES");
    let (who, place) = url.rsplit_once('@').expect("a URL with a user");
    let place = place.split('/').next().unwrap_or_default();
    let create = format!("CREATE DATABASE {DATABASE}");
    let admin = Postgres::new(&url).expect("a URL");
    admin.execute(&create, &[]).await.expect("a database");
    let owner = Postgres::new(&format!("{who}@{place}/{DATABASE}")).expect("a URL");
    let statements = shop::statements_for(Dialect::Postgres);
    owner.execute_all(statements).await.expect("the shop");
    fill_documents(&owner).await;
    owner.execute(CLOSE, &[]).await.expect("functions");
    let roles = [
        format!("CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'"),
        format!("CREATE ROLE {WRITER} LOGIN PASSWORD '{PASSWORD}'"),
        format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}, {WRITER}"),
        format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WRITER}"),
    ];
    owner.execute_all(roles).await.expect("two roles");
    let of = |role: &str| format!("postgres://{role}:{PASSWORD}@{place}/{DATABASE}");
    let database = Postgres::new(&of(WRITER)).expect("a URL");
    let database = database.with_reader(&of(READER)).expect("a URL");
    (owner, database)
}

/// The documents that the tests of D1 ask for.
async fn fill_documents(owner: &Postgres) {
    knowledge::prepare(owner)
        .await
        .expect("tables of documents");
    let files = std::fs::read_dir(DOCUMENTS).expect("a folder");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(&file).expect("text");
        let document = StoredDocument::read(&name, &text).expect("a document");
        let added = knowledge::add(owner, &document, None).await;
        added.expect("the document is added");
    }
}

impl Native {
    fn answer(&self, request: &Request) -> Value {
        use http_body_util::BodyExt as _;
        let request = self.host.to_http(request);
        self.wait(async {
            let response = self.service.call(request, &self.platform).await;
            let body = response.into_body().collect().await;
            let body = body.expect("a body").to_bytes();
            serde_json::from_slice(&body).expect("JSON")
        })
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// What changes with any change.
    fn marks(&self) -> Vec<Vec<mcpfn::port::SqlValue>> {
        let sql = "SELECT (SELECT count(*) FROM activities), (SELECT sum(quantity) FROM stock_levels), \
            (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), \
            (SELECT count(*) FROM pg_largeobject_metadata), \
            (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), \
            (SELECT string_agg(rolname || rolsuper, ',' ORDER BY 1) FROM pg_roles)";
        self.wait(self.owner.query(sql, &[], 1))
            .expect("marks")
            .rows
    }
}

fn request(tool: &str, arguments: &Value) -> Request {
    Request::modern("tools/call", json!({"name": tool, "arguments": arguments}))
}

fn ask(tool: &str, arguments: &Value) -> Value {
    LazyLock::force(&NATIVE);
    let answer = Worker::named("hyperdrive").send(&request(tool, arguments));
    answer.json()["result"].take()
}

fn read(sql: &str) -> Value {
    ask("query_database", &json!({"sql": sql}))
}

fn refusal(result: &Value) -> Option<&str> {
    (result["isError"] == true).then(|| result["content"][0]["text"].as_str().unwrap_or_default())
}

#[test]
fn every_tool_answers_as_it_does_over_postgresql_in_a_process() {
    for (tool, arguments) in [
        ("search_products", json!({"query": "headphones"})),
        ("get_product", json!({"product_id": "HDP-1032-MIB"})),
        ("list_tables", json!({})),
        ("describe_table", json!({"name": "products"})),
        ("query_table", json!({"table": "orders", "limit": 5})),
        ("search_customers", json!({"query": "garcia", "limit": 10})),
        ("search_accounts", json!({"query": "hotels", "limit": 10})),
        (
            "get_account_timeline",
            json!({"account_id": "ACC-1003", "limit": 50}),
        ),
        ("get_open_opportunities", json!({"limit": 50})),
        ("get_stock_levels", json!({"limit": 100})),
        (
            "get_sales_velocity",
            json!({"sku": "HDP-1032-MIB", "days": 31}),
        ),
        ("suggest_reorders", json!({"limit": 20})),
        (
            "semantic_search",
            json!({"query": "how long does a party keep a secret?"}),
        ),
        (
            "semantic_search",
            json!({"query": "confidentail informaton"}),
        ),
        ("semantic_search", json!({"query": "zyzzyva"})),
        (
            "search_documents",
            json!({"type": "nda", "party": "acme", "from": "2024-01-01", "to": "2025-12-31"}),
        ),
        ("search_documents", json!({"text": "termination notice"})),
        (
            "extract_clause",
            json!({"document_id": "acme-nda", "clause": "3"}),
        ),
        (
            "extract_clause",
            json!({"document_id": "gone", "clause": "1"}),
        ),
        (
            "query_database",
            json!({"sql": "SELECT status, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1"}),
        ),
        (
            "query_database",
            json!({"sql": "SELECT 1.5 AS a, 'é' AS b, NULL AS c, now() > '2020-01-01'"}),
        ),
        (
            "query_database",
            json!({"sql": "SELECT sku FROM products ORDER BY sku"}),
        ),
        (
            "query_database",
            json!({"sql": "SELECT nope FROM products"}),
        ),
    ] {
        let there = ask(tool, &arguments);
        let here = NATIVE.answer(&request(tool, &arguments))["result"].take();
        let part = match here["structuredContent"].is_null() {
            true => "content",
            false => "structuredContent",
        };
        assert!(
            here["isError"] == there["isError"]
                && !here[part].is_null()
                && here[part] == there[part],
            "{tool} {arguments}:\n{here}\n{there}"
        );
    }
}

#[test]
fn attacks_change_nothing_and_what_is_written_stays() {
    LazyLock::force(&NATIVE);
    let before = NATIVE.marks();
    let mut asked = 0;
    for attack in ATTACKS.iter().filter(|attack| !attack.is_slow()) {
        let sql = attack.sql.replace("FOLDER", "/tmp");
        let sql = sql.replace("READER", READER).replace("WRITER", WRITER);
        let ended = read(&sql);
        let shown = ended.to_string();
        let is_safe = shown.len() < 90_000 && !shown.contains(PASSWORD);
        assert!(is_safe && !shown.contains("root:x:0"), "{sql}: {shown}");
        let refused = refusal(&ended).is_some() || ended.is_null();
        match attack.ends(Dialect::Postgres) {
            Ends::Refused => assert!(refused, "{sql}: {shown}"),
            // by a role that may call what the operator has accepted
            Ends::Harmless if sql.contains("sneak") || sql.contains("ticket") => {}
            Ends::Harmless => assert!(!refused, "{sql}: {shown}"),
        }
        assert_eq!(NATIVE.marks(), before, "{sql}");
        let state = read(
            "SELECT current_user, current_setting('transaction_read_only'), \
             current_setting('statement_timeout'), current_setting('TimeZone'), \
             (SELECT count(*) FROM pg_prepared_statements)",
        );
        assert_eq!(
            state["structuredContent"]["rows"],
            json!([[READER, "on", "3s", "UTC", 0]]),
            "after {sql}: {state}"
        );
        asked += 1;
    }
    assert!(asked > 80, "{asked}");
    let started = Instant::now();
    let slow = read("SELECT pg_sleep(9)");
    assert!(refusal(&slow).is_some(), "{slow}");
    assert!(
        started.elapsed() < Duration::from_secs(7),
        "{:?}",
        started.elapsed()
    );

    let note = "They said: 'yes', \"now\"; DROP TABLE activities; -- ½";
    let activity = json!({"account_id": "acc-1003", "kind": "call", "note": note});
    let logged = ask("create_activity_log", &activity);
    assert_eq!(refusal(&logged), None, "{logged}");
    let found = "SELECT count(*) FROM activities WHERE note = ?1";
    let rows = NATIVE.wait(NATIVE.owner.query(found, &[note.into()], 1));
    assert_eq!(rows.expect("an answer").rows, [[1.into()]]);
    // every stream was closed
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE usename IN (?1, ?2) AND state <> 'idle'";
    let roles = [READER.into(), WRITER.into()];
    let rows = NATIVE.wait(NATIVE.owner.query(open, &roles, 1));
    assert_eq!(rows.expect("an answer").rows, [[0.into()]]);
}

/// What it costs, as a figure in the log; nothing fails by it.
#[test]
fn questions_are_timed() {
    let mut times: Vec<Duration> = (0..30)
        .map(|_| {
            let started = Instant::now();
            ask("get_product", &json!({"product_id": "HDP-1032-MIB"}));
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!(
        "a call over Hyperdrive of wrangler dev takes {:?} (median of 30)",
        times[15]
    );
}
