//! The echo that every contestant has, as a function of Lambda, without the shared table that
//! `bench/lambda-tool` has in it.

use mcpfn::prelude::*;

#[input]
struct Text {
    /// What to say again.
    text: String,
}

/// Says it again.
#[tool(read_only)]
async fn echo(args: Text) -> String {
    args.text
}

mcpfn::main!(Server::builder("echo", "1.0.0").tool(echo));
