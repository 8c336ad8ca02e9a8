//! `get_lead_time`: how long suppliers take.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{database, owned};
use crate::dialect::position;
use crate::say::{database_failed, other_columns, quoted};

/// The most suppliers of one answer.
const MAX: usize = 50;

/// The longest name that is looked up, in characters.
const MAX_LENGTH: usize = 100;

/// Of whom, or of what.
#[input]
#[derive(Debug)]
pub struct Of {
    /// A supplier's name or a part of it, e.g. "Kansai", or a product's SKU, e.g. "HDP-1032-MIB".
    /// All suppliers, when left out.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default)]
    pub supplier_or_sku: Option<String>,
}

/// How long suppliers take.
#[output]
#[derive(Debug)]
pub struct LeadTimes {
    /// The fastest first.
    pub suppliers: Vec<LeadTime>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How long one supplier takes.
#[output]
#[derive(Debug)]
pub struct LeadTime {
    /// Name.
    pub supplier: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// Days from an order to its arrival.
    pub lead_time_days: i64,
    /// How many products come from there.
    pub products: i64,
    /// Orders that have not arrived.
    pub open_orders: i64,
}

/// Get how many days a supplier takes from order to arrival, by the supplier's name or a product's
/// SKU.
///
/// Use this to say when an order would arrive, or to compare suppliers.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "inventory:read",
    title = "Lead time"
)]
pub async fn get_lead_time(args: Of, cx: &Cx) -> Result<LeadTimes, ToolError> {
    let database = database(cx).await?;
    let wanted = args.supplier_or_sku.as_deref().unwrap_or_default().trim();
    if wanted.chars().count() > MAX_LENGTH {
        return Err(ToolError::new(format!(
            "`supplier_or_sku` must have at most {MAX_LENGTH} characters."
        )));
    }
    let (condition, parameters) = match wanted {
        "" => (String::new(), Vec::new()),
        wanted => {
            let by_name = position(database.dialect(), "s.name", "?1");
            let condition = format!(
                "WHERE {by_name} > 0 OR s.id IN (SELECT p.supplier_id FROM products AS p WHERE \
                 p.sku = ?2)"
            );
            let sku = SqlValue::from(database.key(wanted));
            (condition, vec![SqlValue::from(wanted), sku])
        }
    };
    let sql = format!(
        "SELECT s.name, s.country, s.lead_time_days, (SELECT count(*) FROM products AS p WHERE p.supplier_id = s.id), \
         (SELECT count(*) FROM purchase_orders AS o WHERE o.supplier_id = s.id AND o.status = 'ordered') \
         FROM suppliers AS s {condition} ORDER BY s.lead_time_days, s.name"
    );
    let rows = database
        .query(&sql, &parameters, MAX)
        .await
        .map_err(database_failed)?;
    if rows.rows.is_empty() {
        return Err(ToolError::not_found(format!(
            "Neither a supplier nor a SKU matches {}. Leave it out to see all suppliers.",
            quoted(wanted)
        )));
    }
    let suppliers = rows
        .rows
        .iter()
        .map(|row| read(row))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| other_columns("the inventory"))?;
    let note = rows
        .truncated
        .then(|| format!("Only {MAX} suppliers are shown. Name one."));
    Ok(LeadTimes { suppliers, note })
}

fn read(row: &[SqlValue]) -> Option<LeadTime> {
    let [supplier, country, days, products, open] = row else {
        return None;
    };
    Some(LeadTime {
        supplier: owned(supplier)?,
        country: owned(country)?,
        lead_time_days: days.as_i64()?,
        products: products.as_i64()?,
        open_orders: open.as_i64()?,
    })
}
