//! What several toolkits say in the same words: a database that fails, a name that is nearly right.

use mcpfn_core::{Sql, SqlError, ToolError};

/// How many edits away a name may be to be taken for a slip, for names of up to eight characters; one more beyond.
const SLIPS: usize = 2;

/// Longer names are not compared: the comparison costs the product of both lengths.
const LONGEST: usize = 64;

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
    if given.len() > LONGEST {
        return String::new();
    }
    let most = SLIPS + usize::from(given.len() > 8);
    let nearest = known
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (edits(given, known), known))
        .min_by_key(|(edits, _)| *edits)
        // a short name has to keep at least half of its letters
        .filter(|(edits, known)| *edits <= most && edits * 2 <= known.len());
    nearest.map(|(_, known)| format!(" Did you mean `{known}`?")).unwrap_or_default()
}

/// How many letters to add, drop or change, ignoring case.
fn edits(given: &str, known: &str) -> usize {
    let known: Vec<char> = known.chars().flat_map(char::to_lowercase).collect();
    let mut costs: Vec<usize> = (0..=known.len()).collect();
    for (row, letter) in given.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = row;
        costs[0] = row + 1;
        for (column, other) in known.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = costs[column + 1];
            costs[column + 1] = changed.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs[known.len()]
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
