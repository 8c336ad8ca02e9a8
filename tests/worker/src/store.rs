//! The store of idempotent writes, as tools: what the port says, one tool a function.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::port::{Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError};
use mcpfn::prelude::*;

pub(crate) fn server() -> Builder {
    Server::builder("store", "1.0.0")
        .tool(begin)
        .tool(look)
        .tool(complete)
        .tool(release)
}

fn name(holder: &str) -> Result<Holder, ToolError> {
    let name = STANDARD
        .decode(holder)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    name.ok_or_else(|| ToolError::new("a holder has 16 bytes, in Base64"))
}

fn status(status: &IdempotencyStatus) -> String {
    match status {
        IdempotencyStatus::Acquired => "first".to_owned(),
        IdempotencyStatus::InProgress => "running".to_owned(),
        IdempotencyStatus::Unknown => "unknown".to_owned(),
        IdempotencyStatus::Completed(result) => format!("done {}", STANDARD.encode(result)),
    }
}

#[input]
struct Begin {
    key: String,
    holder: String,
    now_ms: u64,
    until_ms: u64,
    expires_ms: u64,
}

/// Says `first`, `running`, `unknown`, or `done` and the result in Base64.
#[tool]
async fn begin(args: Begin, cx: &Cx) -> Result<String, ToolError> {
    let hold = Hold {
        now_ms: args.now_ms,
        until_ms: args.until_ms,
        expires_ms: args.expires_ms,
    };
    let begun = cx
        .port::<dyn IdempotencyStore>()?
        .begin(&args.key, &name(&args.holder)?, hold)
        .await;
    Ok(status(&begun.map_err(|error| said(&error))?))
}

#[input]
struct Look {
    key: String,
    now_ms: u64,
}

/// As well, and `free`.
#[tool]
async fn look(args: Look, cx: &Cx) -> Result<String, ToolError> {
    let look = cx
        .port::<dyn IdempotencyStore>()?
        .look(&args.key, args.now_ms)
        .await;
    let known = look.map_err(|error| said(&error))?;
    Ok(known.map_or_else(|| "free".to_owned(), |known| status(&known)))
}

#[input]
struct Complete {
    key: String,
    holder: String,
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
        .complete(
            &args.key,
            &name(&args.holder)?,
            result.into(),
            args.expires_ms,
        )
        .await
        .map_err(|error| said(&error))?;
    Ok("kept")
}

#[input]
struct Key {
    key: String,
    holder: String,
}

/// Lets go of a key.
#[tool]
async fn release(args: Key, cx: &Cx) -> Result<&'static str, ToolError> {
    cx.port::<dyn IdempotencyStore>()?
        .release(&args.key, &name(&args.holder)?)
        .await
        .map_err(|error| said(&error))?;
    Ok("let go")
}

/// Elsewhere a store's words are for the log only.
fn said(error: &StoreError) -> ToolError {
    let again = if error.is_lasting() { "never: " } else { "" };
    ToolError::new(format!("{again}{error}"))
}
