//! Servers, lists and results as a person reads them.

use std::fmt::Write as _;

use mcpfn_core::text::visible;
use serde_json::Value;

/// A text of the server on a line with others, where it begins no line of its own.
fn line(text: &str) -> String {
    visible(text).replace(['\r', '\n', '\t'], " ")
}

pub(super) fn server(info: &Value) -> String {
    let text = |name: &str| line(info[name].as_str().unwrap_or("?"));
    format!("{} {}", text("name"), text("version"))
}

/// Names, and what each is for.
pub(super) fn list(title: &str, items: &[Value]) -> String {
    let mut text = format!("\n{title}:");
    for item in items {
        let place = item["uri"].as_str().or(item["uriTemplate"].as_str());
        let name = place.or(item["name"].as_str()).unwrap_or("?");
        let about = item["description"].as_str().unwrap_or_default();
        let first = about.lines().next().unwrap_or_default();
        // writing to a String can't fail
        let _ = write!(text, "\n  {}  {}", line(name), line(first));
    }
    text
}

/// Structured content if there is any, else the texts.
pub(super) fn result(result: &Value) -> String {
    let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    if let Some(structured) = result.get("structuredContent") {
        return pretty(structured);
    }
    let blocks = result.get("content").or(result.get("contents"));
    let Some(blocks) = blocks.and_then(Value::as_array) else {
        return pretty(result);
    };
    let text = |block: &Value| match block["text"].as_str() {
        Some(text) => visible(text).into_owned(),
        None => block.to_string(),
    };
    blocks.iter().map(text).collect::<Vec<_>>().join("\n")
}
