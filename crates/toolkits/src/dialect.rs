//! What SQLite and PostgreSQL write differently, where one statement does for both otherwise. No
//! client's text passes through here.

use mcpfn_ports::Dialect;

/// The place of one text in another, from 1, or 0; both without regard to the case of letters.
pub(crate) fn position(dialect: Dialect, haystack: &str, needle: &str) -> String {
    let function = if dialect == Dialect::Postgres {
        "strpos"
    } else {
        "instr"
    };
    format!("{function}(lower({haystack}), lower({needle}))")
}

/// Whether there is a table, a virtual table or an index of the name in `?1`: a row, or none.
pub(crate) fn existence(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Postgres {
        "SELECT 1 WHERE to_regclass(?1) IS NOT NULL"
    } else {
        "SELECT 1 FROM sqlite_master WHERE name = ?1"
    }
}

/// A new identifier, made by the database: toolkits have no source of randomness.
pub(crate) fn new_id(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Postgres {
        "CAST(gen_random_uuid() AS TEXT)"
    } else {
        "lower(hex(randomblob(16)))"
    }
}
