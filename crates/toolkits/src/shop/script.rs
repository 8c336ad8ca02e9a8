//! The shop as SQL text: the schema and its rows, statement by statement. Runs nothing.

use mcpfn_ports::Dialect;

use super::rows::append_rows;

/// The shop's tables, as the statements that create them in SQLite.
pub const SCHEMA: &str = include_str!("schema.sql");

/// 700 of 2,800 products: D1 bills each entry of an index as a row written, and on the free plan
/// writes 100,000 a day.
const SAMPLE: usize = 4;

/// What PostgreSQL has instead of the search index and the triggers of [`SCHEMA`].
const POSTGRES: &str = include_str!("postgres.sql");

/// The statements of a schema file, which are separated by empty lines.
pub(super) fn schema_statements(schema: &str) -> impl Iterator<Item = &str> {
    schema
        .split("\n\n")
        .map(|statement| statement.trim().trim_end_matches(';'))
        .filter(|statement| !statement.is_empty())
}

/// The tables, the search index and the triggers, without a row.
pub(super) fn tables() -> Vec<String> {
    schema_statements(SCHEMA).map(str::to_owned).collect()
}

/// Rows for these tables: of products and orders one in `SAMPLE`.
pub(super) fn sample() -> Vec<String> {
    let mut statements = Vec::new();
    append_rows(&mut statements, SAMPLE);
    statements
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
            append_rows(&mut statements, 1);
            statements.extend(schema_statements(POSTGRES).map(str::to_owned));
        }
        _ => {
            statements.extend(tables.into_iter().map(str::to_owned));
            append_rows(&mut statements, 1);
            statements
                .push("INSERT INTO product_search (product_search) VALUES ('rebuild')".to_owned());
            statements.extend(triggers.into_iter().map(str::to_owned));
        }
    }
    statements
}
