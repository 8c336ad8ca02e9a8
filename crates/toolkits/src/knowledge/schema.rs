//! The tables of documents and passages: made where they are missing, brought up to date where an
//! older version made them. Searches nothing.
//!
//! A passage's `_terms` are what the index takes in the place of a text (see `analysis`); they are
//! NULL where the index takes the text itself, so English costs nothing.

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use super::match_query::tsvector;
use super::store::terms;
use super::vocabulary;
use crate::dialect::existence;

/// The columns that passages have had since the analysis.
const TERMS: [&str; 3] = ["title_terms", "section_terms", "text_terms"];

/// Passages that are brought up to date by one question.
const PAGE: usize = 200;

/// Whether the store's tables are there, all that searches cannot do without. Those of an older
/// version are.
///
/// # Errors
/// When the database can't be asked.
pub async fn is_present(database: &dyn Sql) -> Result<bool, SqlError> {
    exists(database, "passage_search").await
}

pub(super) async fn exists(database: &dyn Sql, name: &str) -> Result<bool, SqlError> {
    let rows = database
        .query(existence(database.dialect()), &[name.into()], 1)
        .await?;
    Ok(!rows.rows.is_empty())
}

/// Makes the store's tables where they are missing, and brings those of an older version up to
/// date, with what they hold. Until it is done, searches may say that there are no documents; after
/// a failure it goes on where it is called again.
///
/// # Errors
/// When the database can't be asked, or refuses to change its tables.
pub async fn prepare(database: &dyn Sql) -> Result<(), SqlError> {
    // the last thing that is made
    if exists(database, vocabulary::TABLE).await? {
        return Ok(());
    }
    let dialect = database.dialect();
    let is_old = exists(database, "passages").await?;
    if is_old {
        let known = has_terms(database).await?;
        for statement in changes(dialect, known) {
            database.execute(&statement, &[]).await?;
        }
        fill_terms(database).await?;
    }
    let (table, statements) = (vocabulary::schema(dialect), schema_for(dialect));
    for statement in statements.iter().filter(|statement| **statement != table) {
        database.execute(statement, &[]).await?;
    }
    if is_old && dialect != Dialect::Postgres {
        database.execute(REBUILD, &[]).await?;
    }
    database.execute(&table, &[]).await?;
    if is_old {
        fill_vocabulary(database).await?;
    }
    Ok(())
}

/// Puts all passages into the index anew.
const REBUILD: &str = "INSERT INTO passage_search (passage_search) VALUES ('rebuild')";

/// The statements that bring tables of the first version up to date where nothing but SQL can be
/// run, as in a migration of D1. Texts that need an analysis get it when they are added again.
#[must_use]
pub fn migration_for(dialect: Dialect) -> Vec<String> {
    let mut statements = changes(dialect, false);
    statements.extend(index_for(dialect));
    if dialect != Dialect::Postgres {
        statements.push(REBUILD.to_owned());
    }
    statements.push(vocabulary::schema(dialect));
    statements
}

/// What the tables of an older version lose, and the columns they get.
fn changes(dialect: Dialect, has_terms: bool) -> Vec<String> {
    let mut statements = Vec::new();
    if !has_terms {
        let add = |column| format!("ALTER TABLE passages ADD COLUMN {column} TEXT");
        statements.extend(TERMS.map(add));
    }
    let rest: &[&str] = match dialect {
        Dialect::Postgres => &["ALTER TABLE passages DROP COLUMN IF EXISTS search"],
        _ => &[
            "DROP TRIGGER IF EXISTS passages_added",
            "DROP TRIGGER IF EXISTS passages_removed",
            "DROP TABLE IF EXISTS passage_search",
        ],
    };
    statements.extend(rest.iter().map(|statement| (*statement).to_owned()));
    statements
}

/// Whether the last of the new columns is there.
async fn has_terms(database: &dyn Sql) -> Result<bool, SqlError> {
    let sql = match database.dialect() {
        Dialect::Postgres => {
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('passages') AND attname = ?1 \
             AND NOT attisdropped"
        }
        _ => "SELECT 1 FROM pragma_table_info('passages') WHERE name = ?1",
    };
    let rows = database.query(sql, &[TERMS[2].into()], 1).await?;
    Ok(!rows.rows.is_empty())
}

/// Gives passages of an older version their terms.
async fn fill_terms(database: &dyn Sql) -> Result<(), SqlError> {
    let update = "UPDATE passages SET title_terms = ?1, section_terms = ?2, text_terms = ?3 WHERE \
                  number = ?4";
    let mut last = 0;
    while let Some(page) = page(database, last).await? {
        for (number, texts) in page {
            let terms = [0, 1, 2].map(|at| terms(&texts[at]));
            if terms.iter().any(|terms| *terms != SqlValue::Null) {
                let [title, section, text] = terms;
                let values = [title, section, text, number.into()];
                database.execute(update, &values).await?;
            }
            last = number;
        }
    }
    Ok(())
}

/// Puts the words of passages of an older version into the vocabulary.
async fn fill_vocabulary(database: &dyn Sql) -> Result<(), SqlError> {
    let mut last = 0;
    while let Some(page) = page(database, last).await? {
        last = page.last().map_or(last, |(number, _)| *number);
        let texts = page.iter().flat_map(|(_, texts)| texts);
        vocabulary::add(database, texts.map(String::as_str)).await?;
    }
    Ok(())
}

/// Passages by their number, with title, section and text.
type Page = Vec<(i64, [String; 3])>;

/// The passages after a number; nothing after the last.
async fn page(database: &dyn Sql, after: i64) -> Result<Option<Page>, SqlError> {
    let sql = "SELECT number, title, section, text FROM passages WHERE number > ?1 ORDER BY number \
               LIMIT 200";
    let rows = database.query(sql, &[after.into()], PAGE).await?.rows;
    let text = |value: &SqlValue| value.as_str().unwrap_or_default().to_owned();
    let page: Page = rows
        .iter()
        .filter_map(|row| Some((row.first()?.as_i64()?, [1, 2, 3].map(|at| text(&row[at])))))
        .collect();
    Ok((!page.is_empty()).then_some(page))
}

/// The statements that make an empty store in a database of this dialect, where it may exist
/// already.
#[must_use]
pub fn schema_for(dialect: Dialect) -> Vec<String> {
    let (number, blob) = match dialect {
        Dialect::Postgres => ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BYTEA"),
        _ => ("INTEGER PRIMARY KEY", "BLOB"),
    };
    let mut statements = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS documents (number {number}, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, \
             title TEXT NOT NULL, type TEXT, party TEXT, dated TEXT, characters BIGINT NOT NULL)"
        ),
        "CREATE INDEX IF NOT EXISTS documents_by_type ON documents (type, dated)".to_owned(),
        "CREATE INDEX IF NOT EXISTS documents_by_date ON documents (dated)".to_owned(),
        // the passages of a document, one after the other, are its text; `starts` counts characters
        format!(
            "CREATE TABLE IF NOT EXISTS passages (number {number}, document BIGINT NOT NULL REFERENCES documents (number), \
             starts BIGINT NOT NULL, title TEXT NOT NULL, section TEXT NOT NULL, text TEXT NOT NULL, model TEXT, vector {blob}, \
             title_terms TEXT, section_terms TEXT, text_terms TEXT)"
        ),
        "CREATE INDEX IF NOT EXISTS passages_by_document ON passages (document, starts)".to_owned(),
        "CREATE INDEX IF NOT EXISTS passages_by_model ON passages (model) WHERE model IS NOT NULL"
            .to_owned(),
    ];
    statements.extend(index_for(dialect));
    statements.push(vocabulary::schema(dialect));
    statements
}

/// What finds passages by their words.
fn index_for(dialect: Dialect) -> Vec<String> {
    if dialect == Dialect::Postgres {
        return vec![
            format!(
                "ALTER TABLE passages ADD COLUMN IF NOT EXISTS search TSVECTOR GENERATED ALWAYS AS ({}) STORED",
                tsvector()
            ),
            // without the list of what waits to be put in: every search would read it
            "CREATE INDEX IF NOT EXISTS passage_search ON passages USING gin (search) WITH \
             (fastupdate = off)"
                .to_owned(),
        ];
    }
    let of = |row: &str| {
        ["title", "section", "text"]
            .map(|column| format!("coalesce({row}{column}_terms, {row}{column})"))
    };
    let added = of("new.").join(", ");
    let removed = of("old.").join(", ");
    let [title, section, text] = of("");
    vec![
        format!(
            "CREATE VIEW IF NOT EXISTS passage_terms AS SELECT number, {title} AS title, {section} AS section, {text} AS text FROM passages"
        ),
        format!(
            "CREATE TRIGGER IF NOT EXISTS passages_added AFTER INSERT ON passages BEGIN INSERT INTO passage_search \
             (rowid, title, section, text) VALUES (new.number, {added}); END"
        ),
        format!(
            "CREATE TRIGGER IF NOT EXISTS passages_removed AFTER DELETE ON passages BEGIN INSERT INTO passage_search \
             (passage_search, rowid, title, section, text) VALUES ('delete', old.number, {removed}); END"
        ),
        "CREATE VIRTUAL TABLE IF NOT EXISTS passage_search USING fts5(title, section, text, content = 'passage_terms', \
         content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2')"
            .to_owned(),
    ]
}
