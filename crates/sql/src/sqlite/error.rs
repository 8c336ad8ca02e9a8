//! Failures of SQLite as failures of the port.

use mcpfn_ports::SqlError;
use rusqlite::ErrorCode;

/// The port's two kinds of failure: what may pass by itself, and what will be refused again.
pub(super) fn sql_error(error: &rusqlite::Error) -> SqlError {
    let cause = error.to_string();
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::DiskFull
            | ErrorCode::OperationInterrupted,
        ) => SqlError::Unavailable(cause),
        // by the limit that `connect` sets, long before the process has none left
        Some(ErrorCode::OutOfMemory) => SqlError::Rejected(
            "the statement needs too much memory: sort, group or join fewer rows, or shorter values"
                .to_owned(),
        ),
        _ => SqlError::Rejected(cause),
    }
}
