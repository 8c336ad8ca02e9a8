//! What is there without `MCPFN_FILES_WRITABLE`, and who may call what.

use std::sync::Arc;

use mcpfn_core::Server;
use mcpfn_toolkits::register;
use serde_json::json;

use crate::host::{Client, Place};

async fn tools(client: &Client) -> Vec<String> {
    let listed = client.ask("tools/list", json!({})).await.unwrap();
    listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn files_are_only_read_unless_the_operator_says_more() {
    for (writes, expected) in [
        (None, vec!["list_directory", "read_file"]),
        (Some("0"), vec!["list_directory", "read_file"]),
        (
            Some("1"),
            vec!["list_directory", "move_file", "read_file", "write_file"],
        ),
    ] {
        let place = Place::served(|store| Client::with(Arc::clone(&store), writes));
        let mut tools = tools(&place.client).await;
        tools.sort();
        assert_eq!(tools, expected);
        let wrote = place
            .client
            .ask(
                "tools/call",
                json!({"name": "write_file", "arguments": {"path": "a", "content": "x"}}),
            )
            .await;
        assert_eq!(wrote.is_ok(), writes == Some("1"));
        assert_eq!(place.text("a").is_some(), writes == Some("1"));
    }
    let mistakes = register(Server::builder("files", "0.0.0"), "files", &|_| {
        Some("maybe".to_owned())
    })
    .unwrap_err();
    assert!(
        mistakes
            .to_string()
            .contains("MCPFN_FILES_WRITABLE must be on or off"),
        "{mistakes}"
    );
}

#[tokio::test]
async fn scopes() {
    for (scopes, reads, writes) in [
        (&["files:read"][..], true, false),
        (&["files:write"], false, true),
        (&["other"], false, false),
    ] {
        let place = Place::served(|store| Client::new(store).with_scopes(scopes));
        place.put("a", "one");
        let call = async |tool: &str, arguments| {
            place
                .client
                .ask("tools/call", json!({"name": tool, "arguments": arguments}))
                .await
                .is_ok()
        };
        assert_eq!(
            call("read_file", json!({"path": "a"})).await,
            reads,
            "{scopes:?}"
        );
        assert_eq!(call("list_directory", json!({})).await, reads, "{scopes:?}");
        assert_eq!(
            place.client.resource("file:///a").await.is_ok(),
            reads,
            "{scopes:?}"
        );
        assert_eq!(
            call("write_file", json!({"path": "b", "content": "x"})).await,
            writes,
            "{scopes:?}"
        );
        assert_eq!(
            call("move_file", json!({"from": "a", "to": "c"})).await,
            writes,
            "{scopes:?}"
        );
        assert_eq!(
            (place.text("b").is_some(), place.text("c").is_some()),
            (writes, writes),
            "{scopes:?}"
        );
    }
}
