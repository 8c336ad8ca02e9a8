//! A D1 database that does not answer in time: its caller is told so, and nobody else notices. The
//! database is a stand-in behind D1's own binding, because what runs here as D1 does so in the
//! thread that would look at the time.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};

/// The result of a call, and how long it took.
fn read(sql: &str) -> (Value, Duration) {
    let begun = Instant::now();
    let request = Request::modern(
        "tools/call",
        json!({"name": "query_database", "arguments": {"sql": sql}}),
    );
    let result = Worker::named("late").send(&request).json()["result"].take();
    (result, begun.elapsed())
}

#[test]
fn a_statement_without_an_answer_is_given_up_and_others_are_answered() {
    let limit = Duration::from_secs(3);
    thread::scope(|scope| {
        let late = scope.spawn(|| read("SELECT never"));
        for _ in 0..20 {
            assert_eq!(
                read("SELECT c").0["structuredContent"]["rows"],
                json!([[1]])
            );
        }
        assert!(!late.is_finished(), "nobody waited for it");
        let (given_up, took) = late.join().expect("the call ends");
        let said = "The statement was stopped after 3 s. Narrow it: fewer rows to join, a \
            condition on an indexed column, no cross joins.";
        assert_eq!(
            (&given_up["isError"], &given_up["content"][0]["text"]),
            (&json!(true), &json!(said)),
            "{given_up}"
        );
        assert!((limit..2 * limit).contains(&took), "{took:?}");
    });
    assert_eq!(
        read("SELECT c").0["structuredContent"]["rows"],
        json!([[1]])
    );
}

#[test]
fn a_database_that_stops_a_statement_itself_is_unavailable() {
    let (result, _) = read("SELECT reset");
    let said = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(
        said.starts_with("The database is temporarily unavailable. Try again in a moment."),
        "{result}"
    );
    assert!(
        result["isError"] == true && !said.contains("reset"),
        "{result}"
    );
}
