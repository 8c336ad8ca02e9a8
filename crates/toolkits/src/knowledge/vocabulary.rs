//! The words of all documents, for questions that misspell one. Keeps words of documents that are
//! gone; what is suggested is searched for before it is said.

use std::collections::BTreeSet;

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use crate::analysis::{folded, indexed, words_of};
use crate::dialect::existence;
use crate::near::{self, Slips};

pub(super) const TABLE: &str = "passage_vocabulary";

/// The most bytes of the words of one statement.
const BYTES: usize = 30_000;

/// The most words that are looked at for one.
const MOST_WORDS: usize = 200_000;

pub(super) fn schema(dialect: Dialect) -> String {
    let rowid = if dialect == Dialect::Postgres {
        ""
    } else {
        " WITHOUT ROWID"
    };
    format!("CREATE TABLE IF NOT EXISTS {TABLE} (word TEXT PRIMARY KEY){rowid}")
}

/// What the index takes in the place of a text, if it takes something else.
pub(super) fn terms(text: &str) -> SqlValue {
    indexed(text).map_or(SqlValue::Null, SqlValue::from)
}

/// Whether a table, an index or a trigger has this name.
pub(super) async fn exists(database: &dyn Sql, name: &str) -> Result<bool, SqlError> {
    let rows = database
        .query(existence(database.dialect()), &[name.into()], 1)
        .await?;
    Ok(!rows.rows.is_empty())
}

/// Adds the words of texts.
pub(super) async fn add(
    database: &dyn Sql,
    texts: impl Iterator<Item = &str>,
) -> Result<(), SqlError> {
    // in their order, so that two that add at once do not wait for each other in a circle
    let mut words = BTreeSet::new();
    for text in texts {
        let text = folded(text);
        words.extend(
            words_of(&text)
                .filter(|word| near::is_spelt(word))
                .map(str::to_owned),
        );
    }
    let words: Vec<String> = words.into_iter().collect();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        let mut left = BYTES;
        let fitting = rest.iter().take_while(|word| {
            left = left.saturating_sub(word.len() + 3);
            left > 0
        });
        let (some, later) = rest.split_at(fitting.count().max(1));
        rest = later;
        let sql = match database.dialect() {
            Dialect::Postgres => {
                "INSERT INTO passage_vocabulary (word) SELECT unnest(string_to_array(?1, ' ')) ON \
                 CONFLICT DO NOTHING"
            }
            // words have neither quotation marks nor backslashes
            _ => {
                "INSERT OR IGNORE INTO passage_vocabulary (word) SELECT value FROM \
                 json_each('[\"' || replace(?1, ' ', '\",\"') || '\"]')"
            }
        };
        database.execute(sql, &[some.join(" ").into()]).await?;
    }
    Ok(())
}

/// Words of documents that may be meant by a misspelt one, the closest first.
pub(super) async fn meant(database: &dyn Sql, word: &str) -> Result<Vec<String>, SqlError> {
    if !near::is_spelt(word) || !exists(database, TABLE).await? {
        return Ok(Vec::new());
    }
    // most slips are not in the first letter, and those words lie together
    for same_beginning in [true, false] {
        let found = near_to(database, word, same_beginning).await?;
        let found = near::closest(word, found.iter().map(String::as_str));
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Words that share letters with one, those with most first.
async fn near_to(
    database: &dyn Sql,
    word: &str,
    same_beginning: bool,
) -> Result<Vec<String>, SqlError> {
    let dialect = database.dialect();
    let likeness = near::likeness(dialect, "word", word);
    let [least, most] = near::lengths(word).map(SqlValue::from);
    let first: String = word.chars().take(1).collect();
    let after = char::from_u32(u32::from(word.chars().next().unwrap_or_default()) + 1);
    let after: String = after.into_iter().collect();
    let mut parameters = vec![least, most];
    let beginning = match (same_beginning, dialect) {
        (false, _) => "",
        // in the order of a language a letter may not be before the next one
        (true, Dialect::Postgres) => {
            parameters.push(first.into());
            "AND left(word, 1) = ?3"
        }
        (true, _) => {
            parameters.extend([first.into(), after.into()]);
            "AND word >= ?3 AND word < ?4"
        }
    };
    // the inner limit keeps the likeness from being counted twice
    let sql = format!(
        "SELECT word FROM (SELECT word, {likeness} AS likeness FROM {TABLE} WHERE length(word) \
         BETWEEN ?1 AND ?2 {beginning} LIMIT {MOST_WORDS}) AS near WHERE likeness > 0 ORDER BY \
         likeness DESC, word LIMIT {}",
        near::MOST_COMPARED
    );
    let rows = database
        .query(&sql, &parameters, near::MOST_COMPARED)
        .await?
        .rows;
    let words = rows.iter().filter_map(|row| row.first()?.as_str());
    Ok(words.map(str::to_owned).collect())
}

/// For words that find nothing: those that may be meant in the places of misspelt ones, with a
/// sentence that says so. Nothing where no word of any document is close.
pub(crate) async fn corrected(
    database: &dyn Sql,
    words: &[String],
) -> Result<Option<(String, Vec<String>)>, SqlError> {
    let mut slips = Slips::default();
    for word in words {
        let meant = match slips.is_full() {
            true => None,
            false => meant(database, word).await?.into_iter().next(),
        };
        slips.push(word, meant);
    }
    Ok(slips.corrected())
}
