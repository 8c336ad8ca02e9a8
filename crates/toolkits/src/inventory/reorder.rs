//! `suggest_reorders`: what will run out before new units can arrive. Computed by the database over
//! all levels and the sales history.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{database, last_day, owned, rounded, warehouse};
use crate::date;
use crate::say::{database_failed, other_columns};

/// The most suggestions of one answer.
const MAX: u32 = 100;

/// Over how many days the rate of sales is taken.
const WINDOW: u64 = 30;

/// For how many days of sales is ordered beyond the time that the supplier takes.
const COVER: u64 = 30;

/// Which suggestions.
#[input]
#[derive(Debug)]
pub struct Which {
    /// A warehouse's code or city, e.g. "RTM". All warehouses, when left out.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub warehouse: Option<String>,
    /// The most suggestions to return, the most urgent first.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "crate::usual::<20>")]
    pub limit: u32,
}

/// What to order.
#[output]
#[derive(Debug)]
pub struct Reorders {
    /// The most urgent first: what lasts for the shortest time at the rate it sells.
    pub suggestions: Vec<Reorder>,
    /// How many there are in all.
    pub total: i64,
    /// How they were computed, and what is left out.
    pub note: String,
}

/// What to order of one product for one warehouse.
#[output]
#[derive(Debug)]
pub struct Reorder {
    /// SKU.
    pub sku: String,
    /// The product's name.
    pub product: String,
    /// The warehouse's code.
    pub warehouse: String,
    /// Units there.
    pub quantity: i64,
    /// Units that are ordered and have not arrived.
    pub on_order: i64,
    /// Units sold a day.
    pub per_day: f64,
    /// For how many days units there and on order last; null when nothing was sold.
    pub days_left: Option<f64>,
    /// Who delivers it.
    pub supplier: String,
    /// Days from an order to its arrival.
    pub lead_time_days: i64,
    /// Units to order.
    pub suggested: i64,
}

/// Suggest what to order: products that will fall short before new units can arrive, with
/// quantities, the most urgent first.
///
/// Use this when the user asks what to reorder or what runs out. It looks at stock, units on order,
/// the sales of the last 30 days and each supplier's lead time in all warehouses. It orders
/// nothing: `draft_purchase_order` does that, one by one.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "inventory:read",
    title = "Suggest reorders"
)]
pub async fn suggest_reorders(args: Which, cx: &Cx) -> Result<Reorders, ToolError> {
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = &database(cx).await?;
    // without any history every rate is zero, and the reorder points alone decide
    let to = last_day(database)
        .await?
        .unwrap_or_else(|| date::day(1970, 1, 1));
    let mut parameters = vec![
        SqlValue::from(date::iso(to + 1 - WINDOW)),
        SqlValue::from(date::iso(to)),
    ];
    let mut condition = "";
    if let Some(given) = &args.warehouse {
        parameters.push(SqlValue::from(warehouse(database, given).await?));
        condition = "WHERE l.warehouse_id = ?3";
    }
    let rows = database
        .query(
            &statement(condition, args.limit),
            &parameters,
            args.limit as usize,
        )
        .await
        .map_err(database_failed)?
        .rows;
    let total = rows
        .first()
        .and_then(|row| row.last()?.as_i64())
        .unwrap_or(0);
    let suggestions = rows
        .iter()
        .map(|row| read(row))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| other_columns("the inventory"))?;
    let mut note = format!(
        "Rates are of the {WINDOW} days up to {}. Suggested is what lifts stock and open orders to the reorder point or the sales of the \
         lead time, whichever is more, plus {COVER} days of sales.",
        date::iso(to)
    );
    if total == 0 {
        note.push_str(" Nothing has to be ordered.");
    } else if total > i64::from(args.limit) {
        note.push_str(&format!(
            " The {} most urgent of {total} are shown; raise `limit` or name a `warehouse`.",
            args.limit
        ));
    }
    Ok(Reorders {
        suggestions,
        total,
        note,
    })
}

/// Whole numbers throughout, so that every database rounds alike: up, because half a unit can't be
/// ordered.
fn statement(condition: &str, limit: u32) -> String {
    format!(
        "WITH sold AS ( \
          SELECT sku, warehouse_id, CAST(sum(quantity) AS BIGINT) AS units FROM sales WHERE sold_on >= ?1 AND sold_on <= ?2 \
          GROUP BY sku, warehouse_id \
         ), coming AS ( \
          SELECT sku, warehouse_id, CAST(sum(quantity) AS BIGINT) AS units FROM purchase_orders WHERE status = 'ordered' \
          GROUP BY sku, warehouse_id \
         ), demand AS ( \
          SELECT l.sku, l.warehouse_id, l.quantity, l.reorder_point, coalesce(coming.units, 0) AS on_order, coalesce(sold.units, 0) AS units, \
          p.name AS product, s.name AS supplier, s.lead_time_days AS days, \
          (coalesce(sold.units, 0) * s.lead_time_days + {round_up}) / {WINDOW} AS while_waiting, \
          (coalesce(sold.units, 0) * {COVER} + {round_up}) / {WINDOW} AS cover \
          FROM stock_levels AS l JOIN products AS p ON p.sku = l.sku JOIN suppliers AS s ON s.id = p.supplier_id \
          LEFT JOIN sold ON sold.sku = l.sku AND sold.warehouse_id = l.warehouse_id \
          LEFT JOIN coming ON coming.sku = l.sku AND coming.warehouse_id = l.warehouse_id {condition} \
         ), wanted AS ( \
          SELECT demand.*, quantity + on_order AS position, \
          CASE WHEN reorder_point > while_waiting THEN reorder_point ELSE while_waiting END AS floor FROM demand \
         ) \
         SELECT x.sku, x.product, w.code, x.quantity, x.on_order, x.units, x.supplier, x.days, x.floor + x.cover - x.position, \
         count(*) OVER () FROM wanted AS x JOIN warehouses AS w ON w.id = x.warehouse_id \
         WHERE x.position <= x.floor AND x.floor + x.cover > x.position \
         ORDER BY CASE WHEN x.units = 0 THEN 1 ELSE 0 END, x.position * 1000 / CASE WHEN x.units = 0 THEN 1 ELSE x.units END, \
         x.units DESC, x.sku, x.warehouse_id LIMIT {limit}",
        round_up = WINDOW - 1
    )
}

fn read(row: &[SqlValue]) -> Option<Reorder> {
    let [
        sku,
        product,
        warehouse,
        quantity,
        on_order,
        units,
        supplier,
        days,
        suggested,
        _,
    ] = row
    else {
        return None;
    };
    let (quantity, on_order) = (quantity.as_i64()?, on_order.as_i64()?);
    let units = units.as_f64()?;
    let per_day = units / WINDOW as f64;
    Some(Reorder {
        sku: owned(sku)?,
        product: owned(product)?,
        warehouse: owned(warehouse)?,
        quantity,
        on_order,
        per_day: rounded(per_day),
        days_left: (units > 0.0).then(|| rounded((quantity + on_order) as f64 / per_day)),
        supplier: owned(supplier)?,
        lead_time_days: days.as_i64()?,
        suggested: suggested.as_i64()?,
    })
}
