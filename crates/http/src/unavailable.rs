//! What a host answers while it has no service to ask, or when the service ended without an answer.
//! Not the refusals of a request: those are `guard`'s and the protocol's.

use http::{Response, StatusCode};
use mcpfn_core::host::RpcResponse;
use mcpfn_core::jsonrpc::Error;

use crate::body::Body;
use crate::respond;

/// 503: this host can't serve now, whatever the request says, e.g. because its settings are wrong.
/// `message` goes to the client: one sentence that says what to change, without a private cause.
///
/// There is no `Retry-After`: a host that was started with wrong settings stays as it is until an
/// operator changes them.
#[must_use]
pub fn unavailable(message: impl Into<String>) -> Response<Body> {
    without_service(StatusCode::SERVICE_UNAVAILABLE, message.into())
}

/// 500: the service ended without an answer, e.g. in a panic. `message` goes to the client and
/// holds no private cause.
#[must_use]
pub fn failed(message: impl Into<String>) -> Response<Body> {
    without_service(StatusCode::INTERNAL_SERVER_ERROR, message.into())
}

/// 499, as nginx has it: the client went away before its answer. Nobody reads it; a platform that
/// counts statuses does not count it as the server's fault.
#[must_use]
pub fn client_gone() -> Response<Body> {
    // 100 to 999 are valid, so that the other status is never taken
    respond::empty(StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST))
}

/// A JSON-RPC error without id: what is wrong is wrong for every message, and a client that reads
/// JSON-RPC shows the sentence to its user.
fn without_service(status: StatusCode, message: String) -> Response<Body> {
    respond::json(
        status,
        RpcResponse::error(None, &Error::internal(message)).message,
    )
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn body(response: &Response<Body>) -> &[u8] {
        response.body().as_full().unwrap()
    }

    #[test]
    fn a_host_without_a_service_says_why_as_json_rpc() {
        for (response, status) in [
            (unavailable("set MCPFN_AUTH"), 503),
            (failed("set MCPFN_AUTH"), 500),
        ] {
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            assert!(!response.headers().contains_key(header::RETRY_AFTER));
            assert_eq!(
                body(&response),
                br#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"set MCPFN_AUTH"}}"#
            );
        }
    }

    #[test]
    fn a_client_that_went_away_is_not_the_servers_fault() {
        let response = client_gone();
        assert_eq!(response.status().as_u16(), 499);
        assert!(body(&response).is_empty());
    }
}
