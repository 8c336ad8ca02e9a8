//! Directories of this machine behind the port `Blobs`, and with the feature `s3` buckets of S3. No
//! paths are checked by their text here: the operating system resolves each below an open directory
//! (`openat2`, or component by component), so that no link leads outside, also not one that is put
//! there during a call.
//!
//! **In scope:** reading, listing, writing and renaming regular files below one root or several
//! that have names; threads for what blocks.
//!
//! **Out of scope:** which paths a client may write (`BlobPath`), who may call, deleting.
//!
//! # What is promised of directories
//!
//! A file is written beside its place and renamed, so readers see the old bytes or the new ones.
//! "Only if nothing is there" holds among all processes where the file system has hard links. "Only
//! if it has this version" holds among the calls of one process; another process that writes
//! between the look and the rename, an instant later, is overwritten. A version is made of a file's
//! identity, size and times: a program that writes into a file in place, to the same size and
//! within one tick of the file system's clock (milliseconds), leaves it as it was.
//!
//! Links inside a root that stay inside are followed while reading. Nothing is written to a link.
//!
//! Every page of a list reads the names of the whole directory, because no file system gives them
//! in an order; what is kept of them is one page. With 100,000 files in it a page takes some 60 ms
//! (measured on ext4, names cached).
//!
//! A program that is stopped in the middle of a write leaves a file `.mcpfn-…`, which is in no
//! list. The next one that writes to the same directory deletes it a day later.
//!
//! # Smallest use
//!
//! ```
//! use mcpfn_files::Directory;
//! use mcpfn_ports::{BlobPath, Blobs, WriteCondition};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let folder = std::env::temp_dir().join(format!("mcpfn-files-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let files = Directory::open(&folder)?;
//! let path = BlobPath::parse("notes/today.md")?;
//! files.write(&path, "tea".into(), &WriteCondition::Absent).await?;
//! assert_eq!(files.read(&path, 0, 1024).await?.bytes, "tea");
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(()) })
//! # }
//! ```

mod directory;
mod io;
mod place;
#[cfg(feature = "s3")]
mod s3;
mod stale;

pub use directory::Directory;
#[cfg(feature = "s3")]
pub use s3::S3;
