//! Rules of the repository that no compiler checks, each with advice in its failure. Reads files;
//! changes none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests have a folder above")
}

struct Source {
    /// From the root of the repository, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.starts_with("tests/")
    }

    /// Lines with their numbers, up to the tests at the end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test() {
            Some(0)
        } else {
            self.text
                .lines()
                .position(|line| line.trim() == "#[cfg(test)]")
        };
        self.text
            .lines()
            .enumerate()
            .take(end.unwrap_or(usize::MAX))
            .map(|(position, line)| (position + 1, line))
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | ".git") {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn files(folder: &str, extension: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let relative = path
            .strip_prefix(root())
            .expect("it is below")
            .to_string_lossy()
            .replace('\\', "/");
        // somebody may be writing it just now
        let text = std::fs::read_to_string(&path).ok()?;
        Some(Source {
            path: relative,
            text,
        })
    };
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|known| known == extension))
        .filter_map(read)
        .collect()
}

fn sources(folders: &[&str]) -> Vec<Source> {
    folders
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

const PURE: [&str; 3] = ["crates/core/src", "crates/http/src", "crates/auth/src"];

#[track_caller]
fn none(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{}:\n  {}\n", advice, found.join("\n  "));
}

/// Lines of code (not of tests) in which a word stands.
fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            let code = line.split("//").next().unwrap_or_default();
            for word in words.iter().filter(|word| code.contains(*word)) {
                found.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is() {
    let sources = sources(&["crates", "tests"]);
    assert!(
        sources.len() > 80,
        "only {} files were found",
        sources.len()
    );
    let silent = |source: &&Source| {
        !source.text.starts_with("//! ") && !source.path.contains("/tests/fail/")
    };
    let found: Vec<String> = sources
        .iter()
        .filter(silent)
        .map(|source| source.path.clone())
        .collect();
    none(
        &found,
        "begin each file with `//!`: one sentence that says what it is, and what it is not",
    );
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for source in sources(&PURE) {
        let lines = source.code().count();
        if lines > 400 {
            found.push(format!("{}: {lines} lines", source.path));
        }
    }
    none(
        &found,
        "a file of core, http or auth has at most 400 lines without tests: split it by idea, \
         `foo.rs` with `foo/`",
    );
}

#[test]
fn core_http_and_auth_are_pure() {
    let forbidden = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::io",
        "SystemTime",
        "Instant::now",
        "tokio",
        "println!",
        "eprintln!",
        "print!",
        "dbg!",
        "thread::spawn",
        "thread::sleep",
        "thread_local!",
        "static mut",
        "getrandom",
        "tracing",
    ];
    none(
        &lines_with(&sources(&PURE), &forbidden),
        "core, http and auth do no I/O and know no clock, randomness, environment or log: take it \
         through a port (`Platform`) or as an argument",
    );
}

#[test]
fn only_jsonrpc_knows_the_envelope() {
    let mut sources = sources(&["crates"]);
    sources.retain(|source| {
        source.path.contains("/src/")
            && source.path != "crates/core/src/jsonrpc.rs"
            && !source.path.starts_with("crates/xtask")
    });
    let found = lines_with(&sources, &["\"jsonrpc\"", "\\\"jsonrpc\\\""]);
    none(
        &found,
        "the envelope is read and written in core/src/jsonrpc.rs alone: call its functions",
    );
}

#[test]
fn only_http_knows_status_codes() {
    let mut sources = sources(&["crates"]);
    sources
        .retain(|source| source.path.contains("/src/") && !source.path.starts_with("crates/http/"));
    let found = lines_with(&sources, &["StatusCode"]);
    none(
        &found,
        "a status code is http's decision (http/src/status.rs, guard.rs): a host or a toolkit that \
         chooses one writes protocol rules twice",
    );
}

#[test]
fn only_one_file_knows_schemars() {
    let mut sources = sources(&["crates/core/src"]);
    sources.retain(|source| {
        source.path != "crates/core/src/tool/schema.rs" && source.path != "crates/core/src/lib.rs"
    });
    none(
        &lines_with(&sources, &["schemars"]),
        "schemars is public interface: keep it behind core/src/tool/schema.rs, where a new version \
         of it is one change",
    );
}

#[test]
fn only_one_file_knows_the_target() {
    let mut sources = sources(&PURE);
    sources.retain(|source| source.path != "crates/core/src/send.rs");
    none(
        &lines_with(&sources, &["target_arch", "target_family", "target_os"]),
        "what differs by target stands in core/src/send.rs, documented, and nowhere else",
    );
}

/// Names in a table of a manifest.
fn table(manifest: &str, table: &str) -> Vec<String> {
    let header = format!("[{table}]");
    let lines = manifest
        .lines()
        .skip_while(|line| line.trim() != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| !name.starts_with('#'))
        .collect()
}

#[test]
fn dependencies_of_core_http_and_auth_are_these() {
    let allowed = [
        (
            "core",
            [
                "serde",
                "serde_json",
                "schemars",
                "sha2",
                "chacha20poly1305",
                "base64",
                "bytes",
                "regex-lite",
                "mcpfn-macros",
            ]
            .as_slice(),
        ),
        (
            "http",
            [
                "mcpfn-core",
                "http",
                "http-body",
                "http-body-util",
                "bytes",
                "serde_json",
                "base64",
            ]
            .as_slice(),
        ),
        (
            "auth",
            [
                "mcpfn-core",
                "mcpfn-http",
                "async-lock",
                "base64",
                "http",
                "ring",
                "serde",
                "serde_json",
                "sha2",
                "subtle",
            ]
            .as_slice(),
        ),
    ];
    for (name, allowed) in allowed {
        let manifest = std::fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml")))
            .expect("a manifest");
        let found: Vec<String> = table(&manifest, "dependencies")
            .into_iter()
            .filter(|dependency| !allowed.contains(&dependency.as_str()))
            .collect();
        none(
            &found,
            &format!(
                "{name} has a new dependency: measure what it adds to the wasm module, say why in \
                 its Cargo.toml, and list it here"
            ),
        );
        assert!(
            !manifest.contains("[target."),
            "{name} depends on nothing for one target only"
        );
        assert!(!manifest.contains("build ="), "{name} has no build script");
    }
}

#[test]
fn core_http_and_auth_explain_their_unwraps() {
    let mut found = Vec::new();
    for source in sources(&PURE) {
        let lines: Vec<(usize, &str)> = source.code().collect();
        for (position, (number, line)) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if [
                ".unwrap()",
                ".expect(",
                "unreachable!",
                "panic!(",
                "unsafe ",
            ]
            .iter()
            .any(|word| code.contains(word))
            {
                let explained = position > 0 && lines[position - 1].1.trim().starts_with("//");
                if !explained {
                    found.push(format!("{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    none(
        &found,
        "input never panics: return an error, or write the invariant that makes this impossible in \
         a comment on the line before",
    );
}

#[test]
fn no_test_is_ignored_or_expected_to_panic() {
    let found: Vec<String> = sources(&["crates", "tests"])
        .iter()
        .filter(|source| source.path != "tests/it/tidy.rs")
        .flat_map(|source| {
            let lines = source.text.lines().enumerate();
            let bad = lines.filter(|(_, line)| {
                line.trim_start().starts_with("#[ignore")
                    || line.trim_start().starts_with("#[should_panic")
            });
            bad.map(|(number, _)| format!("{}:{}", source.path, number + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    none(
        &found,
        "assert today's behaviour and say FIXME, or delete the test",
    );
}

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

#[test]
fn no_machine_is_named() {
    let mut documents = sources(&["crates", "tests"]);
    for (folder, extension) in [
        ("crates", "toml"),
        ("tests", "toml"),
        ("tests/fixtures", "json"),
        ("infra", "md"),
        ("infra", "yaml"),
        ("infra", "toml"),
    ] {
        if root().join(folder).is_dir() {
            documents.extend(files(folder, extension));
        }
    }
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "Cargo.toml",
        "deny.toml",
        ".cargo/config.toml",
    ] {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            documents.push(Source {
                path: name.to_owned(),
                text,
            });
        }
    }
    documents.retain(|document| document.path != "tests/it/tidy.rs");
    let places = ["/home/", "/root/", "/Users/", "C:\\Users"];
    let mut found = Vec::new();
    for document in &documents {
        for (number, line) in document.text.lines().enumerate() {
            for place in places.iter().filter(|place| line.contains(*place)) {
                found.push(format!("{}:{}: {place}", document.path, number + 1));
            }
        }
    }
    none(
        &found,
        "a path or a host of one machine means nothing on another: take it from the environment, \
         or leave it out",
    );
}

#[test]
fn every_fixture_is_in_a_folder_that_is_run() {
    let found: Vec<String> = files("tests/fixtures", "json")
        .into_iter()
        .map(|fixture| fixture.path)
        .filter(|path| {
            !["wire", "refuse", "lambda", "worker"]
                .iter()
                .any(|folder| path.starts_with(&format!("tests/fixtures/{folder}/")))
        })
        .collect();
    none(
        &found,
        "nobody runs these: put them into wire/ (what must work) or refuse/ (what must be refused)",
    );
}

#[test]
fn every_module_of_the_tests_says_what_belongs_in_it() {
    let main =
        std::fs::read_to_string(root().join("tests/it/main.rs")).expect("the list of modules");
    let lines: Vec<&str> = main.lines().collect();
    let silent = |position: usize| {
        lines[position].starts_with("mod ")
            && (position == 0 || !lines[position - 1].starts_with("///"))
    };
    let found: Vec<String> = (0..lines.len())
        .filter(|position| silent(*position))
        .map(|position| lines[position].to_owned())
        .collect();
    none(
        &found,
        "say in one line above the module what belongs in it",
    );
    let listed = |path: &str| {
        main.contains(&format!(
            "mod {};",
            path.trim_start_matches("tests/it/").trim_end_matches(".rs")
        ))
    };
    let unlisted: Vec<String> = files("tests/it", "rs")
        .into_iter()
        .map(|source| source.path)
        .filter(|path| {
            path != "tests/it/main.rs" && path.matches('/').count() == 2 && !listed(path)
        })
        .collect();
    none(
        &unlisted,
        "these files of tests/it are no part of the test binary: add them to main.rs",
    );
}
