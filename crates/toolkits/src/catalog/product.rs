//! `get_product`: everything about one product. Finding products is `search`.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql, SqlValue};

use crate::dialect::{LINE, short};
use crate::say::{database_failed, quoted};

/// The longest identifier that is looked up, in bytes; a UUID has 36.
const MAX_ID_LENGTH: usize = 64;

/// The longest description that is shown whole, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 10_000;

/// Which product.
#[input]
#[derive(Debug)]
pub struct ProductId {
    /// The product's UUID or SKU, as `search_products` returns them, e.g. "HDP-1032-MIB".
    #[schemars(length(min = 1, max = 64))]
    pub product_id: String,
}

/// A product's full record.
#[output]
#[derive(Debug)]
pub struct ProductRecord {
    /// UUID.
    pub id: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name with brand and finish.
    pub name: String,
    /// Brand.
    pub brand: String,
    /// Category.
    pub category: String,
    /// A few sentences.
    pub description: String,
    /// Price of one, in `currency`.
    pub price: f64,
    /// ISO 4217 code.
    pub currency: String,
    /// Units in stock in all warehouses; 0 when sold out.
    pub stock: i64,
    /// Where they are.
    pub availability: Vec<Availability>,
    /// Stars from 1 to 5; null until it has a review.
    pub rating: Option<f64>,
    /// How many reviews the rating is made of.
    pub reviews: i64,
    /// Weight with packaging, in grams.
    pub weight_grams: i64,
    /// Who delivers it to the shop.
    pub supplier: String,
    /// Days from an order at the supplier to its arrival.
    pub supplier_lead_time_days: i64,
    /// Since when it is in the catalog, as an ISO 8601 date.
    pub added_on: String,
}

/// A product's units in one warehouse.
#[output]
#[derive(Debug)]
pub struct Availability {
    /// The warehouse's city.
    pub warehouse: String,
    /// Units there.
    pub quantity: i64,
}

/// Get the full record of one product: description, price, stock by warehouse, rating, supplier.
///
/// Use this when you know the product's id or SKU, for instance from `search_products`, and need
/// more than name and price.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "catalog:read",
    title = "Product details"
)]
pub async fn get_product(args: ProductId, cx: &Cx) -> Result<ProductRecord, ToolError> {
    find(&args.product_id, cx).await
}

/// The product with this UUID or SKU, in whatever case it is written.
pub(super) async fn find(id: &str, cx: &Cx) -> Result<ProductRecord, ToolError> {
    let missing = || {
        ToolError::not_found(format!(
            "Product {} not found. Use `search_products` to find products and their ids.",
            quoted(id.trim())
        ))
    };
    let wanted = id.trim();
    if wanted.is_empty() || wanted.len() > MAX_ID_LENGTH {
        return Err(missing());
    }
    let database = cx.port::<dyn Sql>()?;
    let (name, text) = (
        short("p.name", LINE),
        short("p.description", MAX_DESCRIPTION_LENGTH),
    );
    let sql = format!(
        "SELECT p.id, p.sku, {name}, p.brand, p.category, {text}, p.price_cents, p.currency, p.stock, p.rating, \
               p.reviews, p.weight_grams, s.name, s.lead_time_days, p.added_on \
               FROM products AS p JOIN suppliers AS s ON s.id = p.supplier_id WHERE p.id = lower(?1) OR p.sku = upper(?1)"
    );
    let rows = database
        .query(&sql, &[SqlValue::from(wanted)], 1)
        .await
        .map_err(database_failed)?;
    let Some(row) = rows.rows.into_iter().next() else {
        return Err(missing());
    };
    let sql = "SELECT w.city, l.quantity FROM stock_levels AS l JOIN warehouses AS w ON w.id = l.warehouse_id \
               WHERE l.sku = ?1 ORDER BY w.id";
    let sku = row.get(1).cloned().unwrap_or(SqlValue::Null);
    let levels = database
        .query(sql, &[sku], 100)
        .await
        .map_err(database_failed)?;
    let availability = levels.rows.iter().map(|row| availability(row)).collect();
    read(&row, availability)
        .ok_or_else(|| ToolError::internal("the catalog's tables have other columns than expected"))
}

fn availability(row: &[SqlValue]) -> Option<Availability> {
    let [city, quantity] = row else { return None };
    Some(Availability {
        warehouse: city.as_str()?.to_owned(),
        quantity: quantity.as_i64()?,
    })
}

fn read(row: &[SqlValue], availability: Option<Vec<Availability>>) -> Option<ProductRecord> {
    let [
        id,
        sku,
        name,
        brand,
        category,
        description,
        price_cents,
        currency,
        stock,
        rest @ ..,
    ] = row
    else {
        return None;
    };
    let [
        rating,
        reviews,
        weight_grams,
        supplier,
        lead_time_days,
        added_on,
    ] = rest
    else {
        return None;
    };
    let text = |value: &SqlValue| value.as_str().map(str::to_owned);
    Some(ProductRecord {
        id: text(id)?,
        sku: text(sku)?,
        name: text(name)?,
        brand: text(brand)?,
        category: text(category)?,
        description: text(description)?,
        price: price_cents.as_f64()? / 100.0,
        currency: text(currency)?,
        stock: stock.as_i64()?,
        availability: availability?,
        rating: rating.as_f64(),
        reviews: reviews.as_i64()?,
        weight_grams: weight_grams.as_i64()?,
        supplier: text(supplier)?,
        supplier_lead_time_days: lead_time_days.as_i64()?,
        added_on: text(added_on)?,
    })
}
