//! Opening connections, and everything a connection is told once: limits, modes, and who may do
//! what. Runs no statement of a caller.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mcpfn_ports::SqlError;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::brake::Brake;
use super::error::sql_error;

/// How long a statement waits for a lock of another connection or process.
const BUSY: Duration = Duration::from_secs(2);

/// The largest value or row, in bytes.
const MAX_VALUE: i32 = 16 * 1024 * 1024;

/// The longest statement, in bytes of text.
const MAX_STATEMENT: i32 = 1_000_000;

/// How deep an expression may nest. SQLite's own default is 1,000, far more than is written by
/// hand.
const MAX_DEPTH: i32 = 200;

/// The longest pattern of `LIKE` and `GLOB`, in bytes: matching costs up to the square of it.
const MAX_PATTERN: i32 = 1000;

/// What all connections of this process may take of memory, in bytes: pages, and what statements
/// put aside to sort, group and join. Enough for several values of the greatest size, and a quarter
/// of the smallest function that has room for anything else.
const MAX_MEMORY: i64 = 64 * 1024 * 1024;

/// How many prepared statements a connection keeps.
const KEPT_STATEMENTS: usize = 64;

/// How often a running statement looks whether it should stop, in steps of SQLite's virtual
/// machine.
const STEPS_BETWEEN_LOOKS: i32 = 100;

/// What SQLite may be asked about itself while reading. FTS5 asks for `data_version`.
const HARMLESS_PRAGMAS: [&str; 8] = [
    "data_version",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum DatabasePath {
    Memory,
    File(PathBuf),
    /// A file that does not change: no locks and no write-ahead log.
    Unchanging(PathBuf),
}

/// What a handle, or one statement, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    Full,
    ReadOnly,
}

/// An open connection with its switches.
pub(super) struct SqliteSession {
    pub(super) connection: Connection,
    brake: Arc<Brake>,
    pulled: Arc<AtomicBool>,
    reading_only: Arc<AtomicBool>,
    clock: Arc<StopClock>,
    access: Rights,
}

/// When the running statement has to end, if it was given a time.
struct StopClock {
    opened: Instant,
    /// Microseconds after `opened`; `u64::MAX` is never.
    end: AtomicU64,
}

impl StopClock {
    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_over(&self) -> bool {
        let end = self.end.load(Ordering::Relaxed);
        end != u64::MAX && self.now() >= end
    }
}

impl SqliteSession {
    pub(super) fn brake(&self) -> &Arc<Brake> {
        &self.brake
    }

    /// What the connection was opened for.
    pub(super) fn access(&self) -> Rights {
        self.access
    }

    /// Whether the caller has gone while its statement ran.
    pub(super) fn stopped(&self) -> bool {
        self.pulled.load(Ordering::Relaxed)
    }

    /// Bounds the next statement: its time, and the bytes of each value that it makes. One step of
    /// SQLite's machine can't be interrupted, and searching one long text for another takes the
    /// product of their lengths.
    pub(super) fn bound(&self, time: Duration, bytes: usize) -> rusqlite::Result<()> {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.clock
            .end
            .store(self.clock.now().saturating_add(micros), Ordering::Relaxed);
        let bytes = i32::try_from(bytes).unwrap_or(MAX_VALUE).min(MAX_VALUE);
        self.connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes)
            .map(drop)
    }

    /// Ends what `bound` began, and tells whether the time was over.
    pub(super) fn unbound(&self) -> rusqlite::Result<bool> {
        let over = self.clock.is_over();
        self.clock.end.store(u64::MAX, Ordering::Relaxed);
        self.connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
        Ok(over)
    }

    /// Makes the authorizer strict, or not, for the statements prepared from now on.
    pub(super) fn restrict(&self, access: Rights) {
        let strict = access == Rights::ReadOnly || self.access == Rights::ReadOnly;
        self.reading_only.store(strict, Ordering::Relaxed);
    }
}

pub(super) fn open(place: &DatabasePath, access: Rights) -> Result<SqliteSession, SqlError> {
    prepare(place, access).map_err(|error| sql_error(&error))
}

/// Opens a file that must exist, and tells how its other readers shall open it.
pub(super) fn open_existing(path: &Path) -> Result<(DatabasePath, SqliteSession), SqlError> {
    let place = DatabasePath::File(path.to_owned());
    match prepare(&place, Rights::ReadOnly) {
        Ok(session) => Ok((place, session)),
        // a database in WAL mode can't be read where its index file can't be made; without anything
        // in the log beside it, the file itself is complete, and a process that can't make files
        // there can't change it either
        Err(error)
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && lies_alone(path) =>
        {
            let place = DatabasePath::Unchanging(path.to_owned());
            let session = open(&place, Rights::ReadOnly)?;
            Ok((place, session))
        }
        Err(error) => Err(sql_error(&error)),
    }
}

fn lies_alone(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    path.is_file() && std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}

fn opened(place: &DatabasePath, access: Rights) -> rusqlite::Result<Connection> {
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mode = match access {
        Rights::Full => write,
        Rights::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // each connection stays on one thread, so SQLite's own mutexes are not needed
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match place {
        DatabasePath::Memory => Connection::open_in_memory_with_flags(flags),
        DatabasePath::File(path) => Connection::open_with_flags(path, flags),
        DatabasePath::Unchanging(path) => {
            Connection::open_with_flags(unchanging_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
    }
}

/// Limits and modes that no statement can change.
fn restrain(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_STATEMENT),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, MAX_DEPTH),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN),
        // attaching is how a statement would reach other files
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    // shadow tables and the schema table can't be written by hand, and 'text' is never mistaken for
    // a "column"
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    Ok(())
}

/// Keeps what statements put aside in memory, and bounds that: in files it would be bounded by
/// their time alone, at hundreds of megabytes a second. A database in memory is not bounded, because
/// it is memory itself. SQLite has one limit for a process, so the first connection sets it for all.
fn restrain_memory(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "memory")?;
    // it answers with the limit that holds: a lower one stays
    connection.pragma_update_and_check(None, "hard_heap_limit", MAX_MEMORY, |_| Ok(()))
}

fn prepare(place: &DatabasePath, access: Rights) -> rusqlite::Result<SqliteSession> {
    let mut connection = opened(place, access)?;
    restrain(&connection)?;
    if !matches!(place, DatabasePath::Memory) {
        restrain_memory(&connection)?;
    }
    if access == Rights::Full && matches!(place, DatabasePath::File(_)) {
        // a file system without shared memory keeps its old mode: slower, and right all the same
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "normal")?;
    }
    // opening is lazy: the first look at the file tells whether it is a database
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;

    let pulled = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(StopClock {
        opened: Instant::now(),
        end: AtomicU64::new(u64::MAX),
    });
    let (seen, watched) = (Arc::clone(&pulled), Arc::clone(&clock));
    connection.progress_handler(
        STEPS_BETWEEN_LOOKS,
        Some(move || seen.load(Ordering::Relaxed) || watched.is_over()),
    )?;
    let reading_only = Arc::new(AtomicBool::new(access == Rights::ReadOnly));
    let strict = Arc::clone(&reading_only);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if strict.load(Ordering::Relaxed) {
            may_read(&context.action)
        } else {
            Authorization::Allow
        }
    }))?;
    let brake = Brake::new(connection.get_interrupt_handle(), Arc::clone(&pulled));
    Ok(SqliteSession {
        connection,
        brake,
        pulled,
        reading_only,
        clock,
        access,
    })
}

/// Decides over one action of a statement that may only read.
fn may_read(action: &AuthAction<'_>) -> Authorization {
    match action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Pragma { pragma_name, .. }
            if HARMLESS_PRAGMAS
                .iter()
                .any(|known| pragma_name.eq_ignore_ascii_case(known)) =>
        {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// The path as SQLite's URI, every byte that could mean something else escaped.
pub(super) fn unchanging_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // writing to a String can't fail
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}
