//! The Model Context Protocol server as a value: build it once, ask it any number of times, from
//! anywhere.
//!
//! **In scope:** the JSON-RPC envelope, the wire types of five protocol revisions, typed tools,
//! prompts and resources, validation, round trips, dispatch, and the stdio framing rules as a
//! function of lines.
//!
//! **Out of scope:** HTTP (crate `mcpfn-http`), sockets, files, clocks, randomness, environment
//! variables, threads and tasks. What is not a function of the request comes in through
//! [`Platform`](port::Platform).
//!
//! **Panics:** none on client input. `build()` reports every registration mistake; after it nothing
//! can be registered.
//!
//! ```
//! use mcpfn_core::{NoArguments, Server, Tool};
//!
//! let server = Server::builder("clock", "1.0.0")
//!     .tool(Tool::new("tick").description("Says tick.").read_only().handler(|_: NoArguments| async { "tick" }))
//!     .build()?;
//! assert_eq!(server.counts(), (1, 0, 0));
//! # Ok::<(), mcpfn_core::BuildError>(())
//! ```
//!
//! # Modules
//!
//! | module | for |
//! |---|---|
//! | the root | [`Server`], what is registered with it, what a handler is given and gives |
//! | [`content`] | content blocks and results |
//! | [`handler`] | the traits behind `.handler(..)` and the macros |
//! | [`round_trip`] | questions to the user in the middle of a call |
//! | [`task`] | calls that go on after their response |
//! | [`skill`] | instructions for models, with their files |
//! | [`page`] | what hosts show beside a result |
//! | [`event`] | what happens between calls |
//! | [`policy`] | rate limits, and what happens when a store fails |
//! | [`port`] | what comes in from outside: clock, stores, HTTP, audit log |
//! | [`upstream`] | other servers, presented as one's own |
//! | [`host`] | what a host calls: messages in, responses out |
//! | [`portable`] | what clients are known to refuse of a tool |
//! | [`jsonrpc`], [`text`] | reading messages, cleaning text |
//!
//! # When to use it
//!
//! Most servers depend on `mcpfn`, which re-exports all of this and adds the hosts. Depend on this crate to write a host,
//! or a toolkit that knows no host.
//!
//! A request as a host makes it, with the client of `mcpfn-testing` in a host's place:
//!
//! ```
//! use mcpfn_core::{NoArguments, Server, Tool};
//! use mcpfn_testing::TestClient;
//!
//! let tick = Tool::new("tick").description("Says tick.").handler(|_: NoArguments| async { "tick" });
//! let client = TestClient::new(Server::builder("clock", "1.0.0").tool(tick));
//! assert_eq!(client.call("tick", serde_json::json!({})).wait().unwrap().text(), "tick");
//! ```

mod active_call;
mod arguments;
mod batch;
mod blocking;
mod builder;
mod call;
mod canonical;
mod complete;
mod confirm;
pub mod content;
mod context;
mod declared;
mod deprecated;
mod dispatch;
mod error;
pub mod event;
mod for_testing;
pub mod handler;
mod handler_future;
mod handler_trait;
pub mod host;
mod join;
pub mod jsonrpc;
mod line;
mod model;
mod outbox;
pub mod page;
pub mod policy;
pub mod port;
mod post;
mod principal;
mod prompt;
mod resource;
pub mod round_trip;
mod running;
mod scope;
mod send;
mod server;
mod service_fault;
mod session;
mod sibling;
pub mod skill;
mod subscriptions;
pub mod task;
pub mod text;
mod tool;
pub mod upstream;
mod version;

pub use builder::{BuildError, Builder};
pub use complete::Completions;
pub use confirm::ConfirmMode;
pub use context::Cx;
pub use error::ToolError;
pub use model::JsonObject;
pub use model::meta::LogLevel;
pub use principal::{Principal, PrincipalKind};
pub use prompt::Prompt;
pub use resource::{Resource, Variables};
pub use scope::Scopes;
pub use server::Server;
pub use service_fault::ServiceFault;
pub use tool::Tool;
pub use tool::portable;
pub use tool::result::Json;
pub use tool::schema::{JsonSchema, NoArguments};
pub use version::Revision;

#[cfg(feature = "macros")]
pub use mcpfn_macros::{input, output, prompt, resource, tool};

/// For the macros and `mcpfn-testing` only: what they need under one root. Not part of the public
/// interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::text::paragraphs;
    pub use {schemars, serde};

    pub mod testing {
        pub use crate::for_testing::{
            TestOutbox, TestParts, TestState, carried_state, cx, private_cause, questions,
        };
    }
}
