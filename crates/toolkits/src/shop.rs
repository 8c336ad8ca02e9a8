//! The demo shop: a believable store of 2,800 products in a SQLite, D1 or PostgreSQL database, the
//! same on every machine. Not a toolkit: `catalog`, `database`, `crm`, `inventory` and `sql` work
//! on it, and on nothing that only it has.

mod accounts;
mod date;
mod goods;
mod insert;
mod orders;
mod people;
mod products;
mod random;
mod rows;
mod sales;
mod script;

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

pub use script::SCHEMA;

/// Counts the changes of the shop's tables and rows: a file of another edition is another shop.
pub const EDITION: u32 = 2;

/// Whether the database holds the whole shop.
///
/// # Errors
/// When the database can't be asked.
pub async fn is_present(database: &dyn Sql) -> Result<bool, SqlError> {
    // the last thing `create` makes; without it a creation was cut short
    let last = match database.dialect() {
        Dialect::Postgres => {
            "SELECT 1 FROM pg_trigger WHERE tgname = ?1 AND tgrelid = to_regclass('stock_levels')"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?1",
    };
    let rows = database
        .query(last, &[SqlValue::from("stock_levels_changed")], 1)
        .await?;
    Ok(!rows.rows.is_empty())
}

/// Fills an empty database with the shop, in about eighty statements of at most 64 KiB.
///
/// The port has no transactions, so a failure half-way leaves half a shop, which [`is_present`]
/// tells from a whole one. A driver with transactions can run [`statements_for`] its dialect in
/// one.
///
/// # Errors
/// When the database refuses a statement, e.g. because the tables are there already.
pub async fn create(database: &dyn Sql) -> Result<(), SqlError> {
    for statement in statements_for(database.dialect()) {
        database.execute(&statement, &[]).await?;
    }
    Ok(())
}

/// The statements that make the shop in SQLite or D1, in their order, each without its semicolon:
/// for a migration file or a transaction.
#[must_use]
pub fn statements() -> Vec<String> {
    statements_for(Dialect::Sqlite)
}

/// The statements that make the shop's tables in SQLite or D1, with search index and triggers and
/// without a row, each without its semicolon: a migration.
#[must_use]
pub fn tables() -> Vec<String> {
    script::tables()
}

/// The statements that fill these tables with a quarter of the shop, each without its semicolon:
/// 700 products in three warehouses, and everything about them. On D1 they write fewer than 50,000
/// rows, entries of indexes included.
#[must_use]
pub fn sample() -> Vec<String> {
    script::sample()
}

/// The statements that make the shop in a database of this dialect.
#[must_use]
pub fn statements_for(dialect: Dialect) -> Vec<String> {
    script::statements(dialect)
}
