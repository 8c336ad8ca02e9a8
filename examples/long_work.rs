//! Work that takes longer than a call lasts: a task, with a checkpoint for each step. For clients that
//! can't do tasks the same handler runs within the call, where it has a minute.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example long_work
//! ```

use std::time::Duration;

use mcpfn::prelude::*;

/// Months of a year.
const MONTHS: u32 = 12;

/// Which year to close.
#[input]
struct Year {
    /// The year.
    #[schemars(range(min = 2000, max = 2100))]
    year: u32,
}

/// Closes the books of a year, month by month. Takes some minutes.
#[tool(
    idempotent,
    destructive = false,
    timeout = "1m",
    task(run = "10m", ttl = "24h")
)]
async fn close_year(args: Year, cx: &Cx) -> Result<String, ToolError> {
    let task = cx.task();
    // nothing in the first run; in a later one what the last checkpoint kept
    let closed: u32 = task.resume().unwrap_or_default();
    for month in closed + 1..=MONTHS {
        close_month(args.year, month, cx).await;
        task.status(format!("{month} of {MONTHS} months"));
        // from here a later run goes on; an error once the client has cancelled the task
        task.checkpoint(&month).await?;
    }
    Ok(format!("{} is closed.", args.year))
}

/// Stands for real work. At most once more than needed, where a run ended in the middle of it.
async fn close_month(_year: u32, _month: u32, cx: &Cx) {
    cx.sleep(Duration::from_secs(1)).await;
}

pub(crate) fn server() -> Builder {
    Server::builder("books", "1.0.0").tool(close_year)
}

mcpfn::main!(server());
