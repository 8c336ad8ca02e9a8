//! What a program left that was stopped in the middle of a write: found and deleted when another
//! write comes to the same directory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cap_std::fs::Dir;
use mcpfn_ports::BlobPath;

use crate::io::{TEMPORARY, known};

/// How old what is left must be: no write takes a day. Also how often a directory is looked
/// through.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// How many directories are remembered. Beyond that all are forgotten, and looked through once
/// more.
const REMEMBERED: usize = 1000;

/// When each directory was last looked through.
#[derive(Default)]
pub(crate) struct Sweeping(Mutex<HashMap<String, u64>>);

impl Sweeping {
    /// Looks through the directory of a file that was just written, once a day. Its time is the
    /// only clock: what is compared with it was written by the same file system.
    pub(crate) fn after_a_write(
        &self,
        dir: &Dir,
        path: &BlobPath,
        place: &Path,
        written_ms: Option<u64>,
    ) {
        let (Some(now), Some((directory, _))) = (written_ms, path.split()) else {
            return;
        };
        let mut swept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if swept
            .get(directory.as_str())
            .is_some_and(|last| now < last.saturating_add(DAY_MS))
        {
            return;
        }
        if swept.len() >= REMEMBERED {
            swept.clear();
        }
        swept.insert(directory.as_str().to_owned(), now);
        drop(swept);
        sweep(dir, place.parent().unwrap_or(place), now);
    }
}

/// Deletes what is old in a directory. What can't be deleted stays: the write is done.
fn sweep(dir: &Dir, directory: &Path, now: u64) {
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    // through the open directory, as every other access
    let Ok(dir) = dir.open_dir(directory) else {
        return;
    };
    let Ok(entries) = dir.entries() else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_temporary) {
            continue;
        }
        // of the entry itself, which may be a link that another process made
        let Ok(metadata) = dir.symlink_metadata(&name) else {
            continue;
        };
        let old = known(&metadata)
            .modified_ms
            .is_some_and(|written| written.saturating_add(DAY_MS) < now);
        if metadata.is_file() && old {
            let _ = dir.remove_file(&name);
        }
    }
}

/// A name that only writes here make.
fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY).is_some_and(|random| {
        random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
