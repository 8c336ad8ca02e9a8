//! Reading and listing below an open directory, as blocking functions. Writes nothing.

use std::collections::BinaryHeap;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use cap_fs_ext::OpenOptionsSyncExt as _;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use cap_std::time::SystemClock;
use mcpfn_ports::{BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart};

/// What files that are being written are called. They are in no list.
pub(crate) const TEMPORARY: &str = ".mcpfn-";

/// A failure of the operating system.
pub(crate) fn failed(error: &std::io::Error) -> BlobError {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP) {
        // links in a circle lead to nothing
        return BlobError::NotFound;
    }
    match error.kind() {
        ErrorKind::NotFound => BlobError::NotFound,
        // a name that this file system can't have is not there
        ErrorKind::InvalidFilename => BlobError::NotFound,
        ErrorKind::NotADirectory => BlobError::NotADirectory,
        ErrorKind::IsADirectory => BlobError::NotAFile,
        // the refusal of a path that leads outside is not the system's own
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => BlobError::Outside,
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded => BlobError::Refused(error.to_string()),
        ErrorKind::CrossesDevices => {
            BlobError::Refused("the two places are on different file systems".to_owned())
        }
        ErrorKind::FileTooLarge => BlobError::Refused(error.to_string()),
        _ => BlobError::Unavailable(error.to_string()),
    }
}

/// A regular file, open for reading.
pub(crate) fn open(dir: &Dir, path: &Path) -> Result<(File, BlobMetadata), BlobError> {
    let mut options = OpenOptions::new();
    // a pipe would wait for a writer
    options.read(true).nonblock(true);
    let file = dir
        .open_with(path, &options)
        .map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(BlobError::NotAFile);
    }
    Ok((file, known(&metadata)))
}

pub(crate) fn read(
    dir: &Dir,
    path: &Path,
    offset: u64,
    length: usize,
) -> Result<BlobPart, BlobError> {
    let (mut file, metadata) = open(dir, path)?;
    let left = usize::try_from(metadata.size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(length.min(left));
    let mut part = || {
        file.seek(SeekFrom::Start(offset))?;
        (&mut file).take(length as u64).read_to_end(&mut bytes)
    };
    if left > 0 {
        part().map_err(|error| failed(&error))?;
    }
    Ok(BlobPart {
        bytes: bytes.into(),
        metadata,
    })
}

/// The entries whose names begin with `start`, after `cursor`, by their names as bytes. A name that
/// is not UTF-8 is shown with replacements, and can't be opened.
pub(crate) fn list(
    dir: &Dir,
    path: &Path,
    start: &str,
    cursor: Option<&str>,
    most: usize,
) -> Result<BlobPage, BlobError> {
    // the least names so far, the greatest of them on top: of a directory of any size no more is
    // kept than one page
    let mut least = BinaryHeap::new();
    for entry in dir.read_dir(path).map_err(|error| failed(&error))? {
        let name = entry
            .map_err(|error| failed(&error))?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(TEMPORARY)
            || !name.starts_with(start)
            || cursor.is_some_and(|cursor| name.as_str() <= cursor)
        {
            continue;
        }
        least.push(name);
        if least.len() > most + 1 {
            least.pop();
        }
    }
    let mut names = least.into_sorted_vec();
    let more = names.len() > most;
    names.truncate(most);
    let cursor = names.last().filter(|_| more).cloned();
    Ok(BlobPage {
        entries: names
            .into_iter()
            .map(|name| entry(dir, path, name))
            .collect(),
        cursor,
    })
}

/// From the root, so that a link to another directory inside it is followed.
fn entry(dir: &Dir, path: &Path, name: String) -> BlobEntry {
    match dir.metadata(path.join(&name)) {
        Ok(metadata) if metadata.is_file() => {
            let BlobMetadata {
                size, modified_ms, ..
            } = known(&metadata);
            BlobEntry {
                name,
                kind: BlobKind::File,
                size,
                modified_ms,
            }
        }
        Ok(metadata) if metadata.is_dir() => BlobEntry {
            name,
            kind: BlobKind::Directory,
            size: 0,
            modified_ms: None,
        },
        _ => BlobEntry {
            name,
            kind: BlobKind::Other,
            size: 0,
            modified_ms: None,
        },
    }
}

pub(crate) fn known(metadata: &Metadata) -> BlobMetadata {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(SystemClock::UNIX_EPOCH).ok());
    let modified_ms = modified.and_then(|since| u64::try_from(since.as_millis()).ok());
    let nanoseconds = modified.map_or(0, |since| since.as_nanos());
    BlobMetadata {
        size: metadata.len(),
        modified_ms,
        version: format!(
            "{:x}-{nanoseconds:x}-{}",
            metadata.len(),
            identity(metadata)
        ),
    }
}

/// The file behind the name, and when anything about it changed: it can't be set back.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> String {
    use cap_std::fs::MetadataExt as _;
    format!(
        "{:x}-{:x}-{:x}",
        metadata.ino(),
        metadata.ctime(),
        metadata.ctime_nsec()
    )
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> &'static str {
    "0"
}
