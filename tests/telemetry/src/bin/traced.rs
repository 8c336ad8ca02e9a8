//! A server with a tool that succeeds and one that fails, for this machine and for Lambda.

use std::process::ExitCode;

use mcpfn::prelude::*;

#[input]
struct Said {
    /// What to say.
    words: String,
}

/// Says how many letters there are.
#[tool(read_only)]
async fn letters(args: Said) -> String {
    args.words.len().to_string()
}

/// Fails.
#[tool(read_only)]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::new("it failed, as it should"))
}

fn main() -> ExitCode {
    mcpfn::run(|| Server::builder("traced", "1.0.0").tool(letters).tool(fail))
}
