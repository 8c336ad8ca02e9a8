//! Tasks: where a call becomes one, what runs it, and what clients do with it (SEP-2663).

pub(super) mod begin;
pub(super) mod methods;
pub(crate) mod run;

use crate::jsonrpc::{Error, ErrorCode};
use crate::model::capabilities::ClientCapabilities;
use crate::task::EXTENSION;

pub(super) fn declared(client: &ClientCapabilities) -> bool {
    client.extensions.contains_key(EXTENSION)
}

/// Error -32021, for a client that did not declare the extension.
pub(super) fn undeclared(message: String) -> Error {
    let required = serde_json::json!({"extensions": {EXTENSION: {}}});
    Error::new(ErrorCode::MISSING_CAPABILITY, message)
        .with_data(serde_json::json!({ "requiredCapabilities": required }))
}
