//! SQL that a model wrote: what is answered, what is cut, and every attack that we know, on SQLite.
//! PostgreSQL is asked in `tests/postgres`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_ports::Sql;
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::shop;
use serde_json::{Value, json};

use crate::attacks::{ATTACKS, Attack, Ends};
use crate::place::{self, PASSWORD};
use crate::support::Client;
use crate::wait::wait;

pub(crate) fn ask(client: &Client, sql: &str) -> Result<Value, String> {
    client.call("query_database", json!({"sql": sql}))
}

#[test]
fn questions_are_answered() {
    let client = Client::of_shop();
    let found = ask(
        &client,
        "SELECT status, count(*) AS n FROM orders GROUP BY status ORDER BY status",
    )
    .unwrap();
    assert_eq!(
        (&found["columns"], &found["rows"][0][0], &found["truncated"]),
        (&json!(["status", "n"]), &json!("cancelled"), &json!(false))
    );
    let same = ask(&client, "SELECT 1 AS a, 2 AS a, NULL AS b;").unwrap();
    assert_eq!(
        (&same["columns"], &same["rows"]),
        (&json!(["a", "a", "b"]), &json!([[1, 2, null]])),
        "columns of one name are both there"
    );
    let with = "WITH big AS (SELECT sku FROM products WHERE price_cents > 100000) SELECT count(*) \
        FROM big JOIN sales ON sales.sku = big.sku";
    assert!(ask(&client, with).unwrap()["rows"][0][0].as_i64().unwrap() > 0);
    assert_eq!(
        ask(&client, "SELECT sku FROM products WHERE 1 = 0").unwrap()["note"],
        "No row meets the conditions."
    );
}

#[test]
fn every_cut_is_said() {
    let client = Client::of_shop();
    let found = ask(&client, "SELECT sku FROM products").unwrap();
    assert_eq!(
        (found["rows"].as_array().unwrap().len(), &found["truncated"]),
        (100, &json!(true))
    );
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .starts_with("The answer was cut: 100 rows are shown and there are more."),
        "{found}"
    );
    assert_eq!(
        ask(&client, "SELECT sku FROM products LIMIT 100").unwrap()["truncated"],
        false
    );
    let long = if place::postgres().is_some() {
        "repeat('é', 5000)"
    } else {
        "replace(printf('%.5000c', 'x'), 'x', 'é')"
    };
    let found = ask(&client, &format!("SELECT {long}")).unwrap();
    assert!(
        found["rows"][0][0]
            .as_str()
            .unwrap()
            .ends_with("é… (cut, 5000 characters in all)"),
        "{found}"
    );
    assert_eq!(
        found["note"],
        "Long text values are cut; the cut is marked."
    );
    let found = ask(
        &client,
        "SELECT description, description, description, description, description FROM products",
    )
    .unwrap();
    assert!(
        found["truncated"] == true && found.to_string().len() < 70_000,
        "{}",
        found.to_string().len()
    );
    let wide = vec!["d"; 900].join(", ");
    let found = ask(
        &client,
        &format!("WITH x AS (SELECT max(description) AS d FROM products) SELECT {wide} FROM x"),
    );
    // either the database finds the row too large, or it does not fit into an answer
    let said = found.map_or_else(
        |refused| refused,
        |found| found["note"].as_str().unwrap().to_owned(),
    );
    assert!(
        said.contains("too large") || said.contains("too big") || said.contains("holds more than"),
        "{said}"
    );
}

#[test]
fn mistakes_are_explained_by_the_database() {
    let client = Client::of_shop();
    let name = if place::postgres().is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    for (sql, word) in [
        ("SELECT nope FROM products", "nope"),
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nope", "nope"),
    ] {
        let refused = ask(&client, sql).unwrap_err();
        assert!(
            refused.starts_with(&format!("{name} refused the statement: "))
                && refused.contains(word),
            "{refused}"
        );
    }
    let refused = ask(&client, "SELECT \"a\u{202e}b\u{1b}[31m\"").unwrap_err();
    assert!(!refused.contains(['\u{1b}', '\u{202e}']), "{refused:?}");
    assert!(ask(&client, &"x".repeat(10_001)).is_err());
    assert_eq!(client.logged(), [""; 0]);
}

#[test]
fn attacks_change_nothing_in_sqlite() {
    let folder = std::env::temp_dir().join(format!("mcpfn-attacks-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("secret.txt"), PASSWORD).unwrap();
    let file = Sqlite::open(folder.join("shop.db")).unwrap();
    wait(file.execute_all(shop::statements())).unwrap();
    let memory = Sqlite::memory().unwrap();
    wait(memory.execute_all(shop::statements())).unwrap();
    // with all rights: what protects the data is how the statement is run, not that the handle
    // could do no better
    let databases: [(&str, Arc<dyn Sql>); 2] = [
        ("memory", Arc::new(memory)),
        ("file", Arc::new(file.clone())),
    ];
    for (place, database) in databases {
        let client = Client::new(Arc::clone(&database));
        let marks = "SELECT (SELECT count(*) FROM activities), (SELECT sum(quantity) FROM stock_levels), (SELECT sum(length(body)) FROM handbook), \
                     (SELECT sum(length(sql) + rootpage) FROM sqlite_master), (SELECT count(*) FROM sqlite_temp_master), \
                     (SELECT count(*) FROM product_search WHERE product_search MATCH 'keyboard')";
        let marks = || wait(database.query(marks, &[], 1)).unwrap().rows;
        let before = marks();
        for attack in ATTACKS
            .iter()
            .filter(|attack| place == "memory" || !attack.is_slow())
        {
            let sql = attack.sql.replace("FOLDER", &folder.display().to_string());
            run(&client, attack, &sql, place);
            assert_eq!(marks(), before, "{sql}");
        }
    }
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["secret.txt", "shop.db", "shop.db-shm", "shop.db-wal"]
    );
    drop(file);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Runs an attack, whose text may have been completed, and checks how it ends.
pub(crate) fn run(client: &Client, attack: &Attack, sql: &str, place: &str) {
    let started = Instant::now();
    let ended = ask(client, sql);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(7), "{place}: {sql}: {took:?}");
    assert!(
        attack.is_slow() || took < Duration::from_secs(3),
        "{place}: {sql}: {took:?} and not marked as slow"
    );
    let shown = format!("{ended:?}");
    assert!(
        shown.len() < 90_000 && !shown.contains(PASSWORD) && !shown.contains("root:x:0"),
        "{place}: {sql}: {shown}"
    );
    match attack.ends(client.database().dialect()) {
        Ends::Refused => assert!(ended.is_err(), "{place}: {sql}: {shown}"),
        Ends::Harmless => assert!(ended.is_ok(), "{place}: {sql}: {shown}"),
    }
}

#[test]
fn there_are_enough_attacks() {
    let mut texts: Vec<&str> = ATTACKS.iter().map(|attack| attack.sql).collect();
    texts.sort_unstable();
    texts.dedup();
    assert!(
        texts.len() == ATTACKS.len() && texts.len() >= 100,
        "{}",
        texts.len()
    );
}

#[test]
fn asking_is_quick() {
    crate::support::measure(&[
        (
            "query_database",
            json!({"sql": "SELECT status, count(*) FROM orders GROUP BY status"}),
        ),
        (
            "query_database",
            json!({"sql": "SELECT p.category, sum(s.quantity) FROM sales s JOIN products p ON \
                p.sku = s.sku GROUP BY p.category"}),
        ),
    ]);
}
