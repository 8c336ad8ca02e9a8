//! Products as searches show them, and rows as products.

use mcpfn_core::output;
use mcpfn_ports::Rows;

/// Products that match a search.
#[output]
#[derive(Debug)]
pub struct ProductMatches {
    /// The best match first.
    pub products: Vec<ProductMatch>,
    /// How many products match in all.
    pub total: u64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ProductMatches {
    /// These, then those of the others that are not among them: there is room for all of these.
    pub(super) fn and(mut self, others: Self, limit: u32) -> Self {
        let is_new = |one: &ProductMatch| self.products.iter().all(|product| product.id != one.id);
        let new: Vec<ProductMatch> = others.products.into_iter().filter(is_new).collect();
        self.total += new.len() as u64;
        self.products.extend(new);
        self.products.truncate(limit as usize);
        self.note = note_for(self.products.len(), self.total);
        self
    }
}

/// A product as search shows it.
#[output]
#[derive(Debug)]
pub struct ProductMatch {
    /// UUID.
    pub id: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name with brand and finish.
    pub name: String,
    /// Category.
    pub category: String,
    /// Price of one, in `currency`.
    pub price: f64,
    /// ISO 4217 code.
    pub currency: String,
    /// Units in stock; 0 when sold out.
    pub stock: i64,
}

/// What to say where not all are shown.
pub(super) fn note_for(shown: usize, total: u64) -> Option<String> {
    (total > shown as u64).then(|| {
        format!(
            "The best {shown} of {total} matches. Add a word to narrow the search, or raise \
             `limit`."
        )
    })
}

pub(super) fn hits(rows: &Rows) -> Option<(Vec<ProductMatch>, u64)> {
    let mut total = 0;
    let mut products = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let [id, sku, name, category, price_cents, currency, stock, all] = row.as_slice() else {
            return None;
        };
        total = u64::try_from(all.as_i64()?).ok()?;
        products.push(ProductMatch {
            id: id.as_str()?.to_owned(),
            sku: sku.as_str()?.to_owned(),
            name: name.as_str()?.to_owned(),
            category: category.as_str()?.to_owned(),
            price: price_cents.as_f64()? / 100.0,
            currency: currency.as_str()?.to_owned(),
            stock: stock.as_i64()?,
        });
    }
    Some((products, total))
}
