//! A page that hosts show beside a result, and a skill that tells models how to use the tools. Both are
//! files, which are checked when the server is compiled.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example pages_and_skills
//! ```

use mcpfn::page::page;
use mcpfn::prelude::*;
use mcpfn::skill::skills;

#[output]
struct Order {
    id: String,
    state: String,
}

#[output]
struct Orders {
    orders: Vec<Order>,
}

/// List the open orders.
#[tool(read_only, ui = "ui://shop/orders")]
async fn list_orders() -> Orders {
    let order = |id: &str, state: &str| Order {
        id: id.to_owned(),
        state: state.to_owned(),
    };
    Orders {
        orders: vec![order("A-1", "paid"), order("A-2", "shipped")],
    }
}

pub(crate) fn server() -> Builder {
    let orders = page!("ui://shop/orders", "pages/orders.html")
        .title("Orders")
        .description("The open orders as a table.")
        .border(true);
    Server::builder("shop", "1.0.0")
        .tool(list_orders)
        .page(orders)
        .skills(skills!("skills"))
}

mcpfn::main!(server);
