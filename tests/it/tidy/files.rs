//! What every file has: a sentence at its top, few lines, no path of one machine, somebody who runs it.

use super::source::{Source, files, none, none_but, root, sources};

#[test]
fn every_file_says_what_it_is() {
    let sources = sources(&["crates", "examples", "tests"]);
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

/// Files that are still longer.
const NOT_YET: &[&str] = &[];

#[test]
fn files_are_short() {
    let sources = sources(&["crates"]).into_iter();
    let found: Vec<String> = sources
        .filter(|source| source.path.contains("/src/") && source.code().count() > 400)
        .map(|source| source.path)
        .collect();
    none_but(
        NOT_YET,
        &found,
        "a file has at most 400 lines without tests: split it by idea, `foo.rs` with `foo/`",
    );
}

#[test]
fn no_test_is_ignored_or_expected_to_panic() {
    let found: Vec<String> = sources(&["crates", "tests"])
        .iter()
        .filter(|source| !source.path.starts_with("tests/it/tidy"))
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
    documents.retain(|document| !document.path.starts_with("tests/it/tidy"));
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
            ![
                "wire",
                "refuse",
                "authorization",
                "lambda",
                "proxied",
                "worker",
                "upstream",
                "doctor",
                "compare",
                "events",
            ]
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
