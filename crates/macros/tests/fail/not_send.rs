//! A future that can't change threads.

extern crate mcpfn_core as mcpfn;

use std::rc::Rc;

use mcpfn::Cx;
use mcpfn_macros::tool;

/// Holds an `Rc` while it waits.
#[tool]
async fn holds(cx: &Cx) {
    let held = Rc::new(1);
    cx.sleep(std::time::Duration::from_secs(1)).await;
    drop(held);
}

fn main() {}
