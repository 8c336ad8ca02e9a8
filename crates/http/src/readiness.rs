//! What a load balancer is told: whether this process takes new requests. Whether it lives is
//! `/health`.

use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::body::Body;
use crate::respond;

/// The answer to `/ready`: 200, or 503 once the process was told to stop. For everybody, before any
/// check: probes have no credential, and learn one word.
#[must_use]
pub fn readiness(method: &Method, draining: bool) -> Response<Body> {
    let (status, document) = if draining {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
    } else {
        (StatusCode::OK, r#"{"status":"ready"}"#)
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
