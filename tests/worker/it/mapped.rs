//! The toolkit `crm` of the deployed server over tables of one's own in D1, under `wrangler dev`: it
//! answers what it answers over the same tables in SQLite in this process, and writes its log there.

use std::sync::Arc;

use mcpfn::Server;
use mcpfn::port::Sql;
use mcpfn_sql::Sqlite;
use mcpfn_testing::TestClient;
use mcpfn_toolkits::{MAPPING, register};
use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};

const TABLES: &str = include_str!("../../../crates/toolkits/tests/mapped/tables.sql");
const MAPPED: &str = include_str!("../../../crates/toolkits/tests/mapped/writing.json");

/// The same tables in this process, and what drives them.
struct Native {
    client: TestClient,
    runtime: tokio::runtime::Runtime,
}

impl Native {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let database = Sqlite::memory().expect("a database in memory");
        let statements = TABLES.split_terminator(";\n").map(str::to_owned);
        runtime
            .block_on(database.execute_all(statements))
            .expect("the tables are made");
        let mapping = |name: &str| (name == MAPPING).then(|| MAPPED.to_owned());
        let builder = register(Server::builder("mcpfn", "1.0.0"), "crm", &mapping);
        let client = TestClient::new(builder.expect("a mapping without mistakes"));
        Self {
            client: client.with_port::<dyn Sql>(Arc::new(database)),
            runtime,
        }
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        let asked = async { self.client.request(method, params).await };
        self.runtime.block_on(asked).expect("a result")
    }
}

fn there(method: &str, params: Value) -> Value {
    let request = Request::modern(method, params);
    Worker::named("mapped").send(&request).json()["result"].take()
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({"name": tool, "arguments": arguments})
}

#[test]
fn tables_of_ones_own_are_answered_from_and_written_to_as_over_sqlite() {
    let native = Native::new();
    let names = |listed: &Value| -> Vec<String> {
        let tools = listed["tools"].as_array().expect("tools").iter();
        tools.map(|tool| tool["name"].to_string()).collect()
    };
    assert_eq!(
        names(&there("tools/list", json!({}))),
        names(&native.ask("tools/list", json!({}))),
        "what is not mapped is served on neither"
    );
    for (tool, arguments) in [
        ("search_accounts", json!({"query": "rockets"})),
        ("search_accounts", json!({"query": "gone"})),
        ("get_account_timeline", json!({"account_id": "acme"})),
        ("get_account_timeline", json!({"account_id": "ACME"})),
        ("get_open_opportunities", json!({})),
        (
            "create_activity_log",
            json!({"account_id": "gone", "kind": "call", "note": "x"}),
        ),
    ] {
        let there = there("tools/call", call(tool, &arguments));
        let here = native.ask("tools/call", call(tool, &arguments));
        let part = match here["structuredContent"].is_null() {
            true => "content",
            false => "structuredContent",
        };
        assert!(!here[part].is_null(), "{tool} {arguments}: {here}");
        assert_eq!(here["isError"], there["isError"], "{tool} {arguments}");
        assert_eq!(here[part], there[part], "{tool} {arguments}");
    }
    let note = "They said: 'yes'); DROP TABLE note; -- ½";
    let written = json!({"account_id": "acme", "kind": "call", "note": note});
    let written = there("tools/call", call("create_activity_log", &written));
    assert_ne!(written["isError"], true, "{written}");
    let timeline = json!({"account_id": "acme", "limit": 1});
    let timeline = there("tools/call", call("get_account_timeline", &timeline));
    let event = &timeline["structuredContent"]["events"][0];
    assert_eq!(
        (&event["kind"], &event["text"]),
        (&json!("call"), &json!(note)),
        "{timeline}"
    );
}
