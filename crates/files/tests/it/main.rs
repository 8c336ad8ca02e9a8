//! `Directory` on real directories. What a path's text may be is tested where `BlobPath` is.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod basics;
mod races;
mod sandbox;
mod stale;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use mcpfn_files::Directory;
use mcpfn_ports::{BlobError, BlobMetadata, BlobPath, Blobs as _, WriteCondition};

/// A root and a directory beside it, gone when dropped.
struct Place {
    top: PathBuf,
    files: Directory,
}

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let top = std::env::temp_dir().join(format!("mcpfn-files-{}-{number}", std::process::id()));
        std::fs::create_dir_all(top.join("root")).unwrap();
        std::fs::create_dir(top.join("outside")).unwrap();
        std::fs::write(top.join("outside/secret"), "secret").unwrap();
        let files = Directory::open(top.join("root")).unwrap();
        Self { top, files }
    }

    fn root(&self, name: &str) -> PathBuf {
        self.top.join("root").join(name)
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.top.join("outside").join(name)
    }

    async fn read(&self, file: &str) -> Result<Bytes, BlobError> {
        self.files
            .read(&path(file), 0, 1 << 20)
            .await
            .map(|part| part.bytes)
    }

    async fn write(
        &self,
        file: &str,
        text: &'static str,
        condition: WriteCondition,
    ) -> Result<BlobMetadata, BlobError> {
        self.files
            .write(&path(file), Bytes::from_static(text.as_bytes()), &condition)
            .await
    }

    async fn names(&self, directory: &BlobPath) -> Result<Vec<String>, BlobError> {
        let page = self.files.list(directory, "", None, 1000).await?;
        Ok(page.entries.into_iter().map(|entry| entry.name).collect())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.top);
    }
}

fn path(text: &str) -> BlobPath {
    BlobPath::parse(text).unwrap()
}

fn link(to: impl AsRef<Path>, at: impl AsRef<Path>) {
    std::os::unix::fs::symlink(to, at).unwrap();
}
