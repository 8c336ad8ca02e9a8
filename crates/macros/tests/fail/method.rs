//! A method is no tool.

extern crate mcpfn_core as mcpfn;

use mcpfn_macros::tool;

struct Shop;

impl Shop {
    /// Sells.
    #[tool]
    async fn sell(&self) {}
}

#[tool]
struct Shelf;

fn main() {
    let _ = Shop.sell();
    let _ = Shelf;
}
