//! The tools of a server as named clients take them: names, descriptions, shapes of schemas.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::finding::{Report, visible};
use super::probe::Probe;
use super::server::Met;

/// VS Code and Cursor take no more tools in one request.
const MANY: usize = 128;
/// Pages that are read at most.
const PAGES: usize = 50;

pub(crate) async fn check(probe: &Probe, met: &Met, report: &mut Report) {
    let Some(tools) = list(probe, met, report).await else {
        return;
    };
    report.fact("tools", tools.len());
    if tools.len() > MANY {
        report.warning(
            "many-tools",
            format!("it has {} tools", tools.len()),
            "offer fewer than 128: VS Code and Cursor leave the rest out, and models choose worse",
        );
    }
    let mut names = BTreeSet::new();
    for tool in &tools {
        let name = tool["name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            report.error(
                "tool-twice",
                format!("two tools are called `{}`", visible(name)),
                "give each a name of its own: clients show one, or refuse the list",
            );
        }
        one(name, tool, report);
    }
}

/// Every tool of every page; nothing when they can't be read.
async fn list(probe: &Probe, met: &Met, report: &mut Report) -> Option<Vec<Value>> {
    let (mut tools, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
        let asked = if met.modern {
            probe.modern("tools/list", params).await
        } else {
            let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
            let mut headers = vec![("mcp-protocol-version", "2025-06-18")];
            if let Some(session) = &met.session {
                headers.push(("mcp-session-id", session));
            }
            probe.post(&list, &headers).await
        };
        let message = asked.ok().and_then(|answer| answer.message());
        let result = message.unwrap_or_default()["result"].take();
        let Some(page) = result["tools"].as_array() else {
            report.error(
                "no-list",
                "tools/list gives no list of tools",
                "answer with result.tools, also when it is empty",
            );
            return None;
        };
        tools.extend(page.iter().cloned());
        cursor = result["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Some(tools);
        }
    }
    report.error(
        "endless-list",
        format!("tools/list has more than {PAGES} pages"),
        "leave nextCursor out on the last page",
    );
    Some(tools)
}

fn one(name: &str, tool: &Value, report: &mut Report) {
    let shown = visible(name);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(legal) {
        report.error(
            "tool-name",
            format!("the tool `{shown}` has a name that Claude and OpenAI refuse"),
            "use 1 to 64 letters, digits, `_` and `-`",
        );
    }
    if tool["description"]
        .as_str()
        .is_none_or(|text| text.trim().is_empty())
    {
        report.warning(
            "tool-description",
            format!("the tool `{shown}` has no description"),
            "say in a sentence what it does and when to use it: models choose by it",
        );
    }
    let schema = &tool["inputSchema"];
    if schema["type"] != "object" {
        report.error(
            "schema-root",
            format!("the input schema of `{shown}` has no \"type\": \"object\" at its root"),
            "make arguments an object; every client wants one",
        );
    }
    let combined = ["oneOf", "anyOf", "allOf", "enum", "not"];
    if let Some(word) = combined.iter().find(|word| schema.get(**word).is_some()) {
        report.error(
            "schema-combined",
            format!("the input schema of `{shown}` has {word} at its root"),
            "move it into a member: Claude and OpenAI refuse it at the root, and the whole list with it",
        );
    }
    if has(schema, &|member, value| {
        member == "$ref" && value.as_str().is_some_and(|to| !to.starts_with('#'))
    }) {
        report.error(
            "schema-outside",
            format!("the input schema of `{shown}` refers to a document elsewhere"),
            "put it below $defs, or write it where it is used: clients fetch nothing",
        );
    } else if has(schema, &|member, _| member == "$ref") {
        report.warning(
            "schema-ref",
            format!("the input schema of `{shown}` has references ($ref)"),
            "write schemas where they are used: some clients do not follow references",
        );
    }
    let output = &tool["outputSchema"];
    if !output.is_null() && output["type"] != "object" {
        report.error(
            "output-root",
            format!("the output schema of `{shown}` has no \"type\": \"object\" at its root"),
            "wrap the result in an object: clients before 2026-07-28 refuse the list otherwise",
        );
    }
}

/// Whether a member of this kind is anywhere in it.
fn has(value: &Value, is_it: &dyn Fn(&str, &Value) -> bool) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_it(name, value) || has(value, is_it)),
        Value::Array(items) => items.iter().any(|item| has(item, is_it)),
        _ => false,
    }
}
