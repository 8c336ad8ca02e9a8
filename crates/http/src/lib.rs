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

mod auth;
mod body;
mod config;
mod cors;
mod fields;
mod guard;
mod headers;
mod heartbeat;
mod respond;
mod sentinel;
mod service;
mod status;
mod unavailable;

pub use auth::{
    AuthConfig, AuthError, AuthErrorKind, Authenticator, ProtectedResource, origin_and_path,
};
pub use body::Body;
pub use config::{Config, Origins};
pub use sentinel::decode as decode_header;
pub use service::{Deadline, Service};
pub use unavailable::{client_gone, failed, unavailable};
