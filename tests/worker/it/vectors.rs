//! An index of Vectorize: the contract of stores of vectors, and the limits of this one. The binding
//! is Cloudflare's own; the service behind it is a stand-in (`tests/worker/index.mjs`), because there
//! is none outside of Cloudflare.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Worker;
use crate::vector_cases::{What, cases};

fn put(model: &str, entries: &BTreeMap<String, Vec<f32>>) -> String {
    Worker::named("vectors").call("put", json!({"model": model, "entries": entries}))
}

fn nearest(model: &str, vector: &[f32], most: usize) -> String {
    let arguments = json!({"model": model, "vector": vector, "most": most});
    Worker::named("vectors").call("nearest", arguments)
}

#[test]
fn an_index_of_vectorize_holds_the_contract() {
    let mut checked = 0;
    for (number, case) in cases().into_iter().enumerate() {
        for step in &case.steps {
            let model = format!("case-{number}-{}", step.model);
            match &step.what {
                What::Put(entries, may_be_refused) => {
                    let said = put(&model, &entries.iter().cloned().collect());
                    let refused = *may_be_refused && said.starts_with("refused: Vectorize: ");
                    assert!(said == "put" || refused, "{}: {said}", case.name);
                }
                What::Remove(ids) => {
                    let arguments = json!({"model": model, "ids": ids});
                    let said = Worker::named("vectors").call("remove", arguments);
                    assert_eq!(said, "removed", "{}", case.name);
                }
                What::Nearest(vector, most, expected) => {
                    let said = nearest(&model, vector, *most);
                    let refused = said.starts_with("refused: Vectorize: ");
                    let ids = || serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
                    expected.check((!refused).then(ids), &case.name);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

/// More than go there at once, found as many as it gives, also where their ids are too long for it.
#[test]
fn limits_are_kept_and_said() {
    let model = "a model whose name is longer than the sixty-four bytes of a namespace";
    let entry = |number: u16| {
        let id = format!("{}{number}", "é".repeat(usize::from(number % 2) * 40));
        (id, vec![1.0, f32::from(number) / 1000.0, 0.0])
    };
    assert_eq!(put(model, &(0..1100).map(entry).collect()), "put");
    let expected: Vec<String> = (0..100).map(|number| entry(number).0).collect();
    let all = nearest(model, &[1.0, 0.0, 0.0], 100);
    assert_eq!(all, json!(expected).to_string());
    let more = nearest(model, &[1.0, 0.0, 0.0], 101);
    assert_eq!(more, format!("partial {}", json!(expected)));
}

#[test]
fn an_index_that_does_not_answer_is_not_waited_for() {
    let started = Instant::now();
    let said = nearest("late", &[1.0, 0.0, 0.0], 5);
    assert_eq!(said, "refused: Vectorize gave no answer in 3 s");
    assert!(started.elapsed() < Duration::from_secs(20));
}
