//! A server that can be watched from outside: how many calls are at work, what was done after an
//! answer, how much memory is used.

use std::cell::Cell;
use std::time::Duration;

use mcpfn::port::HttpRequest;
use mcpfn::prelude::*;

thread_local! {
    static HELD: Cell<u32> = const { Cell::new(0) };
    static DONE: Cell<u32> = const { Cell::new(0) };
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

pub(crate) fn server() -> Builder {
    Server::builder("watched", "1.0.0")
        .tool(hold)
        .tool(held)
        .tool(work_after_the_answer)
        .tool(done)
        .tool(memory)
        .tool(any)
        .tool(trap)
        .tool(kept)
        .tool(secret)
        .tool(reaches)
}

/// Counts one call while it lives.
struct Guard;

impl Guard {
    fn new() -> Self {
        HELD.set(HELD.get() + 1);
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

/// Waits for an hour, or until nobody waits for it. Reports ten times a second, if the client wants
/// reports.
#[tool(timeout = "2h")]
async fn hold(cx: &Cx) -> &'static str {
    let _guard = Guard::new();
    for tenth in 0..36_000 {
        cx.progress(f64::from(tenth), None, None);
        cx.sleep(Duration::from_millis(100)).await;
    }
    "an hour is over"
}

/// How many calls of `hold` are at work.
#[tool(read_only)]
async fn held() -> String {
    HELD.get().to_string()
}

/// Answers, and works on.
#[tool]
async fn work_after_the_answer(cx: &Cx) -> &'static str {
    let cx = cx.clone();
    mcpfn::worker::wait_until(async move {
        cx.sleep(Duration::from_millis(100)).await;
        DONE.set(DONE.get() + 1);
    });
    "answered"
}

/// How often work after an answer came to its end.
#[tool(read_only)]
async fn done() -> String {
    DONE.get().to_string()
}

/// Pages of 64 KiB that the module has.
#[tool(read_only)]
async fn memory() -> String {
    core::arch::wasm32::memory_size::<0>().to_string()
}

#[input]
struct Anything {
    /// Anything.
    name: serde_json::Value,
}

/// Takes anything, and compares it for its cache.
#[tool(read_only, cache = "1m")]
async fn any(args: Anything) -> String {
    format!("taken, and null: {}", args.name.is_null())
}

#[input]
struct Key {
    /// What the result is for.
    key: String,
}

/// How often this tool has run; its results are kept.
#[tool(read_only, cache = "2m", cache_public)]
async fn kept(args: Key, cx: &Cx) -> String {
    RUNS.set(RUNS.get() + 1);
    cx.sleep(Duration::from_millis(200)).await;
    format!("run {} was for {}", RUNS.get(), args.key)
}

/// For callers who may read secrets.
#[tool(read_only, scope = "secrets:read")]
async fn secret() -> &'static str {
    "not any more"
}

#[input]
struct Place {
    /// What to ask for.
    url: String,
}

/// Why a page of the public internet can't be asked for, if so.
#[tool(read_only)]
async fn reaches(args: Place, cx: &Cx) -> Result<String, ToolError> {
    let asked = cx.fetch(HttpRequest::get(args.url).public_only()).await?;
    Ok(asked.map_or_else(|error| format!("{error:?}"), |_| "answered".to_owned()))
}

/// Ends the module, as a stack overflow would: nothing can catch it.
#[tool]
async fn trap() -> String {
    std::process::abort()
}
