//! `stock.low`: a product's stock in one warehouse fell to its reorder point, said once and not again
//! before it was above it. Nothing is written for it: what was low is in the cursor.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn_core::{Cx, ToolError, input, output};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{STOCK, database, owned};
use crate::dialect::{LINE, short};
use crate::event_ids::{EVERY, digest};
use crate::mapping::{Mapping, has};
use crate::say::{database_failed, other_columns};

/// How many levels that are low are told apart: three bytes of each fit into a cursor.
const KNOWN: usize = 1_000;
/// The same level is told at most once in this time, in milliseconds: clients know it by its id.
const AGAIN_MS: u64 = 60 * 60 * 1000;

/// Which stock.
#[input]
#[derive(Debug)]
pub struct StockFilter {
    /// That of one product, by its SKU as `get_stock_levels` returns it.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub sku: Option<String>,
    /// That in one warehouse, by its code as `get_stock_levels` returns it.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub warehouse: Option<String>,
}

/// Stock that is low.
#[output]
#[derive(Debug)]
pub struct LowStock {
    /// SKU.
    pub sku: String,
    /// The product's name.
    pub product: String,
    /// The warehouse's code.
    pub warehouse: String,
    /// Units.
    pub quantity: i64,
    /// The quantity at which it is to be ordered again.
    pub reorder_point: i64,
}

/// What can be heard of with the scope `inventory:read`, where its tables are there.
pub(crate) fn events(mapping: Option<&Mapping>) -> Vec<Event> {
    let there = has(mapping, STOCK);
    there.then(stock_low).into_iter().collect()
}

/// The event.
fn stock_low() -> Event {
    Event::new("stock.low")
        .description(
            "The stock of a product in a warehouse fell to its reorder point. Said once, and again \
             only after it was above it.",
        )
        .scope("inventory:read")
        .payload::<LowStock>()
        .poll(low)
        .every(EVERY)
        .sent()
}

async fn low(filter: StockFilter, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let (levels, cut) = levels(filter, &cx).await?;
    let known = poll.cursor().map(read);
    let (known, readable) = match known {
        // who begins hears of what becomes low from now on
        None => (levels.iter().map(name).collect(), true),
        Some(Some(known)) => (known, true),
        Some(None) => (levels.iter().map(name).collect(), false),
    };
    let news = levels.iter().filter(|level| !known.contains(&name(level)));
    let now_ms = cx.now_ms();
    let told: Vec<&LowStock> = news.clone().take(poll.limit()).collect();
    let more = news.count() > told.len();
    let occurrences = told.iter().map(|level| {
        let (digest, hour) = (whole(level), now_ms / AGAIN_MS);
        EventOccurrence::new(format!("low-{digest:016x}-{hour}"), now_ms, level)
    });
    let still = levels.iter().map(name).filter(|it| known.contains(it));
    let next = still.chain(told.iter().map(|level| name(level)));
    let page = EventPage::new(written(next)).events(occurrences).more(more);
    Ok(match cut || !readable {
        true => page.truncated(),
        false => page,
    })
}

/// What is low, and whether there is more of it than is looked at.
async fn levels(filter: StockFilter, cx: &Cx) -> Result<(Vec<LowStock>, bool), ToolError> {
    let (mut parameters, mut conditions) = (Vec::new(), String::new());
    for (column, value) in [("l.sku", filter.sku), ("w.code", filter.warehouse)] {
        if let Some(value) = value {
            parameters.push(SqlValue::from(value));
            conditions.push_str(&format!(" AND {column} = ?{}", parameters.len()));
        }
    }
    let sql = format!(
        "SELECT l.sku, {name}, w.code, l.quantity, l.reorder_point FROM stock_levels AS l \
         JOIN products AS p ON p.sku = l.sku JOIN warehouses AS w ON w.id = l.warehouse_id \
         WHERE l.quantity <= l.reorder_point{conditions} ORDER BY l.sku, w.code LIMIT {}",
        KNOWN + 1,
        name = short("p.name", LINE),
    );
    let database = database(cx).await?;
    let found = database
        .query(&sql, &parameters, KNOWN)
        .await
        .map_err(database_failed)?;
    let levels = found.rows.iter().map(|row| level(row));
    let levels = levels.collect::<Option<Vec<_>>>();
    let levels = levels.ok_or_else(|| other_columns("the inventory"))?;
    Ok((levels, found.truncated))
}

fn level(row: &[SqlValue]) -> Option<LowStock> {
    let [sku, product, warehouse, quantity, reorder_point] = row else {
        return None;
    };
    Some(LowStock {
        sku: owned(sku)?,
        product: owned(product)?,
        warehouse: owned(warehouse)?,
        quantity: quantity.as_i64()?,
        reorder_point: reorder_point.as_i64()?,
    })
}

fn whole(level: &LowStock) -> u64 {
    digest(&[level.sku.as_bytes(), level.warehouse.as_bytes()])
}

/// What tells a level from others within a cursor. Of a thousand, another one looks like one of them
/// once in 16,000 times, and is then told a little later.
fn name(level: &LowStock) -> [u8; 3] {
    let [a, b, c, ..] = whole(level).to_be_bytes();
    [a, b, c]
}

fn written(names: impl Iterator<Item = [u8; 3]>) -> String {
    let names: Vec<[u8; 3]> = names.collect();
    // a letter in front: a cursor of nothing is one, too
    format!("l{}", URL_SAFE_NO_PAD.encode(names.as_flattened()))
}

fn read(cursor: &str) -> Option<HashSet<[u8; 3]>> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.strip_prefix('l')?).ok()?;
    let (names, rest) = bytes.as_chunks::<3>();
    rest.is_empty().then(|| names.iter().copied().collect())
}
