//! What the demo shop sells, as parts that products are put together from. Not products: `products`
//! combines the parts. Brands and people are invented.

mod computing;
mod garage;
mod home;
mod sound_and_vision;
mod travel;

/// One department of the shop.
pub(super) struct Category {
    pub(super) name: &'static str,
    /// Opens the SKU of every product in it.
    pub(super) code: &'static str,
    /// How many products it has.
    pub(super) count: usize,
    pub(super) about: &'static str,
    /// Names, and what they ask for their name in percent.
    pub(super) brands: &'static [(&'static str, u64)],
    /// Product lines, and what each is for.
    pub(super) lines: &'static [(&'static str, &'static str)],
    /// Colours or sizes in which one model is sold, and what they do to the price in percent.
    pub(super) finishes: &'static [(&'static str, u64)],
    /// Sentences that are true of anything in the category.
    pub(super) facts: &'static [&'static str],
    pub(super) kinds: &'static [GoodsKind],
}

/// One type of product.
pub(super) struct GoodsKind {
    pub(super) noun: &'static str,
    /// Other words that people search for.
    pub(super) keywords: &'static str,
    /// The usual price, in whole dollars.
    pub(super) dollars: (u64, u64),
    pub(super) grams: (u64, u64),
    /// The description's first sentence.
    pub(super) lead: &'static str,
    pub(super) features: &'static [Feature],
    /// Whether the category's finishes apply.
    pub(super) finished: bool,
}

/// A word in the name (or none), what it does to the price in percent, and what it means.
pub(super) type Feature = (&'static str, u64, &'static str);

/// Every category, in the order of their ids.
pub(super) const CATEGORIES: [&Category; 22] = [
    &sound_and_vision::HEADPHONES,
    &sound_and_vision::SPEAKERS,
    &sound_and_vision::CAMERAS,
    &sound_and_vision::WEARABLES,
    &computing::KEYBOARDS,
    &computing::MICE,
    &computing::MONITORS,
    &computing::STORAGE,
    &computing::POWER,
    &home::SMART_HOME,
    &home::COFFEE,
    &home::COOKWARE,
    &home::APPLIANCES,
    &home::FURNITURE,
    &home::LIGHTING,
    &travel::CAMPING,
    &travel::BAGS,
    &travel::FITNESS,
    &travel::CYCLING,
    &garage::GARDEN,
    &garage::GAMES,
    &garage::STATIONERY,
];

const fn kind(
    noun: &'static str,
    keywords: &'static str,
    dollars: (u64, u64),
    grams: (u64, u64),
    lead: &'static str,
    features: &'static [Feature],
) -> GoodsKind {
    GoodsKind {
        noun,
        keywords,
        dollars,
        grams,
        lead,
        features,
        finished: true,
    }
}

/// A kind that comes in one finish.
const fn plain(
    noun: &'static str,
    keywords: &'static str,
    dollars: (u64, u64),
    grams: (u64, u64),
    lead: &'static str,
    features: &'static [Feature],
) -> GoodsKind {
    GoodsKind {
        finished: false,
        ..kind(noun, keywords, dollars, grams, lead, features)
    }
}
