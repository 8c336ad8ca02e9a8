//! The suite of `it` on a PostgreSQL server, and what only PostgreSQL has. Not run unless it is named: `cargo xtask postgres` starts the
//! server, whose superuser's URL is in MCPFN_TEST_POSTGRES.

#[path = "../it/attacks.rs"]
mod attacks;
#[path = "../it/catalog.rs"]
mod catalog;
#[path = "../it/crm.rs"]
mod crm;
#[path = "../it/database.rs"]
mod database;
#[path = "../it/databases.rs"]
mod databases;
#[path = "../it/hello.rs"]
mod hello;
#[path = "../it/inventory.rs"]
mod inventory;
#[path = "../it/schemas.rs"]
mod schemas;
#[path = "../it/shop.rs"]
mod shop;
#[path = "../it/sql.rs"]
mod sql;
#[path = "../it/support.rs"]
mod support;
mod unvetted;
#[path = "../it/wait.rs"]
mod wait; // SQL that a model wrote

#[test]
fn the_server_is_there() {
    assert!(databases::postgres().is_some(), "MCPFN_TEST_POSTGRES is not set: run `cargo xtask postgres`");
}
