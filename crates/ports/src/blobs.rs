//! The port to files, and the values that cross it. Not a file system: directories and object
//! stores implement it elsewhere.

use std::fmt;

use bytes::Bytes;

use super::blob_path::BlobPath;
use mcpfn_core::{BoxFuture, MaybeSend, MaybeSync};

/// Files in directories, under one top. Whatever a path resolves to lies below that top, or the
/// operation fails with [`BlobError::Outside`]: an implementation promises this also for links, and
/// while others change the directories.
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
            Self::NotAFile => f.write_str("it is no file"),
            Self::NotADirectory => f.write_str("it is no directory"),
            Self::BadCursor => f.write_str("no page has this cursor"),
            Self::Copied(cause) => write!(f, "copied, and not taken away: {cause}"),
            Self::Refused(cause) => write!(f, "not allowed: {cause}"),
            Self::TooLarge(most) => write!(f, "more than {most} bytes"),
            Self::Unavailable(cause) => write!(f, "files unavailable: {cause}"),
        }
    }
}

impl std::error::Error for BlobError {}
