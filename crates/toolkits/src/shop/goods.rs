//! What the demo shop sells, as parts that products are put together from: reads `goods.json`. Not
//! products: `products` combines the parts. Brands and people are invented.

use serde::Deserialize;

/// Part of the program, so that a shop can be made where there are no files. As constants it was
/// thousands of pointers, which every start relocated: 3 % of the server's instructions until it
/// asked for its first event, for a shop that most never make.
const GOODS: &str = include_str!("goods.json");

/// One department of the shop.
#[derive(Deserialize)]
pub(super) struct Category {
    pub(super) name: &'static str,
    /// Opens the SKU of every product in it.
    pub(super) code: &'static str,
    /// How many products it has.
    pub(super) count: usize,
    pub(super) about: &'static str,
    /// Names, and what they ask for their name in percent.
    pub(super) brands: Vec<(&'static str, u64)>,
    /// Colours or sizes in which one model is sold, and what they do to the price in percent.
    pub(super) finishes: Vec<(&'static str, u64)>,
    /// Product lines, and what each is for.
    pub(super) lines: Vec<(&'static str, &'static str)>,
    /// Sentences that are true of anything in the category.
    pub(super) facts: Vec<&'static str>,
    pub(super) kinds: Vec<GoodsKind>,
}

/// One type of product.
#[derive(Deserialize)]
pub(super) struct GoodsKind {
    pub(super) noun: &'static str,
    /// Other words that people search for.
    pub(super) keywords: &'static str,
    /// It comes in one finish, whatever the category's are.
    #[serde(default)]
    pub(super) plain: bool,
    /// The usual price, in whole dollars.
    pub(super) dollars: (u64, u64),
    pub(super) grams: (u64, u64),
    /// The description's first sentence.
    pub(super) lead: &'static str,
    pub(super) features: Vec<Feature>,
}

/// A word in the name (or none), what it does to the price in percent, and what it means.
pub(super) type Feature = (&'static str, u64, &'static str);

/// Every category, in the order of their ids. Read anew each time: a program makes one shop at
/// most, and most make none.
pub(super) fn categories() -> Vec<Category> {
    // the file is part of the program, and the tests make the shop
    serde_json::from_str(GOODS).expect("goods.json has categories")
}
