//! Where `#[input]` and `#[output]` belong, and in which order.

extern crate mcpfn_core as mcpfn;

use mcpfn_macros::{input, output};

#[output]
#[input]
struct WrongOrder {
    value: u32,
}

#[input(rename_all = "camelCase")]
struct Keys {
    value: u32,
}

#[output]
fn function() {}

fn main() {
    let _ = (WrongOrder { value: 1 }, Keys { value: 1 }, function());
}
