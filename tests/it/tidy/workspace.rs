//! What is said in two places is said alike: versions, and the smallest server.

use std::fmt::Write as _;

use super::source::{files, none, root};

/// The first Rust block of a document.
fn first_block(text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("```rust"))
        .skip(1);
    let mut block = String::new();
    loop {
        let line = lines.next()?;
        if line.trim_start().starts_with("```") {
            return Some(block);
        }
        let _ = writeln!(block, "{line}");
    }
}

#[test]
fn the_smallest_server_is_the_same_everywhere() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("a README");
    let in_readme = first_block(&readme).expect("the README shows a server in a ```rust block");
    let lib = std::fs::read_to_string(root().join("crates/mcpfn/src/lib.rs")).expect("the crate");
    let docs: String = lib
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .fold(String::new(), |mut docs, line| {
            let _ = writeln!(docs, "{}", line.strip_prefix(' ').unwrap_or(line));
            docs
        });
    let in_docs = first_block(&docs.replace("```no_run", "```rust"))
        .expect("the crate's docs show a server, which is compiled");
    assert_eq!(
        in_readme, in_docs,
        "README.md shows another server than the documentation of crates/mcpfn, which is compiled: \
         copy the latter"
    );
}

#[test]
fn versions_agree() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    let version = |line: &str| {
        line.split("version = \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .map(str::to_owned)
    };
    let package = workspace
        .lines()
        .skip_while(|line| line.trim() != "[workspace.package]")
        .find_map(version)
        .expect("a version");
    let mut found = Vec::new();
    for line in workspace.lines().filter(|line| line.starts_with("mcpfn")) {
        if version(line).is_none_or(|found| found.trim_start_matches('=') != package) {
            found.push(format!("Cargo.toml: {line}"));
        }
    }
    for manifest in files("crates", "toml")
        .into_iter()
        .filter(|manifest| manifest.path.ends_with("/Cargo.toml"))
    {
        if !manifest.text.contains("version.workspace = true") {
            found.push(manifest.path);
        }
    }
    none(
        &found,
        "there is one version, in [workspace.package]: say `version.workspace = true`, and the \
         same number for our crates in [workspace.dependencies]",
    );
    let rust = workspace
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .and_then(|rest| rest.split('"').next());
    let edition = workspace.lines().any(|line| line == "edition = \"2024\"");
    assert!(
        edition && rust == Some("1.95"),
        "edition 2024 on Rust 1.95: {rust:?}"
    );
}
