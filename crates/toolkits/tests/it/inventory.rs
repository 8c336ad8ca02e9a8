//! The inventory over the demo shop: levels, rates, lead times, and suggestions checked against a
//! computation by hand.

use std::collections::HashMap;

use mcpfn_ports::SqlValue;
use mcpfn_toolkits::inventory::{
    Draft, Period, Where, Which, draft_purchase_order, get_sales_velocity, get_stock_levels,
    suggest_reorders,
};
use serde_json::{Value, json};

use crate::support::{Client, hostile, measure, unchecked};
use crate::wait::wait;

const SKU: &str = "HDP-1032-MIB";

#[test]
fn levels_add_up() {
    let client = Client::of_shop();
    let all = client
        .call("get_stock_levels", json!({"limit": 100}))
        .unwrap();
    assert_eq!(
        (&all["total"], all["levels"].as_array().unwrap().len()),
        (&json!(8400), 100)
    );
    let below: Vec<i64> = all["levels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["quantity"].as_i64().unwrap() - l["reorder_point"].as_i64().unwrap())
        .collect();
    assert!(below.is_sorted(), "the lowest first: {below:?}");
    let one = client
        .call("get_stock_levels", json!({"sku": SKU.to_lowercase()}))
        .unwrap();
    let levels = one["levels"].as_array().unwrap();
    assert_eq!(levels.len(), 3);
    let sum: i64 = levels
        .iter()
        .map(|level| level["quantity"].as_i64().unwrap())
        .sum();
    assert_eq!(
        (&one["total_quantity"], one.get("note")),
        (&json!(sum), None)
    );
    assert_eq!(
        client
            .call("get_product", json!({"product_id": SKU}))
            .unwrap()["stock"],
        sum
    );
    for warehouse in ["RTM", "rotterdam"] {
        let there = client
            .call(
                "get_stock_levels",
                json!({"sku": SKU, "warehouse": warehouse}),
            )
            .unwrap();
        assert_eq!(
            (&there["total"], &there["levels"][0]["warehouse"]),
            (&json!(1), &json!("RTM"))
        );
    }
    assert_eq!(
        client
            .call("get_stock_levels", json!({"warehouse": "RNO", "limit": 1}))
            .unwrap()["total"],
        2800
    );
}

#[test]
fn what_is_not_there_is_said() {
    let client = Client::of_shop();
    let no_sku = "There is no product with the SKU 'XYZ-1'. Use `search_products` to find SKUs.";
    for (tool, arguments) in [
        ("get_stock_levels", json!({"sku": "XYZ-1"})),
        ("get_sales_velocity", json!({"sku": "XYZ-1"})),
        (
            "draft_purchase_order",
            json!({"sku": "XYZ-1", "quantity": 1}),
        ),
    ] {
        let client = if tool == "draft_purchase_order" {
            Client::of_new_shop()
        } else {
            Client::of_shop()
        };
        assert_eq!(client.call(tool, arguments).unwrap_err(), no_sku, "{tool}");
    }
    let refused = client
        .call("suggest_reorders", json!({"warehouse": "Atlantis"}))
        .unwrap_err();
    assert_eq!(
        refused,
        "There is no warehouse 'Atlantis'. Known are RNO, CMH, RTM."
    );
    let refused = client
        .call("get_lead_time", json!({"supplier_or_sku": "Atlantis"}))
        .unwrap_err();
    assert_eq!(
        refused,
        "Neither a supplier nor a SKU matches 'Atlantis'. Leave it out to see all suppliers."
    );
}

#[test]
fn velocity_is_what_the_history_says() {
    let client = Client::of_shop();
    let sales = rows(
        &client,
        "SELECT warehouse_id, sold_on, quantity FROM sales WHERE sku = ?1",
        &[SKU.into()],
    );
    let last = rows(&client, "SELECT max(sold_on) FROM sales", &[])[0][0]
        .as_str()
        .unwrap()
        .to_owned();
    let one = client
        .call("get_sales_velocity", json!({"sku": SKU, "days": 31}))
        .unwrap();
    // October has 31 days, and the shop's history ends with it
    assert_eq!(
        (last.as_str(), &one["from"], &one["to"]),
        ("2026-10-31", &json!("2026-10-01"), &json!("2026-10-31"))
    );
    let units = |from: &str, to: &str| -> i64 {
        let within = sales
            .iter()
            .filter(|row| (from..=to).contains(&row[1].as_str().unwrap()));
        within.map(|row| row[2].as_i64().unwrap()).sum()
    };
    assert_eq!(one["units"], units("2026-10-01", "2026-10-31"));
    assert_eq!(one["units_before"], units("2026-08-31", "2026-09-30"));
    let parts: i64 = one["warehouses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["units"].as_i64().unwrap())
        .sum();
    assert_eq!(one["units"], parts);
    let busiest = rows(
        &client,
        "SELECT sku FROM sales GROUP BY sku ORDER BY count(*) DESC, sku LIMIT 1",
        &[],
    );
    let busy = client
        .call(
            "get_sales_velocity",
            json!({"sku": busiest[0][0].as_str(), "days": 100}),
        )
        .unwrap();
    assert!(
        busy["per_day"].as_f64().unwrap() > 0.5 && busy["days_of_stock"].as_f64().unwrap() < 500.0,
        "{busy}"
    );
}

#[test]
fn suppliers_are_found_by_name_and_by_what_they_deliver() {
    let client = Client::of_shop();
    let all = client.call("get_lead_time", json!({})).unwrap();
    let days: Vec<i64> = all["suppliers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["lead_time_days"].as_i64().unwrap())
        .collect();
    assert!(days.len() == 12 && days.is_sorted());
    let one = client
        .call("get_lead_time", json!({"supplier_or_sku": "kansai"}))
        .unwrap();
    assert_eq!(
        (
            &one["suppliers"][0]["supplier"],
            &one["suppliers"][0]["lead_time_days"]
        ),
        (&json!("Kansai Precision"), &json!(24))
    );
    let of = client
        .call(
            "get_lead_time",
            json!({"supplier_or_sku": SKU.to_lowercase()}),
        )
        .unwrap();
    let product = client
        .call("get_product", json!({"product_id": SKU}))
        .unwrap();
    assert_eq!(
        (
            &of["suppliers"][0]["supplier"],
            &of["suppliers"][0]["lead_time_days"]
        ),
        (&product["supplier"], &product["supplier_lead_time_days"])
    );
}

/// The same rules in another language, over all 8,400 levels.
#[test]
fn suggestions_are_right() {
    let client = Client::of_shop();
    let units: HashMap<(String, i64), i64> = sums(
        &client,
        "SELECT sku, warehouse_id, quantity FROM sales WHERE sold_on >= '2026-10-02'",
    );
    let coming = sums(
        &client,
        "SELECT sku, warehouse_id, quantity FROM purchase_orders WHERE status = 'ordered'",
    );
    let levels = "SELECT l.sku, l.warehouse_id, l.quantity, l.reorder_point, s.lead_time_days FROM stock_levels AS l \
                  JOIN products AS p ON p.sku = l.sku JOIN suppliers AS s ON s.id = p.supplier_id";
    let mut expected = HashMap::new();
    for row in rows(&client, levels, &[]) {
        let key = (
            row[0].as_str().unwrap().to_owned(),
            row[1].as_i64().unwrap(),
        );
        let [quantity, point, days] = [2, 3, 4].map(|column| row[column].as_i64().unwrap());
        let sold = units.get(&key).copied().unwrap_or(0);
        let up = |days: i64| (sold as f64 * days as f64 / 30.0 - 1e-9).ceil() as i64;
        let (floor, position) = (
            point.max(up(days)),
            quantity + coming.get(&key).copied().unwrap_or(0),
        );
        if position <= floor && floor + up(30) > position {
            expected.insert(key, floor + up(30) - position);
        }
    }
    let all = client
        .call("suggest_reorders", json!({"limit": 100}))
        .unwrap();
    assert_eq!(all["total"], expected.len());
    assert!((200..4000).contains(&expected.len()), "{}", expected.len());
    let numbers: HashMap<&str, i64> = [("RNO", 1), ("CMH", 2), ("RTM", 3)].into();
    let suggestions = all["suggestions"].as_array().unwrap();
    for one in suggestions {
        let key = (
            one["sku"].as_str().unwrap().to_owned(),
            numbers[one["warehouse"].as_str().unwrap()],
        );
        assert_eq!(
            Some(&one["suggested"].as_i64().unwrap()),
            expected.get(&key),
            "{one}"
        );
    }
    let left: Vec<f64> = suggestions
        .iter()
        .map(|one| one["days_left"].as_f64().unwrap_or(f64::MAX))
        .collect();
    assert!(left.is_sorted(), "the most urgent first: {left:?}");
    let there = client
        .call("suggest_reorders", json!({"warehouse": "Reno", "limit": 1}))
        .unwrap();
    assert_eq!(
        there["total"],
        expected.keys().filter(|key| key.1 == 1).count()
    );
}

#[test]
fn an_order_is_drafted_once_and_counts_only_when_a_person_sends_it() {
    let client = Client::of_new_shop();
    let draft = json!({"sku": SKU.to_lowercase(), "quantity": 25, "warehouse": "rtm", "idempotency_key": "order-1"});
    let drafted = client.call("draft_purchase_order", draft.clone()).unwrap();
    assert_eq!(
        (
            &drafted["sku"],
            &drafted["quantity"],
            &drafted["warehouse"],
            &drafted["status"]
        ),
        (&json!(SKU), &json!(25), &json!("RTM"), &json!("draft"))
    );
    assert_eq!(
        client.call("draft_purchase_order", draft).unwrap()["id"],
        drafted["id"],
        "the same key is the same order"
    );
    let drafts = || {
        rows(
            &client,
            "SELECT quantity, created_at, created_by FROM purchase_orders WHERE status = 'draft'",
            &[],
        )
    };
    assert_eq!(
        drafts(),
        [[
            SqlValue::Integer(25),
            "2026-10-26T07:33:20Z".into(),
            "local".into()
        ]]
    );
    let on_order = |client: &Client| {
        client
            .call("get_stock_levels", json!({"sku": SKU, "warehouse": "RTM"}))
            .unwrap()["levels"][0]["on_order"]
            .clone()
    };
    assert_eq!(
        on_order(&client),
        on_order(&Client::of_shop()),
        "a draft is not an order"
    );
    // without a warehouse, the one with the fewest units
    let placed = client
        .call("draft_purchase_order", json!({"sku": SKU, "quantity": 1}))
        .unwrap();
    let least = rows(
        &client,
        "SELECT w.code FROM stock_levels AS l JOIN warehouses AS w ON w.id = l.warehouse_id WHERE \
         l.sku = ?1 ORDER BY l.quantity, w.id LIMIT 1",
        &[SKU.into()],
    );
    assert_eq!(placed["warehouse"].as_str(), least[0][0].as_str());
    let refused = Client::of_shop()
        .call("draft_purchase_order", json!({"sku": SKU, "quantity": 1}))
        .unwrap_err();
    assert!(refused.starts_with("Nothing was written"), "{refused}");
}

#[test]
fn bounds_hold_in_the_handlers_too() {
    let client = Client::of_new_shop();
    for quantity in [json!(0), json!(100_001), json!(-5), json!(1.5), json!("3")] {
        assert!(
            client
                .call(
                    "draft_purchase_order",
                    json!({"sku": SKU, "quantity": quantity})
                )
                .is_err(),
            "{quantity}"
        );
    }
    let sku = || SKU.to_owned();
    for quantity in [0, u32::MAX] {
        let draft = move || Draft {
            sku: sku(),
            quantity,
            warehouse: None,
            idempotency_key: None,
        };
        let refused = unchecked(move |cx| async move { draft_purchase_order(draft(), &cx).await });
        assert_eq!(refused.unwrap_err(), "`quantity` must be from 1 to 100000.");
    }
    let refused = unchecked(move |cx| async move {
        get_sales_velocity(
            Period {
                sku: sku(),
                days: 366,
            },
            &cx,
        )
        .await
    });
    assert_eq!(refused.unwrap_err(), "`days` must be from 1 to 365.");
    let refused = unchecked(|cx| async move {
        get_stock_levels(
            Where {
                sku: None,
                warehouse: None,
                limit: 101,
            },
            &cx,
        )
        .await
    });
    assert_eq!(refused.unwrap_err(), "`limit` must be from 1 to 100.");
    let refused = unchecked(|cx| async move {
        suggest_reorders(
            Which {
                warehouse: None,
                limit: 0,
            },
            &cx,
        )
        .await
    });
    assert_eq!(refused.unwrap_err(), "`limit` must be from 1 to 100.");
}

#[test]
fn hostile_text_finds_nothing_and_breaks_nothing() {
    let client = Client::of_new_shop();
    for text in hostile() {
        for arguments in [
            ("get_stock_levels", json!({"sku": text})),
            ("get_stock_levels", json!({"warehouse": text})),
            ("get_sales_velocity", json!({"sku": text})),
            ("get_lead_time", json!({"supplier_or_sku": text})),
            ("suggest_reorders", json!({"warehouse": text})),
            ("draft_purchase_order", json!({"sku": text, "quantity": 1})),
            (
                "draft_purchase_order",
                json!({"sku": SKU, "quantity": 1, "warehouse": text}),
            ),
        ] {
            let refused = client.call(arguments.0, arguments.1).map(drop);
            let Err(refused) = refused else {
                panic!("{text:?} is a name of something")
            };
            assert!(
                !refused.contains(['\u{1b}', '\u{202e}', '\0']) && !refused.contains("error id"),
                "{text:?}: {refused:?}"
            );
        }
    }
    assert_eq!(client.logged(), [""; 0], "nothing failed inside");
}

#[test]
fn reading_is_quick() {
    measure(&[
        ("get_stock_levels", json!({})),
        ("get_stock_levels", json!({"sku": SKU})),
        ("get_sales_velocity", json!({"sku": SKU})),
        ("get_lead_time", json!({"supplier_or_sku": SKU})),
        ("suggest_reorders", json!({})),
    ]);
}

fn rows(client: &Client, sql: &str, parameters: &[SqlValue]) -> Vec<Vec<SqlValue>> {
    wait(client.database().query(sql, parameters, 100_000))
        .unwrap()
        .rows
}

fn sums(client: &Client, sql: &str) -> HashMap<(String, i64), i64> {
    let mut sums = HashMap::new();
    for row in rows(client, sql, &[]) {
        *sums
            .entry((
                row[0].as_str().unwrap().to_owned(),
                row[1].as_i64().unwrap(),
            ))
            .or_insert(0) += row[2].as_i64().unwrap();
    }
    sums
}

#[test]
fn what_is_published_says_when_to_write() {
    let listed = Client::of_shop().ask("tools/list", json!({})).unwrap();
    let tools: Vec<&Value> = listed["tools"].as_array().unwrap().iter().collect();
    for name in ["draft_purchase_order", "create_activity_log"] {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert!(
            tool["description"]
                .as_str()
                .unwrap()
                .contains("only when the user asks"),
            "{name}"
        );
        assert_eq!(tool["annotations"]["destructiveHint"], false, "{name}");
        assert_ne!(tool["annotations"]["readOnlyHint"], true, "{name}");
        assert_eq!(
            tool["inputSchema"]["properties"]["idempotency_key"]["x-idempotency-key"], true,
            "{name}"
        );
    }
}
