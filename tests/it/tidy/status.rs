//! Status codes of HTTP are decided in one crate, `http`. What another server answered is read
//! where that server is asked.

use super::code::{bare, tokens};
use super::source::{library, lines_with, none, none_but};

/// Statuses that these read were chosen by another server.
const READERS: [&str; 14] = [
    "crates/auth/src/introspection.rs",
    "crates/cli/src/",
    "crates/core/src/dispatch/events/send.rs",
    "crates/core/src/port/http_client.rs",
    "crates/core/src/service_fault.rs",
    "crates/files/src/s3/",
    "crates/files/src/s3.rs",
    "crates/lambda/src/dynamodb/",
    "crates/lambda/src/events/",
    "crates/lambda/src/signed.rs",
    "crates/lambda/src/tasks/",
    "crates/native/src/client/",
    "crates/native/src/client.rs",
    "crates/toolkits/src/",
];

/// Numbers that are no statuses: JSON-RPC error codes of ours, named where all codes are, which
/// `http` translates. And what a Durable Object answers to its own Worker, which no client sees.
const OTHERS: &[&str] = &[
    "crates/core/src/jsonrpc/error.rs: 403",
    "crates/core/src/jsonrpc/error.rs: 429",
    "crates/worker/src/stores/objects.rs: 400",
];

/// Numbers that are hardly ever anything else.
const TELLING: [u16; 16] = [
    401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 499, 501, 502, 503, 504,
];
/// Lines above an arm of a `match` in which a `status` makes its numbers statuses.
const NEAR: usize = 6;

const ADVICE: &str = "a status code is http's decision (http/src/status.rs, guard.rs): a host or \
    a toolkit that chooses one writes protocol rules twice. A client that reads what another \
    server answered is added to READERS";

/// Numbers of a file that are statuses, each once, in order.
fn statuses(text: &str) -> Vec<u16> {
    let code = bare(text);
    let tokens = tokens(&code);
    let lines: Vec<&str> = code.lines().collect();
    let speaks = |line: usize| {
        tokens
            .iter()
            .any(|token| token.line == line && (is_status(token.text) || token.text == "u16"))
    };
    let is_arm = |line: usize| lines[line - 1].contains("=>");
    let near = |line: usize| line.saturating_sub(NEAR)..line;
    let mut found: Vec<u16> = tokens
        .iter()
        .filter_map(|token| {
            let number: u16 = token.text.trim_end_matches("u16").parse().ok()?;
            let line = token.line;
            let is_status = (100..=599).contains(&number)
                && (TELLING.contains(&number)
                    || speaks(line)
                    || (is_arm(line) && near(line).any(speaks)));
            is_status.then_some(number)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `status`, `with_status`, `StatusCode`, and not `CacheStatus`.
fn is_status(word: &str) -> bool {
    let word = word.to_lowercase();
    matches!(word.as_str(), "status" | "statuscode")
        || word.starts_with("status_")
        || word.ends_with("_status")
}

#[test]
fn only_http_chooses_status_numbers() {
    let mut found = Vec::new();
    for source in library() {
        if source.path.starts_with("crates/http/")
            || READERS.iter().any(|reader| source.path.starts_with(reader))
        {
            continue;
        }
        let statuses = statuses(&source.text).into_iter();
        found.extend(statuses.map(|status| format!("{}: {status}", source.path)));
    }
    none_but(OTHERS, &found, ADVICE);
}

#[test]
fn only_http_knows_status_codes() {
    let mut sources = library();
    sources.retain(|source| !source.path.starts_with("crates/http/"));
    none(&lines_with(&sources, &["StatusCode"]), ADVICE);
}

#[test]
fn a_status_is_told_from_other_numbers() {
    let text = "const PAGE: usize = 100; // status 500\nconst GONE: u16 = 410;\n\
        fn f() {\n    match response.status() {\n        200 => \"404\",\n        429 => x(300),\n\
        \x20   }\n}\n\n\n\n\n\nconst MOST: usize = 500;\nfn g(_: CacheStatus) -> usize { 256 }\nlet code = Self(403);\n\
        #[cfg(test)]\nmod tests { const STATUS: u16 = 503; }\n";
    // 300 is in an arm of a match over a status: better one too many than one missed
    assert_eq!(statuses(text), [200, 300, 403, 410, 429]);
}
