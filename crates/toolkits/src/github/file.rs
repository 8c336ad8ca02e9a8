//! `get_file_contents`: a text file, or what is in a directory.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mcpfn_core::text::percent_encoded;
use mcpfn_core::{Cx, ToolError, input, output, text, tool};
use serde::Deserialize;

use super::{GitHub, repository};
use crate::fetch::plain;
use crate::untrusted::{NOTICE, Untrusted};

/// The most text of one answer, in bytes.
const MAX: usize = 100 * 1024;

/// The most entries of a directory. GitHub lists a thousand.
const ENTRIES: usize = 500;

/// Which file.
#[input]
#[derive(Debug)]
pub struct RepositoryFile {
    /// The repository as owner/name, e.g. "rust-lang/cargo".
    #[schemars(length(min = 3, max = 140))]
    pub repo: String,
    /// A file or directory in it, e.g. "src/main.rs"; the top directory, when left out.
    #[schemars(length(max = 500))]
    #[serde(default)]
    pub path: String,
    /// A branch, tag or commit, e.g. "v1.2.0"; the default branch, when left out.
    #[schemars(length(max = 200))]
    #[serde(rename = "ref", default)]
    pub reference: Option<String>,
}

/// A file with its text, or a directory with its entries.
#[output]
#[derive(Debug)]
pub struct FileContents {
    /// How to read the rest.
    pub notice: &'static str,
    /// Path in the repository.
    pub path: String,
    /// `file` or `directory`.
    pub kind: &'static str,
    /// Size of the file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The file's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<DirectoryEntry>>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An entry of a directory.
#[output]
#[derive(Debug)]
pub struct DirectoryEntry {
    /// Name.
    pub name: String,
    /// `file`, `dir`, `symlink` or `submodule`.
    pub kind: String,
    /// Size of a file in bytes.
    pub size: u64,
}

/// Get a text file from a GitHub repository, or list a directory.
///
/// Use this to read source code, documentation or configuration. Leave `path` out to see what is at
/// the top, then go down. Text is cut after 100 KB; binary files are refused.
#[tool(
    read_only,
    idempotent,
    scope = "github:read",
    title = "Read a file",
    cache = "30s",
    cache_stale_if_error = "1h"
)]
pub async fn get_file_contents(
    args: RepositoryFile,
    cx: &Cx,
) -> Result<Untrusted<FileContents>, ToolError> {
    let repo = repository(&args.repo)?;
    let path = path(&args.path)?;
    let reference = args
        .reference
        .as_deref()
        .map(str::trim)
        .filter(|reference| !reference.is_empty());
    let query = reference
        .map(|reference| format!("?ref={}", percent_encoded(reference)))
        .unwrap_or_default();
    let encoded = path
        .split('/')
        .map(percent_encoded)
        .collect::<Vec<_>>()
        .join("/");
    let github: &GitHub = cx.state()?;
    let answer = github
        .read(cx, &format!("/repos/{repo}/contents/{encoded}{query}"))
        .await?;
    if answer.status != 200 {
        let at = reference
            .map(|reference| format!(" at {}", text::quoted(reference)))
            .unwrap_or_default();
        return Err(github.refused(
            &answer,
            &format!(
                "{} in `{repo}`{at}",
                if path.is_empty() {
                    "file".to_owned()
                } else {
                    text::quoted(path).to_string()
                }
            ),
        ));
    }
    match github.0.json(&answer)? {
        RepositoryEntry::Directory(items) => Ok(Untrusted(directory(path, items))),
        RepositoryEntry::ContentItem(item) => file(path, item).map(Untrusted),
    }
}

fn directory(path: &str, mut items: Vec<ContentItem>) -> FileContents {
    let all = items.len();
    items.truncate(ENTRIES);
    let note =
        (all > ENTRIES).then(|| format!("Cut: these are the first {ENTRIES} of {all} entries."));
    let entries = items.into_iter().map(|item| DirectoryEntry {
        name: item.name,
        kind: item.kind,
        size: item.size,
    });
    FileContents {
        notice: NOTICE,
        path: path.to_owned(),
        kind: "directory",
        size: None,
        text: None,
        entries: Some(entries.collect()),
        note,
    }
}

fn file(path: &str, item: ContentItem) -> Result<FileContents, ToolError> {
    let shown = text::quoted(path);
    if item.kind != "file" {
        return Err(ToolError::new(format!(
            "{shown} is not a file but a {}. Ask for the path that it points to.",
            item.kind
        )));
    }
    if item.encoding.as_deref() != Some("base64") {
        return Err(ToolError::new(format!(
            "{shown} is too large to be read: it has {} bytes, and GitHub gives up to 1 MB.",
            item.size
        )));
    }
    let written: String = item
        .content
        .unwrap_or_default()
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    let bytes = BASE64_STANDARD
        .decode(written)
        .map_err(|error| ToolError::internal(format!("GitHub sent broken Base64: {error}")))?;
    let binary = || {
        ToolError::new(format!(
            "{shown} is a binary file of {} bytes, and only text can be read.",
            item.size
        ))
    };
    let whole = String::from_utf8(bytes).map_err(|_| binary())?;
    if whole.contains('\0') {
        return Err(binary());
    }
    let (text, cut) = plain(&whole, MAX);
    let note = cut.then(|| {
        format!(
            "Cut: this is the beginning of the file, {} of {} bytes.",
            text.len(),
            whole.len()
        )
    });
    Ok(FileContents {
        notice: NOTICE,
        path: path.to_owned(),
        kind: "file",
        size: Some(item.size),
        text: Some(text),
        entries: None,
        note,
    })
}

/// A path without slashes at its ends, if it stays in its repository.
fn path(path: &str) -> Result<&str, ToolError> {
    let path = path.trim().trim_matches('/');
    let legal =
        |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
    if path.is_empty() || path.split('/').all(legal) {
        return Ok(path);
    }
    Err(ToolError::new(format!(
        "{} is not a path in a repository. Write it from the top, e.g. \"src/main.rs\".",
        text::quoted(path)
    )))
}

/// A directory is a list, anything else an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum RepositoryEntry {
    Directory(Vec<ContentItem>),
    ContentItem(ContentItem),
}

#[derive(Deserialize)]
struct ContentItem {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    size: u64,
    content: Option<String>,
    encoding: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths_stay_in_their_repository() {
        for (given, expected) in [
            ("", ""),
            ("/", ""),
            ("/src/main.rs/", "src/main.rs"),
            ("a b/ü#?%.md", "a b/ü#?%.md"),
            ("...", "..."),
        ] {
            assert_eq!(path(given).unwrap(), expected);
        }
        for given in ["..", "../x", "a/../b", "a//b", "./a", "a/.", "a\nb", "a\0"] {
            assert!(path(given).is_err(), "{given:?}");
        }
    }
}
