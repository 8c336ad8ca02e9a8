//! The database toolkit over the demo shop and over odd schemas: filters, refusals, bounds, hostile
//! text.

use std::sync::Arc;

use mcpfn_ports::Sql as _;
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::database::{AllowedTables, ColumnFilter, Op, Scalar, TableQuery, query_table};
use serde_json::{Value, json};

use crate::databases;
use crate::place;
use crate::support::{Client, hostile, unchecked};
use crate::wait::wait;

const TABLES: [&str; 15] = [
    "account_contacts",
    "accounts",
    "activities",
    "categories",
    "customers",
    "handbook",
    "opportunities",
    "order_items",
    "orders",
    "products",
    "purchase_orders",
    "sales",
    "stock_levels",
    "suppliers",
    "warehouses",
];

fn query(arguments: Value) -> Result<Value, String> {
    Client::of_shop().call("query_table", arguments)
}

/// The rows' one column.
fn column(answer: &Value) -> Vec<Value> {
    answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_object().unwrap().values().next().unwrap().clone())
        .collect()
}

#[test]
fn tables_are_listed_without_those_of_the_search_index() {
    let listed = Client::of_shop().call("list_tables", json!({})).unwrap();
    let names: Vec<&str> = listed["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, TABLES);
    assert_eq!(
        listed["tables"][14]["columns"],
        json!(["id", "code", "city", "country"])
    );
}

#[test]
fn a_table_is_described_with_its_comments() {
    let client = Client::of_shop();
    let table = client
        .call("describe_table", json!({"name": "Stock_Levels"}))
        .unwrap();
    assert_eq!(table["name"], "stock_levels");
    assert_eq!(table["kind"], "table");
    let (text, comment) = if place::postgres().is_some() {
        ("text", "")
    } else {
        ("TEXT", "-- order again when")
    };
    assert_eq!(
        table["columns"][0],
        json!({"name": "sku", "type": text, "nullable": false, "primary_key": true})
    );
    let definition = table["definition"]
        .as_str()
        .unwrap()
        .replace("products(", "products (");
    assert!(
        definition.contains("REFERENCES products (sku)") && definition.contains(comment),
        "{definition}"
    );
    let text = client.read("database://table/products").unwrap();
    let sampled: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sampled["sample"].as_array().unwrap().len(), 5);
    assert_eq!(sampled["columns"].as_array().unwrap().len(), 16);
    let row = &text[text.find("\"sample\"").unwrap()..];
    assert!(
        row.find("\"sku\"").unwrap() < row.find("\"brand\"").unwrap(),
        "columns keep their order"
    );
    let offered = client.complete(
        json!({"type": "ref/resource", "uri": "database://table/{table}"}),
        "table",
        "OrD",
    );
    assert_eq!(offered, ["order_items", "orders", "purchase_orders"]);
}

#[test]
fn unknown_tables_and_columns_get_a_hint() {
    let client = Client::of_shop();
    let refused = client
        .call("describe_table", json!({"name": "product"}))
        .unwrap_err();
    assert!(
        refused.starts_with(
            "There is no table `product`. Did you mean `products`? Tables: `account_contacts`, "
        ),
        "{refused}"
    );
    let refused = query(json!({"table": "orders", "columns": ["custmer_id"]})).unwrap_err();
    assert!(
        refused.starts_with(
            "The table `orders` has no column `custmer_id`. Did you mean \
        `customer_id`? Columns: `id`, "
        ),
        "{refused}"
    );
    for hidden in [
        "sqlite_master",
        "sqlite_schema",
        "product_search",
        "product_search_data",
        "pragma_table_info",
        "main.orders",
    ] {
        for refused in [
            client.call("describe_table", json!({"name": hidden})),
            query(json!({"table": hidden})),
        ] {
            assert!(
                refused.unwrap_err().starts_with("There is no table"),
                "{hidden}"
            );
        }
        assert!(client.read(&format!("database://table/{hidden}")).is_err());
    }
}

#[test]
fn filters_find_what_they_say() {
    let categories = |filters: Value| {
        let arguments =
            json!({"table": "categories", "columns": ["code"], "filters": filters, "limit": 100});
        let found: Vec<String> = column(&query(arguments).unwrap())
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
        found.join(" ")
    };
    for (filters, expected) in [
        (json!([{"column": "id", "op": "eq", "value": 3}]), "CAM"),
        (json!([{"column": "id", "op": "eq", "value": 3.0}]), "CAM"),
        (json!([{"column": "id", "op": "eq", "value": true}]), "HDP"),
        (
            json!([{"column": "id", "op": "ne", "value": 1}, {"column": "id", "op": "lt", "value": 3}]),
            "SPK",
        ),
        (json!([{"column": "id", "op": "le", "value": 2}]), "HDP SPK"),
        (
            json!([{"column": "id", "op": "gt", "value": 20}]),
            "TOY STA",
        ),
        (
            json!([{"column": "id", "op": "ge", "value": 21}]),
            "TOY STA",
        ),
        (
            json!([{"column": "NAME", "op": "contains", "value": "HOME"}]),
            "SMH",
        ),
        (
            json!([{"column": "name", "op": "starts_with", "value": "ca"}]),
            "CAM OUT",
        ),
        (
            json!([{"column": "name", "op": "contains", "value": "%"}]),
            "",
        ),
        (
            json!([{"column": "name", "op": "contains", "value": "_"}]),
            "",
        ),
        (
            json!([{"column": "name", "op": "starts_with", "value": "Power & "}]),
            "PWR",
        ),
        (
            json!([{"column": "code", "op": "in", "values": ["PWR", "KEY", "nope"]}]),
            "KEY PWR",
        ),
        (
            json!([{"column": "id", "op": "in", "values": [1, "2.0"]}]),
            "HDP SPK",
        ),
        (json!([{"column": "name", "op": "is_null"}]), ""),
        (
            json!([{"column": "name", "op": "is_not_null"}, {"column": "id", "op": "eq", "value": 9}]),
            "PWR",
        ),
    ] {
        assert_eq!(categories(filters.clone()), expected, "{filters}");
    }
    let rated = query(
        json!({"table": "products", "columns": ["rating"], "filters": [{"column": "rating", "op": "is_null"}], "limit": 3}),
    );
    assert_eq!(
        column(&rated.unwrap()),
        [Value::Null, Value::Null, Value::Null]
    );
}

#[test]
fn rows_are_sorted_limited_and_paged() {
    let page = |offset: u32| {
        let order = json!([{"column": "price_cents", "direction": "desc"}]);
        query(json!({"table": "products", "columns": ["price_cents"], "order_by": order, "limit": 3, "offset": offset})).unwrap()
    };
    let (first, second) = (page(0), page(3));
    assert_eq!(first["truncated"], true);
    assert_eq!(
        first["note"],
        "3 rows are shown and more match. Narrow the `filters`, choose fewer `columns`, or call \
         again with `offset` 3."
    );
    let prices: Vec<i64> = column(&first)
        .iter()
        .chain(&column(&second))
        .map(|price| price.as_i64().unwrap())
        .collect();
    assert!(
        prices.is_sorted_by(|a, b| a >= b) && prices.len() == 6,
        "{prices:?}"
    );
    let all = query(json!({"table": "warehouses"})).unwrap();
    assert_eq!(
        (
            all["rows"].as_array().unwrap().len(),
            &all["truncated"],
            all.get("note")
        ),
        (3, &json!(false), None)
    );
    let beyond = query(json!({"table": "warehouses", "offset": 50})).unwrap();
    assert_eq!(beyond["note"], "No more rows.");
    let none = query(json!({"table": "warehouses", "filters": [{"column": "city", "op": "eq", "value": "Atlantis"}]})).unwrap();
    assert_eq!(
        (&none["rows"], &none["note"]),
        (&json!([]), &json!("No row meets the filters."))
    );
    let default = query(json!({"table": "orders"})).unwrap();
    assert_eq!(default["rows"].as_array().unwrap().len(), 20);
    let twice =
        query(json!({"table": "orders", "columns": ["id", "ID", "id"], "limit": 1})).unwrap();
    assert_eq!(twice["rows"], json!([{"id": 10001}]));
}

#[test]
fn values_of_the_wrong_kind_are_refused_in_words() {
    for (filter, expected) in [
        (
            json!({"column": "price_cents", "op": "gt", "value": "cheap"}),
            "The filter `gt` on `price_cents` (INTEGER) got a text, but the column holds numbers.",
        ),
        (
            json!({"column": "name", "op": "eq", "value": 5}),
            "The filter `eq` on `name` (TEXT) got a number, but the column holds text; put it in \
             quotation marks.",
        ),
        (
            json!({"column": "name", "op": "in", "values": ["a", 5]}),
            "The filter `in` on `name` (TEXT) got a number, but the column holds text; put it in \
             quotation marks.",
        ),
        (
            json!({"column": "name", "op": "in", "values": []}),
            "The filter `in` on `name` (TEXT) needs `values`, a list of 1 to 90.",
        ),
        (
            json!({"column": "name", "op": "eq", "values": ["a"]}),
            "The filter `eq` on `name` (TEXT) takes no `values`: a list is for in, one value \
             belongs in `value`.",
        ),
        (
            json!({"column": "name", "op": "eq"}),
            "The filter `eq` on `name` (TEXT) needs one value; for null use is_null or \
             is_not_null.",
        ),
        (
            json!({"column": "name", "op": "is_null", "value": "x"}),
            "The filter `is_null` on `name` (TEXT) takes no `value`.",
        ),
        (
            json!({"column": "name", "op": "contains", "value": 5}),
            "The filter `contains` on `name` (TEXT) needs a text as `value`.",
        ),
        (
            json!({"column": "stock", "op": "contains", "value": "5"}),
            "The filter `contains` on `stock` (INTEGER) compares text, but the column holds \
             numbers; use eq, lt, le, gt or ge.",
        ),
    ] {
        let refused = query(json!({"table": "products", "filters": [filter]})).unwrap_err();
        // PostgreSQL writes its types in small letters
        assert_eq!(
            refused
                .replace("(integer)", "(INTEGER)")
                .replace("(text)", "(TEXT)"),
            expected
        );
    }
    for filter in [
        json!({"column": "name", "op": "like", "value": "x"}),
        json!({"column": "name", "op": "eq", "value": {"a": 1}}),
        json!("1=1"),
        json!({"column": "name", "op": "eq", "value": "x", "or": 1}),
    ] {
        assert!(query(json!({"table": "products", "filters": [filter]})).is_err());
    }
}

#[test]
fn bounds_hold_in_the_handler_too() {
    for limit in [json!(0), json!(-1), json!(101), json!("5")] {
        assert!(
            query(json!({"table": "orders", "limit": limit})).is_err(),
            "{limit}"
        );
    }
    let blank = || TableQuery {
        table: "orders".to_owned(),
        filters: Vec::new(),
        columns: None,
        order_by: Vec::new(),
        limit: 1,
        offset: 0,
    };
    let refused = |change: fn(&mut TableQuery)| {
        unchecked(move |cx| async move {
            let mut query = blank();
            change(&mut query);
            query_table(query, &cx).await
        })
        .unwrap_err()
    };
    assert_eq!(
        refused(|query| query.limit = 0),
        "`limit` must be from 1 to 100."
    );
    assert_eq!(
        refused(|query| query.limit = u32::MAX),
        "`limit` must be from 1 to 100."
    );
    assert!(refused(|query| query.offset = 100_001).starts_with("`offset` must be at most"));
    fn filter(op: Op, value: Option<Scalar>, values: Vec<Scalar>) -> ColumnFilter {
        ColumnFilter {
            column: "status".to_owned(),
            op,
            value,
            values,
        }
    }
    fn text(length: usize) -> Scalar {
        Scalar::Text("x".repeat(length))
    }
    assert!(
        refused(|query| query.filters = (0..21)
            .map(|_| filter(Op::Eq, Some(text(1)), Vec::new()))
            .collect())
        .starts_with("There are 21 filters")
    );
    assert!(
        refused(|query| query.filters = vec![filter(Op::In, None, Vec::new())])
            .contains("needs `values`, a list of 1 to 90")
    );
    assert!(
        refused(|query| query.filters = (0..2)
            .map(|_| filter(Op::In, None, (0..50).map(|_| text(1)).collect()))
            .collect())
        .contains("more than 90 values")
    );
    assert!(
        refused(|query| query.filters = vec![filter(Op::Eq, Some(text(1001)), Vec::new())])
            .contains("more than 1,000 bytes")
    );
}

#[test]
fn hostile_text_in_every_string_is_data_or_refused() {
    let client = Client::of_shop();
    for text in hostile() {
        let filter = |op: &str| json!([{"column": "name", "op": op, "value": text}]);
        for op in ["eq", "contains", "starts_with", "lt"] {
            let found = client.call("query_table", json!({"table": "products", "columns": ["name"], "filters": filter(op), "limit": 1}));
            let found = found.unwrap();
            assert!(
                op == "lt" || found["rows"] == json!([]) || !text.contains('\''),
                "{text:?}: {found}"
            );
        }
        for arguments in [
            json!({"table": text}),
            json!({"table": "products", "columns": [text]}),
            json!({"table": "products", "order_by": [{"column": text}]}),
            json!({"table": "products", "order_by": [{"column": "name", "direction": text}]}),
            json!({"table": "products", "filters": [{"column": text, "op": "eq", "value": 1}]}),
            json!({"table": "products", "filters": [{"column": "name", "op": text, "value": 1}]}),
        ] {
            let refused = client.call("query_table", arguments.clone()).unwrap_err();
            assert!(
                !refused.contains(['\u{1b}', '\u{202e}', '\0']),
                "{refused:?}"
            );
            assert!(
                refused.len() < 1500 && !refused.contains("error id"),
                "{arguments}: {refused}"
            );
        }
        assert!(
            client
                .call("describe_table", json!({"name": text}))
                .is_err()
        );
        client.complete(
            json!({"type": "ref/resource", "uri": "database://table/{table}"}),
            "table",
            &text,
        );
    }
    assert_eq!(client.logged(), [""; 0], "nothing failed inside");
    assert_eq!(
        query(json!({"table": "categories"})).unwrap()["rows"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
}

#[test]
fn odd_schemas_are_read_as_they_are() {
    let database = Sqlite::memory().unwrap();
    let statements = [
        "CREATE TABLE \"odd \"\" name\" (\"a \"\" b\" TEXT, \"select\" INTEGER, untyped, data \
         BLOB, \"made on\" DATE)",
        "INSERT INTO \"odd \"\" name\" VALUES ('x', 1, 'y', x'00ff', '2026-01-02'), (NULL, 2, 2.5, \
         NULL, NULL)",
        "CREATE VIEW seen AS SELECT \"select\" + 1 AS more FROM \"odd \"\" name\"",
        "CREATE TABLE long (text TEXT)",
        "INSERT INTO long SELECT printf('%.*c', 5000, 'é') FROM (VALUES (1), (2))",
        "CREATE TABLE wide (n INTEGER PRIMARY KEY, a TEXT)",
        "INSERT INTO wide WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < \
         100) SELECT n, printf('%.*c', 1900, 'x') FROM c",
        "CREATE TABLE d1_migrations (id INTEGER)",
        "CREATE TABLE _cf_KV (key TEXT)",
        "CREATE VIRTUAL TABLE notes USING fts5 (text)",
        "CREATE TABLE notes2 (text TEXT)",
    ];
    wait(database.execute_all(statements.map(str::to_owned))).unwrap();
    let client = Client::new(Arc::new(database));
    let listed = client.call("list_tables", json!({})).unwrap();
    let names: Vec<&str> = listed["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["long", "notes2", "odd \" name", "seen", "wide"]);

    let order = json!([{"column": "select"}]);
    let all = client
        .call(
            "query_table",
            json!({"table": "odd \" name", "order_by": order}),
        )
        .unwrap();
    assert_eq!(
        all["rows"],
        json!([
            {"a \" b": "x", "select": 1, "untyped": "y", "data": "(binary, 2 bytes)", "made on": "2026-01-02"},
            {"a \" b": null, "select": 2, "untyped": 2.5, "data": null, "made on": null},
        ])
    );
    for (column, op, value, found) in [
        ("untyped", "eq", json!("y"), 1),
        ("untyped", "gt", json!(2), 2),
        ("made on", "ge", json!("2026-01-01"), 1),
        ("a \" b", "eq", json!("x"), 1),
        ("SELECT", "eq", json!(2), 1),
    ] {
        let filters = json!([{"column": column, "op": op, "value": value}]);
        let answer = client
            .call(
                "query_table",
                json!({"table": "odd \" name", "filters": filters}),
            )
            .unwrap();
        assert_eq!(
            answer["rows"].as_array().unwrap().len(),
            found,
            "{column} {op} {value}"
        );
    }
    let view = client
        .call(
            "query_table",
            json!({"table": "seen", "filters": [{"column": "more", "op": "eq", "value": 3}]}),
        )
        .unwrap();
    assert_eq!(view["rows"], json!([{"more": 3}]));

    let long = client
        .call("query_table", json!({"table": "long"}))
        .unwrap();
    let text = long["rows"][0]["text"].as_str().unwrap();
    assert!(
        text.ends_with("é… (cut, 5000 characters in all)") && text.chars().count() < 2100,
        "{text}"
    );
    assert_eq!(long["note"], "Long text values are cut; the cut is marked.");

    let wide = client
        .call("query_table", json!({"table": "wide", "limit": 100}))
        .unwrap();
    let shown = wide["rows"].as_array().unwrap().len();
    assert!(
        (30..40).contains(&shown) && wide.to_string().len() < 70_000,
        "{shown}"
    );
    assert_eq!(wide["truncated"], true);
    assert!(
        wide["note"].as_str().unwrap().starts_with(&format!(
            "The answer was cut because of its size: {shown} rows are shown"
        )),
        "{wide}"
    );
}

#[test]
fn cells_are_cut_where_they_are_stored() {
    let database = Sqlite::memory().unwrap();
    let statements = [
        "CREATE TABLE cells (n INTEGER PRIMARY KEY, cell)".to_owned(),
        "INSERT INTO cells VALUES (1, printf('%.*c', 2000, 'x')), (2, printf('%.*c', 2000, '🦀')), \
         (3, printf('%.*c', 2001, 'x')), (4, printf('%.*c', 2001, '🦀')), \
         (5, 'a' || char(0) || 'b'), (6, 'a' || char(0) || printf('%.*c', 9000, 'x')), \
         (7, zeroblob(5000)), (8, 7), (9, 1.5), (10, NULL), (11, '')"
            .to_owned(),
        format!("CREATE TABLE many ({})", (0..64).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ")),
        format!("INSERT INTO many VALUES ({})", ["printf('%.*c', 3000, 'x')"; 64].join(", ")),
    ];
    wait(database.execute_all(statements)).unwrap();
    let client = Client::new(Arc::new(database));
    let asked = json!({"table": "cells", "columns": ["cell"], "order_by": [{"column": "n"}]});
    let answer = client.call("query_table", asked).unwrap();
    let cut = |piece: &str| format!("{}… (cut, 2001 characters in all)", piece.repeat(2000));
    let expected = json!([
        "x".repeat(2000),
        "🦀".repeat(2000),
        cut("x"),
        cut("🦀"),
        "a\0b",
        "(text with U+0000, 9002 bytes)",
        "(binary, 5000 bytes)",
        7,
        1.5,
        null,
        "",
    ]);
    assert_eq!(Value::from(column(&answer)), expected);

    // sorted by what is stored, not by what is shown
    let asked = json!({"table": "cells", "columns": ["n"], "limit": 3,
        "order_by": [{"column": "cell", "direction": "desc"}]});
    let answer = client.call("query_table", asked).unwrap();
    assert_eq!(column(&answer), [json!(7), json!(4), json!(2)]);

    // a row of long texts alone fits into an answer
    let answer = client
        .call("query_table", json!({"table": "many"}))
        .unwrap();
    let text = answer["rows"][0]["c0"].as_str().unwrap();
    assert!(
        text.starts_with(&"x".repeat(700)) && text.ends_with("… (cut, 3000 characters in all)")
    );
}

#[test]
fn an_outage_is_said_without_its_cause() {
    struct Down;
    impl mcpfn_ports::Sql for Down {
        fn dialect(&self) -> mcpfn_ports::Dialect {
            mcpfn_ports::Dialect::Sqlite
        }
        fn query<'a>(
            &'a self,
            _: &'a str,
            _: &'a [mcpfn_ports::SqlValue],
            _: usize,
        ) -> mcpfn_core::handler::BoxFuture<'a, Result<mcpfn_ports::Rows, mcpfn_ports::SqlError>>
        {
            Box::pin(async {
                Err(mcpfn_ports::SqlError::Unavailable(
                    "disk 7 burns".to_owned(),
                ))
            })
        }
        fn execute<'a>(
            &'a self,
            _: &'a str,
            _: &'a [mcpfn_ports::SqlValue],
        ) -> mcpfn_core::handler::BoxFuture<'a, Result<u64, mcpfn_ports::SqlError>> {
            Box::pin(async { Ok(0) })
        }
    }
    assert_eq!(wait(Down.execute("", &[])).unwrap(), 0);
    let client = Client::new(Arc::new(Down));
    for (tool, arguments) in [
        ("list_tables", json!({})),
        ("describe_table", json!({"name": "x"})),
        ("query_table", json!({"table": "x"})),
        ("search_products", json!({"query": "x"})),
        ("get_product", json!({"product_id": "x"})),
    ] {
        let refused = client.call(tool, arguments).unwrap_err();
        assert!(
            refused.starts_with("The database is temporarily unavailable. Try again in a moment."),
            "{tool}: {refused}"
        );
        assert!(!refused.contains("burns"));
    }
    assert_eq!(client.logged(), ["disk 7 burns"; 5]);
    assert!(
        client
            .complete(
                json!({"type": "ref/resource", "uri": "database://table/{table}"}),
                "table",
                "x"
            )
            .is_empty()
    );
}

/// What a caller sees when the operator lists tables and columns.
#[test]
fn only_listed_tables_and_columns_exist() {
    let client = Client::limited(databases::reading(), "products, orders(id,status)");
    let listed = client.call("list_tables", json!({})).unwrap();
    let names = |place: &Value| -> Vec<String> {
        let named = place.as_array().unwrap().iter();
        named
            .map(|table| table["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&listed["tables"]), ["orders", "products"]);
    assert_eq!(listed["tables"][0]["columns"], json!(["id", "status"]));
    let described = client
        .call("describe_table", json!({"name": "orders"}))
        .unwrap();
    assert_eq!(names(&described["columns"]), ["id", "status"]);
    let definition = described["definition"].as_str().unwrap();
    assert!(
        definition.starts_with("CREATE TABLE \"orders\" (\n  \"id\" ")
            && !definition.contains("customer_id"),
        "{definition}"
    );
    let whole = client
        .call("describe_table", json!({"name": "products"}))
        .unwrap();
    assert!(whole["definition"].as_str().unwrap().contains("CHECK"));

    let rows = client
        .call("query_table", json!({"table": "ORDERS", "limit": 2}))
        .unwrap();
    let row: Vec<&String> = rows["rows"][0].as_object().unwrap().keys().collect();
    assert_eq!(row, ["id", "status"]);
    let sample = client.read("database://table/orders").unwrap();
    assert!(
        sample.contains("\"status\"") && !sample.contains("customer_id"),
        "{sample}"
    );
    let template = json!({"type": "ref/resource", "uri": "database://table/{table}"});
    assert_eq!(
        client.complete(template, "table", ""),
        ["orders", "products"]
    );

    for (arguments, said) in [
        (
            json!({"table": "customers"}),
            "There is no table `customers`.",
        ),
        (
            json!({"table": "orders", "columns": ["customer_id"]}),
            "has no column `customer_id`.",
        ),
        (
            json!({"table": "orders", "order_by": [{"column": "customer_id"}]}),
            "has no column `customer_id`.",
        ),
        (
            json!({"table": "orders", "filters": [{"column": "customer_id", "op": "eq", "value": 1}]}),
            "has no column `customer_id`.",
        ),
    ] {
        let refused = client.call("query_table", arguments).unwrap_err();
        assert!(refused.contains(said), "{refused}");
        // the names that a refusal offers are the visible ones
        assert!(
            !refused.contains("accounts") && !refused.contains("placed_at"),
            "{refused}"
        );
    }
    for refused in [
        client
            .call("describe_table", json!({"name": "customers"}))
            .map(|_| String::new()),
        client.read("database://table/customers"),
    ] {
        assert!(refused.unwrap_err().contains("There is no table"));
    }
}

#[test]
fn a_hidden_key_sorts_nothing() {
    let database = Sqlite::memory().unwrap();
    wait(
        database.execute_all([
            "CREATE TABLE secret (id INTEGER, name TEXT, PRIMARY KEY (name DESC)) WITHOUT ROWID"
                .to_owned(),
            "INSERT INTO secret VALUES (1, 'b'), (3, 'a'), (2, 'c')".to_owned(),
        ]),
    )
    .unwrap();
    let database: Arc<dyn mcpfn_ports::Sql> = Arc::new(database);
    let asked = |tables: &str| {
        let client = Client::limited(Arc::clone(&database), tables);
        column(
            &client
                .call("query_table", json!({"table": "secret", "columns": ["id"]}))
                .unwrap(),
        )
    };
    // by name, as the key is; without the name in no order of the statement's own
    assert_eq!(asked("secret"), [json!(3), json!(1), json!(2)]);
    assert_eq!(asked("secret(id)"), [json!(2), json!(1), json!(3)]);
}

#[test]
fn listed_names_must_be_there() {
    let database = databases::reading();
    let check = |list: &str| {
        let tables = AllowedTables::parse(list).unwrap();
        wait(tables.check(&*database))
    };
    assert_eq!(check("products,orders(id,status)"), Ok(()));
    for (list, said) in [
        (
            "product",
            "there is no table `product`; the nearest name is `products`",
        ),
        // another case may be another table, in PostgreSQL
        (
            "Products",
            "there is no table `Products`; the nearest name is `products`",
        ),
        ("orders(id,state)", "`orders` has no column `state`"),
        ("sqlite_master", "there is no table `sqlite_master`"),
    ] {
        let mistake = check(list).unwrap_err();
        assert!(mistake.contains(said), "{list}: {mistake}");
        // a host that can't ask at its start refuses each call, and tells its log why
        let client = Client::limited(Arc::clone(&database), list);
        let refused = client.call("list_tables", json!({})).unwrap_err();
        assert!(refused.contains("may ask the operator"), "{refused}");
        assert!(client.logged().iter().any(|cause| cause.contains(said)));
    }
}
