//! Servers, lists and results as a person reads them.

use std::fmt::Write as _;

use serde_json::Value;

/// Characters that a terminal would obey are spaces.
fn visible(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().map(shown).collect()
}

pub(super) fn server(info: &Value) -> String {
    let text = |name: &str| visible(info[name].as_str().unwrap_or("?"));
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
        let _ = write!(text, "\n  {}  {}", visible(name), visible(first));
    }
    text
}

/// Structured content if there is any, else the texts.
pub(super) fn result(result: &Value) -> String {
    if let Some(structured) = result.get("structuredContent") {
        return visible(&serde_json::to_string_pretty(structured).unwrap_or_default());
    }
    let blocks = result.get("content").or(result.get("contents"));
    let Some(blocks) = blocks.and_then(Value::as_array) else {
        return visible(&serde_json::to_string_pretty(result).unwrap_or_default());
    };
    let text = |block: &Value| {
        let text = block["text"].as_str();
        visible(&text.map_or_else(|| block.to_string(), str::to_owned))
    };
    blocks.iter().map(text).collect::<Vec<_>>().join("\n")
}
