//! Fifty thousand documents: how long calls take. `MCPFN_DOCUMENTS` takes another number; without it the ordinary run has two thousand.

use std::time::{Duration, Instant};

use mcpfn_sql::Sqlite;
use mcpfn_toolkits::knowledge::{add, schema};
use serde_json::{Value, json};

use crate::corpus::contract;
use crate::host::Client;

#[tokio::test]
async fn many_documents_stay_fast() {
    let many: u64 = std::env::var("MCPFN_DOCUMENTS").map_or(2_000, |text| text.parse().expect("MCPFN_DOCUMENTS is a number"));
    let database = Sqlite::memory().unwrap();
    database.execute_all(schema()).await.unwrap();
    let started = Instant::now();
    let mut passages = 0;
    for number in 0..many {
        passages += add(&database, &contract(number), None).await.unwrap();
    }
    println!("{many} documents, {passages} passages, added in {:?}", started.elapsed());
    let client = Client::new(&database, None);
    let last = contract(many / 2);
    let party = last.party.clone().unwrap();
    let calls: [(&str, Vec<Value>); 4] = [
        ("semantic_search", questions(many)),
        ("search_documents", vec![json!({"party": party, "type": last.kind}), json!({"type": "nda", "from": "2020-01-01"})]),
        ("search_documents", vec![json!({"text": party, "from": "2010-01-01"}), json!({"text": "arbitration customs", "type": "lease"})]),
        ("extract_clause", vec![json!({"document_id": last.id, "clause": "3"})]),
    ];
    for (tool, arguments) in calls {
        let mut times = Vec::new();
        for arguments in arguments.iter().cycle().take(100) {
            let started = Instant::now();
            client.call(tool, arguments.clone()).await.unwrap();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!("{tool} {}: p50 {:?} p95 {:?} max {:?}", arguments[0], times[50], times[95], times[99]);
        assert!(times[95] < Duration::from_millis(500), "{tool}: {:?}", times[95]);
    }
}

/// Names, rare words among common ones, and common words alone.
fn questions(many: u64) -> Vec<Value> {
    let mut questions = Vec::new();
    for number in (0..many).step_by((many / 15) as usize) {
        let document = contract(number);
        let rare = document.text.split_whitespace().rev().nth(3).unwrap_or("x").to_owned();
        questions.push(json!({"query": format!("what does {} say about payment?", document.party.unwrap_or_default())}));
        questions.push(json!({"query": format!("within how many days does the party review the insurance of {rare}")}));
    }
    questions.push(json!({"query": "payment and delivery"}));
    questions.push(json!({"query": "party"}));
    questions
}
