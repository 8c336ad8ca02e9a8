//! A server for the page for browsers: a tool for each form in `tests/browser/fields.json`, which
//! gives its arguments back, and texts that would do harm if a page took them for HTML.

use mcpfn::JsonObject;
use mcpfn::content::{Content, ResourceContents, ResourceLink};
use mcpfn::prelude::*;
use serde_json::{Value, json};

const FIELDS: &str = include_str!("../browser/fields.json");

/// Runs where it is taken for HTML, as an attribute, or as the end of a script.
const HOSTILE: &str = "\"'></script><script>document.title='harmed'</script>\
    <img src=x onerror=\"document.title='harmed'\"><svg onload=\"document.title='harmed'\">";

/// The server, with hostile texts wherever it has texts.
///
/// # Panics
/// When `fields.json` is no list of cases.
pub fn shown() -> Builder {
    let cases: Vec<Value> = serde_json::from_str(FIELDS).expect("fields.json is JSON");
    cases
        .into_iter()
        .map(repeats)
        .chain([hostile(), bomb(), failing()])
        .fold(
            Server::builder("shown", "1.0.0")
                .title(format!("Shown {HOSTILE}"))
                .description(HOSTILE)
                .website("https://example.com/?javascript:")
                .instructions(HOSTILE)
                .resource(
                    Resource::new("shown://text", HOSTILE)
                        .description(HOSTILE)
                        .handler(|_: Cx| async { HOSTILE }),
                )
                .prompt(
                    Prompt::new("ask")
                        .title(HOSTILE)
                        .description(HOSTILE)
                        .handler(|| async { HOSTILE }),
                ),
            Builder::tool,
        )
}

/// Gives its arguments back, digit for digit.
fn repeats(mut case: Value) -> Tool {
    let mut schema = case["schema"].take();
    schema["type"] = json!("object");
    let name = case["name"].as_str().unwrap_or("unnamed").to_owned();
    Tool::new(name)
        .description("Gives its arguments back.")
        .read_only()
        .input_schema(schema)
        .handler(|arguments: JsonObject| async move { Value::Object(arguments).to_string() })
}

/// Hostile in its schema and in what it gives.
fn hostile() -> Tool {
    Tool::new("hostile")
        .title(HOSTILE)
        .description(HOSTILE)
        .input_schema(json!({
            "type": "object",
            "title": HOSTILE,
            "properties": {
                "text": {"type": "string", "title": HOSTILE, "description": HOSTILE, "default": HOSTILE, "examples": [HOSTILE]},
                "choice": {"type": "string", "enum": [HOSTILE, "harmless"]},
                HOSTILE: {"type": "object", "properties": {HOSTILE: {"type": "string"}}},
                "__proto__": {"type": "string"},
            },
        }))
        .handler(|_: JsonObject| async {
            vec![
                Content::text(HOSTILE),
                Content::image("PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+", "image/svg+xml"),
                Content::image("AAAA", "image/png\" onerror=\"document.title='harmed'"),
                Content::resource_link(ResourceLink::new("javascript:document.title='harmed'", HOSTILE)),
                Content::resource(ResourceContents::text("shown://x", "text/html", HOSTILE)),
            ]
        })
}

/// A few lines that would be millions of fields.
fn bomb() -> Tool {
    let mut definitions = json!({"d0": {"type": "string"}});
    for level in 1..20 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        let members: serde_json::Map<_, _> = (0..10)
            .map(|at| (format!("m{at}"), below.clone()))
            .collect();
        definitions[format!("d{level}")] = json!({"type": "object", "properties": members});
    }
    Tool::new("bomb")
        .description("Has a schema of few lines and many members.")
        .input_schema(json!({
            "type": "object",
            "$defs": definitions,
            "properties": {"a": {"$ref": "#/$defs/d19"}},
        }))
        .handler(|arguments: JsonObject| async move { Value::Object(arguments).to_string() })
}

/// Refuses, with a sentence that looks like HTML.
fn failing() -> Tool {
    Tool::new("failing")
        .description("Refuses whatever it is asked.")
        .handler(|_: NoArguments| async { Err::<String, _>(ToolError::new(HOSTILE)) })
}
