//! One tool, as an author writes it.

use mcpfn::prelude::*;

#[input]
struct Hello {
    /// Whom to greet.
    name: String,
}

/// Says hello.
#[tool(read_only)]
async fn hello(args: Hello) -> String {
    format!("Hello, {}!", args.name)
}

mcpfn::main!(Server::builder("hello", "1.0.0").tool(hello));
