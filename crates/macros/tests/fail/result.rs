//! A result that no client can read.

extern crate mcpfn_core as mcpfn;

use mcpfn::{Cx, ToolError};
use mcpfn_macros::tool;

struct Unmarked;

/// Gives a type that is not marked.
#[tool]
async fn unmarked(_: &Cx) -> Result<Unmarked, ToolError> {
    Ok(Unmarked)
}

fn main() {}
