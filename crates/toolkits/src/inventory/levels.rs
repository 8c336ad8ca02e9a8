//! `get_stock_levels`: what lies where.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{MappedTables, database, no_sku, owned, sku, warehouse};
use crate::say::{database_failed, other_columns};

/// The most levels of one answer.
const MAX: u32 = 100;

/// Of what, and where.
#[input]
#[derive(Debug)]
pub struct Where {
    /// A product's SKU, e.g. "HDP-1032-MIB". All products, when left out.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub sku: Option<String>,
    /// A warehouse's code or city, e.g. "RTM" or "Rotterdam". All warehouses, when left out.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub warehouse: Option<String>,
    /// The most levels to return; what is furthest below its reorder point comes first.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "crate::usual::<20>")]
    pub limit: u32,
}

/// Stock levels.
#[output]
#[derive(Debug)]
pub struct Levels {
    /// What is furthest below its reorder point first.
    pub levels: Vec<Level>,
    /// How many levels there are in all.
    pub total: i64,
    /// Units in all of them together.
    pub total_quantity: i64,
    /// How many of them are at or below their reorder point.
    pub low: i64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One product in one warehouse.
#[output]
#[derive(Debug)]
pub struct Level {
    /// SKU.
    pub sku: String,
    /// The product's name.
    pub product: String,
    /// The warehouse's code.
    pub warehouse: String,
    /// Units there.
    pub quantity: i64,
    /// Order again when the quantity falls to this.
    pub reorder_point: i64,
    /// Units that are ordered and have not arrived.
    pub on_order: i64,
}

/// Get how many units lie in which warehouse, what is low, and what is on its way.
///
/// Use this for questions about stock of one product or one warehouse. To decide what to order,
/// `suggest_reorders` also looks at how fast things sell.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "inventory:read",
    title = "Stock levels"
)]
pub async fn get_stock_levels(args: Where, cx: &Cx) -> Result<Levels, ToolError> {
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = &database(cx).await?;
    let mut parameters = Vec::new();
    let mut conditions = String::new();
    if let Some(given) = &args.sku {
        parameters.push(SqlValue::from(sku(database, given)?));
        conditions.push_str(" AND l.sku = ?1");
    }
    if let Some(given) = &args.warehouse {
        parameters.push(SqlValue::from(warehouse(database, given).await?));
        conditions.push_str(&format!(" AND l.warehouse_id = ?{}", parameters.len()));
    }
    let limit = args.limit;
    let sql = format!(
        "SELECT l.sku, p.name, w.code, l.quantity, l.reorder_point, \
         (SELECT CAST(coalesce(sum(o.quantity), 0) AS BIGINT) FROM purchase_orders AS o \
          WHERE o.sku = l.sku AND o.warehouse_id = l.warehouse_id AND o.status = 'ordered'), \
         l.total, l.units, l.low \
         FROM (SELECT l.sku, l.warehouse_id, l.quantity, l.reorder_point, count(*) OVER () AS total, \
          CAST(sum(l.quantity) OVER () AS BIGINT) AS units, \
          CAST(sum(CASE WHEN l.quantity <= l.reorder_point THEN 1 ELSE 0 END) OVER () AS BIGINT) AS low \
          FROM stock_levels AS l WHERE 1 = 1{conditions} \
          ORDER BY l.quantity - l.reorder_point, l.sku, l.warehouse_id LIMIT {limit}) AS l \
         JOIN products AS p ON p.sku = l.sku JOIN warehouses AS w ON w.id = l.warehouse_id \
         ORDER BY l.quantity - l.reorder_point, l.sku, l.warehouse_id"
    );
    let rows = database
        .query(&sql, &parameters, limit as usize)
        .await
        .map_err(database_failed)?
        .rows;
    let Some(first) = rows.first() else {
        return nothing(database, args.sku.as_deref());
    };
    let number = |column: usize| first.get(column).and_then(SqlValue::as_i64);
    let levels = rows
        .iter()
        .map(|row| level(row))
        .collect::<Option<Vec<_>>>();
    let (Some(total), Some(total_quantity), Some(low), Some(levels)) =
        (number(6), number(7), number(8), levels)
    else {
        return Err(other_columns("the inventory"));
    };
    let note = (total > i64::from(limit)).then(|| {
        format!(
            "{limit} of {total} levels are shown, the lowest first. Name a `sku`, or raise `limit`."
        )
    });
    Ok(Levels {
        levels,
        total,
        total_quantity,
        low,
        note,
    })
}

/// Without a SKU there is always something to show, unless the warehouse is empty.
fn nothing(database: &MappedTables, sku: Option<&str>) -> Result<Levels, ToolError> {
    match sku {
        Some(given) => Err(no_sku(database, given.trim())),
        None => Ok(Levels {
            levels: Vec::new(),
            total: 0,
            total_quantity: 0,
            low: 0,
            note: Some("There is nothing in stock.".to_owned()),
        }),
    }
}

fn level(row: &[SqlValue]) -> Option<Level> {
    let [
        sku,
        product,
        warehouse,
        quantity,
        reorder_point,
        on_order,
        ..,
    ] = row
    else {
        return None;
    };
    Some(Level {
        sku: owned(sku)?,
        product: owned(product)?,
        warehouse: owned(warehouse)?,
        quantity: quantity.as_i64()?,
        reorder_point: reorder_point.as_i64()?,
        on_order: on_order.as_i64()?,
    })
}
