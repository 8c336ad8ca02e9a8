//! Vectors in an index of PostgreSQL's extension pgvector, where its database has it (0.5 or newer).
//! The vectors themselves stay where they are in every database; the index has copies, and finds which
//! passages may be close. Rows that it does not have yet are compared one by one.

use std::fmt::Write as _;

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use super::vector::numbers_of;
use super::vector_row::{QuestionVector, numbered};

/// The longest vector that the index takes, in numbers.
const MAX_LENGTH: usize = 2000;

/// How many passages the index is asked for; it gives no more than its setting `hnsw.ef_search`.
const CANDIDATES: usize = 200;

/// Passages of one statement, which has ten seconds: an entry of the index takes some milliseconds.
const ROWS: usize = 100;

/// Where the passages are that have no copy yet.
const UNINDEXED: &str = "passages_unindexed";

/// Puts the vectors that the extension's index does not have yet into it, and makes it before: for
/// the end of adding documents. Without the extension there is nothing to do. Returns how many were
/// put there.
///
/// # Errors
/// When the database can't be asked, or the role may not change its tables. What is done stays, and
/// the rest is done by another call.
pub async fn index_vectors(database: &dyn Sql) -> Result<usize, SqlError> {
    let extension =
        "SELECT 1 FROM pg_am WHERE amname = 'hnsw' AND to_regtype('vector') IS NOT NULL";
    if database.dialect() != Dialect::Postgres || !any(database, extension, &[]).await? {
        return Ok(0);
    }
    if !is_there(database, UNINDEXED).await? {
        let column = "ALTER TABLE passages ADD COLUMN IF NOT EXISTS embedding vector";
        database.execute(column, &[]).await?;
        let unindexed = format!(
            "CREATE INDEX IF NOT EXISTS {UNINDEXED} ON passages (model, number) WHERE embedding IS \
             NULL AND vector IS NOT NULL"
        );
        database.execute(&unindexed, &[]).await?;
    }
    let page = format!(
        "SELECT number, vector FROM passages WHERE embedding IS NULL AND vector IS NOT NULL AND \
         octet_length(vector) <= {} AND number > ?1 ORDER BY number LIMIT {ROWS}",
        MAX_LENGTH * 4
    );
    let (mut last, mut done) = (i64::MIN, 0);
    loop {
        let rows = database.query(&page, &[last.into()], ROWS).await?.rows;
        let vectors: Vec<(i64, &[u8])> = rows.iter().filter_map(|row| numbered(row)).collect();
        let Some((number, _)) = vectors.last() else {
            break;
        };
        last = *number;
        put(database, &vectors).await?;
        done += vectors.len();
    }
    if done > 0 {
        widen(database).await;
    }
    Ok(done)
}

/// Why the extension's index can't find the passages of a database, and what to do about it: a
/// sentence without a full stop, for a server that is to have the index. Passages that are not in it
/// yet are no reason, as long as others are.
///
/// # Errors
/// When the database can't be asked.
pub async fn vector_index_mistake(database: &dyn Sql) -> Result<Option<String>, SqlError> {
    if database.dialect() != Dialect::Postgres {
        return Ok(Some("the database is not PostgreSQL".to_owned()));
    }
    let sql = "SELECT extversion, EXISTS (SELECT 1 FROM pg_am WHERE amname = 'hnsw')::int, \
               (to_regtype('vector') IS NOT NULL)::int FROM pg_extension WHERE extname = 'vector'";
    let rows = database.query(sql, &[], 1).await?.rows;
    let Some([version, index, visible]) = rows.first().map(Vec::as_slice) else {
        return Ok(Some(
            "the database has no extension pgvector: install it (Debian has it as \
             postgresql-NN-pgvector), run `CREATE EXTENSION vector` in the database, and then \
             `ingest` again"
                .to_owned(),
        ));
    };
    if index.as_i64() != Some(1) {
        let version = version.as_str().unwrap_or_default();
        return Ok(Some(format!(
            "pgvector {version} has no HNSW index: install 0.5 or newer and run `ALTER EXTENSION \
             vector UPDATE`"
        )));
    }
    if visible.as_i64() != Some(1) {
        return Ok(Some(
            "pgvector is in a schema where the role does not look: add that to its search_path"
                .to_owned(),
        ));
    }
    if !is_there(database, "passages").await?
        || !any(
            database,
            "SELECT 1 FROM passages WHERE vector IS NOT NULL LIMIT 1",
            &[],
        )
        .await?
    {
        return Ok(None);
    }
    if !is_there(database, UNINDEXED).await? {
        return Ok(Some(
            "its passages are in no index yet: run `ingest` again".to_owned(),
        ));
    }
    let long = format!(
        "SELECT octet_length(vector) / 4 FROM passages WHERE embedding IS NULL AND vector IS NOT \
         NULL AND octet_length(vector) > {} LIMIT 1",
        MAX_LENGTH * 4
    );
    let rows = database.query(&long, &[], 1).await?.rows;
    Ok(rows.first().and_then(|row| row.first()?.as_i64()).map(|length| {
        format!(
            "there are vectors of {length} numbers, and the index takes {MAX_LENGTH}: run `ingest` \
             again with a model of shorter ones"
        )
    }))
}

/// Copies these vectors. An index for each length is made first: of an empty column it takes no time.
async fn put(database: &dyn Sql, vectors: &[(i64, &[u8])]) -> Result<(), SqlError> {
    let mut lengths: Vec<usize> = vectors.iter().map(|(_, vector)| vector.len() / 4).collect();
    lengths.sort_unstable();
    lengths.dedup();
    for length in lengths {
        let sql = format!(
            "CREATE INDEX IF NOT EXISTS {} ON passages USING hnsw ((embedding::vector({length})) \
             vector_cosine_ops) WHERE vector_dims(embedding) = {length}",
            index(length)
        );
        if !is_there(database, &index(length)).await? {
            database.execute(&sql, &[]).await?;
        }
    }
    let places: Vec<String> = (0..vectors.len())
        .map(|at| format!("(CAST(?{} AS BIGINT), ?{})", 2 * at + 1, 2 * at + 2))
        .collect();
    let sql = format!(
        "UPDATE passages AS p SET embedding = CAST(v.embedding AS vector) FROM (VALUES {}) AS v \
         (number, embedding) WHERE p.number = v.number",
        places.join(", ")
    );
    let values: Vec<SqlValue> = vectors
        .iter()
        .flat_map(|(number, vector)| [(*number).into(), written(vector).into()])
        .collect();
    database.execute(&sql, &values).await.map(drop)
}

/// Lets the index give as many as are asked for, in sessions that begin from now on.
async fn widen(database: &dyn Sql) {
    let sql = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET hnsw.ef_search = {CANDIDATES}', \
         current_database()); END $$"
    );
    // only its owner may; with the usual forty more answers are missed, and none is wrong
    let _ = database.execute(&sql, &[]).await;
}

/// Passages that may be closest, by the index, and those that it does not have, at most so many;
/// nothing without an index.
pub(super) async fn candidates(
    database: &dyn Sql,
    question: &QuestionVector,
    unindexed: usize,
) -> Result<Option<Vec<i64>>, SqlError> {
    let length = question.vector.len() / 4;
    if database.dialect() != Dialect::Postgres
        || length > MAX_LENGTH
        || !is_there(database, &index(length)).await?
    {
        return Ok(None);
    }
    let nearest = format!(
        "SELECT number FROM passages WHERE vector_dims(embedding) = {length} AND model = ?1 \
         ORDER BY embedding::vector({length}) <=> CAST(CAST(?2 AS TEXT) AS vector({length})) \
         LIMIT {CANDIDATES}"
    );
    let model = SqlValue::from(question.model.as_str());
    let parameters = [model.clone(), written(&question.vector).into()];
    let mut found = database
        .query(&nearest, &parameters, CANDIDATES)
        .await?
        .rows;
    let rest = format!(
        "SELECT number FROM passages WHERE model = ?1 AND embedding IS NULL AND vector IS NOT NULL \
         ORDER BY number DESC LIMIT {unindexed}"
    );
    found.extend(database.query(&rest, &[model], unindexed).await?.rows);
    let numbers = found.iter().filter_map(|row| row.first()?.as_i64());
    Ok(Some(numbers.collect()))
}

fn index(length: usize) -> String {
    format!("passage_embeddings_{length}")
}

/// A stored vector as the extension reads it.
fn written(vector: &[u8]) -> String {
    let mut text = String::from("[");
    for number in numbers_of(vector) {
        let comma = if text.len() > 1 { "," } else { "" };
        let _ = write!(text, "{comma}{number}");
    }
    text + "]"
}

async fn is_there(database: &dyn Sql, relation: &str) -> Result<bool, SqlError> {
    let sql = "SELECT 1 WHERE to_regclass(?1) IS NOT NULL";
    any(database, sql, &[relation.into()]).await
}

async fn any(database: &dyn Sql, sql: &str, values: &[SqlValue]) -> Result<bool, SqlError> {
    Ok(!database.query(sql, values, 1).await?.rows.is_empty())
}
