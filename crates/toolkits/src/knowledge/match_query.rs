//! Words as queries: for FTS5's MATCH, and for PostgreSQL's text search. Reads nothing.

use mcpfn_ports::Dialect;

use crate::analysis::Term;

/// Letters with accents, and without: FTS5 makes them the same by itself.
pub(super) const ACCENTS: [&str; 2] =
    ["áàâäãåçéèêëíìîïñóòôöõúùûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy"];

/// What a word counts that is in so many of all passages.
pub(super) fn weight(count: i64, passages: i64) -> f64 {
    (1.0 + passages as f64 / count as f64).ln()
}

/// A term in the quotation marks that make it one.
pub(super) fn term(dialect: Dialect, term: &Term) -> String {
    let (mark, begun) = if dialect == Dialect::Postgres {
        ('\'', ":*")
    } else {
        ('"', "*")
    };
    let begun = if term.begun { begun } else { "" };
    format!("{mark}{}{mark}{begun}", term.text)
}

/// A query for all of the words, or for any.
pub(super) fn query(dialect: Dialect, words: &[(i64, &Term)], all: bool) -> String {
    let join = match (dialect, all) {
        (Dialect::Postgres, true) => " & ",
        (Dialect::Postgres, false) => " | ",
        (_, true) => " AND ",
        (_, false) => " OR ",
    };
    words
        .iter()
        .map(|(_, word)| term(dialect, word))
        .collect::<Vec<_>>()
        .join(join)
}

/// A parameter as PostgreSQL's query.
pub(super) fn tsquery(parameter: usize) -> String {
    format!(
        "to_tsquery('english', {})",
        without_accents(&format!("?{parameter}"))
    )
}

/// The weights are of D, C, B, A: text, nothing, title, heading. The last number says that long
/// passages count less.
pub(super) fn rank(column: &str, query: &str) -> String {
    format!("CAST(ts_rank('{{0.33, 0, 0.66, 1}}', {column}, {query}, 1) AS DOUBLE PRECISION)")
}

pub(super) fn without_accents(text: &str) -> String {
    format!("translate({text}, '{}', '{}')", ACCENTS[0], ACCENTS[1])
}

/// What PostgreSQL searches in, made from a passage's columns.
pub(super) fn tsvector() -> String {
    let part = |column: &str, weight: char| {
        let words = format!(
            "coalesce({column}_terms, regexp_replace({}, '[^[:alnum:]]+', ' ', 'g'))",
            without_accents(&format!("lower({column})"))
        );
        format!("setweight(to_tsvector('english'::regconfig, {words}), '{weight}')")
    };
    [part("section", 'A'), part("title", 'B'), part("text", 'D')].join(" || ")
}
