//! Twenty-two months of orders. Knows nothing of SQL.

use super::date::{TODAY, day, iso};
use super::people::Customer;
use super::products::Product;
use super::random::Repeatable;

/// How many orders the shop has had since 2025-01-01.
const ORDERS: usize = 4000;

/// How busy each month is, from January to December.
const SEASON: [u64; 12] = [70, 60, 70, 75, 85, 85, 75, 80, 90, 95, 150, 170];

pub(super) struct PurchaseOrder {
    /// An index into the customers.
    pub(super) customer: usize,
    pub(super) placed_at: String,
    pub(super) status: &'static str,
    pub(super) items: Vec<OrderItem>,
}

pub(super) struct OrderItem {
    /// An index into the products.
    pub(super) product: usize,
    pub(super) quantity: u64,
    pub(super) unit_price_cents: u64,
}

/// Every order by time, or one in `share`, always the same. No one orders before joining, and
/// nothing is sold before it was added.
pub(super) fn orders(
    products: &[Product],
    customers: &[Customer],
    share: usize,
) -> Vec<PurchaseOrder> {
    let mut random = Repeatable::new(0x5eed_0003);
    let mut times: Vec<(u64, u64)> = (0..ORDERS / share)
        .map(|_| (date(&mut random), second(&mut random)))
        .collect();
    times.sort_unstable();
    times
        .into_iter()
        .map(|(date, second)| {
            let (hour, minute) = (second / 3600, second / 60 % 60);
            PurchaseOrder {
                customer: customer(date, customers, &mut random),
                placed_at: format!("{}T{hour:02}:{minute:02}:{:02}Z", iso(date), second % 60),
                status: status(TODAY - date, &mut random),
                items: items(date, products, &mut random),
            }
        })
        .collect()
}

/// A day by season, a little busier each month as the shop grows.
fn date(random: &mut Repeatable) -> u64 {
    let months: Vec<(u64, u64)> = (0..22)
        .map(|month| (month, SEASON[(month % 12) as usize] * (100 + 3 * month)))
        .collect();
    let month = random.weighted(&months);
    let (year, month) = (2025 + month / 12, month % 12 + 1);
    let first = day(year, month, 1);
    let next = if month == 12 {
        day(year + 1, 1, 1)
    } else {
        day(year, month + 1, 1)
    };
    random.between(first, next - 1)
}

/// A second of the day; few people shop at night.
fn second(random: &mut Repeatable) -> u64 {
    let hours: [(u64, u64); 24] = std::array::from_fn(|hour| {
        (
            hour as u64,
            [
                2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 11, 12, 11, 10, 10, 10, 11, 12, 14, 15, 13, 9, 5,
            ][hour],
        )
    });
    random.weighted(&hours) * 3600 + random.below(3600)
}

/// A person who has joined by then; some come back far more often than others.
fn customer(date: u64, customers: &[Customer], random: &mut Repeatable) -> usize {
    let joined = customers.partition_point(|customer| customer.joined_on < date) as u64;
    // shuffled, so that the regulars are not simply the oldest customers: 601 is prime and larger
    // than their number
    ((random.early(joined) * 211 + 17) % 601 % joined.max(1)) as usize
}

fn status(age: u64, random: &mut Repeatable) -> &'static str {
    match age {
        0..=2 => random.weighted(&[("pending", 30), ("paid", 67), ("cancelled", 3)]),
        3..=9 => random.weighted(&[("paid", 20), ("shipped", 75), ("cancelled", 5)]),
        10..=20 => random.weighted(&[("shipped", 25), ("delivered", 70), ("cancelled", 5)]),
        _ => random.weighted(&[("delivered", 91), ("cancelled", 5), ("returned", 4)]),
    }
}

fn items(date: u64, products: &[Product], random: &mut Repeatable) -> Vec<OrderItem> {
    let wanted = random.weighted(&[(1, 42), (2, 28), (3, 16), (4, 9), (5, 5)]);
    let length = products.len() as u64;
    let mut items: Vec<OrderItem> = Vec::new();
    while items.len() < wanted {
        // shuffled, so that the best sellers are spread over the categories: 1597 is prime and no
        // factor of the number
        let product = (random.early(length) * 1597 % length) as usize;
        let already = items.iter().any(|item| item.product == product);
        if already || products[product].added_on >= date {
            continue;
        }
        let price = products[product].price_cents;
        let cheap = price < 5_000;
        let quantity = if cheap {
            random.weighted(&[(1, 70), (2, 20), (3, 7), (4, 3)])
        } else {
            1 + u64::from(random.chance(6))
        };
        // now and then it was on sale
        let unit_price_cents = if random.chance(12) {
            price * 9 / 10
        } else {
            price
        };
        items.push(OrderItem {
            product,
            quantity,
            unit_price_cents,
        });
    }
    items
}
