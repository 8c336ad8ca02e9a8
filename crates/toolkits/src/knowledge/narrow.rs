//! Common words behind a filter, on FTS5: from the documents that pass to their passages, so that
//! what the whole index has of a word is not read. Decides only whether they are few; which words
//! are common is known to `lexical`.
//!
//! Measured behind a filter that few of 50,000 documents pass: 7 ms of CPU, where reading the
//! whole index of a common word took 54.

use std::fmt::Write as _;

use mcpfn_ports::{Sql, SqlError, SqlValue};

use super::hits::{Hits, IndexFilter, MAX_RANKED, best_first, hit};

/// The most documents that are listed. When more pass a filter, enough of what has a common word
/// passes it too.
const MAX_LISTED: usize = 3000;

/// The most words times documents that are looked up one by one; one takes some 50 µs.
const MAX_LOOKED_UP: usize = 400;

/// Documents that pass a filter.
#[derive(Debug)]
pub(super) struct FewDocuments {
    count: usize,
    /// Their numbers, with commas.
    list: String,
}

impl FewDocuments {
    /// Whether so many words are looked up faster in each of the documents than in the index as a
    /// whole.
    pub(super) fn are_one_by_one(&self, words: usize) -> bool {
        self.count * words <= MAX_LOOKED_UP
    }

    /// A statement that gives the numbers of their passages.
    pub(super) fn passages(&self) -> String {
        format!(
            "SELECT number FROM passages WHERE document IN ({})",
            self.list
        )
    }
}

/// The documents that pass the filters, if they are few.
pub(super) async fn documents(
    database: &dyn Sql,
    filters: &[IndexFilter],
) -> Result<Option<FewDocuments>, SqlError> {
    let conditions: Vec<String> = filters
        .iter()
        .zip(1..)
        .map(|((sql, _), at)| sql.replace('?', &format!("?{at}")))
        .collect();
    let sql = format!(
        "SELECT d.number FROM documents AS d WHERE {} LIMIT {}",
        conditions.join(" AND "),
        MAX_LISTED + 1
    );
    let parameters: Vec<SqlValue> = filters.iter().map(|(_, value)| value.clone()).collect();
    let rows = database
        .query(&sql, &parameters, MAX_LISTED + 1)
        .await?
        .rows;
    if rows.len() > MAX_LISTED {
        return Ok(None);
    }
    let mut list = String::new();
    for number in rows.iter().filter_map(|row| row.first()?.as_i64()) {
        let comma = if list.is_empty() { "" } else { "," };
        let _ = write!(list, "{comma}{number}");
    }
    Ok(Some(FewDocuments {
        count: rows.len(),
        list,
    }))
}

/// Passages of these documents with the words, which have their weights: those with all of them,
/// else those with any.
pub(super) async fn ranked(
    database: &dyn Sql,
    few: &FewDocuments,
    words: &[(String, f64)],
) -> Result<Hits, SqlError> {
    // how often a word is in a column: the characters that its places are marked with
    let places = |at: usize, column: &str| {
        format!(
            "(length(highlight(passage_search, {at}, '|', '')) - length(passage_search.{column}))"
        )
    };
    // as bm25 does it: the first place counts most, and less in a long passage; `LIMIT` keeps the
    // function where it may be called
    let sql = format!(
        "SELECT number, document, sum(weight * places * 2.2 / (places + 0.3 + 0.9 * size / 700.0)), count(*) FROM (\
         SELECT p.number, p.document, w.value AS weight, length(p.text) AS size, 2 * {} + 3 * {} + {} AS places FROM (\
         SELECT d.number, (SELECT min(number) FROM passages WHERE document = d.number) AS first, \
         (SELECT max(number) FROM passages WHERE document = d.number) AS last FROM documents AS d WHERE d.number IN ({})) AS d \
         CROSS JOIN json_each(?1) AS w CROSS JOIN passage_search CROSS JOIN passages AS p ON p.number = passage_search.rowid \
         WHERE passage_search MATCH w.key AND passage_search.rowid BETWEEN d.first AND d.last AND p.document = d.number \
         LIMIT 1000000) GROUP BY number, document ORDER BY 4 DESC, 3 DESC LIMIT {MAX_RANKED}",
        places(0, "title"),
        places(1, "section"),
        places(2, "text"),
        few.list
    );
    let weights: serde_json::Map<_, _> = words
        .iter()
        .map(|(word, weight)| (word.clone(), (*weight).into()))
        .collect();
    let parameters = [serde_json::Value::Object(weights).to_string().into()];
    let rows = database
        .query(&sql, &parameters, MAX_RANKED as usize)
        .await?
        .rows;
    let of = |row: &[SqlValue]| row.last().and_then(SqlValue::as_i64);
    let all = rows.iter().any(|row| of(row) == Some(words.len() as i64));
    let with = rows
        .iter()
        .filter(|row| !all || of(row) == Some(words.len() as i64));
    let mut hits: Vec<_> = with.filter_map(|row| hit(row)).collect();
    best_first(&mut hits);
    Ok(Hits {
        partial: hits.len() as i64 == MAX_RANKED,
        hits,
    })
}
