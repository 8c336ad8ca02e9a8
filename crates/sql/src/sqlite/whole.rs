//! Whether a database's file is there, from its first byte to its last: what a disk that was full, or
//! a copy that was interrupted, leaves behind is found before a statement needs the part that is
//! missing. Reads no page of a table.
//!
//! The file itself is never opened here beside the engine: by POSIX, closing it would end the locks
//! that the engine's connections have in this process.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use mcpfn_ports::SqlError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connect::unchanging_uri;
use super::error::sql_error;

/// How long the look waits for a writer's lock: less than a probe does.
const BUSY: Duration = Duration::from_millis(500);

/// Looks at the file of this connection.
pub(super) fn check(connection: &Connection) -> Result<(), SqlError> {
    let Some(path) = connection.path().map(Path::new) else {
        return Ok(());
    };
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked = Connection::open_with_flags(path, read_only).and_then(|it| look(&it, path));
    let looked = match looked {
        // without a place for its index, a database with a log is read as one that does not change
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            let flags = read_only | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(unchanging_uri(path), flags).and_then(|it| look(&it, path))
        }
        looked => looked,
    };
    match looked.map_err(|error| sql_error(&error))? {
        Ok(None) => Ok(()),
        Ok(Some(cause)) => Err(SqlError::Rejected(cause)),
        Err(error) => Err(SqlError::Unavailable(error.to_string())),
    }
}

/// The engine's own look at the first pages, through a connection that remembers none, and ours. The
/// statement has a lock as long as it lasts, so that nobody writes a file without a log meanwhile.
fn look(fresh: &Connection, path: &Path) -> rusqlite::Result<io::Result<Option<String>>> {
    fresh.busy_timeout(BUSY)?;
    let mut statement = fresh.prepare("SELECT count(*) FROM sqlite_master")?;
    let mut rows = statement.query([])?;
    rows.next()?;
    let number = |pragma| fresh.query_row(pragma, [], |row| row.get::<_, u32>(0));
    let pages = number("PRAGMA page_count")?;
    let page_size = number("PRAGMA page_size")?.max(1);
    Ok(missing(path, pages, page_size))
}

/// What is wrong with a file of so many pages, if something is.
fn missing(path: &Path, pages: u32, page_size: u32) -> io::Result<Option<String>> {
    let size = u64::from(pages) * u64::from(page_size);
    let length = || fs::metadata(path).map(|file| file.len());
    let before = length()?;
    if pages == 0 || before == 0 {
        return Ok(Some("the file is empty".to_owned()));
    }
    let there = before / u64::from(page_size);
    if before >= size || log_has(path, page_size, there, pages)? {
        return Ok(None);
    }
    // the log may have been brought into the file between the two looks
    let length = length()?;
    Ok((length < size).then(|| {
        format!("the file was cut off: it has {length} bytes of {size}; restore it from a backup")
    }))
}

/// Whether the write-ahead log has every page after the first `there`: a database grows in its log,
/// and its file follows later (<https://sqlite.org/fileformat2.html>, section 4.1).
fn log_has(path: &Path, page_size: u32, there: u64, pages: u32) -> io::Result<bool> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let file = match File::open(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let frame = 24 + u64::from(page_size);
    let missing = u64::from(pages).saturating_sub(there);
    if file.metadata()?.len().saturating_sub(32) / frame < missing {
        return Ok(false);
    }
    let mut log = BufReader::with_capacity(32, file);
    let mut start = [0; 32];
    log.read_exact(&mut start)?;
    let mut found = HashSet::new();
    let mut head = [0; 24];
    // frames of an earlier round have other salts
    while log.read_exact(&mut head).is_ok() && head[8..16] == start[16..24] {
        let page = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if u64::from(page) > there && page <= pages {
            found.insert(page);
        }
        log.seek(SeekFrom::Current(i64::from(page_size)))?;
    }
    Ok(found.len() as u64 >= missing)
}
