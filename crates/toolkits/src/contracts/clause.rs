//! `extract_clause`: a clause's own words, found by its number or its title. Summarizes nothing.

use mcpfn_core::{Cx, ToolError, input, output, text, tool};
use mcpfn_ports::Sql;

use crate::knowledge::load;
use crate::knowledge::outline::{Heading, headings, numbered};
use crate::say::quoted;

/// The most text of a clause, in characters.
const MAX: usize = 20_000;

/// How many titles are offered when none fits.
const OFFERED: usize = 30;

/// The longest wish, in characters.
const MAX_LENGTH: usize = 200;

/// Which clause of which document.
#[input]
#[derive(Debug)]
pub struct ClauseQuery {
    /// The document's id, as `search_documents` gives it.
    #[schemars(length(min = 1, max = 300))]
    pub document_id: String,
    /// The clause's number or title, e.g. "7.2", "Article 12" or "limitation of liability".
    #[schemars(length(min = 1, max = 200))]
    pub clause: String,
}

/// A clause.
#[output]
#[derive(Debug)]
pub struct Clause {
    /// The document's id.
    pub document_id: String,
    /// The document's title.
    pub title: String,
    /// The file it came from.
    pub source: String,
    /// The clause's heading, with the headings above it before it.
    pub section: String,
    /// Where the clause begins in the document's text, in characters.
    pub start: usize,
    /// Where it ends, in characters; the character there is no part of it.
    pub end: usize,
    /// The clause, word for word, with its heading and everything below it.
    pub text: String,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Get the exact text of one clause or section of a document.
///
/// Use this when the user asks what a contract says about something, after `search_documents` gave
/// the document's id. Quote the text as it is. When nothing has the name, the answer lists the
/// document's clauses.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "contracts:read",
    title = "Extract a clause"
)]
pub async fn extract_clause(args: ClauseQuery, cx: &Cx) -> Result<Clause, ToolError> {
    let wanted = args.clause.trim();
    if wanted.is_empty() || wanted.chars().count() > MAX_LENGTH {
        return Err(ToolError::new(format!(
            "`clause` must have 1 to {MAX_LENGTH} characters, e.g. \"7.2\" or \"termination\"."
        )));
    }
    let stored = load(
        &**cx.port::<dyn Sql>()?,
        &args.document_id,
        "search_documents",
    )
    .await?;
    let headings = headings(&stored.text);
    let found = find(&headings, wanted);
    let Some((&at, others)) = found.split_first() else {
        return Err(nothing(&headings, wanted, &stored.title));
    };
    let heading = &headings[at];
    let end = headings[at + 1..]
        .iter()
        .find(|next| next.level <= heading.level)
        .map_or(stored.text.len(), |next| next.start);
    let whole = stored.text[heading.start..end].trim_end();
    let start = stored.text[..heading.start].chars().count();
    let length = whole.chars().count();
    let mut notes = Vec::new();
    if length > MAX {
        notes.push(format!(
            "Cut after {MAX} of {length} characters; ask for a clause below it."
        ));
    }
    if !others.is_empty() {
        let names: Vec<String> = others
            .iter()
            .take(10)
            .map(|other| quoted(&headings[*other].shown()))
            .collect();
        notes.push(format!(
            "Other clauses fit too: {}. Ask for one by its number or full title.",
            names.join(", ")
        ));
    }
    Ok(Clause {
        document_id: stored.id,
        title: stored.title,
        source: stored.source,
        section: path(&headings, at),
        start,
        end: start + length,
        text: whole.chars().take(MAX).collect(),
        note: (!notes.is_empty()).then(|| notes.join(" ")),
    })
}

/// Headings that are meant, the likeliest first: by number, by title, by the words of the title, by
/// a slip of the pen.
fn find(headings: &[Heading], wanted: &str) -> Vec<usize> {
    let all = |fits: &dyn Fn(&Heading) -> bool| -> Vec<usize> {
        (0..headings.len())
            .filter(|at| fits(&headings[*at]))
            .collect()
    };
    let alone = wanted.trim_end_matches('.');
    let bare = alone
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        .then(|| alone.to_owned());
    let number = bare.or_else(|| {
        numbered(wanted)
            .filter(|(_, title)| title.is_empty())
            .map(|(number, _)| number)
    });
    if let Some(number) = number {
        return all(&|heading| heading.number.as_deref() == Some(&number));
    }
    let title = numbered(wanted).map_or(wanted, |(_, title)| title);
    let words = plain(title);
    if words.is_empty() {
        return Vec::new();
    }
    let same = all(&|heading| plain(&heading.title) == words || plain(&heading.shown()) == words);
    if !same.is_empty() {
        return same;
    }
    let having = all(&|heading| {
        let have = plain(&heading.title);
        words.iter().all(|word| have.contains(word))
    });
    if !having.is_empty() {
        return having;
    }
    let near = text::nearest(title, headings.iter().map(|heading| heading.title.as_str()));
    near.map(|near| all(&|heading| heading.title == near))
        .unwrap_or_default()
}

/// The words of a title that distinguish it.
fn plain(title: &str) -> Vec<String> {
    let words = title
        .split(|character: char| !character.is_alphanumeric())
        .map(str::to_lowercase);
    words
        .filter(|word| {
            !word.is_empty()
                && !["the", "a", "of", "and", "clause", "section", "article"]
                    .contains(&word.as_str())
        })
        .collect()
}

/// The headings above one, and its own.
fn path(headings: &[Heading], at: usize) -> String {
    let mut level = headings[at].level;
    let mut path = vec![headings[at].shown()];
    for above in headings[..at].iter().rev() {
        if above.level < level {
            level = above.level;
            path.push(above.shown());
        }
    }
    path.reverse();
    path.join(" > ")
}

fn nothing(headings: &[Heading], wanted: &str, title: &str) -> ToolError {
    if headings.is_empty() {
        return ToolError::not_found(format!(
            "{} has no headings and no numbered clauses. Use `semantic_search` to find a passage.",
            quoted(title)
        ));
    }
    let names: Vec<String> = headings
        .iter()
        .take(OFFERED)
        .map(|heading| quoted(&heading.shown()))
        .collect();
    let more = headings.len().saturating_sub(OFFERED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    ToolError::not_found(format!(
        "{} has no clause {}. It has {}{more}.",
        quoted(title),
        quoted(wanted),
        names.join(", ")
    ))
}
