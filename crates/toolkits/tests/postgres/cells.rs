//! Cells of every kind of type, short and long, as `query_table` shows them: each as the database
//! itself writes it, or cut where it is stored.

use std::sync::Arc;

use mcpfn_ports::Sql;
use mcpfn_sql::Postgres;
use serde_json::{Value, json};

use crate::databases::PostgresShop;
use crate::place;
use crate::support::Client;
use crate::wait::wait;

/// Types, and a value of each.
const SHORT: [(&str, &str); 21] = [
    ("boolean", "true"),
    ("smallint", "1"),
    ("integer", "-2"),
    ("bigint", "9007199254740993"),
    ("real", "1.5"),
    ("double precision", "2.25"),
    ("numeric", "3.140"),
    ("numeric(10,2)", "3.14"),
    ("date", "'2026-01-02'"),
    ("time", "'03:04:05'"),
    ("time(3) with time zone", "'03:04:05+00'"),
    ("timestamp", "'2026-01-02 03:04:05'"),
    ("timestamp(3) with time zone", "'2026-01-02 03:04:05+00'"),
    ("interval", "'1 day'"),
    ("uuid", "'00000000-0000-4000-8000-000000000001'"),
    ("text", "'é'"),
    ("character varying(10)", "'v'"),
    ("jsonb", "'{\"a\": [1]}'"),
    ("integer[]", "'{1,2}'"),
    ("timestamp[]", "'{\"2026-01-02 03:04:05\"}'"),
    ("inet", "'203.0.113.7'"),
];

const LONG: [(&str, &str); 6] = [
    ("text", "repeat('é', 1000000)"),
    ("character varying", "repeat('x', 3000)"),
    ("json", "to_json(repeat('x', 3000))"),
    ("jsonb", "to_jsonb(repeat('x', 3000))"),
    ("integer[]", "array_fill(1, ARRAY[2000])"),
    ("numeric", "10::numeric ^ 3000"),
];

fn table(owner: &Postgres, name: &str, cells: &[(&str, &str)]) {
    let columns: Vec<String> = (0..cells.len())
        .map(|number| format!("c{number:02} {}", cells[number].0))
        .collect();
    let values: Vec<String> = cells
        .iter()
        .map(|(kind, value)| format!("({value})::{kind}"))
        .collect();
    for sql in [
        format!("CREATE TABLE {name} ({})", columns.join(", ")),
        format!("INSERT INTO {name} VALUES ({})", values.join(", ")),
        format!("INSERT INTO {name} VALUES (NULL)"),
        format!("GRANT SELECT ON {name} TO PUBLIC"),
    ] {
        wait(owner.execute(&sql, &[])).unwrap();
    }
}

#[test]
fn values_are_shown_as_the_database_writes_them_or_cut() {
    let shop = PostgresShop::new();
    let owner = Postgres::new(&place::url_of(None, &shop.database)).unwrap();
    table(&owner, "short", &SHORT);
    table(&owner, "long", &LONG);
    table(
        &owner,
        "bytes",
        &[("bytea", "decode(repeat('00', 5000), 'hex')")],
    );
    let client = Client::new(Arc::new(shop.open()));
    let rows = |table: &str| {
        let asked = json!({"table": table, "order_by": [{"column": "c00"}]});
        client.call("query_table", asked).unwrap()["rows"].clone()
    };

    let plain = wait(owner.query("SELECT * FROM short ORDER BY c00", &[], 2)).unwrap();
    let expected: Vec<Value> = plain.rows[0]
        .iter()
        .map(|cell| match cell.clone().into_json() {
            // clients whose numbers are JavaScript's would round it
            Value::Number(large) if large.as_i64() > Some(1 << 53) => large.to_string().into(),
            value => value,
        })
        .collect();
    let shown = rows("short");
    let found: Vec<Value> = shown[0].as_object().unwrap().values().cloned().collect();
    assert_eq!(found, expected);
    assert!(
        shown[1].as_object().unwrap().values().all(Value::is_null),
        "{shown}"
    );

    let lengths = ["1000000", "3000", "3002", "3002", "4001", "3001"];
    let shown = rows("long");
    for (cell, length) in shown[0].as_object().unwrap().values().zip(lengths) {
        let text = cell.as_str().unwrap();
        let end = format!("… (cut, {length} characters in all)");
        assert!(
            text.chars().count() < 2050 && text.ends_with(&end),
            "{length}: {}",
            &text[1980..]
        );
    }
    assert_eq!(rows("bytes")[0], json!({"c00": "(binary, 5000 bytes)"}));
}
