//! A tool may not be more visible than its types.

extern crate mcpfn_core as mcpfn;

use mcpfn_macros::{input, tool};

#[input]
struct Words {
    text: String,
}

/// Public, with a private argument type.
#[tool]
pub async fn public(words: Words) -> String {
    words.text
}

fn main() {}
