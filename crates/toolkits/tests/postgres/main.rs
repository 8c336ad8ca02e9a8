//! The suites of `it` and `knowledge` on a PostgreSQL server, and what only PostgreSQL has. Not run
//! unless it is named: `cargo xtask postgres` starts the server, whose superuser's URL is in
//! MCPFN_TEST_POSTGRES.

#[path = "../knowledge/answers.rs"]
mod answers;
#[path = "../it/attacks.rs"]
mod attacks;
#[path = "../it/catalog.rs"]
mod catalog;
mod cells; // of every type, short and long
#[path = "../knowledge/corpus.rs"]
mod corpus;
#[path = "../it/crm.rs"]
mod crm;
#[path = "../it/database.rs"]
mod database;
#[path = "../it/databases.rs"]
mod databases;
#[path = "../knowledge/documents.rs"]
mod documents;
#[path = "../it/hello.rs"]
mod hello;
#[path = "../knowledge/host.rs"]
mod host;
#[path = "../it/inventory.rs"]
mod inventory;
#[path = "../knowledge/languages.rs"]
mod languages;
#[path = "../it/mapped.rs"]
mod mapped;
#[path = "../it/place.rs"]
mod place;
#[path = "../knowledge/questions.rs"]
mod questions;
#[path = "../knowledge/scale.rs"]
mod scale;
#[path = "../it/schemas.rs"]
mod schemas;
#[path = "../it/scripts.rs"]
mod scripts;
#[path = "../it/shop.rs"]
mod shop;
#[path = "../it/sql.rs"]
mod sql;
#[path = "../knowledge/store.rs"]
mod store;
mod streamed; // over streams that a host brings
#[path = "../it/support.rs"]
mod support;
mod unvetted; // SQL that a model wrote
#[path = "../knowledge/upgrade.rs"]
mod upgrade;
#[path = "../knowledge/vector_cases.rs"]
mod vector_cases;
#[path = "../knowledge/vector_contract.rs"]
mod vector_contract;
#[path = "../knowledge/vector_scale.rs"]
mod vector_scale;
#[path = "../knowledge/vectors.rs"]
mod vectors;
#[path = "../it/wait.rs"]
mod wait;

#[test]
fn the_server_is_there() {
    assert!(
        place::postgres().is_some(),
        "MCPFN_TEST_POSTGRES is not set: run `cargo xtask postgres`"
    );
}
