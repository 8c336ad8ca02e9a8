//! `search_documents`: documents by type, party, date and words.

use mcpfn_core::{Cx, SqlValue, ToolError, input, output, tool};

use crate::date;
use crate::knowledge::{database, failed, words};
use crate::say::other_columns;

/// The most documents of one answer.
const MOST: u32 = 50;

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
    #[serde(default = "ten")]
    pub limit: u32,
}

fn ten() -> u32 {
    10
}

/// Documents that match.
#[output]
#[derive(Debug)]
pub struct Matches {
    /// With `text` the best match first, otherwise the latest first.
    pub documents: Vec<Listed>,
    /// How many match in all.
    pub total: i64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A document in a list.
#[output]
#[derive(Debug)]
pub struct Listed {
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
/// Use this when the user asks which documents there are, or names one by its party, kind or date. Returns ids for `extract_clause`; it
/// does not return their text.
#[tool(read_only, idempotent, open_world = false, scope = "contracts:read", title = "Search documents")]
pub async fn search_documents(args: Filters, cx: &Cx) -> Result<Matches, ToolError> {
    if !(1..=MOST).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MOST}.")));
    }
    let database = &**database(cx)?;
    let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    for (name, text) in [("from", given(&args.from)), ("to", given(&args.to))] {
        if text.is_some_and(|text| text.len() != 10 || date::parse(&text).is_none()) {
            return Err(ToolError::new(format!("`{name}` must be an ISO 8601 date, e.g. \"2025-01-31\".")));
        }
    }
    let (mut conditions, mut parameters) = (vec!["1"], Vec::new());
    let filters = [
        ("d.type = lower(?)", given(&args.kind)),
        ("instr(lower(d.party), lower(?)) > 0", given(&args.party)),
        ("d.dated >= ?", given(&args.from)),
        ("d.dated <= ?", given(&args.to)),
    ];
    let mut hit = None;
    if let Some(text) = given(&args.text) {
        let words = words::words(&text);
        if words.is_empty() {
            return Err(ToolError::new("`text` has no word to look for. Use letters or digits, or leave it out."));
        }
        match words::query(database, &words).await {
            Ok(Some(query)) => hit = Some(query),
            Ok(None) => return Ok(none()),
            Err(error) => return Err(failed(database, error).await),
        }
    }
    let from = if let Some(query) = &hit {
        parameters.push(SqlValue::from(query.as_str()));
        "(SELECT rowid, rank FROM passage_search WHERE passage_search MATCH ?1) AS hit \
         CROSS JOIN passages AS p ON p.number = hit.rowid JOIN documents AS d ON d.number = p.document"
    } else {
        "documents AS d"
    };
    let filters: Vec<(String, String)> = filters.into_iter().filter_map(|(sql, value)| Some((sql.to_owned(), value?))).collect();
    let numbered: Vec<String> =
        filters.iter().enumerate().map(|(at, (sql, _))| sql.replace('?', &format!("?{}", parameters.len() + at + 1))).collect();
    conditions.extend(numbered.iter().map(String::as_str));
    parameters.extend(filters.into_iter().map(|(_, value)| SqlValue::from(value)));
    // beside `min`, SQLite gives the columns of the row that has the least
    let (columns, order) = if hit.is_some() {
        ("p.section, min(hit.rank) AS best", "GROUP BY d.number ORDER BY best, d.number")
    } else {
        ("NULL, 0", "ORDER BY d.dated DESC, d.number")
    };
    let sql = format!(
        "SELECT d.id, d.title, d.source, d.type, d.party, d.dated, count(*) OVER (), {columns} FROM {from} WHERE {} {order} LIMIT {}",
        conditions.join(" AND "),
        args.limit
    );
    let rows = match database.query(&sql, &parameters, args.limit as usize).await {
        Ok(rows) => rows.rows,
        Err(error) => return Err(failed(database, error).await),
    };
    let mut total = 0;
    let mut documents = Vec::with_capacity(rows.len());
    for row in &rows {
        let [id, title, source, kind, party, dated, all, section, _] = row.as_slice() else { return Err(other_columns("documents")) };
        let text = |value: &SqlValue| value.as_str().map(str::to_owned);
        let (Some(document_id), Some(title), Some(source), Some(all)) = (text(id), text(title), text(source), all.as_i64()) else {
            return Err(other_columns("documents"));
        };
        total = all;
        let section = text(section).filter(|section| !section.is_empty());
        documents.push(Listed { document_id, title, source, kind: text(kind), party: text(party), date: text(dated), section });
    }
    if documents.is_empty() {
        return Ok(none());
    }
    let shown = documents.len();
    let note = (total > shown as i64).then(|| format!("{shown} of {total} are shown. Add a filter, or raise `limit`."));
    Ok(Matches { documents, total, note })
}

fn none() -> Matches {
    let note = Some("No document matches. Leave out a filter, or use a part of the party's name and other words.".to_owned());
    Matches { documents: Vec::new(), total: 0, note }
}
