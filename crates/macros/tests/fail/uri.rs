//! A resource's uri and its function say the same.

extern crate mcpfn_core as mcpfn;

use mcpfn::Server;
use mcpfn_macros::{input, resource};

#[input]
struct Table {
    name: String,
}

/// A template.
#[resource("table://{name}")]
async fn template() -> String {
    String::new()
}

/// A fixed uri.
#[resource("table://names")]
async fn fixed(table: Table) -> String {
    table.name
}

/// No uri.
#[resource]
async fn nowhere() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("test", "1.0.0").resource(template).resource(fixed).resource(nowhere);
}
