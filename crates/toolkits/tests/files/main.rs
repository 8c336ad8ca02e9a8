//! The toolkit `files` over a directory, asked as a client asks; and over a store that fails, for
//! the sentence of each failure. What stores must do is the contract in the package of store tests.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

/// Sentences of failures, and what they keep private.
mod failures;
/// A server over files, and its client.
mod host;
/// Directories: pages, paths, what is left out, completion.
mod list;
/// Parts of files, what is no text, resources.
mod read;
/// Who may do what.
mod rights;
/// Skills in a directory.
mod skills;
/// Writes and moves, under conditions.
mod write;
