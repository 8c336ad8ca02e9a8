//! Every mistake in an attribute is reported, not only the first; and nothing else is.

extern crate mcpfn_core as mcpfn;

use mcpfn::{Cx, Server};
use mcpfn_macros::{prompt, resource, tool};

/// Says hello.
#[tool(
    readonly,
    titel = "Hello",
    color = "red",
    idempotent = "yes",
    timeout = "5 seconds",
    name = "say hello",
    title = 5,
    description = " ",
    open_world,
    open_world,
    "hello"
)]
async fn hello(_: &Cx) {}

/// Reads and destroys.
#[tool(read_only, destructive, timeout)]
async fn contradiction() {}

#[tool(title = "Not described", name "x", read_only)]
async fn undescribed() {}

/// Asks for brevity.
#[prompt(read_only, name = "")]
async fn short() -> &'static str {
    "Be short."
}

/// Where nothing is.
#[resource("no scheme", mine = "text/plain")]
async fn text() -> String {
    String::new()
}

fn main() {
    let server = Server::builder("test", "1.0.0").tool(hello).tool(contradiction).tool(undescribed);
    let _ = server.prompt(short).resource(text).build();
    let _ = hello;
}
