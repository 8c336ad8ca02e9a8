//! Every shape a tool may have registers and can be called by its own name. Not a test of what the
//! builder does with it.
#![deny(warnings)]

extern crate mcpfn_core as mcpfn;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mcpfn::{Builder, Cx, Server, ToolError};
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

/// Calls itself, and has a parameter of its own name.
#[tool]
async fn again(again: Words, cx: &Cx) -> String {
    if again.text.is_empty() {
        return String::new();
    }
    let rest = Words { text: again.text.chars().skip(1).collect() };
    self::again(rest, cx).await + "1"
}

mod again {}

mod elsewhere {
    //! Visibility and the author's other attributes are kept.

    use super::{Builder, Said, input, tool};

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

    #[input]
    struct Private {
        text: String,
    }

    /// As visible as it says, whatever its types are.
    #[tool]
    pub async fn public(private: Private) -> String {
        private.text
    }

    pub(super) fn toolkit(builder: Builder) -> Builder {
        builder.tool(public)
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
        .tool(again)
        .tool(elsewhere::visible)
        .tool(elsewhere::included)
        .tool(local)
        .with(elsewhere::toolkit)
}

/// Borrows the context like the function itself.
fn borrowed(words: Words, cx: &Cx) -> impl Future<Output = Result<Said, ToolError>> + Send {
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
    // The name of a tool is free for variables.
    let nothing = nothing();
    now(nothing);
    let _ = (borrowed, context, sync_both);
}
