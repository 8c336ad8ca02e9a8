//! Events: what happens between calls. One that handlers emit, and one that is kept elsewhere already.
//! Clients ask for them, hold a stream, or have them sent to an address of theirs.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example events
//! ```

use std::sync::Mutex;

use mcpfn::JsonObject;
use mcpfn::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn::prelude::*;
use serde_json::{Value, json};

/// What a client is told of an order.
#[output]
struct Ordered {
    /// The order's number.
    number: u64,
    /// What was ordered.
    item: String,
    /// For how much, in cents.
    cents: u64,
}

/// Which orders a client wants to hear of.
#[input]
struct Wanted {
    /// Those of at least so much, in cents.
    least_cents: Option<u64>,
}

fn order_created() -> Event {
    Event::new("order.created")
        .description("Somebody ordered something.")
        .payload::<Ordered>()
        .matching(|wanted: Wanted, order: JsonObject| {
            order.get("cents").and_then(Value::as_u64) >= wanted.least_cents
        })
}

/// The orders of the shop.
#[derive(Default)]
struct Orders(Mutex<Vec<String>>);

/// What to order.
#[input]
struct Order {
    /// The product.
    item: String,
}

/// Orders something.
#[tool(destructive = false)]
async fn order(args: Order, cx: &Cx) -> Result<String, ToolError> {
    let orders = cx.state::<Orders>()?;
    let number = {
        let mut orders = orders.0.lock().map_err(|_| ToolError::new("try again"))?;
        orders.push(args.item.clone());
        orders.len() as u64
    };
    let cents = 100 * args.item.len() as u64;
    let ordered = Ordered {
        number,
        item: args.item,
        cents,
    };
    // once it is done: clients that wait for it hear of it from now on
    cx.emit_as(format!("order-{number}"), "order.created", &ordered)
        .await?;
    Ok(format!("Order number {number}."))
}

fn item_listed() -> Event {
    Event::new("item.listed")
        .description("An item stands in the book of orders.")
        .payload_schema(json!({"type": "object", "required": ["item"]}))
        .poll(listed)
}

/// What stands in the book behind a line, which is this event's cursor.
async fn listed(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let orders = cx.state::<Orders>()?;
    let orders = orders.0.lock().map_err(|_| ToolError::new("try again"))?;
    let Some(cursor) = poll.cursor() else {
        // who begins hears of what is written from now on
        return Ok(EventPage::new(orders.len().to_string()));
    };
    let from = cursor.parse().unwrap_or(orders.len()).min(orders.len());
    let until = orders.len().min(from + poll.limit());
    let events = (from..until).map(|line| {
        let item = json!({"item": orders[line]});
        EventOccurrence::new(format!("line-{line}"), cx.now_ms(), &item)
    });
    Ok(EventPage::new(until.to_string())
        .events(events)
        .more(until < orders.len()))
}

pub(crate) fn server() -> Builder {
    Server::builder("shop", "1.0.0")
        .state(Orders::default())
        .tool(order)
        .event(order_created())
        .event(item_listed())
}

mcpfn::main!(server());
