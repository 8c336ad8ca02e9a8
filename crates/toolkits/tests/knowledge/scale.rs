//! Fifty thousand documents: how long calls take, and that what they take is bounded.
//! `MCPFN_DOCUMENTS` takes that number; without it there are enough for the bound on what is
//! ranked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{EmbedError, Embedder};
use mcpfn_toolkits::knowledge::{StoredDocument, add};
use serde_json::{Value, json};

use crate::corpus::contract;
use crate::host::Client;
use crate::place::postgres;
use crate::store::{Store, empty, make_tables};

/// Without optimizations, beside other tests, this says only that nothing hangs: there the counts
/// guard the bound, not the time.
const SLOWEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 250 });

/// Calls of each measurement.
const CALLS: usize = if cfg!(debug_assertions) { 20 } else { 100 };

/// As in the search itself.
const MAX_RANKED: i64 = 2000;

/// As well, of vectors of 384 numbers.
fn most_compared() -> usize {
    if postgres().is_some() { 1365 } else { 4000 }
}

/// The number of documents that is asked for.
fn many() -> Option<u64> {
    std::env::var("MCPFN_DOCUMENTS")
        .ok()
        .map(|text| text.parse().expect("MCPFN_DOCUMENTS is a number"))
}

async fn filled(
    documents: impl Iterator<Item = StoredDocument>,
    model: Option<&dyn Embedder>,
) -> (Store, usize) {
    let store = empty().await;
    make_tables(&*store.filled).await;
    let mut passages = 0;
    for document in documents {
        passages += add(&*store.filled, &document, model).await.unwrap();
    }
    (store, passages)
}

/// Seconds of processor time that this process has taken, in steps of 0.01, where the system says
/// it as Linux does; else zero.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// Prints how long a tool takes over these arguments, in turn.
async fn measure(client: &Client, name: &str, tool: &str, arguments: &[Value]) {
    let mut times = Vec::new();
    let before = processor();
    for arguments in arguments.iter().cycle().take(CALLS) {
        let started = Instant::now();
        client.call(tool, arguments.clone()).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    let used = (processor() - before) * 1e3 / CALLS as f64;
    println!(
        "| {name} | {:.1} | {:.1} | {used:.1} |",
        at(50).as_secs_f64() * 1e3,
        at(95).as_secs_f64() * 1e3
    );
    assert!(at(95) < SLOWEST, "{name}: {:?}", at(95));
}

#[tokio::test]
async fn many_documents_stay_fast() {
    let usual = if postgres().is_some() { 700 } else { 2_000 };
    let many = many().unwrap_or(usual);
    let started = Instant::now();
    // two of the same length about one thing, of which the later one has a common word too
    let two = [
        ("one", "A zephyr blows the harbour."),
        ("two", "A zephyr blows the party."),
    ];
    let two = two.map(|(name, text)| StoredDocument::read(&format!("{name}.md"), text).unwrap());
    let (store, passages) = filled(two.into_iter().chain((0..many).map(contract)), None).await;
    println!(
        "{many} documents, {passages} passages, added in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    println!("| calls | p50 ms | p95 ms | mean CPU ms |\n|---|---|---|---|");
    let client = Client::new(&store, None);
    let last = contract(many - 1);
    let party = last.party.clone().unwrap();
    let common = [
        "party",
        "days",
        "payment",
        "payment and delivery",
        "the party provides",
        "arbitration customs tax",
        "agreement with gmbh",
    ];
    let all = |name: &str, more: Value| -> Vec<Value> {
        let one = |text: &&str| {
            let mut arguments = more.clone();
            arguments[name] = json!(text);
            arguments
        };
        common.iter().map(one).collect()
    };
    measure(
        &client,
        "semantic_search: names and rare words",
        "semantic_search",
        &questions(many),
    )
    .await;
    measure(
        &client,
        "semantic_search: common words alone",
        "semantic_search",
        &all("query", json!({})),
    )
    .await;
    let filters = [
        json!({"party": party, "type": last.kind}),
        json!({"type": "nda", "from": "2020-01-01"}),
        json!({}),
    ];
    measure(
        &client,
        "search_documents: filters",
        "search_documents",
        &filters,
    )
    .await;
    let rare = [
        json!({"text": party, "from": "2010-01-01"}),
        json!({"text": format!("payment {party}"), "type": last.kind}),
    ];
    measure(
        &client,
        "search_documents: a filter and rare words",
        "search_documents",
        &rare,
    )
    .await;
    measure(
        &client,
        "search_documents: a wide filter and common words",
        "search_documents",
        &all("text", json!({"type": "lease"})),
    )
    .await;
    measure(
        &client,
        "search_documents: a narrow filter and common words",
        "search_documents",
        &all("text", json!({"party": party})),
    )
    .await;
    let twelve = json!(
        "party provides confirms reviews payment delivery insurance customs tax days audit storage"
    );
    let many_words = [json!({"text": twelve, "party": party})];
    measure(
        &client,
        "search_documents: a narrow filter and twelve common words",
        "search_documents",
        &many_words,
    )
    .await;
    measure(
        &client,
        "search_documents: a middling filter and common words",
        "search_documents",
        &all("text", json!({"party": MIDDLING})),
    )
    .await;
    let many_words = [json!({"text": twelve, "party": MIDDLING})];
    measure(
        &client,
        "search_documents: a middling filter and twelve common words",
        "search_documents",
        &many_words,
    )
    .await;
    let wanted = [json!({"document_id": last.id, "clause": "3"})];
    measure(&client, "extract_clause", "extract_clause", &wanted).await;
    measure(
        &client,
        "semantic_search: twelve common words",
        "semantic_search",
        &[json!({"query": twelve})],
    )
    .await;
    let many_words = [json!({"text": twelve, "type": "lease"})];
    measure(
        &client,
        "search_documents: a wide filter and twelve common words",
        "search_documents",
        &many_words,
    )
    .await;
    only_so_much_is_ranked(&client, many, &last).await;
    all_that_pass_a_filter_are_found(&client, many, &party).await;
}

/// Syllables that one party in two hundred has in its name.
const MIDDLING: &str = "corden";

/// Whichever way a filter is combined with words, a document is found if and only if it passes and
/// has one of them.
async fn all_that_pass_a_filter_are_found(client: &Client, many: u64, narrow: &str) {
    let documents: Vec<StoredDocument> = (0..many).map(contract).collect();
    // so many that each of two words is not looked up in each of them
    let more = if many < 10_000 { "ba" } else { MIDDLING };
    for part in [narrow, MIDDLING, more] {
        for text in ["payment", "party", "days", "party days"] {
            let passes = |document: &&StoredDocument| {
                document
                    .party
                    .as_deref()
                    .unwrap_or_default()
                    .to_lowercase()
                    .contains(&part.to_lowercase())
                    && text.split(' ').all(|word| document.text.contains(word))
            };
            let mut expected: Vec<&str> = documents
                .iter()
                .filter(passes)
                .map(|document| document.id.as_str())
                .collect();
            let found = client
                .call(
                    "search_documents",
                    json!({"text": text, "party": part, "limit": 50}),
                )
                .await
                .unwrap();
            assert_eq!(found["total"], expected.len(), "{text} {part}: {found}");
            let mut found: Vec<&str> = found["documents"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["document_id"].as_str().unwrap())
                .collect();
            found.sort_unstable();
            expected.sort_unstable();
            let is_whole = expected.len() <= 50;
            assert!(
                if is_whole {
                    found == expected
                } else {
                    found.iter().all(|id| expected.contains(id))
                },
                "{text} {part}"
            );
        }
    }
}

/// A count, not a time: what is in nearly all passages is ranked in some of them, and the answer
/// says so.
async fn only_so_much_is_ranked(client: &Client, many: u64, last: &StoredDocument) {
    let found = client
        .call("semantic_search", json!({"query": "party"}))
        .await
        .unwrap();
    assert_eq!(found["passages"].as_array().unwrap().len(), 5);
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .contains("in very many passages"),
        "{found}"
    );
    let found = client
        .call("search_documents", json!({"text": "party"}))
        .await
        .unwrap();
    let total = found["total"].as_i64().unwrap();
    assert!(
        (10..=MAX_RANKED).contains(&total) && total < many as i64,
        "{total}"
    );
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .contains(&format!("at least {total}")),
        "{found}"
    );
    // a filter comes before the bound: the document that was added last is found by words that all
    // have
    let arguments = json!({"text": "party days", "party": last.party, "type": last.kind, "from": last.date, "to": last.date});
    let found = client.call("search_documents", arguments).await.unwrap();
    assert_eq!(
        found["documents"][0]["document_id"],
        last.id.as_str(),
        "{found}"
    );
    // a common word counts beside a rare one
    let found = client
        .call("semantic_search", json!({"query": "party zephyr"}))
        .await
        .unwrap();
    let ids: Vec<&str> = found["passages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["document_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["two", "one"], "{found}");
    // what a heading says goes first, wherever it is
    let found = client
        .call("semantic_search", json!({"query": "agreement", "k": 20}))
        .await
        .unwrap();
    let sections: Vec<&str> = found["passages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["section"].as_str().unwrap())
        .collect();
    assert!(
        sections
            .iter()
            .all(|section| section.starts_with("Agreement")),
        "{sections:?}"
    );
}

/// Names, rare words among common ones, and common words alone.
fn questions(many: u64) -> Vec<Value> {
    let mut questions = Vec::new();
    for number in (0..many).step_by((many / 15) as usize) {
        let document = contract(number);
        let rare = document
            .text
            .split_whitespace()
            .rev()
            .nth(3)
            .unwrap_or("x")
            .to_owned();
        questions.push(json!({"query": format!("what does {} say about \
            payment?", document.party.unwrap_or_default())}));
        questions.push(
            json!({"query": format!("within how many days does the party review the \
            insurance of {rare}")}),
        );
    }
    questions
}

/// A model that costs nothing: what is measured is what becomes of its vectors.
struct Numbers;

impl Embedder for Numbers {
    fn model(&self) -> &str {
        "numbers"
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        let vector = |text: &String| -> Vec<f32> {
            let bytes = text.bytes().cycle().zip(1_u8..=255).cycle().take(384);
            bytes
                .map(|(byte, at)| f32::from(byte.wrapping_mul(at)) - 128.0)
                .collect()
        };
        Box::pin(async move { Ok(texts.iter().map(vector).collect()) })
    }
}

#[tokio::test]
async fn vectors_are_compared_however_many_there_are() {
    // six passages a document; as many as are all compared, and more, of which those are whose codes
    // are close
    let mut sizes = vec![most_compared() as u64 / 7, most_compared() as u64 / 5];
    // as many vectors as the other test has documents
    sizes.extend(many().map(|many| many / 6));
    for documents in sizes {
        let (store, passages) = filled((0..documents).map(contract), Some(&Numbers)).await;
        let client = Client::new(&store, None).with_model(Arc::new(Numbers));
        let name = format!("semantic_search: {passages} vectors of 384 numbers");
        measure(&client, &name, "semantic_search", &questions(documents)).await;
        let found = client
            .call("semantic_search", json!({"query": "xyzzy"}))
            .await
            .unwrap();
        assert_eq!(found["ranked_by"], "words and meaning");
        let found = found["passages"].as_array().unwrap();
        assert!(!found.is_empty(), "{passages}");
    }
}

#[tokio::test]
async fn misspelt_words_are_found_among_many() {
    let one = StoredDocument::read("one.md", "Reimbursement of zephyrs.").unwrap();
    let (store, _) = filled([one].into_iter(), None).await;
    // as many words as a large store has, of letters as words have them
    let (all, ends) = match postgres() {
        Some(_) => (
            "generate_series(0, 99999) AS n(i)",
            "ON CONFLICT DO NOTHING",
        ),
        None => (
            "(WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 99999) \
             SELECT i FROM n) AS n",
            "",
        ),
    };
    let part = |divisor: u32| {
        format!("substr('rabetilokusanomedipovigahoruceja', 1 + (i / {divisor}) % 30, 3)")
    };
    let words = format!(
        "INSERT INTO passage_vocabulary (word) SELECT DISTINCT {} || {} || {} || {} FROM {all} \
         WHERE TRUE {ends}",
        part(1),
        part(30),
        part(900),
        part(27_000)
    );
    store.filled.execute(&words, &[]).await.unwrap();
    let client = Client::new(&store, None);
    println!("| calls | p50 ms | p95 ms | mean CPU ms |\n|---|---|---|---|");
    for (name, query) in [
        ("misspelt, begun as it is meant", "riembursement"),
        ("misspelt from its beginning", "seimbursement"),
        ("not close to any word", "qwrtzpsdfg"),
    ] {
        let found = client
            .call("semantic_search", json!({"query": query}))
            .await
            .unwrap();
        let is_close = query != "qwrtzpsdfg";
        assert_eq!(
            found["passages"].as_array().unwrap().len(),
            usize::from(is_close),
            "{found}"
        );
        measure(&client, name, "semantic_search", &[json!({"query": query})]).await;
    }
}
