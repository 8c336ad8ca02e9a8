//! Stock: what lies where, how fast it leaves, how long suppliers take, and what to order. Works on
//! the tables of [`shop`](crate::shop). Writes one thing, a purchase order as a draft, which orders
//! nothing.

mod draft;
mod heard;
mod lead;
mod levels;
mod reorder;
mod review;
mod velocity;

use mcpfn_core::{Builder, Cx, ToolError, handler::IntoPrompt as _};
use mcpfn_ports::{Sql, SqlValue};

use crate::config::Config;
use crate::date;
use crate::mapping::{MappedTables, Mapping, has, tables, writes};
use crate::pages::{self, ToolkitPage};
use crate::say::{database_failed, other_columns, quoted};

pub use draft::{Draft, Drafted, draft_purchase_order};
pub(crate) use heard::events;
pub use heard::{LowStock, StockFilter};
pub use lead::{LeadTime, LeadTimes, Of, get_lead_time};
pub use levels::{Level, Levels, Where, get_stock_levels};
pub use reorder::{Reorder, Reorders, Which, suggest_reorders};
pub(crate) use review::warehouses;
pub use review::{ReorderReview, reorder_review};
pub use velocity::{FromWarehouse, Period, Velocity, get_sales_velocity};

/// The longest SKU or code that is looked up, in bytes.
const MAX_CODE_LENGTH: usize = 64;

/// Adds the tools `get_stock_levels`, `get_sales_velocity`, `get_lead_time`, `suggest_reorders` and
/// `draft_purchase_order`, and the prompt `reorder_review`.
///
/// Reading needs the scope `inventory:read`, drafting `inventory:write`.
pub fn toolkit(builder: Builder) -> Builder {
    served(builder, None)
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let mapping = Mapping::given(config);
    let mapping = mapping.as_ref();
    let builder = served(builder, mapping);
    if !has(mapping, STOCK) && !has(mapping, &["products", "suppliers"]) {
        config.mistake(
            "MCPFN_MAPPING: the toolkit `inventory` has no tables; map `products`, `warehouses` and \
             `stock_levels`, or `products` and `suppliers`, or take `inventory` out of the list",
        );
    }
    builder
}

/// The tables without which nothing can be said about stock.
const STOCK: &[&str] = &["products", "warehouses", "stock_levels"];

/// Adds what has its tables: all of it over the demo shop, and a part where one's own are mapped.
fn served(mut builder: Builder, mapping: Option<&Mapping>) -> Builder {
    let has = |relations: &[&str]| has(mapping, relations);
    let (stock, suppliers) = (has(STOCK), has(&["products", "suppliers"]));
    if stock {
        builder =
            builder.with(|builder| pages::tool(builder, get_stock_levels, ToolkitPage::Stock));
    }
    if stock && has(&["sales"]) {
        builder = builder.tool(get_sales_velocity);
    }
    if suppliers {
        builder = builder.tool(get_lead_time);
    }
    if stock && suppliers {
        builder = builder
            .with(|builder| pages::tool(builder, suggest_reorders, ToolkitPage::Stock))
            .prompt(
                reorder_review
                    .into_prompt()
                    .complete("warehouse", warehouses),
            );
    }
    if stock && suppliers && writes(mapping, "purchase_orders") {
        builder = builder.tool(draft_purchase_order);
    }
    advised(builder)
}

/// Texts on tools that are not served are left out by the builder.
fn advised(builder: Builder) -> Builder {
    builder
        .advice(
            ["suggest_reorders", "get_stock_levels"],
            "For what to order use `suggest_reorders`; for what there is, `get_stock_levels`.",
        )
        .advice(
            ["suggest_reorders", "draft_purchase_order"],
            "Use `suggest_reorders` before `draft_purchase_order`.",
        )
        .advice(
            ["draft_purchase_order"],
            "Call `draft_purchase_order` only when the user asks to order.",
        )
        .advice(
            ["get_stock_levels", "search_products"],
            "`search_products` finds the SKU that tools for stock take.",
        )
}

async fn database(cx: &Cx) -> Result<MappedTables, ToolError> {
    tables(cx).await
}

/// A SKU as it is stored, or why it can't be one.
fn sku(database: &MappedTables, given: &str) -> Result<String, ToolError> {
    let sku = given.trim();
    if sku.is_empty() || sku.len() > MAX_CODE_LENGTH {
        return Err(no_sku(database, sku));
    }
    Ok(database.key(sku))
}

fn no_sku(database: &MappedTables, sku: &str) -> ToolError {
    // the catalog has the demo shop's products alone
    let tool = match database.is_mapped() {
        true => "get_stock_levels",
        false => "search_products",
    };
    ToolError::not_found(format!(
        "There is no product with the SKU {}. Use `{tool}` to find SKUs.",
        quoted(sku)
    ))
}

/// A warehouse's number, from its code or its city.
async fn warehouse(database: &dyn Sql, given: &str) -> Result<i64, ToolError> {
    let rows = database
        .query(
            "SELECT id, code, city FROM warehouses ORDER BY id",
            &[],
            1000,
        )
        .await
        .map_err(database_failed)?;
    let is = |value: Option<&SqlValue>| {
        value
            .and_then(SqlValue::as_str)
            .is_some_and(|name| name.eq_ignore_ascii_case(given.trim()))
    };
    let found = rows
        .rows
        .iter()
        .find(|row| is(row.get(1)) || is(row.get(2)));
    let Some(row) = found else {
        let known: Vec<&str> = rows
            .rows
            .iter()
            .take(30)
            .filter_map(|row| row.get(1)?.as_str())
            .collect();
        return Err(ToolError::not_found(format!(
            "There is no warehouse {}. Known are {}.",
            quoted(given),
            known.join(", ")
        )));
    };
    row.first()
        .and_then(SqlValue::as_i64)
        .ok_or_else(|| other_columns("the inventory"))
}

/// The last day on which something was sold: history ends there, whatever day it is today. `None`
/// without any history.
async fn last_day(database: &dyn Sql) -> Result<Option<u64>, ToolError> {
    let rows = database
        .query("SELECT max(sold_on) FROM sales", &[], 1)
        .await
        .map_err(database_failed)?;
    match rows.rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Null) => Ok(None),
        Some(SqlValue::Text(day)) => date::parse(day)
            .map(Some)
            .ok_or_else(|| other_columns("the inventory")),
        _ => Err(other_columns("the inventory")),
    }
}

fn owned(value: &SqlValue) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Two digits behind the point are more than anybody reads of a rate.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
