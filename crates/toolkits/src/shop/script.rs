//! The shop as SQL text: the schema and its rows, statement by statement. Runs nothing.

use mcpfn_ports::Dialect;

use super::rows::append_rows;

/// The shop's tables, as the statements that create them in SQLite.
pub const SCHEMA: &str = include_str!("schema.sql");

/// What PostgreSQL has instead of the search index and the triggers of [`SCHEMA`].
const POSTGRES: &str = include_str!("postgres.sql");

/// The statements of a schema file, which are separated by empty lines.
pub(super) fn schema_statements(schema: &str) -> impl Iterator<Item = &str> {
    schema
        .split("\n\n")
        .map(|statement| statement.trim().trim_end_matches(';'))
        .filter(|statement| !statement.is_empty())
}

/// Every statement in the order in which an empty database takes them.
pub(super) fn statements(dialect: Dialect) -> Vec<String> {
    // rows before triggers: the search index is built in one go, not row by row
    let (triggers, tables): (Vec<&str>, Vec<&str>) =
        schema_statements(SCHEMA).partition(|statement| statement.starts_with("CREATE TRIGGER"));
    let mut statements: Vec<String> = Vec::new();
    match dialect {
        Dialect::Postgres => {
            let tables = tables
                .into_iter()
                .filter(|statement| !statement.starts_with("CREATE VIRTUAL TABLE"));
            statements.extend(tables.map(|statement| {
                statement
                    .replace(" WITHOUT ROWID", "")
                    .replace(" REAL ", " DOUBLE PRECISION ")
            }));
            append_rows(&mut statements);
            statements.extend(schema_statements(POSTGRES).map(str::to_owned));
        }
        _ => {
            statements.extend(tables.into_iter().map(str::to_owned));
            append_rows(&mut statements);
            statements
                .push("INSERT INTO product_search (product_search) VALUES ('rebuild')".to_owned());
            statements.extend(triggers.into_iter().map(str::to_owned));
        }
    }
    statements
}
