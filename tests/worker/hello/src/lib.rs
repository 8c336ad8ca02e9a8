//! One typed tool, made a Worker by `mcpfn::main!`: what an author writes first.

use mcpfn::prelude::*;

#[input]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Says hello.
#[tool(read_only)]
async fn greet(args: Greet) -> String {
    format!("Hello, {}!", args.name)
}

mcpfn::main!(Server::builder("hello", "1.0.0").tool(greet));
