//! How often the right passage is among the first five, with a real model: by words, by vectors and
//! by both, for questions with known answers over a handbook of 250 sections. Not run unless it is
//! named: `cargo xtask embeddings` starts the model, and MCPFN_TEST_EMBEDDINGS_URL, `_MODEL` and,
//! if it needs one, `_KEY` name another service. Over PostgreSQL with MCPFN_TEST_POSTGRES.

#[path = "../knowledge/host.rs"]
#[expect(dead_code, reason = "the suite `knowledge` has it all")]
mod host;
#[path = "../it/place.rs"]
mod place;
#[path = "../knowledge/store.rs"]
mod store;
#[path = "../knowledge/vectors.rs"]
mod vectors;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_native::Client as Http;
use mcpfn_ports::{Embedder as _, SqlValue};
use mcpfn_toolkits::Secret;
use mcpfn_toolkits::embedding::{EmbeddingEndpoint, HttpEmbedder};
use mcpfn_toolkits::knowledge::StoredDocument;
use serde_json::json;

use crate::host::Client;
use crate::place::postgres;
use crate::store::{Store, store};

/// The model that xtask serves.
const MODEL: &str = "all-MiniLM-L6-v2";

/// The least recall of it by words, by vectors and by both: a little below what was measured on
/// either database.
const FLOORS: [f64; 3] = [0.6, 0.9, 0.94];

/// How far both may be behind the better of the two, for questions of one kind and for all.
const BEHIND: [f64; 2] = [0.05, 0.01];

/// A file of tests/fixtures/knowledge.
fn fixture(name: &str) -> String {
    fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/knowledge")
            .join(name),
    )
    .unwrap()
}

fn documents() -> Vec<StoredDocument> {
    let text = fixture("handbook.md");
    let areas: Vec<String> = text
        .split("\n# ")
        .map(|area| format!("# {}\n", area.trim_start_matches("# ")))
        .collect();
    areas
        .iter()
        .zip(1..)
        .map(|(area, number)| StoredDocument::read(&format!("{number}.md"), area).unwrap())
        .collect()
}

/// The kinds of questions, and each question with the place of its answer as `title/section`.
fn questions() -> Vec<(String, Vec<(String, String)>)> {
    let text = fixture("questions.txt");
    let kinds = text
        .split("# ")
        .filter(|kind| !kind.is_empty())
        .map(|kind| {
            let (name, lines) = kind.split_once('\n').unwrap();
            let pair = |line: &str| {
                line.split_once(" | ")
                    .map(|(place, question)| (place.to_owned(), question.to_owned()))
            };
            (
                name.to_owned(),
                lines.lines().map(|line| pair(line).unwrap()).collect(),
            )
        });
    kinds.collect()
}

/// The service: its address, model and key.
fn service() -> [String; 3] {
    let variable = |name: &str| {
        std::env::var(format!("MCPFN_TEST_EMBEDDINGS_{name}"))
            .ok()
            .filter(|value| !value.is_empty())
    };
    let url = variable("URL")
        .expect("MCPFN_TEST_EMBEDDINGS_URL is not set: run `cargo xtask embeddings`");
    [
        url,
        variable("MODEL").unwrap_or_else(|| MODEL.to_owned()),
        variable("KEY").unwrap_or_default(),
    ]
}

fn embedder([url, model, key]: &[String; 3]) -> HttpEmbedder {
    let endpoint =
        EmbeddingEndpoint::new(url.as_str(), model.as_str(), Secret::new(key.as_str()).ok());
    HttpEmbedder::new(endpoint, Arc::new(Http::new()), Duration::from_secs(60))
}

/// Where a passage stands: a heading with nothing below it is shown before the one that its passage
/// answers by.
fn place(title: &str, section: &str) -> String {
    format!(
        "{title}/{}",
        section.rsplit(" / ").next().unwrap_or_default()
    )
}

/// The first five places for a question, by the tool.
async fn asked(client: &Client, question: &str, ranked_by: &str) -> Vec<String> {
    let answer = client
        .call("semantic_search", json!({"query": question}))
        .await
        .unwrap();
    let passages = answer["passages"].as_array().unwrap();
    assert!(
        passages.is_empty() || answer["ranked_by"] == ranked_by,
        "{answer}"
    );
    passages
        .iter()
        .map(|one| {
            place(
                one["title"].as_str().unwrap(),
                one["section"].as_str().unwrap(),
            )
        })
        .collect()
}

/// Every passage's place and its vector as it is stored.
async fn stored(store: &Store) -> Vec<(String, Vec<f32>)> {
    let sql = "SELECT title, section, vector FROM passages WHERE vector IS NOT NULL";
    let rows = store.served.query(sql, &[], 1000).await.unwrap().rows;
    let one = |row: &Vec<SqlValue>| {
        let [
            SqlValue::Text(title),
            SqlValue::Text(section),
            SqlValue::Blob(bytes),
        ] = row.as_slice()
        else {
            panic!("{row:?}")
        };
        let numbers = bytes
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        (place(title, section), numbers.collect())
    };
    rows.iter().map(one).collect()
}

/// The first five places by their vectors alone.
fn nearest(stored: &[(String, Vec<f32>)], vector: &[f32]) -> Vec<String> {
    let mut near: Vec<(f32, &String)> = stored
        .iter()
        .map(|(place, other)| (cosine(other, vector), place))
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    near.into_iter()
        .take(5)
        .map(|(_, place)| place.clone())
        .collect()
}

/// Of vectors of length one.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// How one way of searching did on one kind of questions.
#[derive(Clone, Copy, Default)]
struct Score {
    asked: usize,
    /// Answers among the first five.
    found: usize,
    /// One over the place of each.
    places: f64,
}

impl Score {
    fn count(&mut self, right: &str, found: &[String]) {
        self.asked += 1;
        if let Some(place) = found.iter().position(|place| place == right) {
            self.found += 1;
            self.places += 1.0 / (place + 1) as f64;
        }
    }

    fn recall(&self) -> f64 {
        self.found as f64 / self.asked as f64
    }

    fn reciprocal(&self) -> f64 {
        self.places / self.asked as f64
    }

    fn shown(&self) -> String {
        format!("{:.2} ({:.2})", self.recall(), self.reciprocal())
    }
}

impl std::ops::Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            asked: self.asked + other.asked,
            found: self.found + other.found,
            places: self.places + other.places,
        }
    }
}

#[tokio::test]
async fn both_find_what_words_or_vectors_find() {
    let service = service();
    let embedder = embedder(&service);
    let [url, model, key] = &service;
    let started = Instant::now();
    let store = store(&documents(), Some(&embedder)).await;
    let adding = started.elapsed();
    let passages = stored(&store).await;
    let (by_words, by_both) = (
        Client::new(&store, None),
        Client::with(&store, Some([url, model, key])),
    );
    let database = if postgres().is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    println!(
        "recall@5 (MRR@5) on {database} with {model}:\n| questions | words | vectors | both \
         |\n|---|---|---|---|"
    );
    let mut kinds: Vec<(String, [Score; 3])> = Vec::new();
    let mut times = [Duration::ZERO; 3];
    for (kind, questions) in questions() {
        let mut scores = [Score::default(); 3];
        for (right, question) in questions {
            let started = Instant::now();
            let words = asked(&by_words, &question, "words").await;
            times[0] += started.elapsed();
            let started = Instant::now();
            let vector = embedder
                .embed(std::slice::from_ref(&question))
                .await
                .unwrap()
                .remove(0);
            times[1] += started.elapsed();
            let started = Instant::now();
            let both = asked(&by_both, &question, "words and meaning").await;
            times[2] += started.elapsed();
            for (score, found) in scores
                .iter_mut()
                .zip([words, nearest(&passages, &vector), both])
            {
                score.count(&right, &found);
            }
        }
        kinds.push((kind, scores));
    }
    let all = kinds
        .iter()
        .fold([Score::default(); 3], |sum, (_, scores)| {
            [0, 1, 2].map(|way| sum[way] + scores[way])
        });
    kinds.push(("all".to_owned(), all));
    for (kind, scores) in &kinds {
        println!(
            "| {kind}: {} | {} |",
            scores[0].asked,
            scores.map(|score| score.shown()).join(" | ")
        );
    }
    let [words, vector, both] = times.map(|time| time.as_secs_f64() * 1000.0 / all[0].asked as f64);
    println!(
        "a question takes {words:.1} ms by words, {both:.1} ms by both, of which its vector \
         {vector:.1} ms; adding {adding:.1?}"
    );
    let better = |measure: fn(&Score) -> f64, [words, vectors, both]: &[Score; 3]| {
        measure(both) - measure(words).max(measure(vectors))
    };
    for (kind, scores) in &kinds {
        assert!(better(Score::recall, scores) >= -BEHIND[0], "{kind}");
    }
    assert!(
        better(Score::recall, &all) >= -BEHIND[1] && better(Score::reciprocal, &all) >= -BEHIND[1]
    );
    if model == MODEL {
        assert!(
            all.iter()
                .zip(FLOORS)
                .all(|(score, floor)| score.recall() >= floor),
            "below {FLOORS:?}"
        );
    }
}

#[tokio::test]
async fn the_model_is_the_one_that_was_published() {
    let service = service();
    if service[1] != MODEL {
        return;
    }
    let sentences = [
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    ]
    .map(str::to_owned);
    let vectors = embedder(&service).embed(&sentences).await.unwrap();
    // as the documentation of its authors has them
    for (one, other, published) in [(0, 0, 1.0), (0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        let measured = cosine(&vectors[one], &vectors[other]);
        assert!(
            (measured - published).abs() < 0.0002,
            "{one} and {other}: {measured}"
        );
    }
}
