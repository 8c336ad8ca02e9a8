//! State that all calls share (`cx.state`), and a database behind the port `Sql` (`cx.port`), so
//! that the same tool runs over SQLite here, PostgreSQL or D1 elsewhere.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example database -- call find_books '{"title": "sea"}'
//! ```

use std::sync::Arc;

use mcpfn::port::{Sql, SqlError, SqlValue};
use mcpfn::prelude::*;
use mcpfn::{Setup, port::Platform};
use mcpfn_sql::Sqlite;

/// What the operator decides, as state.
pub(crate) struct ResultLimits {
    pub(crate) most_books: usize,
}

#[input]
struct FindBooks {
    /// A part of the title.
    #[schemars(length(min = 1, max = 100))]
    title: String,
}

#[output]
struct Book {
    title: String,
    year: i64,
}

/// Finds books by a part of their title.
#[tool(read_only, open_world = false)]
async fn find_books(args: FindBooks, cx: &Cx) -> Result<Vec<Book>, ToolError> {
    let limits = cx.state::<ResultLimits>()?;
    let database = cx.port::<dyn Sql>()?;
    // values are bound, never pasted into the statement
    let rows = database
        .query(
            "SELECT title, year FROM book WHERE instr(lower(title), lower(?1)) > 0 ORDER BY year",
            &[SqlValue::Text(args.title)],
            limits.most_books,
        )
        .await?;
    let book = |row: Vec<SqlValue>| match <[SqlValue; 2]>::try_from(row) {
        Ok([SqlValue::Text(title), SqlValue::Integer(year)]) => Ok(Book { title, year }),
        other => Err(ToolError::internal(format!("not a book: {other:?}"))),
    };
    rows.rows.into_iter().map(book).collect()
}

/// A database in memory. A file is `Sqlite::open(path)`, a server `Postgres::new(url)`.
pub(crate) async fn database() -> Result<Sqlite, SqlError> {
    let database = Sqlite::memory()?;
    let statements = [
        "CREATE TABLE book (title TEXT NOT NULL, year INTEGER NOT NULL) STRICT",
        "INSERT INTO book VALUES ('The Sea-Wolf', 1904), ('The Waves', 1931),
            ('The Old Man and the Sea', 1952)",
    ];
    database.execute_all(statements.map(str::to_owned)).await?;
    Ok(database)
}

pub(crate) fn server() -> Builder {
    Server::builder("library", "1.0.0")
        .tool(find_books)
        .state(ResultLimits { most_books: 20 })
}

fn main() -> std::process::ExitCode {
    let setup = || {
        // nothing is served yet, so this thread may wait for the database
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let database: Arc<dyn Sql> = Arc::new(runtime.block_on(database())?);
        Ok::<_, Box<dyn std::error::Error>>(Setup {
            builder: server(),
            ports: |platform: Platform| platform.with_port::<dyn Sql>(database),
        })
    };
    mcpfn::run_with(setup, &[])
}
