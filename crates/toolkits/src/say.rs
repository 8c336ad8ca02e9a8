//! What several toolkits say in the same words: a database that fails, a name that is nearly right.

use mcpfn_core::{Sql, SqlError, ToolError, text};

/// A database's failure as the model reads it. The cause is for the log alone.
pub(crate) fn database_failed(error: SqlError) -> ToolError {
    match error {
        SqlError::Unavailable(cause) => ToolError::unavailable("The database is temporarily unavailable. Try again in a moment.", cause),
        // the toolkits write their statements themselves, so a refused one is their mistake, not the model's
        error => ToolError::internal(error),
    }
}

/// Refuses a database whose SQL the toolkits do not write.
pub(crate) fn require_sqlite(database: &dyn Sql) -> Result<(), ToolError> {
    match database.dialect() {
        mcpfn_core::Dialect::Sqlite => Ok(()),
        dialect => Err(ToolError::internal(format!("this toolkit writes SQLite's SQL, and the database speaks {dialect:?}"))),
    }
}

/// `Did you mean ...?` for the known name nearest to the one given, or nothing.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    text::nearest(given, known).map(|known| format!(" Did you mean `{known}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["products", "orders", "id", "price_cents"];
        let say = |given: &str| did_you_mean(given, known.into_iter());
        assert_eq!(say("product"), " Did you mean `products`?");
        assert_eq!(say("Ordres"), " Did you mean `orders`?");
        assert_eq!(say("price_cent"), " Did you mean `price_cents`?");
        for other in ["customers", "xx", "", &"p".repeat(100_000)] {
            assert_eq!(say(other), "", "{other}");
        }
    }
}
