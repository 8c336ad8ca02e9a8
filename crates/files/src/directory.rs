//! `Directory`: roots, and the threads on which their files are read and written. The work itself
//! is `io`.
//!
//! A path is checked twice: as text by `BlobPath`, then by `cap-std`, which resolves it below
//! an open directory, so that no link leads outside.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{
    BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs,
    WriteCondition,
};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::stale::Sweeping;
use crate::{io, place};

/// How many operations run at the same time. Each has a thread, and on a disk that hangs it keeps
/// it.
const AT_ONCE: usize = 16;

/// One directory, or several under names. Cheap to clone.
///
/// A dropped future does not stop its operation: one that waits is never started, one that runs
/// comes to its end.
#[derive(Clone)]
pub struct Directory(Arc<DirectoryState>);

struct DirectoryState {
    roots: Roots,
    /// Held between the look at a file and its rename.
    writing: Mutex<()>,
    sweeping: Sweeping,
    running: Arc<Semaphore>,
    /// Looks of probes have a place of their own, and one at a time: on a disk that hangs, each
    /// would keep a thread.
    looking: Arc<Semaphore>,
}

enum Roots {
    One(Dir),
    Named(Vec<(String, Dir)>),
}

impl Directory {
    /// Opens a directory that is the top.
    ///
    /// # Errors
    /// When it is not there, is not a directory, or may not be opened.
    pub fn open(path: impl AsRef<Path>) -> std::io::Result<Self> {
        Ok(Self::new(Roots::One(open(path.as_ref())?)))
    }

    /// Opens several directories. At the top are their names, which [`BlobPath`] must take.
    ///
    /// # Errors
    /// As for [`Directory::open`].
    pub fn open_named<P: AsRef<Path>>(
        roots: impl IntoIterator<Item = (String, P)>,
    ) -> std::io::Result<Self> {
        let opened = roots
            .into_iter()
            .map(|(name, path)| Ok((name, open(path.as_ref())?)));
        Ok(Self::new(Roots::Named(
            opened.collect::<std::io::Result<_>>()?,
        )))
    }

    fn new(roots: Roots) -> Self {
        Self(Arc::new(DirectoryState {
            roots,
            writing: Mutex::new(()),
            sweeping: Sweeping::default(),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            looking: Arc::new(Semaphore::new(1)),
        }))
    }

    /// Whether every root is there and can be read.
    async fn look(&self) -> Result<(), BlobError> {
        let unavailable = |cause: String| BlobError::Unavailable(cause);
        let Ok(permit) = Arc::clone(&self.0.looking).try_acquire_owned() else {
            return Err(unavailable("the look before has not ended".to_owned()));
        };
        let shared = Arc::clone(&self.0);
        let looked = spawn_blocking(move || {
            let _permit = permit;
            match &shared.roots {
                Roots::One(dir) => is_there(dir),
                Roots::Named(roots) => roots.iter().try_for_each(|(_, dir)| is_there(dir)),
            }
        });
        let looked = looked
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        looked.map_err(|error| unavailable(error.to_string()))
    }

    /// Runs what blocks on a thread for it.
    async fn run<T, F>(&self, work: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce(&DirectoryState) -> Result<T, BlobError> + Send + 'static,
    {
        let gone = |error: &dyn fmt::Display| BlobError::Unavailable(error.to_string());
        let permit = Arc::clone(&self.0.running)
            .acquire_owned()
            .await
            .map_err(|error| gone(&error))?;
        let shared = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            let _permit = permit;
            work(&shared)
        });
        done.await.map_err(|error| gone(&error))?
    }
}

impl DirectoryState {
    /// The root that a path begins with, and the rest of the path; `.` for the root itself.
    fn find<'a>(&self, path: &'a BlobPath) -> Result<(&Dir, &'a Path), BlobError> {
        let (dir, rest) = match &self.roots {
            Roots::One(dir) => (dir, path.as_str()),
            Roots::Named(roots) => {
                let (first, rest) = path.as_str().split_once('/').unwrap_or((path.as_str(), ""));
                (
                    &roots
                        .iter()
                        .find(|(name, _)| name == first)
                        .ok_or(BlobError::NotFound)?
                        .1,
                    rest,
                )
            }
        };
        Ok((dir, Path::new(if rest.is_empty() { "." } else { rest })))
    }

    /// The names of the roots as a page.
    fn names(&self, start: &str, cursor: Option<&str>) -> Option<BlobPage> {
        let Roots::Named(roots) = &self.roots else {
            return None;
        };
        let entry = |name: &String| BlobEntry {
            name: name.clone(),
            kind: BlobKind::Directory,
            size: 0,
            modified_ms: None,
        };
        let names = roots.iter().map(|(name, _)| name).filter(|name| {
            name.starts_with(start) && cursor.is_none_or(|cursor| name.as_str() > cursor)
        });
        Some(BlobPage {
            entries: names.map(entry).collect(),
            cursor: None,
        })
    }
}

impl Blobs for Directory {
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.look())
    }

    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        let path = path.clone();
        Box::pin(self.run(move |shared| {
            let (dir, path) = shared.find(&path)?;
            io::read(dir, path, offset, length)
        }))
    }

    fn metadata<'a>(
        &'a self,
        path: &'a BlobPath,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        let path = path.clone();
        Box::pin(self.run(move |shared| {
            let (dir, path) = shared.find(&path)?;
            io::open(dir, path).map(|(_, metadata)| metadata)
        }))
    }

    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        let (path, start, cursor) = (
            directory.clone(),
            start.to_owned(),
            cursor.map(str::to_owned),
        );
        Box::pin(self.run(move |shared| {
            if path.is_top()
                && let Some(names) = shared.names(&start, cursor.as_deref())
            {
                return Ok(names);
            }
            let (dir, path) = shared.find(&path)?;
            io::list(dir, path, &start, cursor.as_deref(), most)
        }))
    }

    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        let (path, condition) = (path.clone(), condition.clone());
        Box::pin(self.run(move |shared| {
            let (dir, place) = shared.find(&path)?;
            let written = place::write(dir, place, &bytes, &condition, &shared.writing)?;
            shared
                .sweeping
                .after_a_write(dir, &path, place, written.modified_ms);
            Ok(written)
        }))
    }

    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        let (from, to) = (from.clone(), to.clone());
        Box::pin(self.run(move |shared| {
            let (from, to) = (shared.find(&from)?, shared.find(&to)?);
            place::rename(from, to, replace, &shared.writing)
        }))
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

/// An open directory that was removed still has a handle, and even an empty list; what is gone is its
/// last name.
fn is_there(dir: &Dir) -> std::io::Result<()> {
    #[cfg(unix)]
    if cap_std::fs::MetadataExt::nlink(&dir.dir_metadata()?) == 0 {
        let gone = "a directory that is served was removed: make it again, and restart";
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, gone));
    }
    dir.entries().map(drop)
}

fn open(path: &Path) -> std::io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}
