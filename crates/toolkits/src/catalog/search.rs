//! `search_products`: full-text search, best match first. The words become a query in `query`.

use mcpfn_core::{Cx, ToolError, input, tool};
use mcpfn_ports::{Dialect, Sql, SqlValue};

use super::beyond;
use super::matches::{ProductMatches, hits, note_for};
use super::query::{Words, as_sku};
use crate::near::{self, Slips};
use crate::say::{database_failed, quoted};
use crate::scan;

/// The most products of one answer.
const MAX: u32 = 100;

/// What to search for.
#[input]
#[derive(Debug)]
pub struct ProductQuery {
    /// A few words from the name, brand, type or use, e.g. "wireless keyboard" or "sleeping bag
    /// winter"; or a SKU such as "KEY-1045-LIL". Not a whole sentence.
    #[schemars(length(min = 1, max = 200))]
    pub query: String,
    /// The most products to return.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "crate::usual::<10>")]
    pub limit: u32,
}

/// Search the product catalog by words or SKU, best match first.
///
/// Use this when the user asks what there is, for prices, or for a product whose id you do not
/// know. Returns name, SKU, price and stock of each match; call `get_product` for the description
/// and details of one.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "catalog:read",
    title = "Search products"
)]
pub async fn search_products(args: ProductQuery, cx: &Cx) -> Result<ProductMatches, ToolError> {
    let query = args.query.trim();
    if query.is_empty() {
        return Err(ToolError::new(
            "`query` is empty. Say what to look for, e.g. \"wireless keyboard\".",
        ));
    }
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = &**cx.port::<dyn Sql>()?;
    if let Some(sku) = as_sku(query) {
        let found = by_sku(database, sku, args.limit).await?;
        if found.total > 0 {
            return Ok(found);
        }
    }
    let Some(words) = Words::read(query) else {
        return Err(ToolError::new(
            "`query` has no word to look for. Use letters or digits, e.g. \"wireless keyboard\".",
        ));
    };
    let found = with_all(database, &words, args.limit).await?;
    let found = match found {
        Some(found) if found.total >= u64::from(args.limit) => return Ok(found),
        found => found,
    };
    let others = beyond::search(database, &words.0, args.limit).await?;
    match (found, others.with_all) {
        (Some(found), None) | (None, Some(found)) => Ok(found),
        (Some(found), Some(more)) => Ok(found.and(more, args.limit)),
        (None, None) => closest(database, query, &words, others.with_any, args.limit).await,
    }
}

/// For words that no product has together: what has the words that may be meant, else what has any
/// of them. `others` have letters beyond ASCII.
async fn closest(
    database: &dyn Sql,
    query: &str,
    words: &Words,
    others: Option<ProductMatches>,
    limit: u32,
) -> Result<ProductMatches, ToolError> {
    if let Some((sentence, meant)) = corrected(database, words).await?
        && let Some(mut found) = with_all(database, &meant, limit).await?
    {
        found.note = Some(sentence);
        return Ok(found);
    }
    let mut closest = None;
    if words.are_several() {
        let found = by_words(database, words.any_begun(database.dialect()), limit).await?;
        closest = (found.total > 0).then_some(found);
    }
    if let Some(mut found) = closest.or(others) {
        found.note = Some(format!(
            "No product has all the words of {}; these have at least one of them, the closest \
             first.",
            quoted(query)
        ));
        return Ok(found);
    }
    let note = format!(
        "No product matches {}. Try fewer or more general words, such as the type of product.",
        quoted(query)
    );
    Ok(ProductMatches {
        products: Vec::new(),
        total: 0,
        note: Some(note),
    })
}

/// Products that have all of the words, or words that begin so.
async fn with_all(
    database: &dyn Sql,
    words: &Words,
    limit: u32,
) -> Result<Option<ProductMatches>, ToolError> {
    let dialect = database.dialect();
    for query in [words.all(dialect), words.all_begun(dialect)] {
        let found = by_words(database, query, limit).await?;
        if found.total > 0 {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// For words that no product has together: those that may be meant in the places of words that no
/// product has, and a sentence that says so.
async fn corrected(
    database: &dyn Sql,
    words: &Words,
) -> Result<Option<(String, Words)>, ToolError> {
    let mut slips = Slips::default();
    for word in &words.0 {
        let is_slip = near::is_spelt(word) && !slips.is_full() && {
            let begun = Words(vec![word.clone()]).all_begun(database.dialect());
            by_words(database, begun, 1).await?.total == 0
        };
        let meant = match is_slip {
            true => scan::meant(database, "products", SPELT, word)
                .await
                .map_err(database_failed)?,
            false => None,
        };
        slips.push(word, meant);
    }
    let corrected = slips.corrected();
    Ok(corrected.map(|(sentence, words)| (sentence, Words(words))))
}

/// Where words are that people look for.
const SPELT: &str = "name || ' ' || brand || ' ' || category || ' ' || keywords";

/// The product with this SKU, or all finishes of the model whose SKU this is.
async fn by_sku(database: &dyn Sql, sku: String, limit: u32) -> Result<ProductMatches, ToolError> {
    let sql = "SELECT id, sku, name, category, price_cents, currency, stock, count(*) OVER () AS total FROM products \
               WHERE sku = ?1 OR substr(sku, 1, length(?1) + 1) = ?1 || '-' ORDER BY sku LIMIT ?2";
    find(database, sql, sku, limit).await
}

/// A word counts most in the name, then in category and brand, then in keywords, least in the
/// description.
async fn by_words(
    database: &dyn Sql,
    query: String,
    limit: u32,
) -> Result<ProductMatches, ToolError> {
    let fts5 = "SELECT p.id, p.sku, p.name, p.category, p.price_cents, p.currency, p.stock, \
               (SELECT count(*) FROM product_search WHERE product_search MATCH ?1) AS total \
               FROM (SELECT rowid, rank FROM product_search WHERE product_search MATCH ?1 \
               AND rank MATCH 'bm25(10.0, 3.0, 4.0, 3.0, 1.0)' ORDER BY rank, rowid LIMIT ?2) AS hit \
               JOIN products AS p ON p.number = hit.rowid ORDER BY hit.rank, hit.rowid";
    // the weights are of D, C, B, A: description, brand and keywords, category, name
    let tsvector = "SELECT p.id, p.sku, p.name, p.category, p.price_cents, p.currency, p.stock, count(*) OVER () AS total \
                    FROM products AS p, to_tsquery('english', ?1) AS query WHERE p.search_document @@ query \
                    ORDER BY ts_rank('{0.1, 0.3, 0.4, 1.0}', p.search_document, query) DESC, p.number LIMIT ?2";
    let sql = if database.dialect() == Dialect::Postgres {
        tsvector
    } else {
        fts5
    };
    find(database, sql, query, limit).await
}

async fn find(
    database: &dyn Sql,
    sql: &str,
    wanted: String,
    limit: u32,
) -> Result<ProductMatches, ToolError> {
    let parameters = [SqlValue::from(wanted), SqlValue::from(i64::from(limit))];
    let rows = database
        .query(sql, &parameters, limit as usize)
        .await
        .map_err(database_failed)?;
    let (products, total) = hits(&rows).ok_or_else(|| {
        ToolError::internal("the catalog's tables have other columns than expected")
    })?;
    Ok(ProductMatches {
        note: note_for(products.len(), total),
        products,
        total,
    })
}
