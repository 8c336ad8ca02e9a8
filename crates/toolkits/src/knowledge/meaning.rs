//! The passages whose vectors are closest to a question's: of a few by all of their vectors, of many
//! by a store of vectors, or by codes that are kept in memory and then by the vectors of the best of
//! those. Knows no words.

use mcpfn_core::Cx;
use mcpfn_ports::{Dialect, Rows, Sql, SqlError, SqlValue, VectorStore};

use super::codes::Codes;
use super::pgvector;
use super::stored_vectors;
use super::vector::{likeness, numbers_of};
use super::vector_row::{QuestionVector, numbered};
use crate::say::quoted;

/// The most vectors that are all compared with the question's.
const MAX_COMPARED: usize = 4000;

/// The most bytes of the vectors of one answer: drivers take none above 32 MiB.
const MAX_BYTES: usize = 12 * 1024 * 1024;

/// The same where they come over a network, as twice as many characters.
const MAX_BYTES_SENT: usize = 2 * 1024 * 1024;

/// How many of those that are closest by their codes are compared by their vectors. See
/// `tests/knowledge/vector_scale.rs`, which measures what is found.
const CANDIDATES: usize = 1000;

/// Passages by meaning.
pub(super) struct Closest {
    /// Their numbers, the closest first.
    pub(super) passages: Vec<i64>,
    /// Whether others may be closer: not all were compared.
    pub(super) some: bool,
}

/// The passages whose vectors are closest; nothing when no passage has a vector of the model that is
/// as long.
/// `words` are the best by words, which are always compared.
pub(super) async fn closest(
    cx: &Cx,
    database: &dyn Sql,
    question: &QuestionVector,
    words: &[i64],
    most: usize,
) -> Result<Option<Closest>, SqlError> {
    let QuestionVector { model, vector } = question;
    if let Some(found) = of_store(cx, database, question, most).await? {
        return Ok(Some(found));
    }
    let page = page(database, vector);
    let all = MAX_COMPARED.min(page);
    let count =
        "SELECT count(*) FROM (SELECT 1 FROM passages WHERE model = ?1 LIMIT ?2) AS compared";
    let parameters = [SqlValue::from(model.as_str()), (all as i64 + 1).into()];
    let rows = database.query(count, &parameters, 1).await?.rows;
    let count = rows.first().and_then(|row| row.first()?.as_i64());
    let (rows, some) = match count.unwrap_or(0) {
        0 => return Ok(None),
        count if count <= all as i64 => {
            let sql = "SELECT number, vector FROM passages WHERE model = ?1";
            (
                database.query(sql, &parameters[..1], all).await?.rows,
                false,
            )
        }
        _ => {
            let (near, some) = near(cx, database, question, page).await?;
            let mut candidates = near.clone();
            candidates.extend(words.iter().take(MAX_COMPARED));
            candidates.sort_unstable();
            candidates.dedup();
            let rows = vectors(database, model, &candidates, page).await?;
            if let Ok(codes) = cx.state::<Codes>() {
                codes.learn(&near, &rows);
            }
            (rows, some)
        }
    };
    let mut found: Vec<(i64, f32)> = rows
        .iter()
        .filter_map(|row| {
            let (number, other) = numbered(row)?;
            Some((number, likeness(vector, other)?))
        })
        .collect();
    if found.is_empty() {
        return Ok(None);
    }
    // of two that are as close the one that was there first
    found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    found.truncate(most);
    let passages = found.into_iter().map(|(number, _)| number).collect();
    Ok(Some(Closest { passages, some }))
}

/// Passages that may be closest, and whether others may be closer: by an index of the database, or by
/// codes.
async fn near(
    cx: &Cx,
    database: &dyn Sql,
    question: &QuestionVector,
    page: usize,
) -> Result<(Vec<i64>, bool), SqlError> {
    if let Some(found) = pgvector::candidates(database, question, page).await? {
        return Ok((found, false));
    }
    match cx.state::<Codes>() {
        Ok(codes) => {
            codes
                .candidates(cx, database, question, page, CANDIDATES)
                .await
        }
        Err(_) => Ok((Vec::new(), true)),
    }
}

/// As a store of the host's own finds them; nothing without one, or where it fails or has nothing.
async fn of_store(
    cx: &Cx,
    database: &dyn Sql,
    question: &QuestionVector,
    most: usize,
) -> Result<Option<Closest>, SqlError> {
    let Ok(store) = cx.port::<dyn VectorStore>() else {
        return Ok(None);
    };
    let vector = numbers_of(&question.vector);
    let cause = match store.nearest(&question.model, &vector, most).await {
        Ok(nearest) if nearest.ids.is_empty() => {
            format!(
                "the store has no vector of the model {}",
                quoted(&question.model)
            )
        }
        Ok(nearest) => {
            let passages = stored_vectors::passages(database, &nearest.ids).await?;
            if !passages.is_empty() {
                let some = nearest.partial;
                return Ok(Some(Closest { passages, some }));
            }
            "no vector of the store is of a passage in this database".to_owned()
        }
        Err(error) => error.to_string(),
    };
    cx.report_degraded("vectors", &cause);
    Ok(None)
}

/// How many vectors one answer of the database holds.
fn page(database: &dyn Sql, vector: &[u8]) -> usize {
    let bytes = match database.dialect() {
        Dialect::Postgres => MAX_BYTES_SENT,
        _ => MAX_BYTES,
    };
    // two, because one of a page may be known already
    (bytes / vector.len().max(1)).max(2)
}

/// Numbers and vectors of these passages.
async fn vectors(
    database: &dyn Sql,
    model: &str,
    passages: &[i64],
    page: usize,
) -> Result<Vec<Vec<SqlValue>>, SqlError> {
    let mut found = Vec::with_capacity(passages.len());
    for passages in passages.chunks(page) {
        // by their numbers, not by the index of models: it has them all
        let sql = format!(
            "SELECT number, vector FROM passages WHERE number IN ({}) AND model || '' = ?1",
            numbers(passages.iter().copied())
        );
        let Rows { rows, .. } = database
            .query(&sql, &[model.into()], passages.len())
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Numbers of the database's own, as a list.
pub(super) fn numbers(of: impl Iterator<Item = i64>) -> String {
    of.map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(",")
}
