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

/// A column of text without what makes it far longer than any that the toolkits write: megabytes
/// times the rows of an answer must not leave the database. A text of more than `most` characters
/// and four times as many bytes ends there, and says so.
pub(crate) fn short(column: &str, most: usize) -> String {
    let bytes = most * 4;
    format!(
        "CASE WHEN octet_length({column}) > {bytes} THEN substr({column}, 1, {most}) || ' (cut)' ELSE {column} END"
    )
}

/// The longest name, title or other text of a line, in characters.
pub(crate) const LINE: usize = 250;

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
