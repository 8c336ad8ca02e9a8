//! What a browser needs to be told about an allowed origin (Fetch standard; MCP itself says nothing
//! of CORS).

use http::{HeaderMap, HeaderValue, header};
use mcpfn_core::Server;

/// Headers that clients of some revision send. Wildcards do not cover `Authorization`, so they are
/// listed.
const REQUEST_HEADERS: &str = "content-type, accept, authorization, x-api-key, \
    mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id, traceparent, \
    tracestate, baggage";

/// The preflight's permission, as bytes that are the same for every request.
pub(crate) fn allowed_headers(server: &Server) -> HeaderValue {
    let mut names = REQUEST_HEADERS.to_owned();
    for name in server.header_names() {
        names.push_str(", ");
        names.push_str(name);
    }
    // header parameters were checked to be HTTP tokens when the server was built
    HeaderValue::from_str(&names).unwrap_or(HeaderValue::from_static(REQUEST_HEADERS))
}

/// Allows the origin to read this response.
pub(crate) fn allow(origin: &str, headers: &mut HeaderMap) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, retry-after, mcp-session-id"),
        );
    }
    // caches must not give one origin's permission to another, with or without an Origin
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// Allows any page to read a document that is the same for every caller.
pub(crate) fn allow_any(allowed: &HeaderValue, headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed.clone());
}

/// Answers a preflight.
pub(crate) fn preflight(allowed: &HeaderValue, headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed.clone());
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
}
