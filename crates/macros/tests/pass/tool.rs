//! Every shape a tool may have registers and can be called by its own name. Not a test of what the builder does with it.
#![deny(warnings)]

extern crate mcpfn_core as mcpfn;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mcpfn::{BoxFuture, Builder, Cx, Server, ToolError};
use mcpfn_macros::{input, output, tool};

#[input]
#[derive(Debug, Clone, PartialEq)]
struct Words {
    /// What to say.
    text: String,
}

#[output]
#[derive(Debug, PartialEq)]
struct Said {
    text: String,
}

/// No parameter, no result.
#[tool]
async fn nothing() {}

/// Arguments only.
#[tool]
async fn arguments(words: Words) -> Said {
    Said { text: words.text }
}

/// The context only.
#[tool]
async fn context(cx: &Cx) -> String {
    format!("{cx:?}").chars().take(2).collect()
}

/// Both, and a result that can fail.
#[tool(name = "both.of-them", title = "Both", read_only, idempotent, destructive = false, open_world = false, timeout = "250ms")]
async fn both(Words { text }: Words, _: &Cx) -> Result<Said, ToolError> {
    if text.is_empty() { Err(ToolError::new("say something")) } else { Ok(Said { text }) }
}

#[tool(description = "A function that waits for nothing need not be `async`.")]
fn sync() -> &'static str {
    "sync"
}

/// Sync with everything.
#[tool]
fn sync_both(mut words: Words, _cx: &Cx) -> Vec<Said> {
    words.text.push('!');
    vec![Said { text: words.text }]
}

/// A keyword is a name too.
#[tool]
async fn r#match() {}

mod elsewhere {
    //! Visibility and the author's other attributes are kept.

    use super::{Said, tool};

    /// Public, and calls what stands beside it.
    #[tool]
    #[allow(clippy::unused_async)]
    #[must_use]
    pub(super) async fn visible() -> Said {
        call().await
    }

    // The names that the expansion uses itself are free for the author.
    async fn call() -> Said {
        Said { text: "visible".to_owned() }
    }

    /// Gone with its condition.
    #[cfg(any())]
    #[tool]
    async fn removed(missing: Type) {}

    /// The same, with the condition below.
    #[tool]
    #[cfg(any())]
    async fn removed_too(missing: Type) {}

    #[doc = include_str!("tool.rs")]
    #[tool]
    pub(super) async fn included() {}
}

fn server() -> Builder {
    /// In a function.
    #[tool]
    async fn local(words: Words, cx: &Cx) -> Result<Said, ToolError> {
        let said = both(words, cx).await?;
        Ok(said)
    }
    Server::builder("test", "1.0.0")
        .tool(nothing)
        .tool(arguments)
        .tool(context)
        .tool(both)
        .tool(sync)
        .tool(sync_both)
        .tool(r#match)
        .tool(elsewhere::visible)
        .tool(elsewhere::included)
        .tool(local)
}

/// Borrows the context like the function itself.
fn borrowed(words: Words, cx: &Cx) -> BoxFuture<'_, Result<Said, ToolError>> {
    both(words, cx)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a test waits for nothing"),
    }
}

fn main() {
    let words = Words { text: "hello".to_owned() };
    server().build().unwrap();
    now(nothing());
    assert_eq!(now(arguments(words)), Said { text: "hello".to_owned() });
    assert_eq!(now(sync()), "sync");
    assert_eq!(now(elsewhere::visible()).text, "visible");
    let copied = nothing;
    now(copied());
    now(nothing());
    let _ = (borrowed, context, sync_both);
}
