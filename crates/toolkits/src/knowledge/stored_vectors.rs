//! Passages in a store of vectors of its own: their ids there, and their way into and out of it.
//! Knows no store.
//!
//! A passage's number is its database's own, and unknown where a file of statements is written; its
//! id in a store is its document's id and where it starts, which every database says alike.

use std::collections::HashMap;

use mcpfn_ports::{Sql, SqlError, SqlValue, VectorEntry, VectorError, VectorStore};

use super::vector::numbers_of;

/// Ids of one statement: D1 takes a hundred parameters.
const IDS: usize = 90;

/// A passage's id in a store.
fn id(document: &str, starts: i64) -> String {
    format!("{document}:{starts}")
}

/// What [`id`] is made of; nothing for an id of something else.
fn parts(id: &str) -> Option<(&str, i64)> {
    let (document, starts) = id.rsplit_once(':')?;
    Some((document, starts.parse().ok()?))
}

/// Puts a document's vectors into a store, and takes those away that an earlier version of it had
/// elsewhere. `passages` are where they start, and their vectors as they are stored.
pub(super) async fn put(
    store: &dyn VectorStore,
    model: &str,
    document: &str,
    passages: &[(i64, &[u8])],
    earlier: &[i64],
) -> Result<(), VectorError> {
    let gone: Vec<String> = earlier
        .iter()
        .filter(|starts| passages.iter().all(|(other, _)| other != *starts))
        .map(|starts| id(document, *starts))
        .collect();
    if !gone.is_empty() {
        store.remove(model, &gone).await?;
    }
    let entries: Vec<VectorEntry> = passages
        .iter()
        .map(|(starts, vector)| VectorEntry::new(id(document, *starts), numbers_of(vector)))
        .collect();
    store.put(model, &entries).await
}

/// Where the passages of a document start, as far as the database answers questions.
pub(super) async fn starts_of(database: &dyn Sql, document: &str, most: usize) -> Vec<i64> {
    let sql = "SELECT p.starts FROM passages AS p JOIN documents AS d ON d.number = p.document \
               WHERE d.id = ?1";
    let rows = database.query(sql, &[document.into()], most).await;
    // a file of statements answers none
    let rows = rows.unwrap_or_default().rows;
    rows.iter()
        .filter_map(|row| row.first()?.as_i64())
        .collect()
}

/// The numbers of the passages with these ids, in their order, without those that are gone.
pub(super) async fn passages(database: &dyn Sql, ids: &[String]) -> Result<Vec<i64>, SqlError> {
    let wanted: Vec<(&str, i64)> = ids.iter().filter_map(|id| parts(id)).collect();
    let mut numbers = HashMap::new();
    for wanted in wanted.chunks(IDS) {
        let places: Vec<String> = wanted
            .iter()
            .zip(1..)
            .map(|((_, starts), at)| format!("(CAST(?{at} AS TEXT), CAST({starts} AS BIGINT))"))
            .collect();
        let sql = format!(
            "WITH wanted (id, starts) AS (VALUES {}) SELECT p.number, w.id, w.starts FROM wanted AS \
             w JOIN documents AS d ON d.id = w.id JOIN passages AS p ON p.document = d.number AND \
             p.starts = w.starts",
            places.join(", ")
        );
        let values: Vec<SqlValue> = wanted.iter().map(|(id, _)| (*id).into()).collect();
        for row in database.query(&sql, &values, wanted.len()).await?.rows {
            if let [
                SqlValue::Integer(number),
                SqlValue::Text(id),
                SqlValue::Integer(starts),
            ] = row.as_slice()
            {
                numbers.insert((id.clone(), *starts), *number);
            }
        }
    }
    let of = |(id, starts): &(&str, i64)| numbers.get(&((*id).to_owned(), *starts)).copied();
    Ok(wanted.iter().filter_map(of).collect())
}
