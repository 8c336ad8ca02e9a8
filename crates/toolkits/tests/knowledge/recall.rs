//! Seventy questions about two hundred passages, in other words than the answers have: how often the answer is among the first five, by
//! words, by vectors and by both.
//!
//! The vectors are a small thesaurus's, unless `MCPFN_TEST_EMBEDDINGS_URL`, `_MODEL` and `_KEY` name a service with a real model.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use mcpfn_client::Client as Http;
use mcpfn_core::{Embedder as _, SqlValue};
use mcpfn_toolkits::Secret;
use mcpfn_toolkits::embedding::{Endpoint, HttpEmbedder};
use mcpfn_toolkits::knowledge::Document;
use serde_json::json;

use crate::host::{Client, KEY, model};
use crate::place::postgres;
use crate::store::{Store, store};

pub(crate) static FIXTURES: LazyLock<PathBuf> =
    LazyLock::new(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/knowledge"));

fn documents() -> Vec<Document> {
    let text = fs::read_to_string(FIXTURES.join("handbook.md")).unwrap();
    let areas: Vec<String> = text.split("\n# ").map(|area| format!("# {}\n", area.trim_start_matches("# "))).collect();
    areas.iter().zip(1..).map(|(area, number)| Document::read(&format!("{number}.md"), area).unwrap()).collect()
}

/// The place of the answer, as `title/section`, and the question.
fn questions() -> Vec<(String, String)> {
    let text = fs::read_to_string(FIXTURES.join("questions.txt")).unwrap();
    let pair = |line: &str| line.split_once(" | ").map(|(place, question)| (place.to_owned(), question.to_owned()));
    text.lines().map(|line| pair(line).unwrap()).collect()
}

/// The first five places for a question, by the tool.
async fn asked(client: &Client, question: &str, ranked_by: &str) -> Vec<String> {
    let answer = client.call("semantic_search", json!({"query": question})).await.unwrap();
    let passages = answer["passages"].as_array().unwrap();
    assert!(answer["ranked_by"] == ranked_by, "{answer}");
    passages.iter().map(|one| format!("{}/{}", one["title"].as_str().unwrap(), one["section"].as_str().unwrap())).collect()
}

/// The first five places by the stored vectors alone.
async fn nearest(store: &Store, vector: &[f32]) -> Vec<String> {
    let sql = "SELECT title, section, vector FROM passages WHERE vector IS NOT NULL";
    let rows = store.served.query(sql, &[], 1000).await.unwrap().rows;
    let mut near: Vec<(f32, String)> = rows
        .iter()
        .map(|row| {
            let [SqlValue::Text(title), SqlValue::Text(section), SqlValue::Blob(bytes)] = row.as_slice() else { panic!("{row:?}") };
            let numbers = bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
            (numbers.zip(vector).map(|(one, other)| one * other).sum(), format!("{title}/{section}"))
        })
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    near.into_iter().take(5).map(|(_, place)| place).collect()
}

/// One line of the table: answers among the first five, and the mean of one over the answer's place. Fails below the floor.
fn line(name: &str, answers: &[(String, Vec<String>)], floor: (usize, f64)) -> usize {
    let places = answers.iter().map(|(right, found)| found.iter().position(|place| place == right));
    let found = places.clone().flatten().count();
    let mean = places.flatten().map(|place| 1.0 / (place + 1) as f64).sum::<f64>() / answers.len() as f64;
    println!("| {name} | {:.2} ({found} of {}) | {mean:.2} |", found as f64 / answers.len() as f64, answers.len());
    assert!(found >= floor.0 && mean >= floor.1, "{name}: {found} found, mean {mean:.3}");
    found
}

#[tokio::test]
async fn vectors_find_what_words_do_not() {
    let variable = |name: &str| std::env::var(format!("MCPFN_TEST_EMBEDDINGS_{name}")).ok().filter(|value| !value.is_empty());
    let real =
        variable("URL").map(|url| [url, variable("MODEL").expect("MCPFN_TEST_EMBEDDINGS_MODEL"), variable("KEY").unwrap_or_default()]);
    let service = match &real {
        Some(service) => service.clone(),
        None => [model().await, "meanings".to_owned(), KEY.to_owned()],
    };
    let [url, name, key] = &service;
    let endpoint = Endpoint::new(url.as_str(), name.as_str(), Secret::new(key.as_str()).ok());
    let embedder = HttpEmbedder::new(endpoint, Arc::new(Http::new()), Duration::from_secs(60));
    let store = store(&documents(), Some(&embedder)).await;
    let (by_words, by_both) = (Client::new(&store, None), Client::with(&store, Some([url, name, key])));
    let (mut words, mut vectors, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for (right, question) in questions() {
        let vector = embedder.embed(std::slice::from_ref(&question)).await.unwrap().remove(0);
        words.push((right.clone(), asked(&by_words, &question, "words").await));
        vectors.push((right.clone(), nearest(&store, &vector).await));
        both.push((right, asked(&by_both, &question, "words and meaning").await));
    }
    let database = if postgres().is_some() { "PostgreSQL" } else { "SQLite" };
    println!("| {database}, {} | recall@5 | MRR@5 |\n|---|---|---|", if real.is_some() { name } else { "a thesaurus for a model" });
    // a little below what the thesaurus gives; another model only has to be better than words
    let floors = match (real.is_some(), postgres().is_some()) {
        (true, _) => [(0, 0.0); 3],
        (false, false) => [(13, 0.11), (62, 0.75), (55, 0.46)],
        (false, true) => [(9, 0.09), (62, 0.75), (58, 0.46)],
    };
    let alone = line("words", &words, floors[0]);
    let near = line("vectors", &vectors, floors[1]);
    let fused = line("both", &both, floors[2]);
    assert!(alone < near && alone < fused, "{alone} {near} {fused}");
}
