//! What a load balancer is told: whether this process takes new requests. Whether it lives is
//! `/health`.

use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::body::Body;
use crate::respond;

/// Whether a process takes new requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness<'a> {
    /// It does.
    Ready,
    /// It was told to stop.
    Draining,
    /// Calls would fail, because these dependencies are not there.
    Missing(&'a [&'static str]),
}

/// The answer to `/ready`: 200, or 503. For everybody, before any check: probes have no credential,
/// and learn one word and the names of what is missing, never a cause.
#[must_use]
pub fn readiness(method: &Method, readiness: Readiness<'_>) -> Response<Body> {
    let (status, document) = match readiness {
        Readiness::Ready => (StatusCode::OK, r#"{"status":"ready"}"#.to_owned()),
        Readiness::Draining => (
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"draining"}"#.to_owned(),
        ),
        Readiness::Missing(names) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({"status": "unavailable", "missing": names}).to_string(),
        ),
    };
    match *method {
        Method::GET => respond::json(status, document.into()),
        Method::HEAD => respond::empty(status),
        _ => {
            let mut response = respond::empty(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
    }
}
