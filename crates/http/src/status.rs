//! The one table from a protocol answer to an HTTP status.

use http::StatusCode;
use mcpfn_core::host::ErrorInfo;
use mcpfn_core::jsonrpc::ErrorCode;

/// Status of an answer. A tool's own failure (`isError`) is a result and therefore 200.
pub(crate) fn of(error: Option<&ErrorInfo>, modern: bool) -> StatusCode {
    let Some(error) = error else {
        return StatusCode::OK;
    };
    match error.code {
        _ if error.malformed => StatusCode::BAD_REQUEST,
        ErrorCode::FORBIDDEN => StatusCode::FORBIDDEN,
        ErrorCode::RATE_LIMITED => StatusCode::TOO_MANY_REQUESTS,
        // the specification asks for 400 wherever the request itself can't be served as it is
        ErrorCode::PARSE
        | ErrorCode::INVALID_REQUEST
        | ErrorCode::HEADER_MISMATCH
        | ErrorCode::MISSING_CAPABILITY
        | ErrorCode::UNSUPPORTED_VERSION => StatusCode::BAD_REQUEST,
        // older clients take a 404 for an ended session
        ErrorCode::METHOD_NOT_FOUND if modern => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let status = |code, malformed, modern| {
            of(
                Some(&ErrorInfo {
                    code: ErrorCode(code),
                    malformed,
                    retry_after: None,
                    scopes: Vec::new(),
                }),
                modern,
            )
            .as_u16()
        };
        assert_eq!(of(None, true), StatusCode::OK);
        assert_eq!(status(-32700, false, true), 400);
        assert_eq!(status(-32600, false, false), 400);
        assert_eq!(status(-32601, false, true), 404);
        assert_eq!(status(-32601, false, false), 200);
        assert_eq!(status(-32602, true, true), 400);
        assert_eq!(status(-32602, false, true), 200);
        assert_eq!(status(-32603, false, true), 200);
        assert_eq!(status(-32020, false, true), 400);
        assert_eq!(status(-32021, false, true), 400);
        assert_eq!(status(-32022, false, false), 400);
        assert_eq!(status(-32002, false, false), 200);
        assert_eq!(status(403, false, true), 403);
        assert_eq!(status(429, false, true), 429);
        assert_eq!(status(429, false, false), 429);
    }
}
