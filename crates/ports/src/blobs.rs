//! The port to files, and the values that cross it. Not a file system: directories and object
//! stores implement it elsewhere.

use std::fmt;

use bytes::Bytes;

use super::blob_path::BlobPath;
use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// Files in directories, under one top. Whatever a path resolves to lies below that top, or the
/// operation fails with [`BlobError::Outside`]: an implementation promises this also for links, and
/// while others change the directories.
///
/// ```
/// use mcpfn_core::{Cx, ToolError};
/// use mcpfn_ports::{BlobError, BlobPath, Blobs};
/// use mcpfn_testing::{TestCx, block_on, private_cause};
///
/// /// A tool's handler: at most the first 64 KiB of a file.
/// async fn head(path: &str, cx: &Cx) -> Result<String, ToolError> {
///     let path = BlobPath::parse(path).map_err(|error| ToolError::new(error.to_string()))?;
///     let files = cx.port::<dyn Blobs>()?;
///     match files.read(&path, 0, 65_536).await {
///         Ok(part) => Ok(String::from_utf8_lossy(&part.bytes).into_owned()),
///         Err(BlobError::NotFound) => Err(ToolError::not_found("there is no such file")),
///         Err(cause) => Err(ToolError::unavailable("the file can't be read now", cause)),
///     }
/// }
///
/// let cx = TestCx::new().build();
/// let outside = block_on(head("../etc/passwd", &cx)).unwrap_err();
/// assert!(outside.message().is_some(), "a path is checked before anything is asked");
/// let no_store = block_on(head("notes/today.md", &cx)).unwrap_err();
/// assert!(private_cause(no_store).unwrap().contains("Blobs"));
/// ```
pub trait Blobs: MaybeSend + MaybeSync {
    /// At most `length` bytes of a file from `offset` on. None when `offset` is at or after its
    /// end.
    ///
    /// # Errors
    /// See [`BlobError`].
    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>>;

    /// What is known of a file without its bytes.
    ///
    /// # Errors
    /// See [`BlobError`].
    fn metadata<'a>(&'a self, path: &'a BlobPath)
    -> BoxFuture<'a, Result<BlobMetadata, BlobError>>;

    /// At most `most` entries of a directory whose names begin with `start`, which may be empty, in
    /// an order that stays. `cursor` is that of the page before.
    ///
    /// # Errors
    /// [`BlobError::BadCursor`] where no page has that cursor; else see [`BlobError`]. A store
    /// without directories of its own gives an empty page for one that is not there.
    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>>;

    /// Whether files could be read: for probes, so it costs little. When not overridden, it lists
    /// one entry of the top.
    ///
    /// # Errors
    /// See [`BlobError`].
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(async {
            let top = BlobPath::top();
            self.list(&top, "", None, 1).await.map(drop)
        })
    }

    /// Writes a whole file if `condition` holds, with the directories above it. Readers see the old
    /// bytes or the new ones, never a part of them.
    ///
    /// # Errors
    /// [`BlobError::Changed`] when the condition does not hold; else see [`BlobError`].
    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>>;

    /// Gives a file another path. With `replace`, a file that is there already is lost.
    ///
    /// # Errors
    /// [`BlobError::Changed`] when there is something at `to` already and `replace` is not said, or
    /// when the two are one file; [`BlobError::Copied`] when only the first half was done; else see
    /// [`BlobError`].
    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>>;
}

/// When a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteCondition {
    /// In any case.
    Always,
    /// If there is nothing at its path.
    Absent,
    /// If the file has this [`BlobMetadata::version`].
    Version(String),
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMetadata {
    /// Bytes.
    pub size: u64,
    /// When it was written, in milliseconds since 1970, if that is known.
    pub modified_ms: Option<u64>,
    /// Another one after every write that changes the file. For comparing only.
    pub version: String,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobPart {
    /// The bytes.
    pub bytes: Bytes,
    /// The whole file's.
    pub metadata: BlobMetadata,
}

/// Some entries of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobPage {
    /// The entries.
    pub entries: Vec<BlobEntry>,
    /// For the next page, if there is one.
    pub cursor: Option<String>,
}

impl BlobPage {
    /// A directory of a store that has keys only. `files` have their whole keys as names, and
    /// `directories` are keys up to a `/`; what does not begin with `above` is left out, and so is
    /// the file of no name that some programs write to show an empty directory.
    #[must_use]
    pub fn of_keys(
        above: &str,
        files: impl IntoIterator<Item = BlobEntry>,
        directories: impl IntoIterator<Item = String>,
        cursor: Option<String>,
    ) -> Self {
        let file = |entry: BlobEntry| {
            let name = entry.name.strip_prefix(above)?.to_owned();
            (!name.is_empty()).then_some(BlobEntry { name, ..entry })
        };
        let directory = |key: String| {
            let name = key.strip_prefix(above)?;
            Some(BlobEntry {
                name: name.strip_suffix('/').unwrap_or(name).to_owned(),
                kind: BlobKind::Directory,
                size: 0,
                modified_ms: None,
            })
        };
        let mut entries: Vec<BlobEntry> = files.into_iter().filter_map(file).collect();
        entries.extend(directories.into_iter().filter_map(directory));
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Self { entries, cursor }
    }
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its name, without the directory's. It may be one that [`BlobPath`] refuses.
    pub name: String,
    /// What it is.
    pub kind: BlobKind,
    /// Bytes of a file; 0 for others.
    pub size: u64,
    /// When it was written, in milliseconds since 1970, if that is known.
    pub modified_ms: Option<u64>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobKind {
    /// Bytes that can be read.
    File,
    /// Has entries.
    Directory,
    /// A link that leads outside, a device, a socket: nothing that this port reads.
    Other,
}

/// Why a file was not read or written. The causes are for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobError {
    /// Nothing is there.
    NotFound,
    /// A condition does not hold: the file was written meanwhile, or is there already.
    Changed,
    /// The path leads outside.
    Outside,
    /// A directory, a link or something else stands where a file is needed.
    NotAFile,
    /// The file that was to be moved is a link.
    Link,
    /// A file stands where a directory is needed.
    NotADirectory,
    /// No page of this directory has that cursor.
    BadCursor,
    /// The file has its new path, and its old one too: it could not be taken away there. The cause.
    Copied(String),
    /// The store does not allow this: rights, a file system for reading only, no space.
    Refused(String),
    /// More bytes than the store takes; this many are the most.
    TooLarge(u64),
    /// The store could not be reached, was busy, or took too long. A later try may work.
    Unavailable(String),
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("nothing is there"),
            Self::Changed => f.write_str("the condition does not hold"),
            Self::Outside => f.write_str("the path leads outside"),
            Self::NotAFile => f.write_str("it is not a file"),
            Self::Link => f.write_str("it is a link"),
            Self::NotADirectory => f.write_str("it is not a directory"),
            Self::BadCursor => f.write_str("no page has this cursor"),
            Self::Copied(cause) => write!(f, "copied, and not taken away: {cause}"),
            Self::Refused(cause) => write!(f, "not allowed: {cause}"),
            Self::TooLarge(most) => write!(f, "more than {most} bytes"),
            Self::Unavailable(cause) => write!(f, "files unavailable: {cause}"),
        }
    }
}

impl std::error::Error for BlobError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_directory() {
        let file = |key: &str| BlobEntry {
            name: key.to_owned(),
            kind: BlobKind::File,
            size: 7,
            modified_ms: Some(1),
        };
        let page = BlobPage::of_keys(
            "a/",
            ["a/z", "a/", "b"].map(file),
            ["a/y/", "a//", "c/"].map(str::to_owned),
            Some("next".to_owned()),
        );
        let directory = |name: &str| BlobEntry {
            name: name.to_owned(),
            kind: BlobKind::Directory,
            size: 0,
            modified_ms: None,
        };
        let z = BlobEntry {
            name: "z".to_owned(),
            ..file("")
        };
        assert_eq!(page.entries, [directory(""), directory("y"), z]);
        assert_eq!(page.cursor.as_deref(), Some("next"));
    }
}
