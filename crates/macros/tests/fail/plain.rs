//! A function that is not marked.

extern crate mcpfn_core as mcpfn;

use mcpfn::Server;

async fn plain() {}

fn main() {
    let _ = Server::builder("test", "1.0.0").tool(plain);
}
