//! The Model Context Protocol server as a value: build it once, ask it any number of times, from
//! anywhere.
//!
//! **In scope:** the JSON-RPC envelope, the wire types of five protocol revisions, typed tools,
//! prompts and resources, validation, round trips, dispatch, and the stdio framing rules as a
//! function of lines.
//!
//! **Out of scope:** HTTP (crate `mcpfn-http`), sockets, files, clocks, randomness, environment
//! variables, threads and tasks. What is not a function of the request comes in through
//! [`Platform`].
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
mod batch;
mod builder;
mod call;
mod canonical;
mod complete;
mod context;
mod declared;
mod dispatch;
mod error;
mod for_testing;
mod handler;
mod handler_future;
mod join;
pub mod jsonrpc;
mod line;
mod model;
mod outbox;
mod policy;
mod port;
mod principal;
mod prompt;
mod resource;
mod round_trip;
mod running;
mod scope;
mod send;
mod server;
pub mod text;
mod tool;
mod upstream;
mod version;

pub use builder::{BuildError, Builder};
pub use call::{Call, Envelope, Era, Params, RequestMeta, unsupported};
pub use context::Cx;
pub use error::ToolError;
pub use handler::Handler;
pub use handler_future::{HandlerFuture, Registrable};
pub use line::{Batch, Connection, Received};
pub use model::JsonObject;
pub use model::capabilities::{Capability, ClientCapabilities};
pub use model::content::{
    Annotations, Content, EmbeddedResource, MediaContent, ResourceBody, ResourceContents,
    ResourceLink, Role, TextContent,
};
pub use model::implementation::{Icon, Implementation};
pub use model::input::{
    ElicitAction, Elicited, Form, InputRequest, InputResponse, Root, Sampled, Sampling,
    UrlElicitation,
};
pub use model::list_kind::ListKind;
pub use model::meta::{LogLevel, TraceContext};
pub use model::prompt::{GetPromptResult, PromptMessage};
pub use model::tool::CallToolResult;
pub use policy::{FailureMode, RateLimits};
pub use port::audit_log::{AuditEntry, AuditLog, CacheStatus, Failure, Outcome};
pub use port::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse, Listen};
pub use port::store::{
    Admission, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter, ResultCache, StoreError,
};
pub use port::{Background, Clock, Platform, Random, Timer};
pub use principal::{Principal, PrincipalKind};
pub use prompt::{IntoPrompt, IntoPromptResult, Prompt};
pub use resource::result::IntoResourceContents;
pub use resource::{IntoResource, Resource, Variables};
pub use round_trip::{InputRequired, KeyError, Keyring};
pub use running::{ErrorInfo, Execution, Frame, RpcResponse, Running};
pub use scope::Scopes;
pub use send::{BoxFuture, MaybeSend, MaybeSync};
pub use server::Server;
pub use tool::result::{IntoToolResult, Json, Structured};
pub use tool::schema::{HeaderParameter, Input, JsonSchema, NoArguments};
pub use tool::{IntoTool, Tool};
pub use upstream::{CompletionRequest, ListOutcome, Upstream, UpstreamList, namespaced_uri};
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
