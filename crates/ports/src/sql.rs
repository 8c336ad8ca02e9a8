//! The port to a SQL database, and the values that cross it. Not a driver: SQLite, Postgres and D1
//! implement it elsewhere.

use std::fmt;
use std::time::Duration;

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// A SQL database that a toolkit may ask. Parameters are always bound, never pasted into the text.
///
/// Placeholders in the text are `?1`, `?2`, ... in every dialect; a driver translates them.
///
/// ```
/// use mcpfn_core::{Cx, ToolError, handler::BoxFuture};
/// use mcpfn_ports::{Dialect, Rows, Sql, SqlError, SqlValue};
/// use mcpfn_testing::{TestCx, block_on};
/// use std::sync::Arc;
///
/// /// A tool's handler. Values are bound, and the number of rows is bounded.
/// async fn find(name: &str, cx: &Cx) -> Result<usize, ToolError> {
///     let database = cx.port::<dyn Sql>()?;
///     let name = [SqlValue::from(name)];
///     let rows = database.query("SELECT id FROM customer WHERE name = ?1", &name, 20).await?;
///     Ok(rows.rows.len())
/// }
///
/// /// A database that is down, for a test.
/// struct Down;
///
/// impl Sql for Down {
///     fn dialect(&self) -> Dialect {
///         Dialect::Sqlite
///     }
///
///     fn query<'a>(
///         &'a self,
///         _: &'a str,
///         _: &'a [SqlValue],
///         _: usize,
///     ) -> BoxFuture<'a, Result<Rows, SqlError>> {
///         Box::pin(async { Err(SqlError::Unavailable("no route to host".to_owned())) })
///     }
///
///     fn execute<'a>(
///         &'a self,
///         _: &'a str,
///         _: &'a [SqlValue],
///     ) -> BoxFuture<'a, Result<u64, SqlError>> {
///         Box::pin(async { Err(SqlError::Unavailable("no route to host".to_owned())) })
///     }
/// }
///
/// let cx = TestCx::new().with_port::<dyn Sql>(Arc::new(Down)).build();
/// let error = block_on(find("Ada", &cx)).unwrap_err();
/// assert_eq!(error.message(), None, "the cause is for the log alone");
/// ```
pub trait Sql: MaybeSend + MaybeSync {
    /// Which SQL the database speaks.
    fn dialect(&self) -> Dialect;

    /// Runs one statement that returns rows, and stops reading after `max_rows`.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the database can't be reached, [`SqlError::Rejected`] when it
    /// refuses the statement.
    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>>;

    /// Whether statements would be answered: for probes, so it costs little. When not overridden,
    /// it asks for one row.
    ///
    /// # Errors
    /// As for [`Sql::query`].
    fn check(&self) -> BoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async { self.query("SELECT 1", &[], 1).await.map(drop) })
    }

    /// Runs one statement that changes data, and returns the number of rows changed.
    ///
    /// # Errors
    /// As for [`Sql::query`].
    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>>;

    /// Runs one untrusted statement, such as one that a model wrote. The engine itself must see to
    /// it that nothing is changed and nothing outside the database is reached; a look at the text
    /// is not enough. Rows over the limits are left out and the answer is marked `truncated`; a
    /// statement over its time is stopped.
    ///
    /// A database that can't promise this keeps the default, which refuses every statement.
    ///
    /// # Errors
    /// [`SqlError::Rejected`] with the engine's own words about the statement, which its writer may
    /// read; [`SqlError::ReadOnly`] for a statement that would write; [`SqlError::TooLong`] when
    /// its time is over; [`SqlError::Unavailable`] as for [`Sql::query`].
    fn read<'a>(
        &'a self,
        sql: &'a str,
        limits: ReadLimits,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        let _ = (sql, limits);
        Box::pin(async {
            Err(SqlError::Unavailable(
                "this database has no way to run unvetted statements safely".to_owned(),
            ))
        })
    }
}

/// How much an unvetted statement may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// The most rows of the answer.
    pub rows: usize,
    /// The most bytes of the answer's values; also of one value, as far as the database can bound
    /// it.
    pub bytes: usize,
    /// How long the statement may run.
    pub time: Duration,
}

/// A family of SQL syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite and Cloudflare D1.
    Sqlite,
    /// PostgreSQL and what speaks its protocol.
    Postgres,
}

/// One value of a row or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A signed 64-bit integer; booleans are 0 and 1.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text; also dates (ISO 8601), UUIDs and decimals.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl SqlValue {
    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The number, if this is an integer or a double.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(integer) => Some(*integer as f64),
            Self::Real(real) => Some(*real),
            _ => None,
        }
    }

    /// The value as JSON: bytes become Base64 text, a double that JSON can't write becomes `null`.
    #[must_use]
    pub fn into_json(self) -> serde_json::Value {
        use base64::Engine as _;
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(integer) => integer.into(),
            Self::Real(real) => real.into(),
            Self::Text(text) => text.into(),
            Self::Blob(bytes) => base64::engine::general_purpose::STANDARD
                .encode(bytes)
                .into(),
        }
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for SqlValue {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for SqlValue {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

/// The rows of one answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Column names, in the order of each row's values.
    pub columns: Vec<String>,
    /// One vector of values a row, each as long as `columns`.
    pub rows: Vec<Vec<SqlValue>>,
    /// More rows existed than were asked for.
    pub truncated: bool,
}

impl Rows {
    /// The position of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

/// Why a database did not respond. The cause is for the log; a toolkit says it in its own words.
#[derive(Debug)]
#[non_exhaustive]
pub enum SqlError {
    /// The database could not be reached, was busy, or took too long. A later try may work.
    Unavailable(String),
    /// The database refused the statement: syntax, a constraint, a value.
    Rejected(String),
    /// The statement would write, and this handle may only read.
    ReadOnly(String),
    /// The role behind this handle lacks a right that the statement needs.
    NoRight(String),
    /// The statement was stopped because it took longer than it may.
    TooLong(String),
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "database unavailable: {cause}"),
            Self::Rejected(cause) => write!(f, "database refused the statement: {cause}"),
            Self::ReadOnly(cause) => write!(f, "the database may only be read: {cause}"),
            Self::NoRight(cause) => write!(f, "the database's role lacks a right: {cause}"),
            Self::TooLong(cause) => write!(f, "the statement took too long: {cause}"),
        }
    }
}

impl std::error::Error for SqlError {}
