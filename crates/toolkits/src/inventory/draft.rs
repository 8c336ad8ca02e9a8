//! `draft_purchase_order`: the one thing that this toolkit writes. A draft orders nothing; a person
//! sends it.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{database, no_sku, owned, sku, warehouse};
use crate::date;
use crate::dialect::new_id;
use crate::mapping::MappedTables;
use crate::say::{database_failed, excerpt, other_columns, who, write_failed};

/// The most units of one order.
const MAX: u32 = 100_000;

/// What to order.
#[input]
#[derive(Debug)]
pub struct Draft {
    /// The product's SKU, e.g. "HDP-1032-MIB".
    #[schemars(length(min = 1, max = 64))]
    pub sku: String,
    /// How many units.
    #[schemars(range(min = 1, max = 100_000))]
    pub quantity: u32,
    /// The code or city of the warehouse that it is for, e.g. "RTM". The one with the fewest units
    /// of it, when left out.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub warehouse: Option<String>,
    /// A key of your own for this one order, such as a UUID. Repeat the call with the same key if
    /// you got no answer: then the order is drafted once.
    #[schemars(length(min = 1, max = 255), extend("x-idempotency-key" = true))]
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// A purchase order that was drafted.
#[output]
#[derive(Debug)]
pub struct Drafted {
    /// The order's id.
    pub id: String,
    /// SKU.
    pub sku: String,
    /// The product's name.
    pub product: String,
    /// Units.
    pub quantity: i64,
    /// The warehouse's code.
    pub warehouse: String,
    /// Who would deliver it.
    pub supplier: String,
    /// Days from the order to its arrival.
    pub lead_time_days: i64,
    /// Always `draft`: nothing is ordered until a person sends it.
    pub status: String,
}

/// Draft a purchase order for one product. Nothing is ordered until a person sends the draft.
///
/// Use this only when the user asks to order or to draft an order, one call for each product. Say
/// afterwards what was drafted: product, quantity, warehouse and supplier. `suggest_reorders` helps
/// to decide what and how much.
#[tool(
    destructive = false,
    open_world = false,
    scope = "inventory:write",
    title = "Draft a purchase order"
)]
pub async fn draft_purchase_order(args: Draft, cx: &Cx) -> Result<Drafted, ToolError> {
    if !(1..=MAX).contains(&args.quantity) {
        return Err(ToolError::new(format!(
            "`quantity` must be from 1 to {MAX}."
        )));
    }
    let database = &database(cx).await?;
    let wanted = sku(database, &args.sku)?;
    let mut parameters = vec![
        SqlValue::from(wanted.clone()),
        SqlValue::from(i64::from(args.quantity)),
        SqlValue::from(date::utc(cx.now_ms())),
        SqlValue::from(who(cx)),
    ];
    let place = match &args.warehouse {
        Some(given) => {
            parameters.push(SqlValue::from(warehouse(database, given).await?));
            "CAST(?5 AS INTEGER)"
        }
        None => {
            "(SELECT l.warehouse_id FROM stock_levels AS l WHERE l.sku = p.sku ORDER BY \
             l.quantity, l.warehouse_id LIMIT 1)"
        }
    };
    confirm_drafting(&args, &wanted, database, cx).await?;
    // one statement, so that the product can't go away in between
    let id = format!("'PO-' || {}", new_id(database.dialect()));
    let values = [
        ("id", id.as_str()),
        ("sku", "p.sku"),
        ("supplier_id", "p.supplier_id"),
        ("warehouse_id", place),
        ("quantity", "CAST(?2 AS INTEGER)"),
        ("status", "'draft'"),
        ("created_at", "?3"),
        ("created_by", "?4"),
    ];
    let from = "FROM products AS p WHERE p.sku = ?1";
    let sql = database.insert("purchase_orders", &values, from)?;
    let written = database
        .query(&sql, &parameters, 1)
        .await
        .map_err(write_failed)?;
    let Some(id) = written.rows.first().and_then(|row| row.first()).cloned() else {
        return Err(no_sku(database, args.sku.trim()));
    };
    let sql = "SELECT o.id, o.sku, p.name, o.quantity, w.code, s.name, s.lead_time_days, o.status FROM purchase_orders AS o \
               JOIN products AS p ON p.sku = o.sku JOIN warehouses AS w ON w.id = o.warehouse_id \
               JOIN suppliers AS s ON s.id = o.supplier_id WHERE o.id = ?1";
    let row = database.query(sql, &[id], 1).await.map_err(write_failed)?;
    row.rows
        .first()
        .and_then(|row| read(row))
        .ok_or_else(|| other_columns("the inventory"))
}

/// Asks the user, with the product's name: a SKU says little to a person.
async fn confirm_drafting(
    args: &Draft,
    wanted: &str,
    database: &MappedTables,
    cx: &Cx,
) -> Result<(), ToolError> {
    let Some(confirmation) = cx.confirmation()? else {
        return Ok(());
    };
    let product = product(database, wanted).await?;
    let place = match &args.warehouse {
        Some(warehouse) => format!("the warehouse {}", excerpt(warehouse)),
        None => "the warehouse with the fewest units of it".to_owned(),
    };
    confirmation.ask(&format!(
        "Draft a purchase order for {} units of {wanted}, {}, for {place}?",
        args.quantity,
        excerpt(&product),
    ))
}

/// The name of a product that is there.
async fn product(database: &MappedTables, sku: &str) -> Result<String, ToolError> {
    let parameters = [SqlValue::from(sku.to_owned())];
    let rows = database
        .query("SELECT name FROM products WHERE sku = ?1", &parameters, 1)
        .await
        .map_err(database_failed)?;
    let name = rows.rows.first().and_then(|row| row.first());
    name.and_then(owned).ok_or_else(|| no_sku(database, sku))
}

fn read(row: &[SqlValue]) -> Option<Drafted> {
    let [
        id,
        sku,
        product,
        quantity,
        warehouse,
        supplier,
        days,
        status,
    ] = row
    else {
        return None;
    };
    Some(Drafted {
        id: owned(id)?,
        sku: owned(sku)?,
        product: owned(product)?,
        quantity: quantity.as_i64()?,
        warehouse: owned(warehouse)?,
        supplier: owned(supplier)?,
        lead_time_days: days.as_i64()?,
        status: owned(status)?,
    })
}
