//! Events of the toolkits: what becomes one and what not, once, in order, for whom; and the settings
//! that switch them on.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::port::HttpClient;
use mcpfn_core::{Principal, PrincipalKind, Scopes, Server};
use mcpfn_ports::Sql;
use mcpfn_testing::{TestClient, TestHttp};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::databases;
use crate::wait::wait;

const NOW_MS: u64 = 1_793_000_000_000;
const SECOND: Duration = Duration::from_secs(1);

struct World {
    client: TestClient,
    database: Arc<dyn Sql>,
    receiver: TestHttp,
}

impl World {
    fn new(toolkits: &str, variables: &[(&str, &str)], database: Arc<dyn Sql>) -> Self {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let builder = Server::builder("toolkits", "0.0.0");
        let builder = register(builder, toolkits, &variable).unwrap();
        let receiver = TestHttp::new(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let challenge = json!({"challenge": body["challenge"]});
            Ok(TestHttp::json(200, challenge.to_string()))
        });
        let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
        let client = TestClient::new(builder)
            .principal(alice)
            .with_port::<dyn Sql>(Arc::clone(&database))
            .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
        client.time().set_ms(NOW_MS);
        Self {
            client,
            database,
            receiver,
        }
    }

    fn shop() -> Self {
        let toolkits = "crm,inventory,database";
        let variables = [("MCPFN_EVENTS", "on"), ("MCPFN_EVENT_TABLES", "orders:id")];
        Self::new(toolkits, &variables, databases::writing())
    }

    fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let asked = wait(self.client.request(method, params).into_future());
        asked.map_err(|error| error.to_json())
    }

    fn execute(&self, sql: &str) {
        wait(self.database.execute(sql, &[])).unwrap();
    }

    fn listed(&self) -> Vec<String> {
        let listed = self.ask("events/list", json!({})).unwrap();
        let events = listed["events"].as_array().unwrap().iter();
        events
            .map(|event| event["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What is behind a cursor, which is moved.
    fn poll(&self, event: &str, arguments: &Value, cursor: &mut Value) -> Vec<Value> {
        let params = json!({"name": event, "arguments": arguments, "cursor": cursor});
        let mut page = self.ask("events/poll", params).unwrap();
        assert_eq!(page["truncated"], false, "{page}");
        *cursor = page["cursor"].take();
        page["events"].as_array().unwrap().clone()
    }

    fn log(&self, account: &str, kind: &str, note: &str) {
        let arguments = json!({"account_id": account, "kind": kind, "note": note});
        let params = json!({"name": "create_activity_log", "arguments": arguments});
        let result = self.ask("tools/call", params).unwrap();
        assert_ne!(result["isError"], true, "{result}");
    }

    fn stock(&self, low: bool) {
        let quantity = if low {
            "reorder_point"
        } else {
            "reorder_point + 50"
        };
        self.execute(&format!(
            "UPDATE stock_levels SET quantity = {quantity} WHERE warehouse_id = 1 AND sku IN \
             (SELECT min(sku) FROM stock_levels WHERE warehouse_id = 1)"
        ));
    }
}

fn members<'a>(events: &'a [Value], pointer: &str) -> Vec<&'a Value> {
    let found = events.iter().map(|event| event.pointer(pointer).unwrap());
    found.collect()
}

#[test]
fn an_entry_is_heard_of_once_whoever_wrote_it() {
    let world = World::shop();
    let (event, all) = ("crm.activity_created", json!({}));
    let (mut of_all, mut calls) = (Value::Null, Value::Null);
    let chosen = json!({"account_id": "ACC-1001", "kind": "call"});
    assert!(world.poll(event, &all, &mut of_all).is_empty());
    assert!(world.poll(event, &chosen, &mut calls).is_empty());
    world.client.time().advance(SECOND);
    world.log("ACC-1001", "call", "Wants 200 chairs.");
    world.log("ACC-1002", "call", "Wants none.");
    // another program, in the same second
    world.execute(
        "INSERT INTO activities (id, account_id, kind, note, happened_at, author) VALUES \
         ('A.1', 'ACC-1001', 'note', 'By hand.', '2026-10-26T07:33:21Z', 'Ann')",
    );
    // a second that is not over may get another entry with a smaller id
    assert!(world.poll(event, &all, &mut of_all).is_empty());
    world.client.time().advance(3 * SECOND);
    let heard = world.poll(event, &all, &mut of_all);
    assert_eq!(heard.len(), 3, "{heard:?}");
    let by_hand = heard.iter().find(|it| it["data"]["note"] == "By hand.");
    let by_hand = by_hand.unwrap();
    assert_eq!(by_hand["timestamp"], "2026-10-26T07:33:21.000Z");
    assert_eq!(by_hand["data"]["author"], "Ann");
    assert!(
        by_hand["eventId"]
            .as_str()
            .unwrap()
            .starts_with("activity--")
    );
    assert!(world.poll(event, &all, &mut of_all).is_empty());
    let heard = world.poll(event, &chosen, &mut calls);
    assert_eq!(members(&heard, "/data/note"), ["Wants 200 chairs."]);
}

#[test]
fn stock_is_low_once_and_again_after_it_was_not() {
    let world = World::shop();
    world.execute("UPDATE stock_levels SET quantity = reorder_point + 1");
    let (event, all, mut cursor) = ("stock.low", json!({}), Value::Null);
    // what is low at the beginning is no news
    assert!(world.poll(event, &all, &mut cursor).is_empty());
    assert!(world.poll(event, &all, &mut cursor).is_empty());
    world.stock(true);
    let first = world.poll(event, &all, &mut cursor);
    assert_eq!(first.len(), 1, "{first:?}");
    let data = &first[0]["data"];
    assert_eq!(data["quantity"], data["reorder_point"]);
    assert!(data["sku"].is_string() && data["product"].is_string());
    assert!(
        world.poll(event, &all, &mut cursor).is_empty(),
        "not each time"
    );
    world.stock(false);
    assert!(world.poll(event, &all, &mut cursor).is_empty());
    world.client.time().advance(3_600 * SECOND);
    world.stock(true);
    let again = world.poll(event, &all, &mut cursor);
    assert_eq!(again.len(), 1);
    assert_ne!(again[0]["eventId"], first[0]["eventId"]);
    // of one warehouse
    let chosen = json!({"warehouse": data["warehouse"]});
    let mut of_one = Value::Null;
    world.stock(false);
    assert!(world.poll(event, &chosen, &mut of_one).is_empty());
    world.stock(true);
    assert_eq!(world.poll(event, &chosen, &mut of_one).len(), 1);
}

#[test]
fn more_low_levels_than_are_watched_are_said_to_be_cut() {
    let world = World::shop();
    world.execute("UPDATE stock_levels SET quantity = reorder_point");
    let begun = world
        .ask("events/poll", json!({"name": "stock.low"}))
        .unwrap();
    // who begins misses nothing
    assert_eq!(begun["truncated"], false);
    assert!(begun["cursor"].as_str().unwrap().len() < 8 * 1024);
    let next = json!({"name": "stock.low", "cursor": begun["cursor"]});
    let next = world.ask("events/poll", next).unwrap();
    assert_eq!(next["truncated"], true);
    assert_eq!(next["events"], json!([]));
}

#[test]
fn many_levels_come_a_page_at_a_time_each_once() {
    let world = World::shop();
    world.execute("UPDATE stock_levels SET quantity = reorder_point + 1");
    let mut cursor = Value::Null;
    assert!(world.poll("stock.low", &json!({}), &mut cursor).is_empty());
    world.execute(
        "UPDATE stock_levels SET quantity = reorder_point WHERE warehouse_id = 1 AND sku IN \
         (SELECT sku FROM stock_levels WHERE warehouse_id = 1 ORDER BY sku LIMIT 250)",
    );
    let mut ids = std::collections::BTreeSet::new();
    let mut pages = Vec::new();
    loop {
        let heard = world.poll("stock.low", &json!({}), &mut cursor);
        if heard.is_empty() {
            break;
        }
        pages.push(heard.len());
        ids.extend(heard.into_iter().map(|it| it["eventId"].to_string()));
    }
    assert_eq!((pages, ids.len()), (vec![100, 100, 50], 250));
}

#[test]
fn a_row_that_is_added_is_an_event_of_its_table() {
    let world = World::shop();
    let (event, all, mut cursor) = ("orders.row_added", json!({}), Value::Null);
    assert!(world.poll(event, &all, &mut cursor).is_empty());
    world.execute(
        "INSERT INTO orders (id, customer_id, placed_at, status, total_cents, currency) VALUES \
         (9000001, 1, '2026-10-26T07:33:20Z', 'paid', 4200, 'USD'), \
         (9000002, 1, '2026-10-26T07:33:20Z', 'paid', 100, 'USD')",
    );
    // on PostgreSQL, at the second look
    let mut heard = world.poll(event, &all, &mut cursor);
    heard.extend(world.poll(event, &all, &mut cursor));
    assert_eq!(members(&heard, "/data/key"), [9_000_001, 9_000_002]);
    assert_eq!(heard[0]["data"]["row"]["total_cents"], 4200);
    assert_eq!(heard[0]["eventId"], "orders-9000001");
    assert!(world.poll(event, &all, &mut cursor).is_empty());
}

#[test]
fn columns_that_are_not_shown_are_in_no_event() {
    let database = databases::writing();
    for (variables, has_total) in [
        (vec![("MCPFN_EVENT_TABLES", "orders:id")], true),
        (
            vec![
                ("MCPFN_EVENT_TABLES", "orders:id"),
                ("MCPFN_DATABASE_TABLES", "orders(id,status)"),
            ],
            false,
        ),
    ] {
        let world = World::new("database", &variables, Arc::clone(&database));
        let mut cursor = Value::Null;
        let begun = world.poll("orders.row_added", &json!({}), &mut cursor);
        assert!(begun.is_empty());
        world.execute(
            "INSERT INTO orders (id, customer_id, placed_at, status, total_cents, currency) \
             SELECT max(id) + 1, 1, '2026-10-26T07:33:20Z', 'paid', 4200, 'USD' FROM orders",
        );
        let mut heard = world.poll("orders.row_added", &json!({}), &mut cursor);
        heard.extend(world.poll("orders.row_added", &json!({}), &mut cursor));
        let row = &heard[0]["data"]["row"];
        assert_eq!(row.get("total_cents").is_some(), has_total, "{row}");
    }
    // a table that is not shown at all, and one that is not there
    for (shown, table) in [("products", "orders:id"), ("orders", "ordres:id")] {
        let variables = [
            ("MCPFN_EVENT_TABLES", table),
            ("MCPFN_DATABASE_TABLES", shown),
        ];
        let world = World::new("database", &variables, Arc::clone(&database));
        let name = format!("{}.row_added", table.trim_end_matches(":id"));
        let failed = world
            .ask("events/poll", json!({ "name": name }))
            .unwrap_err();
        let told = failed["message"].as_str().unwrap();
        assert!(told.contains("may ask the operator"), "{told}");
        assert!(world.client.audit().causes()[0].contains("MCPFN_EVENT_TABLES"));
    }
}

#[test]
fn a_subscriber_is_sent_what_others_wrote() {
    let world = World::shop();
    for (event, arguments) in [
        ("crm.activity_created", json!({"kind": "note"})),
        ("stock.low", json!({})),
        ("orders.row_added", json!({})),
    ] {
        let delivery = json!({
            "mode": "webhook", "url": "https://hooks.example/1",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        });
        let params = json!({"name": event, "arguments": arguments, "delivery": delivery});
        world.ask("events/subscribe", params).unwrap();
    }
    world.execute("UPDATE stock_levels SET quantity = reorder_point + 1");
    let pump = || {
        let server = world.client.server();
        let pumped = wait(server.pump_events(world.client.platform()));
        assert_eq!(pumped.failed, 0, "{:?}", world.client.audit().causes());
    };
    pump();
    world.client.time().advance(SECOND);
    world.log("ACC-1001", "call", "Not chosen.");
    world.log("ACC-1001", "note", "Chosen.");
    world.stock(true);
    world.execute(
        "INSERT INTO orders (id, customer_id, placed_at, status, total_cents, currency) VALUES \
         (9000001, 1, '2026-10-26T07:33:20Z', 'paid', 4200, 'USD')",
    );
    world.client.time().advance(10 * SECOND);
    for _ in 0..3 {
        pump();
    }
    world.client.run_events();
    let sent = world.receiver.sent().into_iter();
    let bodies = sent.map(|it| serde_json::from_slice::<Value>(&it.body).unwrap());
    let names = bodies.filter_map(|body| Some(body["name"].as_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    let expected = ["crm.activity_created", "orders.row_added", "stock.low"];
    assert_eq!(names, expected);
}

#[test]
fn events_are_off_by_default_and_for_who_may_read() {
    let none = World::new("crm,inventory,database", &[], databases::reading());
    assert!(
        none.ask("events/list", json!({})).is_err(),
        "no such method"
    );
    let world = World::shop();
    let all = ["crm.activity_created", "stock.low", "orders.row_added"];
    assert_eq!(world.listed(), all);
    let World {
        client,
        database,
        receiver,
    } = world;
    let world = World {
        client: client.scopes("crm:read inventory:write"),
        database,
        receiver,
    };
    assert_eq!(world.listed(), ["crm.activity_created"]);
    let refused = world.ask("events/poll", json!({"name": "stock.low"}));
    assert!(refused.is_err());
}

#[test]
fn settings_that_do_nothing_are_mistakes() {
    for (toolkits, variables, part) in [
        (
            "hello",
            vec![("MCPFN_EVENTS", "on")],
            "no toolkit of the list has events",
        ),
        (
            "crm",
            vec![("MCPFN_EVENTS", "perhaps")],
            "must be on or off",
        ),
        (
            "crm",
            vec![("MCPFN_EVENT_TABLES", "orders:id")],
            "add `database`",
        ),
        (
            "database",
            vec![("MCPFN_EVENT_TABLES", "orders")],
            "`orders:id`",
        ),
    ] {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let told = register(Server::builder("x", "1"), toolkits, &variable).unwrap_err();
        assert!(told.to_string().contains(part), "{told}");
    }
}
