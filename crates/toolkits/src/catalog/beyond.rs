//! Products with letters beyond ASCII: their texts are folded and ranked here, because triggers that
//! fill a database's own index can't run the analysis. Nothing to do for a catalog in English.

use mcpfn_core::ToolError;
use mcpfn_ports::{Sql, SqlValue};

use super::matches::{ProductMatches, hits, note_for};
use crate::analysis::{Term, asked, folded, indexed, is_dense};
use crate::say::{database_failed, other_columns};
use crate::scan::{beyond_ascii, with_keys};
use crate::words;

/// The most products that are compared.
const MOST_COMPARED: usize = 2000;

/// The columns that are searched, and what a word counts in each.
const COLUMNS: [(&str, f64); 5] = [
    ("name", 10.0),
    ("category", 4.0),
    ("brand", 3.0),
    ("keywords", 3.0),
    ("description", 1.0),
];

/// How much of a column is compared, in characters.
const LONGEST: usize = 1000;

/// The most pairs of characters by which a database finds the products to compare.
const MOST_PAIRS: usize = 12;

/// Products that have every word, and those that have some.
#[derive(Default)]
pub(super) struct Beyond {
    pub(super) with_all: Option<ProductMatches>,
    pub(super) with_any: Option<ProductMatches>,
}

pub(super) async fn search(
    database: &dyn Sql,
    words: &[String],
    limit: u32,
) -> Result<Beyond, ToolError> {
    let texts = candidates(database, words).await?;
    let mut ranked: Vec<(usize, f64, SqlValue)> = texts
        .into_iter()
        .filter_map(|(number, columns)| {
            let (has, score) = score(&columns, words);
            (has > 0).then_some((has, score, number))
        })
        .collect();
    ranked.sort_by(|one, other| other.0.cmp(&one.0).then(other.1.total_cmp(&one.1)));
    let with_all = ranked
        .iter()
        .take_while(|(has, ..)| *has == words.len())
        .count();
    let total = if with_all > 0 { with_all } else { ranked.len() };
    let numbers: Vec<SqlValue> = ranked
        .into_iter()
        .take(total.min(limit as usize))
        .map(|(.., number)| number)
        .collect();
    let found = load(database, &numbers, total as u64).await?;
    Ok(if with_all > 0 {
        Beyond {
            with_all: found,
            with_any: None,
        }
    } else {
        Beyond {
            with_all: None,
            with_any: found,
        }
    })
}

/// A product's number and the texts of its columns.
type Candidate = (SqlValue, Vec<String>);

/// Products with letters beyond ASCII, those with most pairs of the words first.
async fn candidates(database: &dyn Sql, words: &[String]) -> Result<Vec<Candidate>, ToolError> {
    let all = COLUMNS.map(|(column, _)| column).join(" || ' ' || ");
    let shown = COLUMNS.map(|(column, _)| format!("substr({column}, 1, {LONGEST})"));
    // text without case can be compared as it is
    let pairs: Vec<SqlValue> = words::terms(words)
        .iter()
        .filter(|term| is_dense(&term.text))
        .take(MOST_PAIRS)
        .map(|term| term.text.as_str().into())
        .collect();
    let likeness: Vec<String> = (1..=pairs.len())
        .map(|at| format!("CASE WHEN {all} LIKE '%' || ?{at} || '%' THEN 1 ELSE 0 END"))
        .collect();
    let order = match likeness.is_empty() {
        true => "number".to_owned(),
        false => format!("{} DESC, number", likeness.join(" + ")),
    };
    let sql = format!(
        "SELECT number, {} FROM products WHERE {} ORDER BY {order} LIMIT {MOST_COMPARED}",
        shown.join(", "),
        beyond_ascii(&format!("({all})"))
    );
    let rows = database
        .query(&sql, &pairs, MOST_COMPARED)
        .await
        .map_err(database_failed)?;
    let texts = |row: &[SqlValue]| {
        let text = |value: &SqlValue| folded(value.as_str().unwrap_or_default());
        Some((row.first()?.clone(), row.iter().skip(1).map(text).collect()))
    };
    Ok(rows.rows.iter().filter_map(|row| texts(row)).collect())
}

/// How many of the words a product has, and how much they count.
fn score(columns: &[String], words: &[String]) -> (usize, f64) {
    let mut sums = vec![0.0; words.len()];
    for (text, (_, weight)) in columns.iter().zip(COLUMNS) {
        let terms = indexed(text).unwrap_or_else(|| text.clone());
        let terms: Vec<&str> = terms
            .split(|character: char| !character.is_alphanumeric())
            .collect();
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum += weight * part_of(&terms, &asked(word));
        }
    }
    let has = sums.iter().filter(|sum| **sum > 0.0).count();
    (has, sums.iter().sum())
}

/// How much of a word there is: all of it, or half of the pairs of a text without spaces.
fn part_of(terms: &[&str], asked: &[Term]) -> f64 {
    let has = |term: &&Term| terms.iter().any(|one| one.starts_with(&term.text));
    let found = asked.iter().filter(has).count();
    let part = found as f64 / asked.len().max(1) as f64;
    if part >= 0.5 { part } else { 0.0 }
}

/// The products of these numbers, in their order.
async fn load(
    database: &dyn Sql,
    numbers: &[SqlValue],
    total: u64,
) -> Result<Option<ProductMatches>, ToolError> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT id, sku, name, category, price_cents, currency, stock, {total}, number FROM products WHERE {}",
        with_keys("number", numbers)
    );
    let mut rows = database
        .query(&sql, numbers, numbers.len())
        .await
        .map_err(database_failed)?;
    rows.rows
        .sort_by_key(|row| numbers.iter().position(|number| row.last() == Some(number)));
    rows.rows.iter_mut().for_each(|row| {
        row.pop();
    });
    let (products, total) = hits(&rows).ok_or_else(|| other_columns("the catalog"))?;
    Ok(Some(ProductMatches {
        note: note_for(products.len(), total),
        products,
        total,
    }))
}
