//! A server whose tools, prompts and arguments had other names, or go away.

use mcpfn::prelude::*;

/// The server `renamed`.
pub fn renamed() -> Builder {
    Server::builder("renamed", env!("CARGO_PKG_VERSION"))
        .tool(find_notes)
        .tool(list_notes)
        .prompt(about_notes)
}

#[input]
struct Search {
    /// Words to look for.
    #[input(old_name = "text", old_name = "words")]
    query: String,
    /// Most notes to return.
    #[input(deprecated = "use `limit`")]
    max: Option<u32>,
    /// Most notes.
    limit: Option<u32>,
}

/// Finds notes.
#[tool(read_only, old_name = "search_notes")]
async fn find_notes(args: Search) -> String {
    let most = args.limit.or(args.max).unwrap_or(10);
    format!("{most} of `{}`", args.query)
}

/// Lists all notes.
#[tool(read_only, deprecated = "use `find_notes`")]
async fn list_notes() -> &'static str {
    "all"
}

#[input]
struct Topic {
    /// What it is about.
    #[input(old_name = "subject")]
    topic: String,
}

/// Writes about notes.
#[prompt(old_name = "notes", deprecated = "write it yourself")]
async fn about_notes(args: Topic) -> String {
    format!("About {}.", args.topic)
}
