//! The error object of a response, and its codes: JSON-RPC's, MCP's and ours. Not what a handler
//! fails with (`ToolError`).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::text;

/// An error code: JSON-RPC's own and MCP's. Open, because applications may define theirs outside
/// -32768..=-32000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// The body is not JSON.
    pub const PARSE: Self = Self(-32700);
    /// Not a JSON-RPC request.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// No such method, or its feature is not served.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// Parameters missing, of the wrong type, or naming something that does not exist.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// A fault of the server.
    pub const INTERNAL: Self = Self(-32603);
    /// MCP: the resource does not exist. Revisions before 2026-07-28 only; since then this is
    /// [`ErrorCode::INVALID_PARAMS`].
    pub const RESOURCE_NOT_FOUND: Self = Self(-32002);
    /// MCP: a request header is missing, or differs from the body that it must repeat.
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// MCP: the client did not declare a capability that the call needs.
    pub const MISSING_CAPABILITY: Self = Self(-32021);
    /// MCP: the protocol version that the request names is not served.
    pub const UNSUPPORTED_VERSION: Self = Self(-32022);
    /// MCP: a page must be opened before the call can work. Revision 2025-11-25 only; this library
    /// never sends it, and may read it from a server behind it.
    pub const URL_ELICITATION_REQUIRED: Self = Self(-32042);
    /// The caller lacks a scope: ours, outside the range that JSON-RPC and MCP keep for themselves.
    pub const FORBIDDEN: Self = Self(403);
    /// The caller's rate limit is reached: ours, outside the range that JSON-RPC and MCP keep
    /// for themselves.
    pub const RATE_LIMITED: Self = Self(429);
}

/// A JSON-RPC error object. Its text goes to the client: it never carries a private cause.
#[derive(Debug, Clone, Serialize)]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence, saying what to change.
    pub message: Cow<'static, str>,
    /// Facts for a program, where the protocol defines some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// When the same request may work, for transports that can say so.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// The scopes that the caller needs for this, for transports that can say so. Empty for other
    /// errors.
    #[serde(skip)]
    pub scopes: Vec<String>,
}

impl Error {
    /// An error of any code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            retry_after: None,
            scopes: Vec::new(),
        }
    }

    /// Adds facts for a program.
    #[must_use]
    pub fn with_data(mut self, data: serde_json::Value) -> Self {
        self.data = Some(data);
        self
    }

    /// -32700.
    #[must_use]
    pub fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::PARSE, message)
    }

    /// -32600.
    #[must_use]
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }

    /// -32601, naming the method.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        Self::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("method {} is not served here", text::quoted(method)),
        )
    }

    /// -32602.
    #[must_use]
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INVALID_PARAMS, message)
    }

    /// 429: the same call may work after `wait`, which should be whole seconds.
    #[must_use]
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        let data = serde_json::json!({ "retryAfterSeconds": wait.as_secs() });
        Self {
            retry_after: Some(wait),
            ..Self::new(ErrorCode::RATE_LIMITED, message).with_data(data)
        }
    }

    /// 403: the caller needs each of these scopes.
    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>, scopes: &[String]) -> Self {
        let data = serde_json::json!({ "requiredScopes": scopes });
        Self {
            scopes: scopes.to_vec(),
            ..Self::new(ErrorCode::FORBIDDEN, message).with_data(data)
        }
    }

    /// -32603.
    #[must_use]
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INTERNAL, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.0)
    }
}
