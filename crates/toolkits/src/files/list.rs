//! `list_directory`, and completion of paths.

use mcpfn_core::{Completions, Cx, ToolError, input, output, tool};
use mcpfn_ports::{BlobEntry, BlobKind, BlobPath};

use super::forms;
use super::store::{blobs, failed, path};
use crate::date;
use crate::untrusted::{NOTICE, Untrusted};

/// Entries of a page.
const ENTRIES: usize = 200;

/// Paths that are looked up for what was typed; clients are shown a hundred of them, and how many
/// there are.
const SUGGESTED: usize = 1000;

/// Which directory.
#[input]
#[derive(Debug)]
pub struct DirectoryArguments {
    /// A directory, e.g. "docs/2026"; the top, when left out.
    #[schemars(length(max = 1024))]
    #[serde(default)]
    pub path: String,
    /// The `next_cursor` of the page before; the first page, when left out.
    #[schemars(length(max = 2048))]
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of a directory.
#[output]
#[derive(Debug)]
pub struct DirectoryListing {
    /// How to read the rest.
    pub notice: &'static str,
    /// The directory's path, empty for the top.
    pub path: String,
    /// What is in it.
    pub entries: Vec<ListedEntry>,
    /// The `cursor` of the next page, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An entry of a directory.
#[output]
#[derive(Debug)]
pub struct ListedEntry {
    /// Its path, to be given to the other tools as it is.
    pub path: String,
    /// `file` or `directory`.
    pub kind: &'static str,
    /// Bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When a file was written, in UTC, as ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// List the files and directories in a directory, 200 a page.
///
/// Use this to find files: leave `path` out to see what is at the top, then go down.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "files:read",
    title = "List a directory",
    timeout = "10s"
)]
pub async fn list_directory(
    args: DirectoryArguments,
    cx: &Cx,
) -> Result<Untrusted<DirectoryListing>, ToolError> {
    // what models write for the top
    let directory = if ["", ".", "/"].contains(&args.path.as_str()) {
        BlobPath::top()
    } else {
        path(args.path.trim_end_matches('/'))?
    };
    let cursor = args.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let blobs = &**blobs(cx)?;
    let (directory, page) = forms::with(&directory, |path| async move {
        blobs.list(&path, "", cursor, ENTRIES).await
    })
    .await
    .map_err(|error| failed(error, &directory))?;
    let all = page.entries.len();
    let entries: Vec<ListedEntry> = page
        .entries
        .into_iter()
        .filter_map(|entry| shown(&directory, &entry))
        .collect();
    let left_out = all - entries.len();
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(format!(
            "{left_out} more can't be read here: links that lead outside, devices, \
            or names that are not allowed."
        ));
    }
    if page.cursor.is_some() {
        notes.push("There are more entries: call again with `next_cursor` as `cursor`.".to_owned());
    }
    if all == 0 && page.cursor.is_none() {
        notes.push(
            if cursor.is_some() {
                "There are no more entries."
            } else {
                "The directory is empty."
            }
            .to_owned(),
        );
    }
    let note = (!notes.is_empty()).then(|| notes.join(" "));
    Ok(Untrusted(DirectoryListing {
        notice: NOTICE,
        path: directory.to_string(),
        entries,
        next_cursor: page.cursor,
        note,
    }))
}

fn shown(directory: &BlobPath, entry: &BlobEntry) -> Option<ListedEntry> {
    let path = directory.join(&entry.name).ok()?.to_string();
    match entry.kind {
        BlobKind::File => Some(ListedEntry {
            path,
            kind: "file",
            size: Some(entry.size),
            modified: entry.modified_ms.map(date::utc),
        }),
        BlobKind::Directory => Some(ListedEntry {
            path,
            kind: "directory",
            size: None,
            modified: None,
        }),
        BlobKind::Other => None,
    }
}

/// The paths that begin with what was typed. Directories end with `/`, to go on.
pub(super) async fn paths(typed: String, cx: Cx) -> Completions {
    let (above, start) = typed.rsplit_once('/').unwrap_or(("", &typed));
    let directory = if above.is_empty() {
        Ok(BlobPath::top())
    } else {
        BlobPath::parse(above)
    };
    let (Ok(directory), Ok(blobs)) = (directory, blobs(&cx)) else {
        return Completions::default();
    };
    let Ok(page) = blobs.list(&directory, start, None, SUGGESTED).await else {
        return Completions::default();
    };
    let entries = page
        .entries
        .iter()
        .filter_map(|entry| shown(&directory, entry));
    let paths = entries
        .map(|entry| {
            if entry.kind == "directory" {
                entry.path + "/"
            } else {
                entry.path
            }
        })
        .collect();
    match page.cursor {
        Some(_) => Completions::some(paths),
        None => Completions::from(paths),
    }
}
