//! The tables of documents and passages: made where they are missing, brought up to date where an
//! older version made them. Searches nothing.
//!
//! A passage's `_terms` are what the index takes in the place of a text (see `analysis`); they are
//! NULL where the index takes the text itself, so English costs nothing.

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use super::match_query::tsvector;
use super::vocabulary::{self, exists, terms};

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

/// Makes the store's tables where they are missing, and brings those of an older version up to
/// date, with what they hold. Until it is done, searches may say that there are no documents; after
/// a failure it goes on where it is called again.
///
/// # Errors
/// When the database can't be asked, or refuses to change its tables.
pub async fn prepare(database: &dyn Sql) -> Result<(), SqlError> {
    let dialect = database.dialect();
    // the last thing that is made
    let last = match dialect {
        Dialect::Postgres => "passage_search",
        _ => "passages_removed",
    };
    if exists(database, vocabulary::TABLE).await? && exists(database, last).await? {
        return Ok(());
    }
    if exists(database, "passages").await? {
        let known = terms_of(database).await?;
        for statement in changes(dialect, &known) {
            database.execute(&statement, &[]).await?;
        }
        fill(database).await?;
        for statement in index_for(dialect, true) {
            database.execute(&statement, &[]).await?;
        }
    }
    for statement in schema_for(dialect) {
        database.execute(&statement, &[]).await?;
    }
    Ok(())
}

/// Puts all passages into the index anew.
const REBUILD: &str = "INSERT INTO passage_search (passage_search) VALUES ('rebuild')";

/// The statements that bring tables of the first version up to date where nothing but SQL can be
/// run, as in a migration of D1. Texts that need an analysis get it when they are added again.
#[must_use]
pub fn migration_for(dialect: Dialect) -> Vec<String> {
    let mut statements = changes(dialect, &[]);
    statements.extend(index_for(dialect, true));
    statements
}

/// What the tables of an older version lose, and the columns they get beside those they have.
fn changes(dialect: Dialect, known: &[String]) -> Vec<String> {
    let rest: &[&str] = match dialect {
        Dialect::Postgres => &["ALTER TABLE passages DROP COLUMN IF EXISTS search"],
        _ => &[
            "DROP TRIGGER IF EXISTS passages_added",
            "DROP TRIGGER IF EXISTS passages_removed",
            "DROP TABLE IF EXISTS passage_search",
        ],
    };
    let mut statements: Vec<String> = rest.iter().map(|one| (*one).to_owned()).collect();
    let missing = TERMS
        .iter()
        .filter(|column| !known.iter().any(|known| known == *column));
    let add = |column| format!("ALTER TABLE passages ADD COLUMN {column} TEXT");
    statements.extend(missing.map(add));
    statements.push(vocabulary::schema(dialect));
    statements
}

/// Those of the new columns that are there.
async fn terms_of(database: &dyn Sql) -> Result<Vec<String>, SqlError> {
    let sql = match database.dialect() {
        Dialect::Postgres => {
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('passages') AND \
             NOT attisdropped AND attname IN (?1, ?2, ?3)"
        }
        _ => "SELECT name FROM pragma_table_info('passages') WHERE name IN (?1, ?2, ?3)",
    };
    let rows = database.query(sql, &TERMS.map(SqlValue::from), 3).await?;
    let names = rows.rows.iter().filter_map(|row| row.first()?.as_str());
    Ok(names.map(str::to_owned).collect())
}

/// Gives passages of an older version their terms, and the vocabulary their words.
async fn fill(database: &dyn Sql) -> Result<(), SqlError> {
    let update = "UPDATE passages SET title_terms = ?1, section_terms = ?2, text_terms = ?3 WHERE \
                  number = ?4";
    let mut last = 0;
    while let Some(page) = page(database, last).await? {
        for (number, texts) in &page {
            let terms = [0, 1, 2].map(|at| terms(&texts[at]));
            if terms.iter().any(|terms| *terms != SqlValue::Null) {
                let [title, section, text] = terms;
                let values = [title, section, text, (*number).into()];
                database.execute(update, &values).await?;
            }
            last = *number;
        }
        let texts = page.iter().flat_map(|(_, texts)| texts);
        vocabulary::add(database, texts.map(String::as_str)).await?;
    }
    Ok(())
}

/// Passages by their number, with title, section and text.
type PassagePage = Vec<(i64, [String; 3])>;

/// The passages after a number; nothing after the last.
async fn page(database: &dyn Sql, after: i64) -> Result<Option<PassagePage>, SqlError> {
    let sql = "SELECT number, title, section, text FROM passages WHERE number > ?1 ORDER BY number \
               LIMIT 200";
    let rows = database.query(sql, &[after.into()], PAGE).await?.rows;
    let text = |value: &SqlValue| value.as_str().unwrap_or_default().to_owned();
    let page: PassagePage = rows
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
    ];
    // SQLite has the number in each index
    let by = match dialect {
        Dialect::Postgres => "model, number",
        _ => "model",
    };
    statements.push(format!(
        "CREATE INDEX IF NOT EXISTS passages_by_model ON passages ({by}) WHERE model IS NOT NULL"
    ));
    statements.push(vocabulary::schema(dialect));
    statements.extend(index_for(dialect, false));
    statements
}

/// What finds passages by their words: made of the passages that are there where `is_old`.
fn index_for(dialect: Dialect, is_old: bool) -> Vec<String> {
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
    let mut statements = vec![
        format!(
            "CREATE VIEW IF NOT EXISTS passage_terms AS SELECT number, {title} AS title, {section} AS section, {text} AS text FROM passages"
        ),
        "CREATE VIRTUAL TABLE IF NOT EXISTS passage_search USING fts5(title, section, text, content = 'passage_terms', \
         content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2')"
            .to_owned(),
    ];
    if is_old {
        statements.push(REBUILD.to_owned());
    }
    statements.extend([
        format!(
            "CREATE TRIGGER IF NOT EXISTS passages_added AFTER INSERT ON passages BEGIN INSERT INTO passage_search \
             (rowid, title, section, text) VALUES (new.number, {added}); END"
        ),
        format!(
            "CREATE TRIGGER IF NOT EXISTS passages_removed AFTER DELETE ON passages BEGIN INSERT INTO passage_search \
             (passage_search, rowid, title, section, text) VALUES ('delete', old.number, {removed}); END"
        ),
    ]);
    statements
}
