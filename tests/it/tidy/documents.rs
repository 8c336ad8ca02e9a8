//! Documents: links lead somewhere, the guide has every page, and its code is code of the examples,
//! which are compiled and run.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::source::{Source, files, none, root};

const PAGES: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
];

fn documents() -> Vec<Source> {
    let mut documents = files("docs", "md");
    documents.extend(files("infra", "md"));
    documents.extend(PAGES.iter().map(|path| Source {
        path: (*path).to_owned(),
        text: std::fs::read_to_string(root().join(path)).expect("a document"),
    }));
    documents
}

/// A block between fences: its language and its lines.
struct Block {
    language: String,
    text: String,
}

/// The blocks of a document, and the lines that are in none.
fn blocks(text: &str) -> (Vec<Block>, Vec<&str>) {
    let (mut blocks, mut others, mut open) = (Vec::new(), Vec::new(), None::<Block>);
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim().to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => others.push(line),
        }
    }
    assert!(open.is_none(), "a block is not closed");
    (blocks, others)
}

/// What stands between `](` and `)`, of links to this repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
}

/// The part of a URL that leads to a heading, as the repository's host and mdBook make it.
fn anchor(heading: &str) -> String {
    // a heading may be a link
    let shown = heading.replace("](", "\u{0}");
    let mut text = String::new();
    let mut hidden = false;
    for c in shown.chars() {
        match c {
            '\u{0}' => hidden = true,
            ')' if hidden => hidden = false,
            _ if hidden => {}
            ' ' => text.push('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => text.extend(c.to_lowercase()),
            _ => {}
        }
    }
    text
}

fn anchors(text: &str) -> BTreeSet<String> {
    let (_, lines) = blocks(text);
    let mut found = BTreeSet::new();
    for line in lines.iter().filter(|line| line.starts_with('#')) {
        let anchor = anchor(line.trim_start_matches('#').trim());
        let again = (1..).map(|count| format!("{anchor}-{count}"));
        let free = std::iter::once(anchor.clone()).chain(again);
        found.extend(free.into_iter().find(|one| !found.contains(one)));
    }
    found
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn links_lead_somewhere() {
    let mut found = Vec::new();
    for document in documents() {
        let folder = Path::new(&document.path).parent().expect("a folder");
        let (_, lines) = blocks(&document.text);
        for link in lines.into_iter().flat_map(links) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                PathBuf::from(&document.path)
            } else {
                plain(&folder.join(path))
            };
            let text = std::fs::read_to_string(root().join(&target));
            if !root().join(&target).exists() {
                found.push(format!("{}: {link}", document.path));
            } else if !heading.is_empty()
                && !text.is_ok_and(|text| anchors(&text).contains(heading))
            {
                found.push(format!("{}: {link}: no such heading", document.path));
            }
        }
    }
    none(
        &found,
        "these links lead nowhere: correct their paths or headings",
    );
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).expect("a summary");
    let mut named: Vec<String> = summary.lines().flat_map(links).map(str::to_owned).collect();
    named.sort();
    let pages = files("docs", "md").into_iter().map(|page| page.path);
    let mut pages: Vec<String> = pages
        .filter_map(|path| path.strip_prefix("docs/").map(str::to_owned))
        .filter(|path| path != "SUMMARY.md")
        .collect();
    pages.sort();
    assert_eq!(named, pages, "docs/SUMMARY.md lists each page of docs once");
}

#[test]
fn code_of_the_guide_is_code_of_the_examples() {
    let examples = files("examples", "rs");
    let mut found = Vec::new();
    let mut checked = 0;
    for page in files("docs/guide", "md") {
        let (blocks, _) = blocks(&page.text);
        for block in blocks.iter().filter(|block| block.language == "rust") {
            checked += 1;
            if !examples
                .iter()
                .any(|example| example.text.contains(&block.text))
            {
                let first = block.text.lines().next().unwrap_or_default();
                found.push(format!("{}: {first}", page.path));
            }
        }
    }
    assert!(checked >= 10, "{checked} blocks");
    none(
        &found,
        "blocks of Rust in docs/guide are copied from a file of examples/, which is compiled: copy \
         them again",
    );
}

#[test]
fn json_of_documents_is_json() {
    let mut found = Vec::new();
    for document in documents() {
        let (blocks, _) = blocks(&document.text);
        for block in blocks.iter().filter(|block| block.language == "json") {
            if let Err(error) = serde_json::from_str::<Value>(&block.text) {
                found.push(format!("{}: {error}", document.path));
            }
        }
    }
    none(&found, "these blocks are no JSON");
}

#[test]
fn headings_have_the_anchors_of_the_repositorys_host() {
    for (heading, expected) in [
        (
            "Server `mcpfn`: toolkits and data",
            "server-mcpfn-toolkits-and-data",
        ),
        ("A handler with `&Cx`", "a-handler-with-cx"),
        ("Rate limit, cached results", "rate-limit-cached-results"),
        ("[Lambda](a.md)", "lambda"),
        ("3. It is there & failed", "3-it-is-there--failed"),
    ] {
        assert_eq!(anchor(heading), expected);
    }
    let twice = anchors("# A\n## A\n```\n# B\n```\n");
    assert_eq!(twice, BTreeSet::from(["a".to_owned(), "a-1".to_owned()]));
}
