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

pub use mcpfn_core::*;

/// Everything that a file with tools in it needs.
pub mod prelude {
    pub use mcpfn_core::{
        Builder, CallToolResult, Content, Cx, Form, GetPromptResult, Json, JsonSchema, NoArguments, Prompt, PromptMessage, Resource,
        ResourceContents, Server, Tool, ToolError, input, output, prompt, resource, tool,
    };
}

#[cfg(not(target_arch = "wasm32"))]
mod local {
    use std::process::ExitCode;

    use mcpfn_core::{Builder, Platform};
    use mcpfn_local::Setup;

    /// Runs a server as this process: on this machine over HTTP, or over stdio with `--stdio`. See `--help`.
    pub fn run(server: impl FnOnce() -> Builder) -> ExitCode {
        let setup = || Ok::<_, std::convert::Infallible>(Setup { builder: server(), ports: |platform: Platform| platform });
        mcpfn_local::run(setup, "")
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use local::run;
#[cfg(not(target_arch = "wasm32"))]
pub use mcpfn_local::{Setup, run as run_with};

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
