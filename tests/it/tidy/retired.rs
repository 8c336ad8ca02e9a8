//! Names that were given up do not come back: a reader who finds one in a document, a test or a
//! setting looks for something that is no more. The change log may speak of them.

use super::code::{bare, tokens};
use super::source::{Source, files, none, root};

/// Old names that are unlike any word, and what is said now. Not in code, not in a document.
const ANYWHERE: &[(&str, &str)] = &[
    ("MCPFN_RATE", "MCPFN_RATE_LIMIT"),
    ("MCPFN_RATE_DOWN", "MCPFN_RATE_LIMIT_ON_ERROR"),
    ("MCPFN_ONCE_DOWN", "MCPFN_IDEMPOTENCY_ON_ERROR"),
    ("MCPFN_TABLE", "MCPFN_DYNAMODB_TABLE"),
    ("MCPFN_TABLE_TIMEOUT", "MCPFN_DYNAMODB_TIMEOUT_MS"),
    ("MCPFN_DEADLINE_MARGIN", "MCPFN_DEADLINE_MARGIN_MS"),
    ("MCPFN_MAX_BODY", "MCPFN_MAX_BODY_BYTES"),
    ("MCPFN_LOG_INPUT", "MCPFN_LOG_ARGUMENTS"),
    ("MCPFN_ORIGINS", "MCPFN_ALLOWED_ORIGINS"),
    ("MCPFN_FILES_WRITES", "MCPFN_FILES_WRITABLE"),
    ("MCPFN_DATABASE_WRITES", "MCPFN_DATABASE_WRITABLE"),
    ("MCPFN_DATABASE_READER", "MCPFN_DATABASE_READONLY_URL"),
    ("MCPFN_SCOPES", "MCPFN_DEFAULT_SCOPES"),
    ("MCPFN_WEATHER_KEY", "MCPFN_WEATHER_API_KEY"),
    ("MCPFN_COMPANY_KEY", "MCPFN_COMPANY_API_KEY"),
    ("MCPFN_SEARCH_KEY", "MCPFN_SEARCH_API_KEY"),
    ("MCPFN_EMBEDDINGS_KEY", "MCPFN_EMBEDDINGS_API_KEY"),
    ("ONCE", "IDEMPOTENCY"),
    ("McpfnOnce", "McpfnIdempotency"),
    ("WhenDown", "FailureMode"),
    ("CacheUse", "CacheStatus"),
    ("CallRecord", "AuditEntry"),
    ("MarkedFn", "Registrable"),
    ("Unclaimed", "RejectUnknownBearer"),
    ("disbelieved", "into_anonymous"),
    ("went_without", "report_degraded"),
    ("shown_uri", "namespaced_uri"),
];

/// Old names that are words of English too: in code only.
const IN_CODE: &[(&str, &str)] = &[
    ("Begun", "IdempotencyStatus"),
    ("Denied", "AuthError"),
    ("Described", "RequestMeta"),
    ("Landed", "single flight has a leader and followers"),
    ("Limits", "RateLimits"),
    ("Marked", "HandlerFuture"),
    ("Passenger", "single flight has a leader and followers"),
    ("Pilot", "single flight has a leader and followers"),
    ("Proofs", "AuthConfig"),
    ("Records", "AuditLog"),
    ("Seat", "single flight has a leader and followers"),
    ("Validator", "mcpfn_schema::Schema"),
    ("trusting", "assume_local_user"),
];

/// Folders and files where an old name would mislead a reader.
const FOLDERS: [&str; 6] = ["crates", "tests", "infra", "fuzz", "bench", "docs"];
const EXTENSIONS: [&str; 8] = ["rs", "toml", "md", "yaml", "json", "sh", "mjs", "sql"];
const FILES: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Cargo.toml",
    "template.yaml",
    "wrangler.toml",
];

/// Lines of a file in which an old name stands, with the new one.
fn retired(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let stands = |(old, _): &&(&str, &str)| source.text.contains(old);
    let mut look = |text: &str, names: &[(&str, &str)]| {
        let names: Vec<_> = names.iter().filter(stands).collect();
        // nearly always there is nothing to look for
        if names.is_empty() {
            return;
        }
        for token in tokens(text) {
            let known = names.iter().find(|(old, _)| *old == token.text);
            found.extend(
                known.map(|(old, new)| format!("{}:{}: {old}, now {new}", source.path, token.line)),
            );
        }
    };
    look(&source.text, ANYWHERE);
    if source.path.ends_with(".rs") && IN_CODE.iter().any(|name| stands(&name)) {
        look(&bare(&source.text), IN_CODE);
    }
    found
}

#[test]
fn retired_names_stay_away() {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        if root().join(folder).is_dir() {
            sources.extend(
                EXTENSIONS
                    .iter()
                    .flat_map(|extension| files(folder, extension)),
            );
        }
    }
    for name in FILES {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            let path = name.to_owned();
            sources.push(Source { path, text });
        }
    }
    assert!(
        sources.len() > 400,
        "only {} files were found",
        sources.len()
    );
    // this table, and what a benchmark measured under its old names
    sources.retain(|source| {
        source.path != "tests/it/tidy/retired.rs" && !source.path.starts_with("bench/results/")
    });
    let found: Vec<String> = sources.iter().flat_map(retired).collect();
    none(
        &found,
        "these names were given up: say the new one (tests/it/tidy/retired.rs has the table)",
    );
}

#[test]
fn a_retired_name_is_found_where_it_misleads() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let document = source(
        "a.md",
        "Set `MCPFN_RATE=60/min`.\nMCPFN_RATE_LIMIT. Limits are fine.",
    );
    assert_eq!(
        retired(&document),
        ["a.md:1: MCPFN_RATE, now MCPFN_RATE_LIMIT"]
    );
    let code = source(
        "a.rs",
        "// Limits, WhenDown\nuse x::Limits;\nlet limits = \"Limits\";\nstruct RateLimits;",
    );
    assert_eq!(
        retired(&code),
        [
            "a.rs:1: WhenDown, now FailureMode",
            "a.rs:2: Limits, now RateLimits"
        ]
    );
}

#[test]
fn no_new_name_is_an_old_one() {
    let old: Vec<&str> = ANYWHERE
        .iter()
        .chain(IN_CODE)
        .map(|(old, _)| *old)
        .collect();
    let found: Vec<String> = ANYWHERE
        .iter()
        .chain(IN_CODE)
        .filter(|(_, new)| old.contains(new))
        .map(|(_, new)| (*new).to_owned())
        .collect();
    none(&found, "a new name can't be a retired one");
}
