//! `crm` and `inventory` over other people's tables: the sample databases Northwind and Chinook, a
//! small one that is written to, and every mistake of a mapping.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_ports::{Sql, SqlValue};
use mcpfn_toolkits::{Mapping, Mistakes};
use serde_json::{Value, json};

use crate::databases::loaded;
use crate::support::Client;
use crate::wait::wait;

const NORTHWIND: (&str, &str) = (
    include_str!("../mapped/northwind.sql"),
    include_str!("../mapped/northwind.json"),
);
const CHINOOK: (&str, &str) = (
    include_str!("../mapped/chinook.sql"),
    include_str!("../mapped/chinook.json"),
);
const TABLES: &str = include_str!("../mapped/tables.sql");

/// A log that is written to, and deals with words of their own.
const WRITING: &str = include_str!("../mapped/writing.json");

fn client((script, mapping): (&str, &str), toolkits: &str) -> Client {
    let database = loaded(script);
    let checked = Mapping::parse(mapping).unwrap();
    wait(checked.check(&*database)).unwrap();
    Client::mapped(database, toolkits, mapping).unwrap()
}

fn tools(client: &Client) -> Vec<String> {
    let listed = client.ask("tools/list", json!({})).unwrap();
    let tools = listed["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn northwind_answers_a_timeline() {
    let client = client(NORTHWIND, "crm,inventory");
    let found = client.call("search_accounts", json!({"query": "alfreds"}));
    let account = &found.unwrap()["accounts"][0];
    assert_eq!(
        (&account["id"], &account["city"], &account["industry"]),
        (&json!("ALFKI"), &json!("Berlin"), &json!("food trade"))
    );
    let timeline = client.call("get_account_timeline", json!({"account_id": "ALFKI"}));
    let timeline = timeline.unwrap();
    assert_eq!(timeline["name"], "Alfreds Futterkiste");
    assert_eq!(
        timeline["contacts"],
        json!([{"name": "Maria Anders", "email": "", "role": "Sales Representative"}])
    );
    assert_eq!(
        timeline["events"][0],
        json!({"at": "1998-04-09T00:00:00Z", "kind": "order shipped", "text": "Order 11011 by Maria Anders", "amount": 933.5})
    );
    let customers = client.call("search_customers", json!({"query": "anders berlin"}));
    let customer = customers.unwrap()["customers"][0].take();
    assert_eq!(
        (&customer["id"], &customer["account_id"]),
        (&json!("ALFKI"), &json!("ALFKI"))
    );
    assert!(customer["orders"].as_i64() >= Some(2) && customer["spent"].as_f64() > Some(933.5));
    let missing = client.call("get_account_timeline", json!({"account_id": "alfki"}));
    assert!(missing.unwrap_err().contains("There is no account 'alfki'"));
}

#[test]
fn northwind_answers_what_to_order() {
    let client = client(NORTHWIND, "crm,inventory");
    let reorders = client.call("suggest_reorders", json!({})).unwrap();
    assert!(reorders["total"].as_i64() > Some(0), "{reorders}");
    let first = &reorders["suggestions"][0];
    assert_eq!(
        (&first["warehouse"], &first["lead_time_days"]),
        (&json!("MAIN"), &json!(14))
    );
    let sku = first["sku"].as_str().unwrap();
    let velocity = client
        .call("get_sales_velocity", json!({"sku": sku}))
        .unwrap();
    assert_eq!(velocity["product"], first["product"]);
    assert_eq!(velocity["to"], "1998-05-06");
    let levels = client.call(
        "get_stock_levels",
        json!({"sku": "2", "warehouse": "seattle"}),
    );
    assert_eq!(
        levels.unwrap()["levels"],
        json!([{"sku": "2", "product": "Chang", "warehouse": "MAIN", "quantity": 17, "reorder_point": 25, "on_order": 40}])
    );
    let lead = client
        .call("get_lead_time", json!({"supplier_or_sku": "tokyo"}))
        .unwrap();
    assert_eq!(
        (
            &lead["suppliers"][0]["supplier"],
            &lead["suppliers"][0]["open_orders"]
        ),
        (&json!("Tokyo Traders"), &json!(1))
    );
    let missing = client.call("get_stock_levels", json!({"sku": "no"}));
    assert!(
        missing
            .unwrap_err()
            .ends_with("Use `get_stock_levels` to find SKUs.")
    );
}

#[test]
fn what_is_not_mapped_is_not_served() {
    let client = client(NORTHWIND, "crm,inventory");
    let tools = tools(&client);
    let expected = [
        "search_customers",
        "search_accounts",
        "get_account_timeline",
        "get_stock_levels",
        "get_sales_velocity",
        "get_lead_time",
        "suggest_reorders",
    ];
    assert_eq!(tools, expected);
    let prompts = client.ask("prompts/list", json!({})).unwrap();
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 1, "{prompts}");
    let review = client.ask(
        "prompts/get",
        json!({"name": "reorder_review", "arguments": {}}),
    );
    let review = review.unwrap().to_string();
    assert!(review.contains("MAIN") && !review.contains("draft_purchase_order"));
    let discovery = client.ask("server/discover", json!({})).unwrap();
    let told = discovery["instructions"].as_str().unwrap();
    for tool in [
        "create_activity_log",
        "draft_purchase_order",
        "get_open_opportunities",
    ] {
        assert!(!told.contains(tool), "{tool}: {told}");
    }
    let resources = client.ask("resources/list", json!({})).unwrap();
    for resource in resources["resources"].as_array().unwrap() {
        let uri = resource["uri"].as_str().unwrap();
        let is_of_toolkits = uri.starts_with("skill://") || uri.starts_with("ui://");
        assert!(is_of_toolkits, "{resources}");
    }
    let codes = client.complete(
        json!({"type": "ref/prompt", "name": "reorder_review"}),
        "warehouse",
        "ma",
    );
    assert_eq!(codes, ["MAIN"]);
}

#[test]
fn chinook_has_customers_with_numbers() {
    let client = client(CHINOOK, "crm");
    assert_eq!(
        tools(&client),
        [
            "search_customers",
            "search_accounts",
            "get_account_timeline"
        ]
    );
    let found = client.call("search_customers", json!({"query": "gonçalves"}));
    let found = found.unwrap();
    assert_eq!(
        found["customers"][0],
        json!({"id": 1, "name": "Luís Gonçalves", "email": "luisg@embraer.com.br", "city": "São José dos Campos",
            "country": "Brazil", "customer_since": "", "orders": 7, "spent": 39.62, "account_id": "1"})
    );
    let timeline = client.call(
        "get_account_timeline",
        json!({"account_id": "1", "limit": 2}),
    );
    let timeline = timeline.unwrap();
    assert_eq!(
        (&timeline["owner"], &timeline["events"][0]["kind"]),
        (&json!("Jane Peacock"), &json!("order paid"))
    );
    assert!(timeline["note"].as_str().unwrap().contains("older ones"));
    let none = client.call(
        "search_accounts",
        json!({"query": "no company", "limit": 1}),
    );
    assert!(none.unwrap()["total"].as_i64() > Some(1));
}

#[test]
fn a_log_of_ones_own_is_written() {
    let database = loaded(TABLES);
    let client = Client::mapped(Arc::clone(&database), "crm", WRITING).unwrap();
    let note = json!({"account_id": "acme", "kind": "call", "note": "'); DROP TABLE note; --"});
    let written = client.call("create_activity_log", note).unwrap();
    let kept = wait(database.query(
        "SELECT id, company_code, kind, body, seen FROM note",
        &[],
        9,
    ));
    let kept = kept.unwrap().rows;
    assert_eq!(kept.len(), 1);
    let id = written["id"].as_str().unwrap();
    assert_eq!(
        kept[0],
        [id, "acme", "call", "'); DROP TABLE note; --"]
            .map(SqlValue::from)
            .into_iter()
            .chain([SqlValue::Integer(0)])
            .collect::<Vec<_>>()
    );
    let timeline = client.call("get_account_timeline", json!({"account_id": "acme"}));
    let timeline = timeline.unwrap();
    let kinds: Vec<&str> = timeline["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["call", "opportunity opened", "opportunity opened", "won"]
    );
    assert_eq!(timeline["name"], "Acme \"Rockets\"; Ltd");
    let open = client.call("get_open_opportunities", json!({})).unwrap();
    assert_eq!(
        (&open["total"], &open["total_amount"]),
        (&json!(1), &json!(1.0))
    );
    let gone = json!({"account_id": "gone", "kind": "call", "note": "x"});
    assert!(
        client
            .call("create_activity_log", gone)
            .unwrap_err()
            .contains("no account")
    );
    let found = client
        .call("search_accounts", json!({"query": "acme"}))
        .unwrap();
    let account = &found["accounts"][0];
    assert_eq!(account["since"], "1970-01-01");
    assert_eq!(account["industry"], "'; DROP TABLE note; --");
}

#[test]
fn a_key_that_the_database_makes_is_left_to_it() {
    let numbered = "CREATE TABLE company (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n\n\
        INSERT INTO company VALUES (7, 'Acme');\n\n\
        CREATE TABLE note (id INTEGER PRIMARY KEY /* by itself */, company INTEGER NOT NULL, kind TEXT, body TEXT, at DATETIME);\n";
    let mapping = r#"{"accounts": {"from": "company", "columns": {"id": "id", "name": "name"}},
      "activities": {"from": "note", "write": true, "columns": {"id": "id", "account_id": "company", "kind": "kind",
        "note": "body", "happened_at": "at"}}}"#;
    let client = client((numbered, mapping), "crm");
    let note = json!({"account_id": "7", "kind": "note", "note": "Hello."});
    let written = client.call("create_activity_log", note).unwrap();
    assert_eq!(written["id"], "1");
    let timeline = client.call("get_account_timeline", json!({"account_id": "7"}));
    assert_eq!(timeline.unwrap()["events"][0]["text"], "Hello.");
}

/// What is wrong with a mapping: without a database, or with that of `tables.sql`.
fn mistakes(text: &str, schema: Option<&Arc<dyn Sql>>) -> Result<(), Mistakes> {
    let mapping = Mapping::parse(text)?;
    match schema {
        Some(database) => wait(mapping.check(&**database)),
        None => Ok(()),
    }
}

#[test]
fn every_mistake_is_a_sentence() {
    let database = loaded(TABLES);
    let fixtures: Vec<Value> =
        serde_json::from_str(include_str!("../mapped/mistakes.json")).unwrap();
    assert!(fixtures.len() > 40);
    for fixture in fixtures {
        let about = &fixture["about"];
        let text = match fixture["text"].as_str() {
            Some(text) => text.to_owned(),
            None => fixture["mapping"].to_string(),
        };
        let database = fixture["schema"].as_bool().map(|_| &database);
        let said = mistakes(&text, database)
            .expect_err(&about.to_string())
            .to_string();
        for sentence in fixture["says"].as_array().unwrap() {
            let sentence = sentence.as_str().unwrap();
            // PostgreSQL calls its types by other names
            let sentence = sentence.replace("is BLOB", "is BYTEA").to_lowercase();
            let said = said.to_lowercase().replace("is blob", "is bytea");
            assert!(said.contains(&sentence), "{about}: {said}");
        }
        assert!(!said.contains('\u{1}') && !said.ends_with('.'), "{said}");
    }
}

#[test]
fn a_toolkit_without_tables_is_a_mistake() {
    let (script, mapping) = CHINOOK;
    let served = Client::mapped(loaded(script), "crm,inventory", mapping);
    let said = served.map(drop).unwrap_err();
    assert!(
        said.contains("the toolkit `inventory` has no tables; map"),
        "{said}"
    );
}

#[test]
fn a_schema_that_changed_is_told_at_the_first_call() {
    let (_, mapping) = CHINOOK;
    let client = Client::mapped(loaded(TABLES), "crm", mapping).unwrap();
    let said = client
        .call("search_accounts", json!({"query": "acme"}))
        .unwrap_err();
    assert!(
        said.contains("not as this server's settings expect"),
        "{said}"
    );
    let logged = client.logged().join("\n");
    assert!(
        logged.contains("MCPFN_MAPPING: accounts: there is no table `Customer`"),
        "{logged}"
    );
}

/// Chinook with 50,000 invoices of 5,000 customers.
#[test]
fn fifty_thousand_rows_are_answered_in_time() {
    let (script, mapping) = CHINOOK;
    let numbers = |most: u32| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"
        )
    };
    let many = format!(
        "{script}\n{} INSERT INTO \"Customer\" (\"CustomerId\", \"FirstName\", \"LastName\", \"Email\", \
         \"City\", \"SupportRepId\") SELECT i, 'Ada', 'Number ' || i, 'a' || i || '@example.com', 'Oslo', 3 FROM n;\n\
         {} INSERT INTO \"Invoice\" (\"InvoiceId\", \"CustomerId\", \"InvoiceDate\", \"Total\") \
         SELECT i, 1000 + i % 5000, '2025-01-02', 9.99 FROM n;\n\
         CREATE INDEX invoices_by_customer ON \"Invoice\" (\"CustomerId\");\n",
        numbers(5999),
        numbers(50_999)
    );
    let client = client((&many, mapping), "crm");
    for (tool, arguments) in [
        (
            "search_customers",
            json!({"query": "number 42", "limit": 10}),
        ),
        ("search_accounts", json!({"query": "oslo", "limit": 10})),
        ("get_account_timeline", json!({"account_id": "1142"})),
    ] {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..40 {
            let started = Instant::now();
            client.call(tool, arguments.clone()).unwrap();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!(
            "{tool} over 50,000 rows: p50 {:?} p95 {:?}",
            times[20], times[38]
        );
        assert!(
            times[20] < Duration::from_millis(500),
            "{tool}: {:?}",
            times[20]
        );
    }
}
