//! `bench --part vectors [-- NUMBER [STORE..]]`: how many of the five nearest passages are found among so many,
//! 250,000 when not said, and how long a question takes, by each store that can be had here. The
//! questions are those of the toolkits' tests, which ask fewer passages the same. Rows of stores that
//! are not named stay as they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::context::Context;
use crate::postgres::Server;
use crate::process;
use crate::report::{Error, Result, While};
use crate::{setup, workspace};

const PASSAGES: &str = "250000";

const ABOUT: &str = "# Passages by meaning, by store\n\n\
    `semantic_search` in process, as a client asks, of drawn vectors of 384 numbers in clusters of 250, \
    with words that no passage has. Recall@5 is of the five nearest by all vectors, over 200 questions; \
    `reading` is the time until all vectors have been read into codes, which a server spreads over its \
    first questions, three seconds each. Built for size as it is deployed, without link-time \
    optimization. Vectorize is not here: there is none outside of Cloudflare.\n\n\
    | store | passages | recall@5 | p50 ms | p95 ms | reading, s |\n|---|--:|--:|--:|--:|--:|\n";

/// The tests that print a row.
const CODES: &str = "vector_scale::the_nearest_of_many_are_found";
const INDEX: &str = "vector_scale::an_index_of_the_database_finds_the_nearest";

/// What can be measured alone.
const STORES: [&str; 3] = ["sqlite", "postgres", "pgvector"];

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    let wrong = || {
        Error::new(
            "`vectors` takes how many passages there are, at least 5000, and then stores: sqlite, \
             postgres, pgvector",
        )
    };
    let number = rest.first().map_or(PASSAGES, String::as_str);
    let stores = rest.get(1..).unwrap_or_default();
    if !number.parse().is_ok_and(|number: u32| number >= 5000)
        || stores.iter().any(|name| !STORES.contains(&name.as_str()))
    {
        return Err(wrong());
    }
    let asked = |name: &str| stores.is_empty() || stores.iter().any(|store| store == name);
    let mut rows = Vec::new();
    if asked("sqlite") {
        rows.extend(measure(cx, CODES, number, &[])?);
    }
    if asked("postgres") {
        rows.extend(on_postgres(cx, setup::postgres(cx), CODES, number)?);
    }
    if asked("pgvector") {
        rows.extend(on_postgres(cx, setup::pgvector(cx), INDEX, number)?);
    }
    let rows = with_others(cx, rows);
    let table = format!("{ABOUT}{}\n", rows.join("\n"));
    println!("{table}");
    let folder = cx.root.join("bench/results");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).while_doing(format_args!("write {}", file.display()))
    };
    write("vectors.json", &format!("{:#}\n", json!({"table": rows})))?;
    write("vectors.md", &table)
}

/// These rows, and those of an earlier run that are of other stores.
fn with_others(cx: &Context, rows: Vec<String>) -> Vec<String> {
    let store = |row: &str| row.split('|').nth(1).unwrap_or_default().to_owned();
    let before = fs::read_to_string(cx.root.join("bench/results/vectors.json"));
    let before: Value = before
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let before = before["table"].as_array().into_iter().flatten();
    let before = before.filter_map(|row| Some((store(row.as_str()?), row.as_str()?.to_owned())));
    let mut all: BTreeMap<String, String> = before.collect();
    all.extend(rows.into_iter().map(|row| (store(&row), row)));
    all.into_values().collect()
}

fn on_postgres(
    cx: &Context,
    programs: std::result::Result<PathBuf, String>,
    test: &str,
    number: &str,
) -> Result<Vec<String>> {
    let programs = match programs {
        Ok(programs) => programs,
        Err(why) => {
            println!("PostgreSQL SKIPPED: {why}");
            return Ok(Vec::new());
        }
    };
    let server = Server::start(&programs, None)?;
    let mut variables = vec![("MCPFN_TEST_POSTGRES", &*server.url)];
    if test == INDEX {
        variables.push(("MCPFN_TEST_PGVECTOR", "1"));
    }
    measure(cx, test, number, &variables)
}

/// The rows that a test prints.
fn measure(
    cx: &Context,
    test: &str,
    number: &str,
    variables: &[(&str, &str)],
) -> Result<Vec<String>> {
    // all tests of vectors over any database are in this target
    let mut tests = workspace::test(cx, "postgres");
    tests.arg("--release");
    tests.args(["--", test, "--exact", "--nocapture"]);
    tests
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("MCPFN_TEST_VECTORS", number)
        .envs(variables.iter().copied());
    let mut rows = Vec::new();
    process::run_reading(&mut tests, |line| {
        if line.starts_with("| ") {
            rows.push(line.to_owned());
        }
    })?;
    match rows.is_empty() {
        true => Err(Error::new(format!("`{test}` measured nothing"))),
        false => Ok(rows),
    }
}
