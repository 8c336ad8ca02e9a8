//! What is published about each tool: a model knows nothing else.

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
    assert_eq!(
        list("resources/list", "resources", "uri"),
        ["catalog://schema", "company://handbook"]
    );
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
        ["product_advisor", "weekly_summary", "client_onboarding"]
    );
}
