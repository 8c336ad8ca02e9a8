//! The demo shop: a believable store of 2,800 products in a SQLite or D1 database, the same on every machine. Not a
//! toolkit: `catalog` and `database` work on it, and on nothing that only it has.

mod date;
mod goods;
mod orders;
mod people;
mod products;
mod random;
mod script;

use mcpfn_core::{Sql, SqlError, SqlValue};

/// The shop's tables, as the statements that create them.
pub const SCHEMA: &str = include_str!("shop/schema.sql");

/// Whether the database holds the whole shop.
///
/// # Errors
/// When the database can't be asked.
pub async fn is_present(database: &dyn Sql) -> Result<bool, SqlError> {
    // the last thing `create` makes; without it a creation was cut short
    let last = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?1";
    let rows = database.query(last, &[SqlValue::from("stock_levels_changed")], 1).await?;
    Ok(!rows.rows.is_empty())
}

/// Fills an empty database with the shop, in about fifty statements of at most 64 KiB.
///
/// The port has no transactions, so a failure half-way leaves half a shop, which [`is_present`] tells from a whole one.
/// A driver with transactions can run [`statements`] in one.
///
/// # Errors
/// When the database refuses a statement, e.g. because the tables are there already.
pub async fn create(database: &dyn Sql) -> Result<(), SqlError> {
    for statement in statements() {
        database.execute(&statement, &[]).await?;
    }
    Ok(())
}

/// The statements that make the shop, in their order, each without its semicolon: for a migration file or a transaction.
#[must_use]
pub fn statements() -> Vec<String> {
    script::statements(SCHEMA)
}
