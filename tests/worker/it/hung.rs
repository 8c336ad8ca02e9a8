//! Stores that are bound and asked, and never answer: KV and a rate limit. Durable Objects of that
//! kind are in `idempotency`, a database in `late`.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Worker;

/// A second for each step of a call that asks a store, and one for the machine.
const MOST: Duration = Duration::from_secs(3);

#[test]
fn stores_that_never_answer_hold_no_call_for_long() {
    thread::scope(|scope| {
        let calls = [
            ("find", json!({"sku": "a"}), "for a"),
            ("find", json!({"sku": "b"}), "for b"),
            ("limited", json!({}), "not too often"),
            ("limited", json!({}), "not too often"),
        ];
        let calls = calls.map(|(tool, arguments, said)| {
            scope.spawn(move || {
                let begun = Instant::now();
                let text = Worker::named("hung").call(tool, arguments);
                (text.ends_with(said), text, begun.elapsed())
            })
        });
        for call in calls {
            let (right, text, took) = call.join().expect("the call ends");
            assert!(right && took < MOST, "{text} after {took:?}");
        }
    });
}
