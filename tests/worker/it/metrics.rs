//! Points of Analytics Engine: one for each call, with the names and numbers that metrics have on
//! every host. A service keeps what is written; the binding checks Cloudflare's limits.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};

/// What stands in which column, as infra/workers.md says it to whoever asks for them.
const COLUMNS: &str = include_str!("../../../infra/workers.md");

/// The points of calls of a method, by the names of their columns.
fn points(method: &str) -> Vec<Value> {
    let mut get = Request::modern("tools/list", json!({}));
    get.method = "GET".to_owned();
    let all = Worker::named("points").send(&get).json();
    let all = all.as_array().expect("a list of points").iter();
    let named = all.map(|point| {
        let mut members = serde_json::Map::new();
        for line in COLUMNS.lines() {
            let Some((column, name)) = column(line) else {
                continue;
            };
            let (list, number) = column.split_at(column.len() - 1);
            let number: usize = number.parse().expect("a number");
            members.insert(
                name.to_owned(),
                point[format!("{list}s")][number - 1].clone(),
            );
        }
        members.insert("index".to_owned(), point["indexes"][0].clone());
        Value::Object(members)
    });
    named.filter(|point| point["method"] == method).collect()
}

/// A row of the table of columns: `` | `blob1` | `service` | ``.
fn column(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split('`');
    let column = cells.next()?;
    let known = column.starts_with("blob") || column.starts_with("double");
    known.then_some((column, cells.nth(1)?))
}

#[test]
fn each_call_is_one_point_with_the_names_of_every_host() {
    let worker = Worker::named("metered");
    worker.call("held", json!({}));
    worker.send(&Request::modern("tools/call", json!({"name": "none"})));
    let begun = Instant::now();
    let calls = loop {
        let calls = points("tools/call");
        if calls.len() == 2 {
            break calls;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{calls:?}");
        thread::sleep(Duration::from_millis(20));
    };
    let held = calls.iter().find(|call| call["name"] == "held");
    let held = held.unwrap_or_else(|| panic!("{calls:?}"));
    for (member, value) in [
        ("service", json!("watched")),
        ("outcome", json!("ok")),
        ("index", json!("held")),
        ("Calls", json!(1)),
        ("Errors", json!(0)),
        ("RateLimited", json!(0)),
        ("CacheHits", json!(0)),
    ] {
        assert_eq!(held[member], value, "{member}: {held}");
    }
    assert!(
        held["Duration"].is_u64() && held["ColdStarts"].is_u64(),
        "{held}"
    );
    let cold: u64 = calls
        .iter()
        .filter_map(|call| call["ColdStarts"].as_u64())
        .sum();
    assert_eq!(cold, 1, "{calls:?}");
    let unknown = calls.iter().find(|call| call["name"] == "");
    assert!(
        unknown.is_some_and(|call| call["index"] == "tools/call"),
        "{calls:?}"
    );
}
