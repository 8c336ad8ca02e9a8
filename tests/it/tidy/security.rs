//! What SECURITY.md claims has a test, by name, and the test is there. Whether it proves the claim
//! is for a reader to see.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::source::{none, root, sources};

/// Sections whose items are no claims of protection.
const NO_CLAIMS: [&str; 1] = ["## Limits"];

const ADVICE: &str = "each claim of SECURITY.md names the test that holds it, as (test `name`), \
    (tests in `tests/folder`), or in the last column of its table";

/// The claims of a document: items of its lists, and rows of its table of threats.
fn claims(text: &str) -> Vec<String> {
    let (mut claims, mut skipped, mut threats) = (Vec::<String>::new(), false, false);
    let mut open = false;
    for line in text.lines() {
        if line.starts_with("## ") {
            skipped = NO_CLAIMS.contains(&line);
            threats = line == "## Threat model";
        }
        let row = threats && line.starts_with("| ") && !line.starts_with("| asset");
        if !skipped && (line.starts_with("- ") || row) {
            claims.push(line.to_owned());
            open = !row;
        } else if let Some(claim) = claims.last_mut()
            && open
            && line.starts_with("  ")
        {
            claim.push(' ');
            claim.push_str(line.trim());
        } else {
            open = false;
        }
    }
    claims
}

/// What a claim says its tests are.
fn named(claim: &str) -> Vec<&str> {
    let parts = if claim.starts_with("| ") {
        let row = claim.trim_end().trim_end_matches('|');
        vec![row.rsplit('|').next().unwrap_or_default()]
    } else {
        let parts = claim.split("(test").skip(1);
        parts.filter_map(|part| part.split(')').next()).collect()
    };
    let names = parts
        .into_iter()
        .flat_map(|part| part.split('`').skip(1).step_by(2));
    names.collect()
}

/// Functions and modules that tests are found by.
fn known() -> BTreeSet<String> {
    let sources = sources(&["crates", "tests"]).into_iter();
    sources
        .flat_map(|source| {
            let path = Path::new(&source.path);
            let mut names = vec![path.file_stem().unwrap_or_default().display().to_string()];
            for line in source.text.lines() {
                let line = line.trim_start().trim_start_matches("pub ");
                let line = line.trim_start_matches("async ");
                let name = line
                    .strip_prefix("fn ")
                    .or_else(|| line.strip_prefix("mod "));
                let end = |c: char| !c.is_alphanumeric() && c != '_';
                names.extend(
                    name.and_then(|name| name.split(end).next())
                        .map(str::to_owned),
                );
            }
            names
        })
        .collect()
}

#[test]
fn every_claim_names_a_test_that_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md is there");
    let known = known();
    let mut wrong = Vec::new();
    let claims = claims(&text);
    assert!(claims.len() > 30, "claims are found");
    for claim in claims {
        let start: String = claim.chars().take(60).collect();
        let names = named(&claim);
        if names.is_empty() {
            wrong.push(format!("{start}: names no test"));
        }
        for name in names {
            let exists = if name.contains('/') {
                root().join(name).exists()
            } else {
                known.contains(name.rsplit("::").next().unwrap_or(name))
            };
            if !exists {
                wrong.push(format!("{start}: there is no `{name}`"));
            }
        }
    }
    none(&wrong, ADVICE);
}

#[test]
fn claims_and_their_tests_are_found() {
    let text = "## A\n\n- **One** holds\n  on (test `a::b`,\n  over `x/y`).\n- Two.\n\n## Threat model\n\n\
        | asset | test |\n|---|---|\n| three | `c` |\n\n## Limits\n\n- Four.\n";
    let claims = claims(text);
    let names: Vec<Vec<&str>> = claims.iter().map(|claim| named(claim)).collect();
    assert_eq!(names, [vec!["a::b", "x/y"], vec![], vec!["c"]]);
}
