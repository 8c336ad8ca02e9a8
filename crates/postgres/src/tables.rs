//! The tables, as statements: with the schema's name in them.

/// The statements that make the tables in the schema `mcpfn`, all or none; what is there already
/// stays as it is.
pub const TABLES: &str = include_str!("tables.sql");

/// The schema when not set; nothing else in the statements has this word.
pub(crate) const SCHEMA: &str = "mcpfn";

/// The statements for a schema of this name, which is one that needs no quotes.
pub(crate) fn tables_in(schema: &str) -> String {
    TABLES.replace(SCHEMA, schema)
}

/// Whether it can stand in a statement as it is.
pub(crate) fn is_name(schema: &str) -> bool {
    let (mut letters, most) = (schema.bytes(), 63);
    let first = letters.next();
    first.is_some_and(|letter| letter.is_ascii_lowercase() || letter == b'_')
        && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
        && schema.len() <= most
        // the server keeps these for itself
        && !schema.starts_with("pg_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_in_its_places_and_nowhere_else() {
        let statements = tables_in("shop_1");
        assert!(!statements.contains(SCHEMA));
        for part in [
            "CREATE SCHEMA shop_1;",
            "shop_1.results",
            "shop_1.rates",
            "shop_1.writes",
            "shop_1.tasks",
        ] {
            assert!(statements.contains(part), "{part}");
        }
    }

    #[test]
    fn a_name_needs_no_quotes() {
        for name in ["mcpfn", "shop_1", "_x"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(64);
        for wrong in [
            "", "1", "Shop", "a-b", "a.b", "a\"b", "pg_x", "\u{e9}", &long,
        ] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
