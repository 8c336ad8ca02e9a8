//! Names, files and limits of skills (`io.modelcontextprotocol/skills`, Agent Skills). Not what is
//! in a file.

use std::collections::{BTreeMap, BTreeSet};

/// The file that makes a directory a skill.
pub const MANIFEST: &str = "SKILL.md";
/// Files of one skill.
pub const MAX_FILES: usize = 512;
/// Bytes of all files of one skill.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Characters of a description.
pub const MAX_DESCRIPTION: usize = 1024;
/// Characters of a name.
const MAX_NAME: usize = 64;
/// Bytes of a path, and of one name in it: what object stores and file systems take.
const MAX_PATH: usize = 1024;
const MAX_SEGMENT: usize = 255;

/// What is wrong with a skill's name, as the end of a sentence.
#[must_use]
pub fn name_mistake(name: &str) -> Option<&'static str> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(legal)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    (!fits).then_some(
        "a name has 1 to 64 of the characters a-z 0-9 -, no `-` at an end and no two in a row",
    )
}

/// What is wrong with a skill's description, as the end of a sentence.
#[must_use]
pub fn description_mistake(description: &str) -> Option<&'static str> {
    let length = description.chars().count();
    (description.trim().is_empty() || length > MAX_DESCRIPTION)
        .then_some("a description has 1 to 1,024 characters: a model chooses the skill by it")
}

/// What is wrong with the path of a file or a directory, as the end of a sentence.
///
/// Paths become URIs here and files on the machines of clients. So a path has only characters that
/// mean the same in both and that no one decodes, joins or hides.
#[must_use]
pub fn path_mistake(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > MAX_PATH {
        return Some("a path has 1 to 1,024 bytes");
    }
    path.split('/').find_map(segment_mistake)
}

fn segment_mistake(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it has an empty name: a `/` at an end, or two in a row")
    } else if name.starts_with('.') {
        Some(
            "it leads up, or it is hidden: no name begins with a dot. A skill shows every file it has",
        )
    } else if name.len() > MAX_SEGMENT {
        Some("one of its names has more than 255 bytes")
    } else if !name.chars().all(is_plain) {
        Some("rename it: names have A-Z a-z 0-9 and - _ . ~ + @ = , ( ) only")
    } else if name.ends_with('.') {
        Some("no name ends with a dot")
    } else if is_device(name) {
        Some("one of its names is that of a device on Windows, such as `con` or `nul`")
    } else {
        None
    }
}

/// Characters that stand for themselves in the path of a URI and in names of files on every system.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.~+@=,()".contains(character)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.to_ascii_lowercase();
    let numbered = |port| {
        let number = stem.strip_prefix(port);
        number.is_some_and(|number: &str| matches!(number.as_bytes(), [b'0'..=b'9']))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// What is wrong with the files of one skill: their paths in its directory, with their bytes.
#[must_use]
pub fn files_mistakes<'a>(files: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<String> {
    let (mut mistakes, mut count, mut bytes) = (Vec::new(), 0, 0_u64);
    let (mut seen, mut has_manifest) = (BTreeMap::new(), false);
    for (path, size) in files {
        count += 1;
        bytes = bytes.saturating_add(size);
        has_manifest |= path == MANIFEST;
        if let Some(mistake) = path_mistake(path) {
            mistakes.push(format!("file {path:?}: {mistake}"));
        }
        // two names that differ in case are one file on many machines
        if let Some(other) = seen.insert(path.to_ascii_lowercase(), path) {
            mistakes.push(format!(
                "files {other:?} and {path:?} are one on systems that ignore case: rename one"
            ));
        }
    }
    for (lower, path) in &seen {
        let mut above = lower.match_indices('/').map(|(end, _)| &lower[..end]);
        if let Some(file) = above.find_map(|directory| seen.get(directory)) {
            mistakes.push(format!(
                "{file:?} is a file, and the directory of {path:?}: rename one"
            ));
        }
    }
    if !has_manifest {
        mistakes.push(format!("it has no {MANIFEST}"));
    }
    if count > MAX_FILES {
        mistakes.push(format!(
            "it has {count} files, and clients take {MAX_FILES}: make it smaller"
        ));
    }
    if bytes > MAX_BYTES {
        mistakes.push(format!(
            "it has {bytes} bytes, and clients take {MAX_BYTES}: make it smaller"
        ));
    }
    mistakes
}

/// Which directories of a tree are skills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkillTree<'a> {
    /// In the order of their paths.
    pub skills: Vec<FoundSkill<'a>>,
    /// Files that are in no skill.
    pub stray: Vec<&'a str>,
}

/// A directory with a `SKILL.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSkill<'a> {
    /// Its path from the top of the tree; empty for the top itself.
    pub path: &'a str,
    /// Every file in it and below, by its path from the top of the tree. The `SKILL.md` of the
    /// skill is the first.
    pub files: Vec<&'a str>,
}

/// Finds the skills among files, each with its path from the top of the tree. A skill below another
/// one is found too, and its files are files of both.
#[must_use]
pub fn directories<'a>(files: &[&'a str]) -> SkillTree<'a> {
    let files: BTreeSet<&'a str> = files.iter().copied().collect();
    let manifests = files.iter().filter_map(|file| directory_of_manifest(file));
    let tops: BTreeSet<&'a str> = manifests.collect();
    let mut skills: Vec<FoundSkill<'a>> = Vec::new();
    for top in &tops {
        let inside = |file: &&&str| is_below(file, top);
        let mut found: Vec<&'a str> = files.iter().filter(inside).copied().collect();
        // the manifest first, the others as they are sorted
        found.sort_by_key(|file| directory_of_manifest(file) != Some(top));
        skills.push(FoundSkill {
            path: top,
            files: found,
        });
    }
    let in_none = |file: &&str| !tops.iter().any(|top| is_below(file, top));
    let stray = files.into_iter().filter(in_none).collect();
    SkillTree { skills, stray }
}

fn directory_of_manifest(file: &str) -> Option<&str> {
    match file.strip_suffix(MANIFEST)? {
        "" => Some(""),
        directory => directory.strip_suffix('/'),
    }
}

/// Whether a path is that of something in a directory; everything is at the top.
fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// The media type of a file by the end of its name. For what is none of these, text and bytes have
/// one each.
#[must_use]
pub fn media_type(path: &str, is_text: bool) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "md" | "markdown" => "text/markdown",
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "text/javascript",
        "py" => "text/x-python",
        "xml" | "xsd" => "application/xml",
        "sql" => "application/sql",
        "sh" => "application/x-sh",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        _ if is_text => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_descriptions() {
        for name in ["a", "refunds", "sql-2", &"a".repeat(64)] {
            assert_eq!(name_mistake(name), None, "{name}");
        }
        for name in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a b",
            "ä",
            "..",
            &"a".repeat(65),
        ] {
            assert!(name_mistake(name).is_some(), "{name}");
        }
        assert!(
            description_mistake(" ").is_some() && description_mistake(&"é".repeat(1025)).is_some()
        );
        assert_eq!(description_mistake(&"é".repeat(1024)), None);
    }

    #[test]
    fn poisoned_paths_are_refused() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            "\\x",
            "a\\b",
            "C:/x",
            "C:x",
            "a%2fb",
            "a%2Fb",
            "%2e%2e/x",
            "a%00b",
            "a\0b",
            "a\nb",
            "a?b",
            "a#b",
            "a b",
            ".env",
            "a/.git/config",
            "~root\u{200d}",
            "a\u{200d}b",
            "a\u{202e}b",
            "ａ",
            "é",
            "con",
            "a/NUL.txt",
            "com1",
            "lpt9.x",
            "a.",
            "…",
            "a*b",
            "a|b",
            "a\"b",
            "a<b",
            "a:b",
            &"a".repeat(256),
            &"a/".repeat(600),
        ] {
            assert!(path_mistake(path).is_some(), "{path:?}");
        }
        for path in [
            "SKILL.md",
            "a/b/c.md",
            "ISO-29500_4 (2)".replace(' ', "").as_str(),
            "a~b",
            "x@2.png",
            "console",
            "com10",
            "a=b,c+d",
        ] {
            assert_eq!(path_mistake(path), None, "{path:?}");
        }
    }

    #[test]
    fn all_mistakes_of_the_files_are_said_at_once() {
        let mistakes =
            files_mistakes([("a/B.md", 1), ("a/b.md", 1), ("../x", MAX_BYTES), ("a", 1)]);
        for part in [
            "../x",
            "ignore case",
            "is a file, and the directory",
            "no SKILL.md",
            "bytes",
        ] {
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(part)),
                "{part}: {mistakes:?}"
            );
        }
        let names: Vec<String> = (0..=MAX_FILES).map(|number| format!("f{number}")).collect();
        let files = names
            .iter()
            .map(|name| (name.as_str(), 1))
            .chain([(MANIFEST, 1)]);
        assert!(
            files_mistakes(files)
                .iter()
                .any(|mistake| mistake.contains("514 files"))
        );
        assert_eq!(
            files_mistakes([(MANIFEST, 1), ("a/b", 1)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_skill_has_the_files_of_those_below_it_too() {
        let found = directories(&[
            "a/b/SKILL.md",
            "a/x",
            "a/SKILL.md",
            "a/A.md",
            "c/y",
            "ab/SKILL.md",
        ]);
        let skills: Vec<_> = found
            .skills
            .iter()
            .map(|skill| (skill.path, skill.files.clone()))
            .collect();
        assert_eq!(
            skills,
            [
                ("a", vec!["a/SKILL.md", "a/A.md", "a/b/SKILL.md", "a/x"]),
                ("a/b", vec!["a/b/SKILL.md"]),
                ("ab", vec!["ab/SKILL.md"]),
            ]
        );
        assert_eq!(found.stray, ["c/y"]);
        assert_eq!(
            directories(&["SKILL.md", "x"]).skills[0].files,
            ["SKILL.md", "x"]
        );
    }

    proptest! {
        #[test]
        fn a_path_that_is_taken_stays_below_its_directory(path in "([a.%/\\\\:~ ]|\\PC|%2[eEfF]){0,12}") {
            if path_mistake(&path).is_none() {
                prop_assert!(path.is_ascii() && !path.contains(['%', '\\', ':', '\0']));
                let mut parts = std::path::Path::new(&path).components();
                prop_assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
