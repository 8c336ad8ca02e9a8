//! Keys of `task(..)`: each mistake in them is reported beside those of the attribute around it.

extern crate mcpfn_core as mcpfn;

use mcpfn_macros::{prompt, tool};

/// Every key with a value that it does not take.
#[tool(
    tasks,
    task(
        forever,
        required = "yes",
        begun_by_handler = 1,
        run = "10 minutes",
        ttl,
        poll = 5,
        ttl = "1h",
        ttl = "2h"
    )
)]
async fn values() {}

/// A task has options, and no value.
#[tool(task = "required")]
async fn value() {}

/// One task is enough.
#[tool(task, task(run = "1m"))]
async fn twice() {}

/// Keys, not values.
#[tool(task("10m"))]
async fn text() {}

/// Nothing may be shorter than this.
#[tool(task(run = "0s", poll = ""))]
async fn nothing() {}

/// Only tools are tasks.
#[prompt(task(run = "1m"))]
async fn short() -> &'static str {
    "Be short."
}

fn main() {}
