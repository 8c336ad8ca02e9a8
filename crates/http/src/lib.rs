//! Streamable HTTP as a pure function: `http::Request` in, `http::Response` out, for all five
//! protocol revisions.
//!
//! **In scope:** the endpoint's order of checks, Origin and Host, CORS, request headers against the
//! body, status codes, event streams, batches of 2025-03-26, `/health`.
//!
//! **Out of scope:** sockets, TLS, timers, tasks; what a method does (crate `mcpfn-core`).
//!
//! The path of a request, as [`Service::call`] walks it:
//! 1. path, Host, Origin, HTTP method, content type, declared size: refused without reading the
//!    body
//! 2. the body, up to its limit, and its JSON-RPC envelope
//! 3. the era (self-describing or handshake) and, for modern requests, headers against body
//! 4. the call
//! 5. one JSON body, or an event stream once the handler reports something
//!
//! Dropping the response's body (or the future before it) cancels the call: that is how a client's
//! disconnect arrives.
//!
//! # When to use it
//!
//! To serve MCP from an HTTP server of your own: axum, hyper, or any other with the types of the crate `http`. The feature
//! `tower` adds `Endpoint`, a tower `Service`, and `CallerLayer`, by which middleware names the caller. The feature `page`
//! adds `BrowserPage`, with which the endpoint also answers browsers. The hosts
//! `mcpfn-local`, `mcpfn-lambda` and `mcpfn-worker` do it for their platforms, and `mcpfn` chooses among them.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use http_body_util::{BodyExt as _, Full};
//! use mcpfn_core::{NoArguments, Server, Tool};
//! use mcpfn_http::{Config, Service};
//! use mcpfn_testing::{TestClient, block_on};
//!
//! let tick = Tool::new("tick").description("Says tick.").handler(|_: NoArguments| async { "tick" });
//! let client = TestClient::new(Server::builder("clock", "1.0.0").tool(tick));
//! let service = Service::new(client.server().clone(), Config::loopback());
//!
//! let body = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "tick"}}"#;
//! let request = Request::post("/mcp")
//!     .header("host", "localhost")
//!     .header("content-type", "application/json")
//!     .header("accept", "application/json, text/event-stream")
//!     .header("mcp-protocol-version", "2025-11-25")
//!     .body(Full::new(Bytes::from(body)))?;
//! // a host gives a platform with its own clock, timer, randomness and log
//! let response = block_on(service.call(request, client.platform()));
//! assert_eq!(response.status(), StatusCode::OK);
//! let body = block_on(response.into_body().collect()).unwrap().to_bytes();
//! assert!(body.starts_with(br#"{"jsonrpc":"2.0","id":1,"result":"#));
//! # Ok::<(), http::Error>(())
//! ```

mod auth;
mod authority;
mod body;
mod card;
mod config;
mod cors;
mod fields;
mod forwarded;
mod guard;
mod headers;
mod health;
mod heartbeat;
#[cfg(feature = "page")]
mod page;
mod paths;
mod readiness;
mod refusals;
mod registry;
mod respond;
mod sentinel;
mod service;
mod status;
mod too_large;
#[cfg(feature = "tower")]
mod tower;
mod unavailable;

pub use auth::{
    AuthConfig, AuthError, AuthErrorKind, Authenticator, ProtectedResource, origin_and_path,
};
pub use body::Body;
pub use card::ServerCard;
pub use config::{Config, Origins};
pub use forwarded::{ForwardedHeader, TrustedProxies};
#[cfg(feature = "page")]
pub use page::BrowserPage;
pub use readiness::{Readiness, readiness};
pub use registry::{REGISTRY_PROOF_PATH, RegistryProof};
pub use sentinel::decode as decode_header;
pub use service::{Deadline, Service, WholeAnswer};
pub use too_large::too_large;
#[cfg(feature = "tower")]
pub use tower::{Authenticated, CallerLayer, Endpoint, NobodyAdmitted};
pub use unavailable::{client_gone, failed, unavailable};
