//! The same as the macros make, written by hand: a closure per handler, and names and descriptions
//! as method calls. For tools that are made at run time, or for who likes no macros.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example without_macros -- call roll '{"sides": 20}'
//! ```

use mcpfn::prelude::*;
use mcpfn::{JsonObject, port::Rate};
use serde_json::json;

pub(crate) fn server() -> Builder {
    let roll = Tool::new("roll")
        .description("Rolls a die.")
        .read_only()
        .rate_limit(Rate::per_minute(60))
        // a schema by hand, where no type gives one
        .input_schema(json!({
            "type": "object",
            "properties": {"sides": {"type": "integer", "minimum": 2, "maximum": 100}},
            "required": ["sides"],
            "additionalProperties": false,
        }))
        .handler(|args: JsonObject, cx: Cx| async move {
            // not random, so that a test can know the result
            let sides = args["sides"].as_u64().unwrap_or(6);
            format!("{}", cx.now_ms() % sides + 1)
        });
    let rules = Resource::new("dice://rules", "rules")
        .description("The rules of the game.")
        .mime("text/plain")
        .handler(|| async { "The highest number wins." });
    let play = Prompt::new("play")
        .description("Starts a game.")
        .handler(|| async { "Let us roll dice." });
    Server::builder("dice", "1.0.0")
        .tool(roll)
        .resource(rules)
        .prompt(play)
}

mcpfn::main!(server);
