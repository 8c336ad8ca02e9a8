//! The store of idempotent writes, as tools: what the port says, one tool a function.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::port::{IdempotencyStatus, IdempotencyStore, StoreError};
use mcpfn::prelude::*;

pub(crate) fn server() -> Builder {
    Server::builder("store", "1.0.0")
        .tool(begin)
        .tool(complete)
        .tool(release)
}

#[input]
struct Begin {
    key: String,
    now_ms: u64,
    held_until_ms: u64,
}

/// Says `first`, `running`, or `done` and the result in Base64.
#[tool]
async fn begin(args: Begin, cx: &Cx) -> Result<String, ToolError> {
    let begun = cx
        .port::<dyn IdempotencyStore>()?
        .begin(&args.key, args.now_ms, args.held_until_ms)
        .await;
    Ok(match begun.map_err(|error| said(&error))? {
        IdempotencyStatus::Acquired => "first".to_owned(),
        IdempotencyStatus::InProgress => "running".to_owned(),
        IdempotencyStatus::Completed(result) => format!("done {}", STANDARD.encode(result)),
    })
}

#[input]
struct Complete {
    key: String,
    /// In Base64.
    result: String,
    /// So many more bytes, which do not fit into a message.
    #[serde(default)]
    more: usize,
    expires_ms: u64,
}

/// Keeps a result.
#[tool]
async fn complete(args: Complete, cx: &Cx) -> Result<&'static str, ToolError> {
    let mut result = STANDARD
        .decode(args.result)
        .map_err(|error| ToolError::new(error.to_string()))?;
    result.resize(result.len() + args.more, 0);
    cx.port::<dyn IdempotencyStore>()?
        .complete(&args.key, result.into(), args.expires_ms)
        .await
        .map_err(|error| said(&error))?;
    Ok("kept")
}

#[input]
struct Key {
    key: String,
}

/// Lets go of a key.
#[tool]
async fn release(args: Key, cx: &Cx) -> Result<&'static str, ToolError> {
    cx.port::<dyn IdempotencyStore>()?
        .release(&args.key)
        .await
        .map_err(|error| said(&error))?;
    Ok("let go")
}

/// Elsewhere a store's words are for the log only.
fn said(error: &StoreError) -> ToolError {
    ToolError::new(error.to_string())
}
