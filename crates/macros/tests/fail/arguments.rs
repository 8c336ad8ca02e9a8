//! An argument object that is not marked.

extern crate mcpfn_core as mcpfn;

use mcpfn::Cx;
use mcpfn_macros::tool;

struct Unmarked;

/// Takes a type that is not marked.
#[tool]
async fn unmarked(_: Unmarked, _: &Cx) {}

/// A reference to anything but the context.
#[tool]
async fn text(_: &str) {}

fn main() {}
