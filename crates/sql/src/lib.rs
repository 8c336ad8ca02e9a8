//! Drivers behind the `Sql` port of `mcpfn-core`. Not an object mapper, not a migration tool, and
//! not for wasm32: D1 has its driver in the Workers host.
//!
//! # In scope
//! SQLite in a file or in memory, asked from asynchronous code without blocking it and without any
//! particular runtime. PostgreSQL over tokio's sockets, or over streams that a host brings (feature
//! `streamed`), such as those of Hyperdrive on Workers.
//!
//! # Out of scope
//! Building statements (a toolkit's work), deciding who may ask (the server's work).
//!
//! ```
//! use mcpfn_ports::{Sql, SqlValue};
//! use mcpfn_sql::Sqlite;
//!
//! # async fn example() -> Result<(), mcpfn_ports::SqlError> {
//! let database = Sqlite::memory()?;
//! database.execute("CREATE TABLE note (text TEXT)", &[]).await?;
//! database.execute("INSERT INTO note VALUES (?1)", &["remember".into()]).await?;
//! let rows = database.query("SELECT text FROM note", &[], 10).await?;
//! assert_eq!(rows.rows, [[SqlValue::from("remember")]]);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "streamed")]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "what keeps a session for the next statement")
)]
mod protocol;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "streamed")]
mod streamed;

#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresFailure};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
#[cfg(feature = "streamed")]
pub use streamed::{PostgresStream, PostgresStreams, StreamedPostgres};
