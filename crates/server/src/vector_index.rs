//! What `MCPFN_VECTOR_INDEX` asks of the database of documents, looked at before anything is served.

use std::ffi::OsString;

use mcpfn::port::Sql;
use mcpfn_toolkits::knowledge::vector_index_mistake;

/// Its name.
const VECTOR_INDEX: &str = "MCPFN_VECTOR_INDEX";

/// Whether the database must have an index.
///
/// # Errors
/// A sentence for another value.
pub(crate) fn is_required(variable: impl Fn(&str) -> Option<OsString>) -> Result<bool, String> {
    let value = variable(VECTOR_INDEX);
    match value.as_ref().map(|value| value.to_str().map(str::trim)) {
        None | Some(Some("" | "auto")) => Ok(false),
        Some(Some("pgvector")) => Ok(true),
        Some(_) => Err(format!("{VECTOR_INDEX} must be auto or pgvector")),
    }
}

/// Whether the database has it.
///
/// # Errors
/// A sentence about what is missing, and what to do.
pub(crate) async fn check(database: &dyn Sql) -> Result<(), String> {
    match vector_index_mistake(database).await {
        Ok(None) => Ok(()),
        Ok(Some(mistake)) => Err(format!(
            "{VECTOR_INDEX} is pgvector, and {mistake}; with auto, vectors are compared in memory"
        )),
        Err(error) => Err(format!(
            "{VECTOR_INDEX}: the database can't be asked ({error})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_and_no_others() {
        let required = |value: Option<&str>| is_required(|_| value.map(OsString::from));
        for (value, expected) in [
            (None, false),
            (Some("auto"), false),
            (Some("pgvector"), true),
        ] {
            assert_eq!(required(value), Ok(expected));
        }
        let mistake = required(Some("hnsw")).unwrap_err();
        assert!(mistake.contains("auto or pgvector"), "{mistake}");
    }

    #[tokio::test]
    async fn a_file_has_no_index() {
        let database = mcpfn_sql::Sqlite::memory().unwrap();
        let mistake = check(&database).await.unwrap_err();
        assert!(mistake.contains("not PostgreSQL"), "{mistake}");
    }
}
