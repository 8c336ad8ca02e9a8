//! An MCP server is a function. This is the one crate an author depends on.
//!
//! ```no_run
//! use mcpfn::prelude::*;
//!
//! #[input]
//! struct Hello {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! /// Says hello.
//! #[tool(read_only)]
//! async fn hello(args: Hello) -> String {
//!     format!("Hello, {}!", args.name)
//! }
//!
//! mcpfn::main!(Server::builder("hello", "1.0.0").tool(hello));
//! ```
//!
//! A handler is an ordinary async function; a test calls it directly. What a macro makes can be written without it:
//! see [`Tool`], [`Prompt`] and [`Resource`]. What the call offers is [`Cx`]; how a handler fails is [`ToolError`].
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `lambda` | [`main!`], [`run`] and [`run_with`] also serve AWS Lambda, when Lambda is what started the program. Off by default: it is half a megabyte that a program for this machine never runs |

pub use mcpfn_core::*;

/// Everything that a file with tools in it needs.
pub mod prelude {
    pub use mcpfn_core::{
        Builder, CallToolResult, Content, Cx, Form, GetPromptResult, Json, JsonSchema, NoArguments, Prompt, PromptMessage, Resource,
        ResourceContents, Server, Tool, ToolError, input, output, prompt, resource, tool,
    };
}

#[cfg(not(target_arch = "wasm32"))]
mod start;

#[cfg(not(target_arch = "wasm32"))]
pub use mcpfn_local::Setup;
#[cfg(not(target_arch = "wasm32"))]
pub use start::{run, run_with};

/// Makes the program's entry point of a [`Builder`], or of a function that gives one (which tests can call too).
#[macro_export]
macro_rules! main {
    ($server:ident) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run($server)
        }
    };
    ($server:expr) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(|| $server)
        }
    };
}
