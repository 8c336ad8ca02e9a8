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
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted,
        ) => SqlError::Unavailable(cause),
        _ => SqlError::Rejected(cause),
    }
}
