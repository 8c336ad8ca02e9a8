//! The most memory that a call takes, on the server as it is configured for every host: below eight
//! times its body and 16 MB, whatever is in the body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod upstreams;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use mcpfn_core::{Builder, JsonObject, Principal, Server, Tool};
use mcpfn_http::{Config, Service};
use mcpfn_it::bodies::hostile_bodies;
use mcpfn_memory::Counting;
use mcpfn_ports::Sql;
use mcpfn_sql::Sqlite;
use mcpfn_testing::{TestClient, block_on};
use mcpfn_toolkits::{defaults, register, shop};
use serde_json::json;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// One test at a time: the allocator counts for all.
static ALONE: Mutex<()> = Mutex::new(());

/// What a call may take beside eight times its body.
const BESIDE: usize = 16_000_000;

/// The largest body of any host.
const LARGEST: usize = 4 * 1024 * 1024;

/// Every toolkit that needs no setting, and tools that take any arguments, with each policy that
/// keeps some of them.
fn server() -> Builder {
    let names: Vec<&str> = defaults().chain(["sql"]).collect();
    register(Server::builder("ready", "0.0.0"), &names.join(","), &|_| {
        None
    })
    .expect("the settings are right")
    .tool(
        Tool::new("cached")
            .description("Takes anything.")
            .input_schema(json!({"type": "object"}))
            .read_only()
            .cache(Duration::from_secs(60))
            .handler(|_: JsonObject| async { "taken" }),
    )
}

/// Sends bodies of a corpus, and fails for all that take too much.
fn check(tool: &str, bytes: usize, parts: usize) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let client = TestClient::new(server());
    let platform = Arc::clone(client.platform());
    let mut config = Config::default();
    config.max_body = LARGEST;
    let service = Service::new(client.server().clone(), config);
    let (mut over, mut statuses, mut most) = (Vec::new(), Vec::new(), (0.0, String::new()));
    for hostile in hostile_bodies(tool, bytes, parts) {
        let size = hostile.body.len();
        let revision = match hostile.modern {
            true => "2026-07-28",
            false => "2025-03-26",
        };
        let (status, peak) = MEMORY.peak_of(|| {
            let body = Full::new(Bytes::copy_from_slice(hostile.body.as_bytes()));
            let mut request = Request::post("/mcp")
                .header("content-type", "application/json")
                .header("mcp-protocol-version", revision)
                .header("mcp-method", "tools/call")
                .header("mcp-name", tool)
                .body(body)
                .expect("a request");
            request.extensions_mut().insert(Principal::local());
            let response = block_on(service.call(request, &platform));
            let status = response.status().as_u16();
            let body = block_on(response.into_body().collect());
            assert!(
                !body.expect("a body").to_bytes().is_empty(),
                "{}",
                hostile.name
            );
            status
        });
        statuses.push(status);
        let share = peak as f64 / (size * 8 + BESIDE) as f64;
        if share > most.0 {
            most = (share, format!("{}: {peak} bytes", hostile.name));
        }
        if share > 1.0 {
            over.push(format!("{}: {peak} bytes ({status})", hostile.name));
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    let (share, name) = most;
    println!("{tool}: {statuses:?}, at most {share:.2} of the bound: {name}");
    assert!(
        over.is_empty(),
        "these take more than 8 times their body and {BESIDE} bytes: {over:#?}"
    );
}

#[test]
fn of_the_largest_bodies() {
    for tool in ["cached", "query_table", "nothing"] {
        check(tool, LARGEST, usize::MAX);
    }
}

#[test]
fn of_bodies_with_nearly_as_many_values_as_may_be() {
    for parts in [
        99_000, 49_000, 33_000, 24_000, 16_600, 8_300, 1_600, 330, 270,
    ] {
        check("cached", LARGEST, parts);
    }
}

/// The demo shop with cells of two megabytes, in a table of their own and where the toolkits show
/// free text.
fn large_cells() -> Sqlite {
    let database = Sqlite::memory().expect("SQLite is linked");
    let text = "printf('%.*c', 1000000, 'é')";
    let more = [
        "CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT, data BLOB, cut TEXT, note TEXT)"
            .to_owned(),
        format!(
            "INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) \
             SELECT i, {text}, zeroblob(2000000), 'a' || char(0) || {text}, {text} FROM n"
        ),
        "INSERT INTO activities SELECT 'large' || id, (SELECT min(id) FROM accounts), 'note', text, \
             '2026-01-01T00:00:00Z', 'a' FROM large"
                .to_owned(),
        format!("UPDATE products SET description = {text} WHERE number < 40"),
        format!("UPDATE opportunities SET title = {text} WHERE rowid < 20"),
        format!("UPDATE accounts SET owner = {text} WHERE rowid < 20"),
    ];
    let statements = shop::statements().into_iter().chain(more);
    block_on(database.execute_all(statements)).expect("the shop can be changed");
    database
}

#[test]
fn of_rows_with_large_cells() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let database: Arc<dyn Sql> = Arc::new(large_cells());
    let account = block_on(database.query("SELECT min(id) FROM accounts", &[], 1));
    let account = account.expect("a shop").rows[0][0].clone().into_json();
    let product = block_on(database.query("SELECT sku FROM products WHERE number = 1", &[], 1));
    let product = product.expect("a shop").rows[0][0].clone().into_json();
    let client = TestClient::new(server()).with_port::<dyn Sql>(database);
    let calls = [
        ("query_table", json!({"table": "large", "limit": 1})),
        ("query_table", json!({"table": "large", "limit": 100})),
        (
            "query_table",
            json!({"table": "large", "limit": 100, "order_by": [{"column": "text", "direction": "desc"}]}),
        ),
        (
            "query_table",
            json!({"table": "activities", "limit": 100, "order_by": [{"column": "id", "direction": "desc"}]}),
        ),
        ("query_table", json!({"table": "products", "limit": 100})),
        ("query_database", json!({"sql": "SELECT * FROM large"})),
        (
            "get_account_timeline",
            json!({"account_id": account, "limit": 50}),
        ),
        ("get_open_opportunities", json!({"limit": 50})),
        ("search_accounts", json!({"query": "an", "limit": 10})),
        ("get_product", json!({"product_id": product})),
        (
            "search_products",
            json!({"query": "keyboard", "limit": 100}),
        ),
    ];
    let mut over = Vec::new();
    for (tool, arguments) in calls {
        let (answer, peak) = MEMORY.peak_of(|| client.call(tool, arguments.clone()).wait());
        let answer = answer.expect("a result");
        println!("{tool} {arguments}: {peak} bytes");
        // whole rows of megabytes are more than a statement of a model's own may read
        let refused = arguments["sql"] == "SELECT * FROM large";
        assert_eq!(answer.is_error(), refused, "{}", answer.text());
        if peak > BESIDE {
            over.push(format!("{tool} {arguments}: {peak} bytes"));
        }
    }
    let (_, peak) = MEMORY.peak_of(|| client.read("database://table/large").wait());
    if peak > BESIDE {
        over.push(format!("database://table/large: {peak} bytes"));
    }
    assert!(
        over.is_empty(),
        "these take more than {BESIDE} bytes: {over:#?}"
    );
}
