//! What a function must look like, in sentences; it still registers, so nothing else is reported.

#![allow(unused_variables)]

extern crate mcpfn_core as mcpfn;

use mcpfn::{Cx, Server};
use mcpfn_macros::{input, tool};

#[input]
struct Words {
    text: String,
}

/// Two objects.
#[tool]
async fn two_arguments(first: Words, second: Words) {}

/// The context first.
#[tool]
async fn context_first(cx: &Cx, words: Words) {}

/// Two contexts.
#[tool]
async fn two_contexts(cx: &Cx, other: &Cx) {}

/// The context for itself.
#[tool]
async fn exclusive(cx: &mut Cx) {}

/// Generic.
#[tool]
async fn generic<T>(words: T) {}

/// Generic in disguise.
#[tool]
async fn disguised(words: impl Into<Words>) -> impl Send {}

/// Unsafe, and for C.
#[tool]
unsafe extern "C" fn foreign() {}

/// Borrowed.
#[tool]
async fn borrowed(cx: &Cx) -> &str {
    ""
}

fn main() {
    let server = Server::builder("test", "1.0.0").tool(two_arguments).tool(context_first);
    let server = server.tool(two_contexts).tool(exclusive).tool(generic).tool(disguised);
    let _ = server.tool(foreign).tool(borrowed).build();
}
