//! Puts products together from the parts in `goods`. Knows nothing of SQL.

use std::collections::HashSet;

use super::date::{TODAY, day};
use super::goods::{Category, GoodsKind};
use super::random::Repeatable;
use crate::fnv::fnv;

/// How many warehouses a product can lie in.
pub(super) const WAREHOUSES: usize = 3;

pub(super) struct Product {
    pub(super) id: String,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) brand: &'static str,
    pub(super) category: &'static str,
    pub(super) supplier_id: u64,
    pub(super) description: String,
    pub(super) keywords: &'static str,
    pub(super) price_cents: u64,
    pub(super) quantities: [u64; WAREHOUSES],
    pub(super) reorder_points: [u64; WAREHOUSES],
    /// Tenths of a star, and how many people gave them.
    pub(super) rating: Option<u64>,
    pub(super) reviews: u64,
    pub(super) weight_grams: u64,
    pub(super) added_on: u64,
}

/// Every product, category by category, always the same.
pub(super) fn products(categories: &[Category], suppliers: u64) -> Vec<Product> {
    let mut random = Repeatable::new(0x5eed_0001);
    let mut products = Vec::new();
    for category in categories {
        fill(category, suppliers, &mut random, &mut products);
    }
    products
}

/// One design, of which there may be several colours.
struct Model<'a> {
    category: &'a Category,
    kind: &'a GoodsKind,
    sku: String,
    name: String,
    brand: &'static str,
    description: String,
    /// Before the finish, in cents.
    price: u64,
    weight_grams: u64,
    added_on: u64,
}

fn fill(category: &Category, suppliers: u64, random: &mut Repeatable, products: &mut Vec<Product>) {
    let mut left = category.count;
    let mut taken = HashSet::new();
    let mut number = 1000 + random.below(40);
    while left > 0 {
        let Some(model) = design(category, number, random, &mut taken) else {
            continue;
        };
        number += random.between(1, 9);
        for finish in finishes(&model, random).into_iter().take(left) {
            products.push(finished(&model, finish, suppliers, random));
            left -= 1;
        }
    }
}

/// `None` when the dice fell on a design that exists already.
fn design<'a>(
    category: &'a Category,
    number: u64,
    random: &mut Repeatable,
    taken: &mut HashSet<String>,
) -> Option<Model<'a>> {
    let kind = random.pick(&category.kinds);
    let (brand, brand_percent) = *random.pick(&category.brands);
    let (line, purpose) = *random.pick(&category.lines);
    let (label, percent, meaning) = *random.pick(&kind.features);
    let fact = random.pick(&category.facts);
    let name = [brand, line, label, kind.noun].join(" ").replace("  ", " ");
    if !taken.insert(name.clone()) {
        return None;
    }
    let description = format!(
        "{} {meaning} {brand}'s {line} line is {purpose}. {fact}",
        kind.lead
    )
    .replace("line is for", "line is made for")
    .replace("line is to", "line is made to")
    .replace("line is with", "line comes with")
    .replace("line is at", "line feels at");
    let (low, high) = kind.dollars;
    // the product of two dice lies low more often than high, as prices do
    let spread = random.below(100) * random.below(100) / 100;
    let dollars_times_100 = low * 100 + (high - low) * spread;
    let (light, heavy) = kind.grams;
    Some(Model {
        category,
        kind,
        sku: format!("{}-{number}", category.code),
        name,
        brand,
        description,
        price: dollars_times_100 * percent / 100 * brand_percent / 100,
        weight_grams: random.between(light, heavy),
        added_on: random.between(day(2021, 3, 1), TODAY - 20),
    })
}

/// The finishes a model is sold in: one to three of the category's, or the only one.
fn finishes(model: &Model<'_>, random: &mut Repeatable) -> Vec<Option<(&'static str, u64)>> {
    let all = &model.category.finishes;
    if all.is_empty() || model.kind.plain {
        return vec![None];
    }
    let first = random.below(all.len() as u64) as usize;
    let count = (random.weighted(&[(1, 45), (2, 35), (3, 20)])).min(all.len());
    (0..count)
        .map(|step| Some(all[(first + step) % all.len()]))
        .collect()
}

fn finished(
    model: &Model<'_>,
    finish: Option<(&'static str, u64)>,
    suppliers: u64,
    random: &mut Repeatable,
) -> Product {
    let (name, sku, percent) = match finish {
        Some((finish, percent)) => (
            format!("{}, {finish}", model.name),
            format!("{}-{}", model.sku, code(finish)),
            percent,
        ),
        None => (model.name.clone(), model.sku.clone(), 100),
    };
    let price_cents = charming(model.price * percent / 100);
    let (quantities, reorder_points) = stock(price_cents, random);
    let (rating, reviews) = reviews(model.added_on, random);
    Product {
        id: random.uuid(),
        sku,
        name,
        brand: model.brand,
        category: model.category.name,
        // a brand has one supplier for each category it is in
        supplier_id: 1 + fnv(model.brand.bytes()).wrapping_add(fnv(model.category.code.bytes()))
            % suppliers,
        description: model.description.clone(),
        keywords: model.kind.keywords,
        price_cents,
        quantities,
        reorder_points,
        rating,
        reviews,
        weight_grams: model.weight_grams,
        added_on: model.added_on,
    }
}

/// The end of a SKU: `Midnight Blue` is `MIB`, `Sand` is `SAN`, `1 TB` is `1TB`.
fn code(finish: &str) -> String {
    let words: Vec<&str> = finish.split(' ').collect();
    let letters: String = match words[..] {
        [first, second] if first.chars().all(char::is_alphabetic) => first
            .chars()
            .take(2)
            .chain(second.chars().take(1))
            .collect(),
        [word] => word.chars().take(3).collect(),
        _ => words.concat(),
    };
    letters.to_uppercase()
}

/// A price that a shop would print: ends in 49, 95 or 99 cents when small, in 9 dollars when large.
fn charming(cents: u64) -> u64 {
    match cents {
        0..2_000 => (cents / 50 * 50).max(250) - 1,
        2_000..10_000 => cents / 100 * 100 + 95,
        10_000..30_000 => cents / 500 * 500 + 400,
        _ => cents / 1_000 * 1_000 + 900,
    }
}

/// Cheap things lie around in numbers; a few are sold out everywhere.
fn stock(price_cents: u64, random: &mut Repeatable) -> ([u64; WAREHOUSES], [u64; WAREHOUSES]) {
    let usual = (12_000_000 / (price_cents + 4_000) / 20).clamp(4, 120);
    let sold_out = random.chance(6);
    let mut quantities = [0; WAREHOUSES];
    let mut reorder_points = [0; WAREHOUSES];
    for (quantity, reorder_point) in quantities.iter_mut().zip(&mut reorder_points) {
        *reorder_point = usual / 4;
        if !sold_out && !random.chance(12) {
            *quantity = random.below(usual * 2);
        }
    }
    (quantities, reorder_points)
}

/// Old products have been reviewed more often than new ones.
fn reviews(added_on: u64, random: &mut Repeatable) -> (Option<u64>, u64) {
    let most = (TODAY - added_on) / 4;
    let reviews = random.below(most + 1) * random.below(100) / 100;
    if reviews == 0 {
        return (None, 0);
    }
    let tenths = 30 + random.between(0, 10) + random.between(0, 9);
    (Some(tenths), reviews)
}
