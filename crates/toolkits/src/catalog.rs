//! A product catalog: ranked search, full records, and a prompt for advice. Works on the tables of
//! [`shop`](crate::shop), in any database behind the `Sql` port: with FTS5 in SQLite, with text
//! search in PostgreSQL. Changes nothing.

mod beyond;
mod matches;
mod product;
mod query;
mod search;

use mcpfn_core::{
    Builder, Completions, Cx, Json, ToolError,
    handler::{IntoPrompt as _, IntoResource as _},
    input, prompt, resource,
};
use mcpfn_ports::{Dialect, Sql, SqlValue};

use crate::database::schema::DatabaseSchema;
use crate::dialect::position;
use crate::prompt_data::{DATA, part};
use crate::say::database_failed;

pub use matches::{ProductMatch, ProductMatches};
pub use product::{Availability, ProductId, ProductRecord, get_product};
pub use search::{ProductQuery, search_products};

/// How many values a completion offers.
const COMPLETIONS: usize = 100;

/// How much of a person's words goes into the prompt, in characters.
const MAX_WISH_LENGTH: usize = 500;

/// How much of it is searched for, in characters, and how many matches are shown.
const MAX_QUERY_LENGTH: usize = 200;
const MATCHES: u32 = 10;

/// Adds the tools `search_products` and `get_product`, the resource `catalog://schema`, the
/// template `catalog://product/{sku}` and the prompt `product_advisor`, all with the scope
/// `catalog:read`.
pub fn toolkit(builder: Builder) -> Builder {
    builder
        .tool(search_products)
        .tool(get_product)
        .advice(
            ["search_products", "get_product"],
            "For products, prices and stock use `search_products`, then `get_product` for one of \
             what it found.",
        )
        .resource(catalog_schema)
        .resource(product_by_sku.into_resource().complete("sku", skus))
        .prompt(product_advisor.into_prompt().complete("need", categories))
}

/// The catalog's tables and columns, as the SQL statements that create them.
#[resource(
    "catalog://schema",
    title = "Catalog schema",
    mime = "text/plain",
    scope = "catalog:read"
)]
pub async fn catalog_schema(cx: &Cx) -> Result<String, ToolError> {
    let database = cx.port::<dyn Sql>()?;
    if database.dialect() == Dialect::Postgres {
        let schema = DatabaseSchema::load(&**database).await?;
        let definitions: Vec<&str> = schema
            .tables
            .iter()
            .map(|table| table.definition.as_str())
            .collect();
        return Ok(definitions.join(";\n\n") + ";\n");
    }
    // the search index keeps its own tables, which say nothing to a reader
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'product\\_search\\_%' ESCAPE '\\' \
               AND substr(name, 1, 4) <> '_cf_' AND type IN ('table', 'view', 'index') ORDER BY rowid";
    let rows = database
        .query(sql, &[], 500)
        .await
        .map_err(database_failed)?;
    let statements: Vec<&str> = rows
        .rows
        .iter()
        .filter_map(|row| row.first()?.as_str())
        .collect();
    Ok(statements.join(";\n\n") + ";\n")
}

/// The variables of `catalog://product/{sku}`.
#[input]
#[derive(Debug)]
pub struct ProductUri {
    /// A SKU, e.g. "HDP-1032-MIB".
    pub sku: String,
}

/// One product's full record, as JSON.
#[resource(
    "catalog://product/{sku}",
    name = "product",
    title = "Product",
    mime = "application/json",
    scope = "catalog:read"
)]
pub async fn product_by_sku(args: ProductUri, cx: &Cx) -> Result<Json<ProductRecord>, ToolError> {
    product::find(&args.sku, cx).await.map(Json)
}

/// What a person is looking for.
#[input]
#[derive(Debug)]
pub struct Wish {
    /// What is needed and for what, e.g. "headphones for a noisy train".
    #[schemars(length(min = 1, max = 500))]
    pub need: String,
    /// The most it may cost, e.g. "150 dollars".
    #[schemars(length(max = 500))]
    #[serde(default)]
    pub budget: Option<String>,
}

/// Get advice on what to buy from the catalog, with prices and what is in stock. Brings matches.
#[prompt(title = "Product advisor", scope = "catalog:read")]
pub async fn product_advisor(args: Wish, cx: &Cx) -> String {
    let cut = |words: &str| words.chars().take(MAX_WISH_LENGTH).collect::<String>();
    let need = cut(args.need.trim());
    let budget = args
        .budget
        .as_deref()
        .map(str::trim)
        .filter(|budget| !budget.is_empty());
    let budget = budget
        .map(|budget| format!("My budget: {}\n", cut(budget)))
        .unwrap_or_default();
    let query = ProductQuery {
        query: need.chars().take(MAX_QUERY_LENGTH).collect(),
        limit: MATCHES,
    };
    let matches = search_products(query, cx).await;
    let matches = part("Matches of these words", "search_products", matches, cx);
    format!(
        "Help me choose a product from this shop's catalog.\n\
         What I need: {need}\n{budget}\n\
         1. Look at the matches below. If none fits, call `search_products` with two or three short queries (type of product, use, \
         an important feature).\n\
         2. Call `get_product` for the two or three candidates that fit best, to compare description, rating and stock.\n\
         3. Recommend one, name one cheaper and one better alternative if there are any, and give for each its name, SKU, \
         price and whether it is in stock. Say why it fits. If nothing fits, say so instead of stretching.\n\
         Use only facts from the catalog, and leave out what is out of stock unless nothing else fits.\n\n\
         {DATA}\n\n{matches}"
    )
}

/// SKUs that begin with what was typed, and products whose name has it.
async fn skus(typed: String, cx: Cx) -> Completions {
    let sql = |dialect| {
        let in_name = position(dialect, "name", "?1");
        format!(
            "SELECT sku FROM products WHERE substr(sku, 1, length(?1)) = upper(?1) OR {in_name} > 0 \
             ORDER BY substr(sku, 1, length(?1)) <> upper(?1), sku"
        )
    };
    texts(&typed, sql, cx.port::<dyn Sql>().map(|port| &**port)).await
}

/// Categories that contain what was typed.
async fn categories(typed: String, cx: Cx) -> Completions {
    let sql = |dialect| {
        format!(
            "SELECT name FROM categories WHERE {} > 0 ORDER BY name",
            position(dialect, "name", "?1")
        )
    };
    texts(&typed, sql, cx.port::<dyn Sql>().map(|port| &**port)).await
}

/// The first column of a query with what was typed as its parameter. A failure offers nothing:
/// completion is a courtesy.
pub(crate) async fn texts<D: Sql + ?Sized, E>(
    typed: &str,
    sql: impl Fn(Dialect) -> String,
    database: Result<&D, E>,
) -> Completions {
    let Ok(database) = database else {
        return Completions::default();
    };
    let typed: String = typed.trim().chars().take(64).collect();
    let rows = database
        .query(
            &sql(database.dialect()),
            &[SqlValue::from(typed)],
            COMPLETIONS,
        )
        .await;
    let Ok(rows) = rows else {
        return Completions::default();
    };
    let texts = rows.rows.iter().filter_map(|row| row.first()?.as_str());
    let texts = texts.map(str::to_owned).collect();
    if rows.truncated {
        Completions::some(texts)
    } else {
        Completions::from(texts)
    }
}
