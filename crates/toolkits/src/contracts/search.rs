//! `search_documents`: documents by type, party, date and words.

use std::collections::HashSet;

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use crate::date;
use crate::dialect::position;
use crate::knowledge::failed;
use crate::knowledge::hits::{Hits, IndexFilter};
use crate::knowledge::lexical;
use crate::knowledge::vocabulary::corrected;
use crate::say::other_columns;
use crate::words::{terms, words};

/// The most documents of one answer.
const MAX: u32 = 50;

/// Which documents. Leave out what does not matter.
#[input]
#[derive(Debug)]
pub struct Filters {
    /// The type of document, e.g. "nda" or "lease".
    #[schemars(length(max = 200))]
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// A part of the other party's name, e.g. "acme".
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub party: Option<String>,
    /// The earliest date, ISO 8601, e.g. "2025-01-01".
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub from: Option<String>,
    /// The latest date, ISO 8601, e.g. "2025-12-31".
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub to: Option<String>,
    /// Words that the document has, e.g. "liability cap".
    #[schemars(length(max = 500))]
    #[serde(default)]
    pub text: Option<String>,
    /// The most documents to return.
    #[schemars(range(min = 1, max = 50))]
    #[serde(default = "crate::usual::<10>")]
    pub limit: u32,
}

/// Documents that match.
#[output]
#[derive(Debug)]
pub struct Matches {
    /// With `text` the best match first, otherwise the latest first.
    pub documents: Vec<DocumentList>,
    /// How many match in all; at least so many, when the note says so.
    pub total: i64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A document in a list.
#[output]
#[derive(Debug)]
pub struct DocumentList {
    /// For `extract_clause`.
    pub document_id: String,
    /// Title.
    pub title: String,
    /// The file it came from.
    pub source: String,
    /// Type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The other party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// ISO 8601 date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// With `text`: the section that matches best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// Find contracts and other documents by type, party, date and words.
///
/// Use this when the user asks which documents there are, or names one by its party, kind or date.
/// Returns ids for `extract_clause`; it does not return their text.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "contracts:read",
    title = "Search documents"
)]
pub async fn search_documents(args: Filters, cx: &Cx) -> Result<Matches, ToolError> {
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = &**cx.port::<dyn Sql>()?;
    let filters = filters(&args, database.dialect())?;
    let limit = args.limit as usize;
    let mut meant = None;
    let found = match given(&args.text) {
        Some(text) => {
            let words = words(&text);
            if words.is_empty() {
                return Err(ToolError::new(
                    "`text` has no word to look for. Use letters or digits, or leave it out.",
                ));
            }
            let found = by_words(database, &words, &filters, limit).await;
            match found {
                Ok((rows, ..)) if rows.is_empty() => {
                    let other = meant_by(database, &words, &filters, limit).await;
                    other.map(|(found, sentence)| {
                        meant = sentence;
                        found
                    })
                }
                found => found,
            }
        }
        None => latest(database, &filters, limit).await,
    };
    let (rows, total, partial) = match found {
        Ok(found) => found,
        Err(error) => return Err(failed(database, error).await),
    };
    let documents = rows
        .iter()
        .map(|row| listed(row))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| other_columns("documents"))?;
    if documents.is_empty() {
        return Ok(none());
    }
    let shown = documents.len() as i64;
    let note = match partial {
        _ if meant.is_some() => meant,
        true => Some(format!(
            "{shown} of at least {total} are shown: these words are in very many documents. Add a \
             filter or a rarer word."
        )),
        false => (total > shown)
            .then(|| format!("{shown} of {total} are shown. Add a filter, or raise `limit`.")),
    };
    Ok(Matches {
        documents,
        total,
        note,
    })
}

fn given(text: &Option<String>) -> Option<String> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// What the arguments ask for beside words, as conditions.
fn filters(args: &Filters, dialect: Dialect) -> Result<Vec<IndexFilter>, ToolError> {
    for (name, text) in [("from", given(&args.from)), ("to", given(&args.to))] {
        if text.is_some_and(|text| text.len() != 10 || date::parse(&text).is_none()) {
            return Err(ToolError::new(format!(
                "`{name}` must be an ISO 8601 date, e.g. \"2025-01-31\"."
            )));
        }
    }
    let filters = [
        // as it is stored: `lower` of SQLite knows ASCII alone
        (
            "d.type = ?".to_owned(),
            given(&args.kind).map(|kind| kind.to_lowercase()),
        ),
        (
            format!("{} > 0", position(dialect, "d.party", "?")),
            given(&args.party),
        ),
        ("d.dated >= ?".to_owned(), given(&args.from)),
        ("d.dated <= ?".to_owned(), given(&args.to)),
    ];
    Ok(filters
        .into_iter()
        .filter_map(|(sql, value)| Some((sql, value?.into())))
        .collect())
}

/// Rows of documents, how many there are in all, and whether there may be more than that.
type Rowed = (Vec<Vec<SqlValue>>, i64, bool);

/// What a list shows of a document.
const COLUMNS: &str = "d.id, d.title, d.source, d.type, d.party, d.dated";

/// Documents with the words, the one with the best passage first.
async fn by_words(
    database: &dyn Sql,
    words: &[String],
    filters: &[IndexFilter],
    limit: usize,
) -> Result<Rowed, SqlError> {
    let Hits { hits, partial } = lexical::search(database, &terms(words), filters).await?;
    let mut known = HashSet::new();
    let best: Vec<i64> = hits
        .iter()
        .filter(|hit| known.insert(hit.document))
        .map(|hit| hit.passage)
        .collect();
    let shown = &best[..best.len().min(limit)];
    if shown.is_empty() {
        return Ok((Vec::new(), 0, partial));
    }
    let numbers = shown
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",");
    let sql = format!(
        "SELECT {COLUMNS}, p.section, p.number FROM passages AS p JOIN documents AS d ON d.number \
         = p.document WHERE p.number IN ({numbers})"
    );
    let mut rows = database.query(&sql, &[], limit).await?.rows;
    rows.sort_by_key(|row| {
        shown
            .iter()
            .position(|number| row.last() == Some(&SqlValue::Integer(*number)))
    });
    Ok((rows, best.len() as i64, partial))
}

/// The same for what misspelt words may mean, and what to say of it.
async fn meant_by(
    database: &dyn Sql,
    words: &[String],
    filters: &[IndexFilter],
    limit: usize,
) -> Result<(Rowed, Option<String>), SqlError> {
    let Some((sentence, words)) = corrected(database, words).await? else {
        return Ok(((Vec::new(), 0, false), None));
    };
    let found = by_words(database, &words, filters, limit).await?;
    Ok((found, Some(sentence)))
}

/// Documents that pass the filters, the latest first.
async fn latest(
    database: &dyn Sql,
    filters: &[IndexFilter],
    limit: usize,
) -> Result<Rowed, SqlError> {
    let conditions: Vec<String> = filters
        .iter()
        .zip(1..)
        .map(|((sql, _), at)| sql.replace('?', &format!("?{at}")))
        .collect();
    let conditions = if conditions.is_empty() {
        "TRUE".to_owned()
    } else {
        conditions.join(" AND ")
    };
    let parameters: Vec<SqlValue> = filters.iter().map(|(_, value)| value.clone()).collect();
    let order = "ORDER BY d.dated DESC NULLS LAST, d.number";
    // counted and sorted by what indexes have; the rest of a document is read for those that are
    // shown
    let sql = format!(
        "SELECT {COLUMNS}, NULL, shown.total FROM (SELECT d.number, count(*) OVER () AS total FROM documents AS d WHERE {conditions} \
         {order} LIMIT {limit}) AS shown JOIN documents AS d ON d.number = shown.number {order}"
    );
    let rows = database.query(&sql, &parameters, limit).await?.rows;
    let total = rows
        .first()
        .and_then(|row| row.last()?.as_i64())
        .unwrap_or(0);
    Ok((rows, total, false))
}

fn listed(row: &[SqlValue]) -> Option<DocumentList> {
    let [id, title, source, kind, party, date, section, _] = row else {
        return None;
    };
    let text = |value: &SqlValue| value.as_str().map(str::to_owned);
    Some(DocumentList {
        document_id: text(id)?,
        title: text(title)?,
        source: text(source)?,
        kind: text(kind),
        party: text(party),
        date: text(date),
        section: text(section).filter(|section| !section.is_empty()),
    })
}

fn none() -> Matches {
    let note = Some(
        "No document matches. Leave out a filter, or use a part of the party's name \
        and other words."
            .to_owned(),
    );
    Matches {
        documents: Vec::new(),
        total: 0,
        note,
    }
}
