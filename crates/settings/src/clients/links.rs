//! Links that open a client and ask its user whether the server is to be added.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn_core::text::percent_encoded;
use serde_json::Value;

/// `server` is the value of the server's member in `mcp.json`.
pub(super) fn cursor(name: &str, server: &Value) -> String {
    let config = STANDARD.encode(server.to_string());
    format!(
        "cursor://anysphere.cursor-deeplink/mcp/install?name={}&config={}",
        percent_encoded(name),
        percent_encoded(&config)
    )
}

/// `server` is that value, with the name and the inputs beside its members.
pub(super) fn vs_code(server: &Value) -> String {
    let encoded = percent_encoded(&server.to_string());
    format!("vscode:mcp/install?{encoded}")
}
