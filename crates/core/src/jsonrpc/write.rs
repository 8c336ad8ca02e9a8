//! Messages as bytes. Parameters and results come as JSON that was written before: they are copied
//! once, not parsed again.

use serde::Serialize;

use super::error::Error;

/// Writes a request from already written parameters; `id` is JSON text.
#[must_use]
pub fn write_request(id: &str, method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.len() + method.len() + id.len() + 48);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"method\":");
    out.extend_from_slice(&to_json(method));
    out.extend_from_slice(b",\"params\":");
    out.extend_from_slice(params);
    out.push(b'}');
    out
}

/// Writes the answer to a request from an already written result.
#[must_use]
pub fn write_result(id: &str, result: &[u8]) -> Vec<u8> {
    // by hand, because id and result are JSON already: neither is parsed or escaped again
    let mut out = Vec::with_capacity(result.len() + id.len() + 40);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// Writes an error answer; without an id where none could be read (never `"id":null`).
#[must_use]
pub fn write_error(id: Option<&str>, error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        out.extend_from_slice(b"\"id\":");
        out.extend_from_slice(id.as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"error\":");
    out.extend_from_slice(&to_json(error));
    out.push(b'}');
    out
}

/// Writes a notification from already written parameters.
#[must_use]
pub fn write_notification(method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.len() + method.len() + 48);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"");
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(b"\",\"params\":");
    out.extend_from_slice(params);
    out.push(b'}');
    out
}

/// JSON text of one of our own types.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    // our wire types have string keys and finite structure, so writing them can't fail; a handler's
    // own value is turned into `serde_json::Value` first, where a failure is reported
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_repeat_the_id_or_leave_it_out() {
        assert_eq!(
            write_result("7", b"{}"),
            br#"{"jsonrpc":"2.0","id":7,"result":{}}"#
        );
        let error = Error::parse("no");
        assert_eq!(
            write_error(None, &error),
            br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#
        );
        assert_eq!(
            write_error(Some("\"a\""), &error),
            br#"{"jsonrpc":"2.0","id":"a","error":{"code":-32700,"message":"no"}}"#
        );
    }
}
