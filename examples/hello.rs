//! The smallest server: one function is one tool. Its comment is what a model reads to choose it,
//! its argument type gives the schema that every call is checked against.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example hello              # http://127.0.0.1:8787/mcp
//! cargo run -p mcpfn-examples --example hello -- --stdio   # for clients that start servers
//! cargo run -p mcpfn-examples --example hello -- call hello '{"name": "Ada"}'
//! ```

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

pub(crate) fn server() -> Builder {
    Server::builder("hello", "1.0.0").tool(hello)
}

mcpfn::main!(server);
