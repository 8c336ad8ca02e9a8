//! What a thread does with its connection: one request in, one answer out. Knows nothing of queues
//! and futures.

use mcpfn_ports::{ReadLimits, Rows, SqlError, SqlValue};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Batch, CachedStatement, Connection, ErrorCode, Statement, ToSql, params_from_iter};

use super::connect::{Rights, SqliteSession};
use super::error::sql_error;
use super::whole;

/// The rows of one answer, in bytes of their values. A handful of rows can hold as many times 16
/// MiB.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// What a statement has to be, and what it may do.
pub(super) struct JobRequest {
    pub(super) work: Job,
    pub(super) access: Rights,
}

pub(super) enum Job {
    Query {
        sql: String,
        parameters: Vec<SqlValue>,
        max_rows: usize,
    },
    /// Of untrusted origin.
    Read {
        sql: String,
        limits: ReadLimits,
    },
    Execute {
        sql: String,
        parameters: Vec<SqlValue>,
    },
    ExecuteAll {
        statements: Vec<String>,
    },
    /// Whether the whole file is there.
    Look,
}

pub(super) enum QueryAnswer {
    Rows(Rows),
    Changed(u64),
    /// The statement was not run, because it may only read and would write.
    WouldWrite,
}

pub(super) fn run(
    session: &mut SqliteSession,
    request: JobRequest,
) -> Result<QueryAnswer, SqlError> {
    session.restrict(request.access);
    let outcome = match request.work {
        Job::Query {
            sql,
            parameters,
            max_rows,
        } => query(session, request.access, &sql, &parameters, max_rows),
        Job::Read { sql, limits } => read_unvetted(session, &sql, limits),
        Job::Execute { sql, parameters } => execute(&session.connection, &sql, &parameters),
        Job::ExecuteAll { statements } => execute_all(session, &statements),
        Job::Look => whole::check(&session.connection).map(|()| QueryAnswer::Changed(0)),
    };
    if !session.connection.is_autocommit() {
        // the next statement is another caller's: it must not find itself inside this one's
        // transaction
        session
            .connection
            .execute_batch("ROLLBACK")
            .map_err(|error| sql_error(&error))?;
        return Err(SqlError::Rejected(
            "a transaction can't outlive its statement".to_owned(),
        ));
    }
    outcome
}

fn query(
    session: &SqliteSession,
    access: Rights,
    sql: &str,
    parameters: &[SqlValue],
    max_rows: usize,
) -> Result<QueryAnswer, SqlError> {
    let connection = &session.connection;
    // a statement kept from a caller with more rights was authorized for that caller, not for this
    // one
    let keep = access == session.access();
    let Some(mut statement) = authorized(connection, sql, keep)? else {
        return Ok(QueryAnswer::WouldWrite);
    };
    let statement = statement.get();
    if access == Rights::ReadOnly && !statement.readonly() {
        return Ok(QueryAnswer::WouldWrite);
    }
    match read(statement, parameters, max_rows, MAX_ANSWER)? {
        (_, true) => Err(SqlError::Rejected(format!(
            "the rows hold more than {MAX_ANSWER} bytes"
        ))),
        (rows, false) => Ok(QueryAnswer::Rows(rows)),
    }
}

fn read_unvetted(
    session: &SqliteSession,
    sql: &str,
    limits: ReadLimits,
) -> Result<QueryAnswer, SqlError> {
    session
        .bound(limits.time, limits.bytes)
        .map_err(|error| sql_error(&error))?;
    let outcome = read_bounded(&session.connection, sql, limits);
    let over = session.unbound().map_err(|error| sql_error(&error))?;
    match outcome {
        Err(SqlError::Unavailable(cause)) if over => Err(SqlError::TooLong(cause)),
        outcome => outcome,
    }
}

fn read_bounded(
    connection: &Connection,
    sql: &str,
    limits: ReadLimits,
) -> Result<QueryAnswer, SqlError> {
    // never kept: a statement that was compiled for another caller was authorized for that caller
    let Some(mut statement) = authorized(connection, sql, false)? else {
        return Ok(QueryAnswer::WouldWrite);
    };
    let statement = statement.get();
    if !statement.readonly() {
        return Ok(QueryAnswer::WouldWrite);
    }
    let (mut rows, cut) = read(statement, &[], limits.rows, limits.bytes)?;
    rows.truncated |= cut;
    Ok(QueryAnswer::Rows(rows))
}

/// Rows up to both limits, and whether it was the bytes that ended them.
fn read(
    statement: &mut Statement<'_>,
    parameters: &[SqlValue],
    max_rows: usize,
    max_bytes: usize,
) -> Result<(Rows, bool), SqlError> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = Rows {
        columns,
        ..Rows::default()
    };
    let mut bytes = 0;
    let mut rows = statement
        .query(bound(parameters))
        .map_err(|error| sql_error(&error))?;
    while let Some(row) = rows.next().map_err(|error| sql_error(&error))? {
        if answer.rows.len() == max_rows {
            answer.truncated = true;
            break;
        }
        let mut values = Vec::with_capacity(answer.columns.len());
        for column in 0..answer.columns.len() {
            let value = row.get_ref(column).map_err(|error| sql_error(&error))?;
            let (value, size) = taken(value);
            bytes += size;
            values.push(value);
        }
        if bytes > max_bytes {
            return Ok((answer, true));
        }
        answer.rows.push(values);
    }
    Ok((answer, false))
}

fn execute(
    connection: &Connection,
    sql: &str,
    parameters: &[SqlValue],
) -> Result<QueryAnswer, SqlError> {
    let mut statement = prepare(connection, sql, true)?;
    let statement = statement.get();
    if statement.column_count() > 0 {
        // refused before it runs: SQLite would report the rows only after the change was made
        return Err(SqlError::Rejected(
            "the statement returns rows: it is a query".to_owned(),
        ));
    }
    let changed = statement
        .execute(bound(parameters))
        .map_err(|error| sql_error(&error))?;
    Ok(QueryAnswer::Changed(changed as u64))
}

fn execute_all(
    session: &mut SqliteSession,
    statements: &[String],
) -> Result<QueryAnswer, SqlError> {
    let stopped = || SqlError::Unavailable("the caller has gone".to_owned());
    // a transaction that is dropped without a commit is rolled back
    let transaction = session
        .connection
        .unchecked_transaction()
        .map_err(|error| sql_error(&error))?;
    let before = transaction.total_changes();
    for sql in statements {
        let mut statement = prepare(&transaction, sql, false)?;
        statement
            .get()
            .raw_execute()
            .map_err(|error| sql_error(&error))?;
        if session.stopped() {
            return Err(stopped());
        }
    }
    let changed = transaction.total_changes() - before;
    transaction.commit().map_err(|error| sql_error(&error))?;
    Ok(QueryAnswer::Changed(changed))
}

enum Prepared<'a> {
    Kept(CachedStatement<'a>),
    Once(Statement<'a>),
}

impl<'a> Prepared<'a> {
    fn get(&mut self) -> &mut Statement<'a> {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

/// Compiles exactly one statement; `None` for one that the caller's rights do not cover.
fn authorized<'a>(
    connection: &'a Connection,
    sql: &str,
    keep: bool,
) -> Result<Option<Prepared<'a>>, SqlError> {
    match prepare(connection, sql, keep) {
        Ok(statement) => Ok(Some(statement)),
        Err(RefusedAccess::Sqlite(error))
            if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied) =>
        {
            Ok(None)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Compiles exactly one statement.
fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    keep: bool,
) -> Result<Prepared<'a>, RefusedAccess> {
    if sql.contains('\0') {
        // SQLite reads up to it, and would leave out the rest without a word
        return Err(RefusedAccess::Text(
            "the statement has the character U+0000",
        ));
    }
    let rest = sql.trim_end().trim_end_matches(';');
    if keep && !rest.contains(';') {
        return Ok(Prepared::Kept(connection.prepare_cached(rest)?));
    }
    // rusqlite looks for a second statement by recursion, so a text of a hundred thousand
    // statements would overflow the stack; a batch takes one at a time
    let mut batch = Batch::new(connection, sql);
    let first = batch
        .next()?
        .ok_or(RefusedAccess::Text("there is no statement"))?;
    match batch.next() {
        Ok(None) => Ok(Prepared::Once(first)),
        Ok(Some(_)) | Err(_) => Err(RefusedAccess::Text("only one statement is run at a time")),
    }
}

enum RefusedAccess {
    Sqlite(rusqlite::Error),
    Text(&'static str),
}

impl From<rusqlite::Error> for RefusedAccess {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<RefusedAccess> for SqlError {
    fn from(refused: RefusedAccess) -> Self {
        match refused {
            RefusedAccess::Sqlite(error) => sql_error(&error),
            RefusedAccess::Text(reason) => Self::Rejected(reason.to_owned()),
        }
    }
}

fn bound(parameters: &[SqlValue]) -> impl rusqlite::Params + '_ {
    params_from_iter(parameters.iter().map(Parameter))
}

struct Parameter<'a>(&'a SqlValue);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            SqlValue::Null => ToSqlOutput::Owned(Value::Null),
            SqlValue::Integer(integer) => ToSqlOutput::Owned(Value::Integer(*integer)),
            SqlValue::Real(real) => ToSqlOutput::Owned(Value::Real(*real)),
            SqlValue::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            SqlValue::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// A value out of SQLite's memory, and the bytes it takes.
fn taken(value: ValueRef<'_>) -> (SqlValue, usize) {
    match value {
        ValueRef::Null => (SqlValue::Null, 1),
        ValueRef::Integer(integer) => (SqlValue::Integer(integer), 8),
        ValueRef::Real(real) => (SqlValue::Real(real), 8),
        // SQLite does not check that text is UTF-8
        ValueRef::Text(text) => (
            SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
            text.len(),
        ),
        ValueRef::Blob(bytes) => (SqlValue::Blob(bytes.to_vec()), bytes.len()),
    }
}
