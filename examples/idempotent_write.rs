//! A write that happens once, however often its call is repeated: clients send an idempotency key
//! in `_meta.idempotencyKey`, or in an argument that the schema marks with `x-idempotency-key`. The
//! handler itself does nothing for it.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example idempotent_write
//! ```

use std::sync::{Mutex, PoisonError};

use mcpfn::prelude::*;

/// The orders so far. A real server keeps them in a database.
#[derive(Default)]
pub(crate) struct Orders(pub(crate) Mutex<Vec<String>>);

#[input]
struct Order {
    /// What to order.
    item: String,
    /// Any text of your own, such as a UUID. Repeat it to repeat the order safely.
    #[serde(default, rename = "request_id")]
    #[schemars(extend("x-idempotency-key" = true))]
    _request_id: Option<String>,
}

/// Orders an item.
#[tool(destructive = false)]
async fn order(args: Order, cx: &Cx) -> Result<String, ToolError> {
    let orders = cx.state::<Orders>()?;
    let mut orders = orders.0.lock().unwrap_or_else(PoisonError::into_inner);
    orders.push(args.item);
    Ok(format!("Order number {}.", orders.len()))
}

pub(crate) fn server() -> Builder {
    Server::builder("shop", "1.0.0")
        .tool(order)
        .state(Orders::default())
}

mcpfn::main!(server);
