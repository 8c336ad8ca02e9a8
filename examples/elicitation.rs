//! A tool that asks the user in the middle of a call, without a session: the first call ends with
//! the question, the client repeats it with the answer. Between the two rounds nothing is kept
//! here; the state travels sealed through the client.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example elicitation
//! ```

use mcpfn::prelude::*;
use serde_json::{Value, json};

#[input]
struct Book {
    /// The day, e.g. 2026-07-28.
    day: String,
}

/// Books a table for a day. Asks how many guests come.
#[tool(destructive = false)]
async fn book_table(args: Book, cx: &Cx) -> Result<String, ToolError> {
    let form = Form::new("How many guests?")
        .field("guests", guests())
        .boolean("outside", "Whether to sit outside")
        .optional("outside");
    // returns here with the question, unless the call has an answer that fits the form
    let answer = cx.elicit("guests", form)?;
    let Some(fields) = answer.accepted() else {
        return Ok("Nothing was booked.".to_owned());
    };
    let guests = &fields["guests"];
    let place = match fields.get("outside").and_then(Value::as_bool) {
        Some(true) => "outside",
        _ => "inside",
    };
    Ok(format!("Booked {place} for {guests} on {}.", args.day))
}

/// Any schema of a single value can be a field.
fn guests() -> Value {
    json!({"type": "integer", "description": "How many", "minimum": 1, "maximum": 12})
}

pub(crate) fn server() -> Builder {
    Server::builder("restaurant", "1.0.0").tool(book_table)
}

mcpfn::main!(server);
