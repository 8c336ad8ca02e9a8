//! What `#[input(..)]` of a field knows, and where it stands.

extern crate mcpfn_core as mcpfn;

use mcpfn_macros::input;

#[input]
struct Renamed {
    #[input(old = "text")]
    query: String,
    #[input(old_name)]
    limit: u32,
}

#[input]
enum Either {
    One(#[input(old_name = "first")] u32),
}

fn main() {}
