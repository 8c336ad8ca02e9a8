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
//! A handler is an ordinary async function; a test calls it directly. What a macro makes can be
//! written without it: see [`Tool`], [`Prompt`] and [`Resource`]. What the call offers is [`Cx`];
//! how a handler fails is [`ToolError`].
//!
//! # When to use it
//!
//! For a server that answers each request by itself: on AWS Lambda, on Cloudflare Workers, on your own machine over HTTP
//! or stdio, from one source file. Not for servers that must call clients outside of a request, or that keep a session.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | complete servers, one file each | the folder `examples` of the repository |
//! | tests of handlers and servers | [`testing`](https://docs.rs/mcpfn-testing) (feature `testing`) |
//! | databases, files, embeddings behind a handler | [`port`] |
//! | ready-made tools | the crate `mcpfn-toolkits` |
//! | the protocol without a host | the crates `mcpfn-core` and `mcpfn-http` |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `local` | on by default: the host for this machine. A function that is built without it (`default-features = false`, with `lambda`) runs on AWS Lambda alone and is less than half as large; `cargo mcpfn new` sets that up |
//! | `tokens` | on by default: callers with access tokens (`MCPFN_AUTH=oauth` or `access`) on Lambda and Workers. A setting that needs it is a mistake without it. `local` has it anyway |
//! | `http-client` | on by default: requests of tools to other services (`cx.http`) on Lambda. `local`, `tokens` and `dynamodb` have it anyway |
//! | `page` | on by default: a page for browsers at the server's URL, which lists what there is and calls it. It is on for the person at this machine, and on Lambda with `MCPFN_PAGE=on`; 28 KB (11 KB in a zip). A program without it is built with `default-features = false` |
//! | `worker-page` | the same on Workers, with `MCPFN_PAGE = "on"` |
//! | `lambda` | [`main!`], [`run`] and [`run_with`] also serve AWS Lambda, when Lambda is what started the program. Off by default: it is half a megabyte that a program for this machine never runs |
//! | `dynamodb` | on Lambda, `MCPFN_DYNAMODB_TABLE` names a DynamoDB table by which all environments share cached results, rate limits and idempotent writes. Without it each environment has its own |
//! | `redis` | on this machine, `MCPFN_REDIS_URL` names a Redis or Valkey server by which several instances share cached results, rate limits and idempotent writes. Without it each process has its own |
//! | `redis-cluster` | the same in a Redis cluster, or on the master behind sentinels; 0.4 MB more |
//! | `postgres` | on this machine, `MCPFN_POSTGRES_STORE_URL` names a PostgreSQL server for the same, in the place of Redis |
//! | `pages` | `Builder::page` and `Tool::ui`, for pages that the program makes |
//! | `skills` | `Builder::skills`, for skills from a source or made by the program |
//! | `embed` | `skills!` and `page!`: embed a directory of skills and pages from files, and check them when the server is compiled; with `pages` and `skills` |
//! | `http2` | on this machine, HTTP/2 beside HTTP/1.1: over TLS by ALPN, in the clear by prior knowledge |
//! | `idempotency` | on Workers, the binding `IDEMPOTENCY` names the Durable Objects by which a write with an `idempotencyKey` runs once, whichever isolate gets its repeat. It exports their class, `McpfnIdempotency`, and is 6.5 KB of a Worker after gzip. Without it no tool offers such a key there, and a call with one is refused |
//! | `tasks` | on Workers, the binding `TASKS` names the Durable Objects that keep tasks and run them, one for each. It exports their class, `McpfnTasks`. Without it tools run within their calls there, and one that can only be a task is a mistake |
//! | `testing` | [`testing`], for tests of handlers and servers. Enable it in `[dev-dependencies]` |
//! | `tower` | [`tower`]: the endpoint as a tower `Service`, to mount in axum or hyper, or to give to `lambda_http::run` |
//! | `hyperdrive` | on Workers, `Variables::hyperdrive` gives a PostgreSQL database behind Hyperdrive as the port [`Sql`](port::Sql); 110 KB of a Worker after gzip |
//! | `r2` | on Workers, `Variables::r2` gives an R2 bucket as the port [`Blobs`](port::Blobs), for the toolkit `files` or tools of your own |
//! | `vectorize` | on Workers, `Variables::vectors` gives an index of Vectorize as the port [`VectorStore`](port::VectorStore) |

pub use mcpfn_core::*;
#[cfg(feature = "testing")]
pub use mcpfn_testing as testing;

/// What comes in from outside: clock, stores, HTTP, audit log, and what tools ask beside the
/// protocol: databases, files, embeddings.
pub mod port {
    pub use mcpfn_core::port::*;
    pub use mcpfn_ports::*;
}

/// The endpoint inside another HTTP server: a tower `Service` for axum, hyper or `lambda_http`, and
/// layers that name its callers.
#[cfg(feature = "tower")]
pub mod tower {
    pub use mcpfn_http::{
        Authenticated, Body, CallerLayer, Config, Deadline, Endpoint, NobodyAdmitted, Origins,
        Service,
    };
    #[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
    pub use mcpfn_lambda::tower as lambda;
    #[cfg(all(feature = "local", not(target_arch = "wasm32")))]
    pub use mcpfn_local::{Embedded, Embedding, platform};
}

/// Everything that a file with tools in it needs.
pub mod prelude {
    pub use mcpfn_core::{
        Builder, Cx, Json, JsonSchema, NoArguments, Prompt, Resource, Server, Tool, ToolError,
        content::{CallToolResult, Content, GetPromptResult, PromptMessage, ResourceContents},
        input, output, prompt, resource,
        round_trip::Form,
        tool,
    };
    pub use mcpfn_ports::Secret;

    pub use crate::Variables;
}

#[cfg(not(target_arch = "wasm32"))]
mod start;

mod of_target;
mod serve;

pub use of_target::{Hosts, Setting, Setup, Variables};
#[cfg(not(target_arch = "wasm32"))]
pub use start::{run, run_with, run_with_commands};

/// The host of this target, which is Cloudflare Workers.
#[cfg(target_arch = "wasm32")]
pub use mcpfn_worker as worker;
pub use serve::{Ready, Serve};

/// Makes the program's entry point of what it serves ([`Serve`]): a [`Builder`], or a function that
/// gives one (which tests can call too), of nothing or of the host's [`Variables`]. It is `main`
/// where there are processes, the fetch event of a Worker on wasm32.
///
/// A second argument lists the settings of the program itself: the variables with names in `MCPFN_`
/// that it reads.
///
/// A program that is deployed to Workers too is also a library, `src/lib.rs` with the same source in
/// it; `cargo mcpfn new` writes both:
///
/// ```toml
/// [lib]
/// crate-type = ["cdylib"]
/// test = false
/// doctest = false
/// ```
///
/// ```ignore
/// #![cfg(target_arch = "wasm32")]
///
/// #[path = "main.rs"]
/// mod server;
/// ```
#[cfg(not(target_arch = "wasm32"))]
#[macro_export]
macro_rules! main {
    ($server:expr $(,)?) => {
        $crate::main!($server, &[]);
    };
    ($server:expr, $settings:expr $(,)?) => {
        #[doc(hidden)]
        pub fn main() -> ::std::process::ExitCode {
            let server = |variables: &$crate::Variables| $crate::Serve::set_up($server, variables);
            $crate::run_with(server, $settings)
        }
    };
}

/// Makes the program's entry point of what it serves ([`Serve`]): a [`Builder`], or a function that
/// gives one, of nothing or of the host's [`Variables`]; here the fetch event of a Worker.
#[cfg(target_arch = "wasm32")]
#[macro_export]
macro_rules! main {
    ($server:expr $(,)?) => {
        $crate::main!($server, &[]);
    };
    ($server:expr, $settings:expr $(,)?) => {
        $crate::worker::fetch!(
            |variables: &$crate::Variables| $crate::Serve::set_up($server, variables),
            $settings
        );
    };
}
