//! A resource's uri and its function say the same.

extern crate mcpfn_core as mcpfn;

use mcpfn::Server;
use mcpfn_macros::{input, resource};

#[input]
struct Table {
    name: String,
}

#[resource("table://{name}")]
async fn template() -> String {
    String::new()
}

#[resource("table://names")]
async fn fixed(table: Table) -> String {
    table.name
}

#[resource]
async fn nowhere() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("test", "1.0.0").resource(template).resource(fixed).resource(nowhere);
}
