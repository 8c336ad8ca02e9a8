//! Parts of names where a database has no index of them: ASCII by the database, other letters here,
//! because no database folds them all (`lower` of SQLite knows ASCII alone). Ranks nothing.

use mcpfn_ports::{Sql, SqlError, SqlValue};

use crate::analysis::{folded, words_of};
use crate::dialect::position;
use crate::near::{self, Slips};

/// The most rows that are looked at; a larger table says at least so many.
const MOST_ROWS: usize = 10_000;

/// The most rows that are looked at for a misspelt word.
const MOST_MEANT: usize = 100_000;

/// How much of a row's text is compared here, in characters.
const LONGEST: usize = 1000;

/// Rows of a table that are searched for parts of their texts.
pub(crate) struct Scan<'a> {
    pub(crate) database: &'a dyn Sql,
    /// The table with its alias.
    pub(crate) table: &'a str,
    /// The column that names a row.
    pub(crate) key: &'a str,
    /// An expression: the text that is searched.
    pub(crate) searched: &'a str,
    pub(crate) order: &'a str,
}

/// Whether a text has letters beyond ASCII.
pub(crate) fn beyond_ascii(text: &str) -> String {
    format!("octet_length({text}) <> length({text})")
}

impl Scan<'_> {
    /// The keys of rows that have every part, which is folded.
    pub(crate) async fn keys(&self, parts: &[String]) -> Result<Vec<SqlValue>, SqlError> {
        let (key, searched, dialect) = (self.key, self.searched, self.database.dialect());
        let conditions: Vec<String> = (1..=parts.len())
            .map(|at| format!("{} > 0", position(dialect, searched, &format!("?{at}"))))
            .collect();
        let beyond = beyond_ascii(searched);
        let sql = format!(
            "SELECT {key}, CASE WHEN {beyond} THEN substr({searched}, 1, {LONGEST}) END FROM {} \
             WHERE {beyond} OR ({}) ORDER BY {} LIMIT {MOST_ROWS}",
            self.table,
            conditions.join(" AND "),
            self.order
        );
        let values: Vec<SqlValue> = parts.iter().map(|part| part.as_str().into()).collect();
        let rows = self.database.query(&sql, &values, MOST_ROWS).await?.rows;
        let has_all = |text: &str| {
            let text = folded(text);
            parts.iter().all(|part| text.contains(part.as_str()))
        };
        let keys = rows.into_iter().filter_map(|row| {
            let [key, text] = <[SqlValue; 2]>::try_from(row).ok()?;
            text.as_str().is_none_or(has_all).then_some(key)
        });
        Ok(keys.collect())
    }

    /// For parts that no row has: those that may be meant in the places of misspelt ones, with a
    /// sentence that says so.
    pub(crate) async fn corrected(
        &self,
        parts: &[String],
    ) -> Result<Option<(String, Vec<String>)>, SqlError> {
        let mut slips = Slips::default();
        for part in parts {
            let meant = match near::is_spelt(part) && !slips.is_full() {
                true => meant(self.database, self.table, self.searched, part).await?,
                false => None,
            };
            slips.push(part, meant);
        }
        Ok(slips.corrected())
    }
}

/// The word of a table's texts that may be meant by a misspelt one.
pub(crate) async fn meant(
    database: &dyn Sql,
    table: &str,
    searched: &str,
    word: &str,
) -> Result<Option<String>, SqlError> {
    let likeness = near::likeness(database.dialect(), &format!("lower({searched})"), word);
    // the inner limit keeps the likeness from being counted twice
    let sql = format!(
        "SELECT DISTINCT text, likeness FROM (SELECT substr({searched}, 1, {LONGEST}) AS text, \
         {likeness} AS likeness FROM {table} LIMIT {MOST_MEANT}) AS near WHERE likeness > 0 ORDER \
         BY likeness DESC, text LIMIT {}",
        near::MOST_COMPARED
    );
    let rows = database.query(&sql, &[], near::MOST_COMPARED).await?.rows;
    let texts: Vec<String> = rows
        .iter()
        .filter_map(|row| row.first()?.as_str().map(folded))
        .collect();
    let words = texts.iter().flat_map(|text| words_of(text));
    Ok(near::closest(word, words).into_iter().next())
}

/// Rows with these keys, which are the parameters, as a condition.
pub(crate) fn with_keys(key: &str, keys: &[SqlValue]) -> String {
    let places: Vec<String> = (1..=keys.len()).map(|at| format!("?{at}")).collect();
    format!("{key} IN ({})", places.join(", "))
}
