//! How documents come into their tables, which `schema` makes. Searches nothing.

use mcpfn_ports::{Embedder, Sql, SqlError, SqlValue, VectorError, VectorStore};

use super::outline::passages;
use super::vector::stored;
use super::vocabulary::{self, terms};
use super::{MAX_PASSAGES, stored_vectors};
use crate::date;
use crate::fetch::{PagePart, readable};

/// The longest document, in bytes of text.
pub const MAX_DOCUMENT_LENGTH: usize = 2 * 1024 * 1024;

/// Passages of one statement: D1 takes a hundred parameters.
const ROWS: usize = 12;

/// The most bytes of the passages of one statement, also where they stand in its text
/// (`ingest --sql`): D1 takes 100,000 with the rest.
const BYTES: usize = 90_000;

/// Texts of one question to a model.
const BATCH: usize = 64;

/// The longest title, type and party, in characters.
const MAX_FIELD_LENGTH: usize = 200;

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Letters, digits, `-`, `_` and `.`; a later document with the same id replaces it.
    pub id: String,
    /// The file that it came from.
    pub source: String,
    /// Title.
    pub title: String,
    /// Such as `nda` or `policy`, in lower case.
    pub kind: Option<String>,
    /// Who else it is with.
    pub party: Option<String>,
    /// ISO 8601 date.
    pub date: Option<String>,
    /// Plain text or Markdown.
    pub text: String,
}

impl StoredDocument {
    /// Reads a file's content: front matter between two lines of `---` with `title`, `type`,
    /// `party` and `date`, then text. A name that ends in `.html` or `.htm` is read as a page.
    /// `source` is the file's path in its folder, with `/` in it.
    ///
    /// # Errors
    /// A sentence without a full stop about what to change.
    pub fn read(source: &str, content: &str) -> Result<Self, String> {
        let content = content
            .strip_prefix('\u{feff}')
            .unwrap_or(content)
            .replace("\r\n", "\n");
        if content.len() > MAX_DOCUMENT_LENGTH {
            return Err(format!(
                "it has more than {MAX_DOCUMENT_LENGTH} bytes; split it"
            ));
        }
        let (fields, text) = front_matter(&content);
        let name = source.rsplit('/').next().unwrap_or(source);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let field = |name: &str| {
            let value = fields
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.trim_matches(['"', '\'']).trim());
            value
                .filter(|value| !value.is_empty())
                .map(|value| value.chars().take(MAX_FIELD_LENGTH).collect::<String>())
        };
        let (own_title, text) = content_of(name, text);
        if text.trim().is_empty() {
            return Err("it has no text".to_owned());
        }
        let date = field("date");
        if date
            .as_deref()
            .is_some_and(|date| date.len() != 10 || date::parse(date).is_none())
        {
            return Err("its `date` is not a date such as 2026-01-31".to_owned());
        }
        let title = field("title")
            .or(own_title)
            .unwrap_or_else(|| stem.to_owned())
            .chars()
            .take(MAX_FIELD_LENGTH)
            .collect();
        let kind = field("type").map(|kind| kind.to_lowercase());
        Ok(Self {
            id: Self::id_of(source),
            source: source.to_owned(),
            title,
            kind,
            party: field("party"),
            date,
            text: text.replace('\0', " "),
        })
    }

    /// The id of a file: its path without the ending, with a dash for whatever an address does not
    /// carry as it is.
    pub(super) fn id_of(source: &str) -> String {
        let path = source.rsplit_once('.').map_or(source, |(path, _)| path);
        path.chars()
            .map(|c| {
                if c.is_alphanumeric() || "-_.".contains(c) {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect()
    }
}

/// A file's own title, and its text: of a page, what a reader sees.
fn content_of(name: &str, text: &str) -> (Option<String>, String) {
    if [".html", ".htm"]
        .iter()
        .any(|end| name.to_ascii_lowercase().ends_with(end))
    {
        let page = readable(text, PagePart::Body, MAX_DOCUMENT_LENGTH);
        (page.title, page.text)
    } else {
        let heading = text
            .lines()
            .find_map(|line| line.strip_prefix("# "))
            .map(|title| title.trim().to_owned());
        (heading, text.to_owned())
    }
}

fn front_matter(content: &str) -> (Vec<(String, &str)>, &str) {
    let none = (Vec::new(), content);
    let Some(rest) = content.strip_prefix("---\n") else {
        return none;
    };
    let Some((head, text)) = rest.split_once("\n---\n") else {
        return none;
    };
    let fields = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim()));
    (fields.collect(), text)
}

/// Puts a document in the place of what has its id. The port has no transactions: after a failure
/// half of it may be there, and adding it again repairs that. With a model its passages get
/// vectors; `passages` that can't get them are found by words. Returns how many passages it has.
///
/// # Errors
/// [`AddError`].
pub async fn add(
    database: &dyn Sql,
    document: &StoredDocument,
    model: Option<&dyn Embedder>,
) -> Result<usize, AddError> {
    add_with(database, document, model, None).await
}

/// The same, whose vectors also go into a store of their own. Those of an earlier version that are
/// at another place are taken out of it, where the database says which these are.
///
/// # Errors
/// [`AddError`].
pub async fn add_with(
    database: &dyn Sql,
    document: &StoredDocument,
    model: Option<&dyn Embedder>,
    store: Option<&dyn VectorStore>,
) -> Result<usize, AddError> {
    let parts = passages(&document.text);
    let texts: Vec<&str> = parts
        .iter()
        .map(|part| &document.text[part.range.clone()])
        .collect();
    let vectors = match model {
        Some(model) => vectors(model, &document.title, &texts).await?,
        None => vec![SqlValue::Null; texts.len()],
    };
    let earlier = match store {
        Some(_) => stored_vectors::starts_of(database, &document.id, MAX_PASSAGES).await,
        None => Vec::new(),
    };
    replace(database, document).await?;
    let (mut starts, mut rows) = (0, Vec::with_capacity(texts.len()));
    for ((part, text), vector) in parts.iter().zip(&texts).zip(vectors) {
        rows.push([
            SqlValue::from(starts),
            part.section.as_str().into(),
            (*text).into(),
            vector,
            terms(&part.section),
            terms(text),
        ]);
        starts += text.chars().count() as i64;
    }
    let name = model.map_or(SqlValue::Null, |model| model.model().into());
    add_passages(database, document, &name, &rows).await?;
    if let (Some(store), Some(model)) = (store, model) {
        let vectors: Vec<(i64, &[u8])> = rows.iter().filter_map(placed).collect();
        stored_vectors::put(store, model.model(), &document.id, &vectors, &earlier).await?;
    }
    let sections = parts.iter().map(|part| part.section.as_str());
    let words = sections.chain([document.title.as_str(), document.text.as_str()]);
    vocabulary::add(database, words).await?;
    Ok(parts.len())
}

/// Where a passage starts, and its vector.
fn placed(row: &PassageRow) -> Option<(i64, &[u8])> {
    match row {
        [SqlValue::Integer(starts), _, _, SqlValue::Blob(vector), ..] => Some((*starts, vector)),
        _ => None,
    }
}

/// The document's own row, in the place of what had its id.
async fn replace(database: &dyn Sql, document: &StoredDocument) -> Result<(), SqlError> {
    let by_id = [SqlValue::from(document.id.as_str())];
    let old = "DELETE FROM passages WHERE document IN (SELECT number FROM documents WHERE id = ?1)";
    database.execute(old, &by_id).await?;
    database
        .execute("DELETE FROM documents WHERE id = ?1", &by_id)
        .await?;
    let optional = |text: &Option<String>| text.as_deref().map_or(SqlValue::Null, SqlValue::from);
    let characters = document.text.chars().count() as i64;
    let row = [
        document.id.as_str().into(),
        document.source.as_str().into(),
        document.title.as_str().into(),
        optional(&document.kind),
        optional(&document.party),
        optional(&document.date),
        characters.into(),
    ];
    let sql = "INSERT INTO documents (id, source, title, type, party, dated, characters) VALUES \
        (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    database.execute(sql, &row).await?;
    Ok(())
}

/// A passage: where it starts, its section, text and vector, and the terms of section and text.
type PassageRow = [SqlValue; 6];

/// Passages that have their row.
async fn add_passages(
    database: &dyn Sql,
    document: &StoredDocument,
    model: &SqlValue,
    rows: &[PassageRow],
) -> Result<(), SqlError> {
    let title_terms = terms(&document.title);
    let title = document.title.len() + written(&title_terms);
    let mut rest = rows;
    while !rest.is_empty() {
        let (rows, later) = rest.split_at(together(rest, document.id.len() + title));
        rest = later;
        let places: Vec<String> = (0..rows.len())
            .map(|row| {
                let values: Vec<String> =
                    (0..6).map(|at| format!("?{}", 5 + row * 6 + at)).collect();
                let document = "(SELECT number FROM documents WHERE id = ?1)";
                format!("({document}, ?2, ?3, ?4, {})", values.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO passages (document, title, title_terms, model, starts, section, text, \
             vector, section_terms, text_terms) VALUES {}",
            places.join(", ")
        );
        let mut values = vec![
            document.id.as_str().into(),
            document.title.as_str().into(),
            title_terms.clone(),
            model.clone(),
        ];
        values.extend(rows.iter().flatten().cloned());
        database.execute(&sql, &values).await?;
    }
    Ok(())
}

/// How many of these rows go into one statement, beside id and title, which have so many bytes; at
/// least one.
fn together(rows: &[PassageRow], named: usize) -> usize {
    // the rest of a row is a name of a model, numbers and words of SQL
    let mut left = BYTES;
    let fitting = rows.iter().take(ROWS).take_while(|row| {
        let row = row.iter().map(written).sum::<usize>() + 2 * named + 500;
        let fits = row <= left;
        left = left.saturating_sub(row);
        fits
    });
    fitting.count().max(1)
}

/// The most bytes of a value, written out: a byte takes two characters at most.
fn written(value: &SqlValue) -> usize {
    match value {
        SqlValue::Text(text) => 2 * text.len(),
        SqlValue::Blob(bytes) => 2 * bytes.len(),
        _ => 0,
    }
}

async fn vectors(
    model: &dyn Embedder,
    title: &str,
    texts: &[&str],
) -> Result<Vec<SqlValue>, AddError> {
    let mut found = Vec::with_capacity(texts.len());
    for texts in texts.chunks(BATCH) {
        let texts: Vec<String> = texts
            .iter()
            .map(|text| format!("{title}\n{text}"))
            .collect();
        let vectors = model
            .embed(&texts)
            .await
            .map_err(|error| AddError::Model(error.to_string()))?;
        found.extend(vectors.iter().map(|vector| SqlValue::Blob(stored(vector))));
    }
    Ok(found)
}

/// Why a document could not be added.
#[derive(Debug)]
pub enum AddError {
    /// The database.
    Database(SqlError),
    /// The model that makes vectors.
    Model(String),
    /// The store of vectors.
    Vectors(VectorError),
}

impl From<VectorError> for AddError {
    fn from(error: VectorError) -> Self {
        Self::Vectors(error)
    }
}

impl From<SqlError> for AddError {
    fn from(error: SqlError) -> Self {
        Self::Database(error)
    }
}

impl std::fmt::Display for AddError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Model(cause) => f.write_str(cause),
            Self::Vectors(error) => write!(f, "the store of vectors: {error}"),
        }
    }
}

impl std::error::Error for AddError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_as_documents() {
        let content = "---\ntitle: \"Mutual NDA\"\ntype: NDA\nparty: Acme Corp\ndate: \
            2025-03-01\n---\n# Agreement\nText.\n";
        let document = StoredDocument::read("contracts/Acme NDA.md", content).unwrap();
        assert_eq!(
            (
                document.id.as_str(),
                document.title.as_str(),
                document.kind.as_deref()
            ),
            ("contracts-acme-nda", "Mutual NDA", Some("nda"))
        );
        assert_eq!(
            (document.party.as_deref(), document.date.as_deref()),
            (Some("Acme Corp"), Some("2025-03-01"))
        );
        assert_eq!(document.text, "# Agreement\nText.\n");
        assert_eq!(StoredDocument::read("a.txt", "words").unwrap().title, "a");
        let page = StoredDocument::read(
            "a.html",
            "<title>Hi</title><h2>One</h2><p>Text<script>x</script>",
        )
        .unwrap();
        assert_eq!(
            (page.title.as_str(), page.text.trim()),
            ("Hi", "## One\n\nText")
        );
        assert!(
            StoredDocument::read("a.md", "---\ndate: soon\n---\nx")
                .unwrap_err()
                .contains("2026-01-31")
        );
        assert!(StoredDocument::read("a.md", " \n").is_err());
    }
}
