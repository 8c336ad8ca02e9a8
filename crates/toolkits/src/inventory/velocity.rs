//! `get_sales_velocity`: how fast one product leaves, by warehouse and compared with the time
//! before.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{database, last_day, no_sku, owned, rounded, sku};
use crate::date;
use crate::say::{database_failed, other_columns};

/// The longest time that is looked at, in days.
const MAX_DAYS: u32 = 365;

/// Of what, and over how long.
#[input]
#[derive(Debug)]
pub struct Period {
    /// A product's SKU, e.g. "HDP-1032-MIB".
    #[schemars(length(min = 1, max = 64))]
    pub sku: String,
    /// Over how many days, up to the last day of the sales history.
    #[schemars(range(min = 1, max = 365))]
    #[serde(default = "crate::usual::<30>")]
    pub days: u32,
}

/// How fast a product leaves.
#[output]
#[derive(Debug)]
pub struct Velocity {
    /// SKU.
    pub sku: String,
    /// The product's name.
    pub product: String,
    /// The first day that is counted, as an ISO 8601 date.
    pub from: String,
    /// The last day that is counted.
    pub to: String,
    /// Units sold in these days.
    pub units: i64,
    /// Units a day.
    pub per_day: f64,
    /// Units sold in as many days before.
    pub units_before: i64,
    /// By warehouse.
    pub warehouses: Vec<FromWarehouse>,
    /// For how many days the stock of all warehouses lasts at this rate; null when nothing was
    /// sold.
    pub days_of_stock: Option<f64>,
}

/// What left one warehouse.
#[output]
#[derive(Debug)]
pub struct FromWarehouse {
    /// The warehouse's code.
    pub warehouse: String,
    /// Units sold from there.
    pub units: i64,
    /// Units that still lie there.
    pub quantity: i64,
}

/// Get how many units of one product are sold a day, by warehouse, compared with the days before.
///
/// Use this for questions about demand, best and slow sellers, or how long the stock of a product
/// lasts.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "inventory:read",
    title = "Sales velocity"
)]
pub async fn get_sales_velocity(args: Period, cx: &Cx) -> Result<Velocity, ToolError> {
    if !(1..=MAX_DAYS).contains(&args.days) {
        return Err(ToolError::new(format!(
            "`days` must be from 1 to {MAX_DAYS}."
        )));
    }
    let database = &database(cx).await?;
    let wanted = sku(database, &args.sku)?;
    let Some(to) = last_day(database).await? else {
        return Err(ToolError::new(
            "There is no sales history yet, so nothing can be said about velocity.",
        ));
    };
    let days = u64::from(args.days);
    let (from, before) = (to + 1 - days, to + 1 - 2 * days);
    let sql = "SELECT p.name, w.code, l.quantity, \
               CAST(coalesce(sum(CASE WHEN s.sold_on >= ?2 THEN s.quantity ELSE 0 END), 0) AS BIGINT), \
               CAST(coalesce(sum(CASE WHEN s.sold_on < ?2 THEN s.quantity ELSE 0 END), 0) AS BIGINT) \
               FROM products AS p JOIN stock_levels AS l ON l.sku = p.sku JOIN warehouses AS w ON w.id = l.warehouse_id \
               LEFT JOIN sales AS s ON s.sku = l.sku AND s.warehouse_id = l.warehouse_id AND s.sold_on >= ?3 AND s.sold_on <= ?4 \
               WHERE p.sku = ?1 GROUP BY p.name, w.id, w.code, l.quantity ORDER BY w.id";
    let parameters = [
        wanted.clone(),
        date::iso(from),
        date::iso(before),
        date::iso(to),
    ]
    .map(SqlValue::from);
    let rows = database
        .query(sql, &parameters, 1000)
        .await
        .map_err(database_failed)?
        .rows;
    let Some(product) = rows.first().and_then(|row| row.first()).and_then(owned) else {
        return Err(no_sku(database, args.sku.trim()));
    };
    let (mut units, mut units_before, mut quantity) = (0, 0, 0);
    let mut warehouses = Vec::with_capacity(rows.len());
    for row in &rows {
        let (from, before) = read(row).ok_or_else(|| other_columns("the inventory"))?;
        units += from.units;
        units_before += before;
        quantity += from.quantity;
        warehouses.push(from);
    }
    let per_day = units as f64 / days as f64;
    Ok(Velocity {
        sku: wanted,
        product,
        from: date::iso(from),
        to: date::iso(to),
        units,
        per_day: rounded(per_day),
        units_before,
        warehouses,
        days_of_stock: (units > 0).then(|| rounded(quantity as f64 / per_day)),
    })
}

fn read(row: &[SqlValue]) -> Option<(FromWarehouse, i64)> {
    let [_, warehouse, quantity, units, before] = row else {
        return None;
    };
    Some((
        FromWarehouse {
            warehouse: owned(warehouse)?,
            units: units.as_i64()?,
            quantity: quantity.as_i64()?,
        },
        before.as_i64()?,
    ))
}
