//! What is published about each tool: a model knows nothing else.

use mcpfn_core::portable::refused_shapes;
use serde_json::{Value, json};

use crate::support::Client;

#[test]
fn every_tool_says_what_it_takes_and_when_to_use_it() {
    let list = Client::of_shop().ask("tools/list", json!({})).unwrap();
    for tool in list["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        assert!(
            tool["description"].as_str().unwrap().contains("Use this"),
            "{name}"
        );
        let writes = ["create_activity_log", "draft_purchase_order"].contains(&name);
        assert_eq!(
            tool["annotations"]["readOnlyHint"] == true,
            !writes,
            "{name}"
        );
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        check_bounds(name, &tool["inputSchema"], name == "list_tables");
        assert_eq!(refused_shapes(&tool["inputSchema"]), [""; 0], "{name}");
        let text = tool.to_string();
        assert!(
            !text.contains("$ref"),
            "{name}: clients drop tools with references"
        );
        assert!(
            text.len() < 12_000,
            "{name}: {} bytes of every conversation",
            text.len()
        );
    }
}

/// Numbers and truth values may be written as the text that is published, and as themselves.
#[test]
fn a_filter_takes_a_value_as_published_and_as_itself() {
    let client = Client::of_shop();
    let count = |filter: Value| {
        let arguments =
            json!({"table": "orders", "columns": ["id"], "filters": [filter], "limit": 100});
        let found = client.call("query_table", arguments).unwrap();
        found["rows"].as_array().unwrap().len()
    };
    for (op, text, itself) in [
        ("le", json!("10005"), json!(10_005)),
        ("lt", json!("10005.5"), json!(10_005.5)),
        ("eq", json!("10005.0"), json!(10_005.0)),
    ] {
        let found =
            [text, itself].map(|value| count(json!({"column": "id", "op": op, "value": value})));
        assert!(found[0] == found[1] && found[0] > 0, "{op}: {found:?}");
    }
    assert_eq!(
        count(json!({"column": "id", "op": "in", "values": ["10001", 10_002]})),
        2
    );
}

/// Every property has a description, and what can be large has a bound.
fn check_bounds(place: &str, schema: &Value, may_be_empty: bool) {
    let properties = schema["properties"].as_object();
    assert!(
        may_be_empty || properties.is_some_and(|properties| !properties.is_empty()),
        "{place}: {schema}"
    );
    for (name, property) in properties.into_iter().flatten() {
        let place = format!("{place}.{name}");
        assert!(
            property["description"]
                .as_str()
                .is_some_and(|text| text.len() > 5),
            "{place} has no description"
        );
        let is = |kind: &str| {
            property["type"] == kind
                || property["type"]
                    .as_array()
                    .is_some_and(|types| types.contains(&json!(kind)))
        };
        if is("string") && property.get("enum").is_none() {
            assert!(property.get("maxLength").is_some(), "{place}: {property}");
        }
        if is("integer") {
            assert!(property.get("maximum").is_some(), "{place}: {property}");
        }
        if is("array") {
            assert!(property.get("maxItems").is_some(), "{place}: {property}");
            if property["items"]["type"] == "object" {
                check_bounds(&place, &property["items"], false);
            }
        }
    }
}

#[test]
fn resources_and_prompts_are_listed() {
    let client = Client::of_shop();
    let list = |method: &str, member: &str, key: &str| -> Vec<String> {
        let result = client.ask(method, json!({})).unwrap();
        let entries = result[member].as_array().unwrap().clone();
        entries
            .iter()
            .map(|entry| entry[key].as_str().unwrap().to_owned())
            .collect()
    };
    let resources = list("resources/list", "resources", "uri");
    assert_eq!(
        resources[..6],
        [
            "catalog://schema",
            "company://handbook",
            "ui://mcpfn/rows",
            "ui://mcpfn/timeline",
            "ui://mcpfn/stock",
            "ui://mcpfn/query"
        ]
    );
    // what is behind them begins each toolkit's skill
    let begins_skill = |uri: &String| uri.starts_with("skill://") && uri.ends_with("/SKILL.md");
    assert!(resources[6..].iter().all(begins_skill), "{resources:?}");
    let templates = list(
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
    );
    assert_eq!(
        templates,
        ["catalog://product/{sku}", "database://table/{table}"]
    );
    assert_eq!(
        list("prompts/list", "prompts", "name"),
        [
            "product_advisor",
            "weekly_summary",
            "client_onboarding",
            "reorder_review"
        ]
    );
}
