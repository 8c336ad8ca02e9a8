//! Tools under every policy: kept, limited, scoped, bounded in time and size, repeated.

use std::cell::Cell;
use std::time::Duration;

use mcpfn::prelude::*;

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

pub(crate) fn server() -> Builder {
    Server::builder("policed", "1.0.0")
        .tool(find)
        .tool(buy)
        .tool(limited)
        .tool(secret)
        .tool(hang)
        .tool(huge)
}

#[input]
struct Item {
    /// What.
    sku: String,
}

fn run(item: &Item) -> String {
    RUNS.set(RUNS.get() + 1);
    format!("run {} for {}", RUNS.get(), item.sku)
}

/// Keeps its results.
#[tool(read_only, cache = "2m")]
async fn find(args: Item) -> String {
    run(&args)
}

/// Writes; `broken` is what fails, and `slow` what takes too long.
#[tool(timeout = "1s")]
async fn buy(args: Item, cx: &Cx) -> Result<String, ToolError> {
    let said = run(&args);
    match args.sku.as_str() {
        "broken" => return Err(ToolError::new(format!("it is broken: {said}"))),
        "slow" => cx.sleep(Duration::from_secs(3600)).await,
        _ => cx.sleep(Duration::from_millis(100)).await,
    }
    Ok(said)
}

/// May be called twice in ten seconds.
#[tool(read_only, rate_limit = "2/10s")]
async fn limited() -> &'static str {
    "not too often"
}

/// For callers who may read secrets.
#[tool(read_only, scope = "secrets:read")]
async fn secret() -> &'static str {
    "not any more"
}

/// Never ends by itself.
#[tool(read_only, timeout = "300ms")]
async fn hang(cx: &Cx) -> &'static str {
    cx.sleep(Duration::from_secs(3600)).await;
    "an hour is over"
}

/// Fifty megabytes.
#[tool(read_only)]
async fn huge() -> String {
    "x".repeat(50 << 20)
}
