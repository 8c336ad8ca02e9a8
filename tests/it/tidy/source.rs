//! The files of the repository, as the rules see them. Has no rule.

use std::path::{Path, PathBuf};

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests have a folder above")
}

pub(super) struct Source {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.starts_with("tests/")
    }

    /// Lines with their numbers, up to the tests at the end.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
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

pub(super) fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
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

pub(super) fn files(folder: &str, extension: &str) -> Vec<Source> {
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

pub(super) fn sources(folders: &[&str]) -> Vec<Source> {
    folders
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

pub(super) const PURE: [&str; 6] = [
    "crates/embed/src",
    "crates/schema/src",
    "crates/core/src",
    "crates/ports/src",
    "crates/http/src",
    "crates/auth/src",
];

#[track_caller]
pub(super) fn none(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{}:\n  {}\n", advice, found.join("\n  "));
}

/// The library's own code: no tests, and not the commands of `xtask`.
pub(super) fn library() -> Vec<Source> {
    let mut sources = sources(&["crates"]);
    sources.retain(|source| {
        source.path.contains("/src/")
            && !source.path.starts_with("crates/xtask/")
            && !source.is_test()
    });
    sources
}

/// Each of our packages: the name of its folder below `crates`, and its manifest.
pub(super) fn packages() -> Vec<(String, String)> {
    let manifests = files("crates", "toml").into_iter();
    manifests
        .filter_map(|manifest| {
            let folder = manifest.path.strip_suffix("/Cargo.toml")?;
            let name = folder.strip_prefix("crates/")?.to_owned();
            Some((name, manifest.text))
        })
        .collect()
}

/// For a rule that is not kept everywhere yet: what is found must be listed, so that it gets no
/// worse, and what is listed must be found, so that the list tells the truth.
#[track_caller]
pub(super) fn none_but(not_yet: &[&str], found: &[String], advice: &str) {
    let new: Vec<String> = found
        .iter()
        .filter(|found| !not_yet.contains(&found.as_str()))
        .cloned()
        .collect();
    none(&new, advice);
    let gone: Vec<String> = not_yet
        .iter()
        .filter(|listed| !found.iter().any(|found| found == *listed))
        .map(|listed| (*listed).to_owned())
        .collect();
    none(&gone, "well done: take these off the rule's list NOT_YET");
}

/// Lines of code (not of tests) in which a word stands.
pub(super) fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
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

/// Names in a table of a manifest.
pub(super) fn table(manifest: &str, table: &str) -> Vec<String> {
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
