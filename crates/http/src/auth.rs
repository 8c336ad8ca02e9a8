//! Who calls, as far as the request's own headers prove it. What proves it (tokens, keys) is behind [`Authenticator`]; this is
//! what HTTP says about it: challenges, the metadata document, refusals.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use mcpfn_core::{BoxFuture, MaybeSend, MaybeSync, Platform, Principal};

/// One way to prove who calls: a kind of token, API keys.
pub trait Authenticator: MaybeSend + MaybeSync {
    /// The caller that the headers prove; `None` when they hold nothing of this kind.
    ///
    /// # Errors
    /// When they hold something of this kind that proves nothing.
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap, platform: &'a Platform) -> BoxFuture<'a, Result<Option<Principal>, Denied>>;
}

/// Why a proof is none. Neither text may hold the proof itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Which answer it gets.
    pub kind: DeniedKind,
    /// One sentence that says what to change.
    pub message: String,
    /// More, for the log alone.
    pub cause: Option<String>,
}

/// Which answer a proof that is none gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedKind {
    /// 400: not written as such a proof is.
    Malformed,
    /// 401: expired, of another issuer, for another server, with a wrong signature.
    Invalid,
    /// 503: whoever could tell gives no answer.
    Unavailable,
}

impl Denied {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(kind: DeniedKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

/// How callers prove who they are.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Auth {
    /// Asked in this order; the first that finds something of its kind decides.
    pub authenticators: Vec<Arc<dyn Authenticator>>,
    /// What an OAuth client reads to find out where it gets a token (RFC 9728); without it there is no such document.
    pub resource: Option<Resource>,
}

/// This server as an OAuth protected resource (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The URL of the MCP endpoint as clients use it: tokens are issued for it.
    pub url: String,
    /// Issuers whose tokens are taken.
    pub authorization_servers: Vec<String>,
    /// The scopes that a client should ask for first.
    pub scopes: Vec<String>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("authenticators", &self.authenticators.len()).field("resource", &self.resource).finish()
    }
}
