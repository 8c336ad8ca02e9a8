//! What left the warehouses in the last four months, and what was bought to fill them. Knows
//! nothing of SQL.

use super::date::TODAY;
use super::products::{Product, WAREHOUSES};
use super::random::Repeatable;

/// How many days of sales there are.
const DAYS: u64 = 120;

/// How many purchase orders there are.
const PURCHASES: usize = 240;

/// Units of one product that left one warehouse on one day.
pub(super) struct Sale {
    /// An index into the products.
    pub(super) product: usize,
    /// An index into the warehouses.
    pub(super) warehouse: usize,
    pub(super) day: u64,
    pub(super) quantity: u64,
}

/// An order at a supplier.
pub(super) struct Purchase {
    pub(super) id: String,
    pub(super) product: usize,
    pub(super) warehouse: usize,
    pub(super) quantity: u64,
    pub(super) status: &'static str,
    pub(super) day: u64,
    pub(super) author: &'static str,
}

/// Every sale by product, warehouse and day, always the same. Many products hardly move, a few move
/// every other day.
pub(super) fn sales(products: &[Product]) -> Vec<Sale> {
    let mut random = Repeatable::new(0x5eed_0004);
    let mut sales = Vec::new();
    for (product, goods) in products.iter().enumerate() {
        let usual =
            random.weighted(&[(0, 20), (1, 38), (2, 22), (4, 12), (9, 5), (24, 2), (50, 1)]);
        let most = if goods.price_cents < 5_000 { 4 } else { 2 };
        for warehouse in 0..WAREHOUSES {
            let events = usual + random.below(usual / 3 + 1);
            let (start, step) = (random.below(DAYS), *random.pick(&[7, 11, 13, 17, 19, 23]));
            // no step has a factor in common with the number of days, so no day comes twice
            let mut days: Vec<u64> = (0..events)
                .map(|event| TODAY - (start + event * step) % DAYS)
                .collect();
            days.sort_unstable();
            for day in days.into_iter().filter(|day| *day > goods.added_on) {
                sales.push(Sale {
                    product,
                    warehouse,
                    day,
                    quantity: random.between(1, most),
                });
            }
        }
    }
    sales
}

/// Purchase orders, the oldest first. None is a draft: those are made by people who try the shop.
pub(super) fn purchases(products: &[Product]) -> Vec<Purchase> {
    let mut random = Repeatable::new(0x5eed_0005);
    let mut ages: Vec<u64> = (0..PURCHASES).map(|_| random.below(DAYS)).collect();
    ages.sort_unstable_by(|a, b| b.cmp(a));
    let purchase = |(number, age): (usize, u64)| Purchase {
        id: format!("PO-{}", 3001 + number),
        product: random.below(products.len() as u64) as usize,
        warehouse: random.below(WAREHOUSES as u64) as usize,
        quantity: random.between(1, 12) * 5,
        status: if random.chance(4) {
            "cancelled"
        } else if age > 30 {
            "received"
        } else {
            "ordered"
        },
        day: TODAY - age,
        author: if random.chance(50) {
            "Ingrid Solheim"
        } else {
            "Tomasz Wrona"
        },
    };
    ages.into_iter().enumerate().map(purchase).collect()
}
