//! What an answer shows of a value is taken as a filter and finds the value's row: for each type of
//! column of each engine.

use std::sync::Arc;

use mcpfn_ports::Sql;
use mcpfn_sql::{Postgres, Sqlite};
use serde_json::{Value, json};

use crate::databases::PostgresShop;
use crate::place::{postgres, url_of};
use crate::support::Client;
use crate::wait::wait;

/// Types of SQLite's columns, with values as SQL writes them.
const OF_SQLITE: &[(&str, &[&str])] = &[
    (
        "INTEGER",
        &[
            "0",
            "-7",
            "9007199254740991",
            "9007199254740993",
            "-9223372036854775808",
        ],
    ),
    ("BIGINT", &["9223372036854775807"]),
    ("TINYINT", &["1"]),
    ("BOOLEAN", &["0", "1"]),
    ("REAL", &["0.1", "-1e300", "3.0", "9e999"]),
    ("DOUBLE PRECISION", &["2.5"]),
    ("NUMERIC", &["12.50", "9007199254740993"]),
    ("DECIMAL(10,2)", &["0.10"]),
    ("TEXT", &["'naïve'", "'  spaces '", "'12'", "''", "'it''s'"]),
    ("VARCHAR(20)", &["'Ä'"]),
    ("DATE", &["'2026-10-31'"]),
    ("DATETIME", &["'2026-10-31 08:00:00'"]),
    ("JSON", &[r#"'{"a": [1, 2]}'"#]),
    ("", &["1", "'one'", "1.5"]),
];

/// Types of PostgreSQL's columns.
const OF_POSTGRES: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    ("smallint", &["-3"]),
    ("integer", &["2147483647"]),
    ("bigint", &["9007199254740993", "-9223372036854775808"]),
    ("oid", &["4294967295"]),
    ("real", &["0.1", "'NaN'", "'-Infinity'", "1e30"]),
    (
        "double precision",
        &["0.1", "'NaN'", "'Infinity'", "1e-300"],
    ),
    (
        "numeric",
        &["12.50", "123456789012345678901234567890.5", "'NaN'"],
    ),
    ("numeric(10,2)", &["3"]),
    ("text", &["'naïve'", "'  spaces '", "''"]),
    ("varchar(20)", &["'Ä'"]),
    ("character(5)", &["'ab'"]),
    ("name", &["'pg'"]),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
    ("date", &["'2026-10-31'", "'0044-03-15 BC'", "'infinity'"]),
    ("time", &["'08:00:00.5'"]),
    ("time with time zone", &["'08:00:00+02'"]),
    ("timestamp", &["'2026-10-31 08:00:00.123456'", "'infinity'"]),
    ("timestamp(3) with time zone", &["'2026-10-31 08:00:00+02'"]),
    ("interval", &["'1 day 02:03:04'", "'24 hours'"]),
    ("json", &[r#"'{"b": 1,  "a": [true]}'"#]),
    ("jsonb", &[r#"'{"b": 1, "a": [true]}'"#]),
    ("xml", &["'<a>1</a>'"]),
    ("integer[]", &["'{1,2,NULL}'"]),
    ("text[]", &[r#"'{"a b",c}'"#]),
    ("json[]", &[r#"'{"{}"}'"#]),
    ("inet", &["'192.0.2.7'", "'2001:db8::/32'"]),
    ("cidr", &["'192.0.2.0/24'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("money", &["12.34"]),
    ("point", &["'(1,2)'"]),
    ("box", &["'(1,1),(0,0)'"]),
    ("int4range", &["'[1,5)'"]),
    ("bit(3)", &["B'101'"]),
    ("bit varying", &["B'10'"]),
    ("tsquery", &["'a & b'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("mood", &["'it''s fine'"]),
    ("positive", &["7"]),
];

/// One column for each type, and a row for each value.
fn database() -> (Arc<dyn Sql>, Vec<(String, usize)>) {
    let (database, types): (Arc<dyn Sql>, _) = if postgres().is_some() {
        let shop = PostgresShop::new();
        (
            Arc::new(Postgres::new(&url_of(None, &shop.database)).unwrap()),
            OF_POSTGRES,
        )
    } else {
        (Arc::new(Sqlite::memory().unwrap()), OF_SQLITE)
    };
    let run = |sql: &str| wait(database.execute(sql, &[])).unwrap_or_else(|e| panic!("{sql}: {e}"));
    if postgres().is_some() {
        run("CREATE TYPE mood AS ENUM ('it''s fine', 'bad')");
        run("CREATE DOMAIN positive AS integer CHECK (value > 0)");
    }
    let columns = types.iter().enumerate();
    let declared: Vec<String> = columns
        .map(|(at, (kind, _))| format!("c{at} {kind}"))
        .collect();
    run(&format!(
        "CREATE TABLE kinds (row_id integer, {})",
        declared.join(", ")
    ));
    let mut cells = Vec::new();
    for (at, (kind, values)) in types.iter().enumerate() {
        for value in *values {
            let id = cells.len();
            let value = if postgres().is_some() {
                format!("CAST({value} AS {kind})")
            } else {
                (*value).to_owned()
            };
            run(&format!(
                "INSERT INTO kinds (row_id, c{at}) VALUES ({id}, {value})"
            ));
            cells.push((format!("c{at}"), id));
        }
    }
    (database, cells)
}

fn ids(client: &Client, filter: &Value) -> Result<Vec<u64>, String> {
    let answer = client.call(
        "query_table",
        json!({"table": "kinds", "columns": ["row_id"], "filters": [filter]}),
    )?;
    let rows = answer["rows"].as_array().unwrap();
    Ok(rows
        .iter()
        .map(|row| row["row_id"].as_u64().unwrap())
        .collect())
}

#[test]
fn a_value_as_shown_finds_its_row() {
    let (database, cells) = database();
    let client = Client::new(database);
    let mut lost = Vec::new();
    for (column, id) in cells {
        let shown = client
            .call(
                "query_table",
                json!({"table": "kinds", "columns": [column],
                    "filters": [{"column": "row_id", "op": "eq", "value": id}]}),
            )
            .unwrap()["rows"][0][&column]
            .clone();
        assert!(!shown.is_null(), "{column} of row {id} is shown as nothing");
        let text = shown
            .as_str()
            .map_or_else(|| shown.to_string(), str::to_owned);
        // many clients write every value as text
        let typed = json!({"column": column, "op": "eq", "value": shown});
        let written = json!({"column": column, "op": "eq", "value": text});
        for filter in [typed, written] {
            let found = ids(&client, &filter);
            let holds_anything = filter["value"] != shown && postgres().is_none();
            if !found
                .as_ref()
                .is_ok_and(|found| found.contains(&(id as u64)))
                && !holds_anything
            {
                lost.push(format!("{filter}: {found:?}"));
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn what_a_column_cant_hold_is_said() {
    let (database, _) = database();
    let client = Client::new(database);
    let number = if postgres().is_some() { "c2" } else { "c0" };
    let filter = json!({"column": number, "op": "eq", "value": "many"});
    let refused = ids(&client, &filter).unwrap_err();
    assert!(refused.contains("holds numbers"), "{refused}");
}
