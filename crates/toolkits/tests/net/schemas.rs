//! What is published about each tool: a model knows nothing else.

use mcpfn_core::Server;
use mcpfn_core::portable::refused_shapes;
use mcpfn_toolkits::register;
use serde_json::json;

use crate::host::{Client, SECRETS};
use crate::internet::Internet;

const ALL: &str = "weather,company,fetch,web,github";

fn client() -> Client {
    let names = [
        "MCPFN_WEATHER_API_KEY",
        "MCPFN_COMPANY_API_KEY",
        "MCPFN_SEARCH_API_KEY",
        "MCPFN_GITHUB_TOKEN",
    ];
    let variables: Vec<(&str, &str)> = names.into_iter().zip(SECRETS).collect();
    Client::new(ALL, &variables, Internet::new())
}

#[tokio::test]
async fn every_tool_says_what_it_takes_and_when_to_use_it() {
    let list = client().ask("tools/list", json!({})).await.unwrap();
    let tools = list["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 9);
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let writes = ["create_issue", "post_comment"].contains(&name);
        let description = tool["description"].as_str().unwrap();
        assert!(
            description.contains(if writes {
                "only when explicitly asked"
            } else {
                "Use this"
            }),
            "{name}"
        );
        assert_eq!(
            tool["annotations"]["readOnlyHint"]
                .as_bool()
                .unwrap_or(false),
            !writes,
            "{name}"
        );
        assert_ne!(tool["annotations"]["openWorldHint"], false, "{name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        assert_eq!(refused_shapes(&tool["inputSchema"]), [""; 0], "{name}");
        let text = tool.to_string();
        assert!(
            !text.contains("$ref"),
            "{name}: clients drop tools with references"
        );
        assert!(
            text.len() < 6000,
            "{name}: {} bytes of every conversation",
            text.len()
        );
        for (property, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            let place = format!("{name}.{property}");
            assert!(
                schema["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 5),
                "{place}: {schema}"
            );
            let is = |kind: &str| {
                schema["type"] == kind
                    || schema["type"]
                        .as_array()
                        .is_some_and(|types| types.contains(&json!(kind)))
            };
            assert!(
                !is("string")
                    || schema.get("maxLength").is_some()
                    || schema.get("enum").is_some()
                    || schema.get("oneOf").is_some(),
                "{place}: {schema}"
            );
            assert!(
                !is("integer") || schema.get("maximum").is_some(),
                "{place}: {schema}"
            );
        }
    }
}

#[test]
fn missing_variables_are_named_all_at_once() {
    let mistakes = register(Server::builder("x", "1"), ALL, &|_| None)
        .map(drop)
        .unwrap_err();
    let mistakes: Vec<&str> = mistakes.iter().collect();
    let needs = [
        "`weather` needs MCPFN_WEATHER_API_KEY: get a key at https://",
        "`company` needs MCPFN_COMPANY_API_KEY: get a key at https://",
        "`web` needs MCPFN_SEARCH_API_KEY: get a key at https://",
    ];
    assert_eq!(mistakes.len(), needs.len(), "{mistakes:?}");
    for (mistake, need) in mistakes.iter().zip(needs) {
        assert!(mistake.contains(need), "{mistake}");
    }
}

#[test]
fn wrong_variables_are_named_without_their_values() {
    let variable = |name: &str| match name {
        "MCPFN_SEARCH_API" => Some("bing".to_owned()),
        "MCPFN_GITHUB_URL" => Some(format!("https://x:{}@ghe.example", SECRETS[4])),
        "MCPFN_SEARCH_API_KEY" => Some(SECRETS[2].to_owned()),
        "MCPFN_GITHUB_TOKEN" => Some(format!("{} {}", SECRETS[3], SECRETS[3])),
        _ => None,
    };
    let mistakes = register(Server::builder("x", "1"), "web, github", &variable)
        .map(drop)
        .unwrap_err()
        .to_string();
    for part in [
        "MCPFN_SEARCH_API must be `brave` or `serper`",
        "MCPFN_GITHUB_TOKEN is not a key",
        "MCPFN_GITHUB_URL is not an address such as https://api.github.com",
    ] {
        assert!(mistakes.contains(part), "{mistakes}");
    }
    assert!(
        SECRETS.iter().all(|secret| !mistakes.contains(secret)),
        "{mistakes}"
    );
}
