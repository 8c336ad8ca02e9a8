//! Skills of the toolkits: each has one, for those who see its tools, and it names tools that exist.

use std::collections::BTreeSet;

use mcpfn_core::Server;
use mcpfn_testing::TestClient;
use mcpfn_toolkits::{names, register};
use serde_json::{Value, json};

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "MCPFN_UPSTREAMS" => "crm=https://127.0.0.1:1/mcp",
        "MCPFN_FILES_WRITABLE" => "on",
        name if name.ends_with("_KEY") || name.ends_with("_TOKEN") => "key",
        _ => return None,
    };
    Some(value.to_owned())
}

fn client(list: &str, variable: &dyn Fn(&str) -> Option<String>) -> TestClient {
    let builder = Server::builder("toolkits", "0.0.0");
    TestClient::new(register(builder, list, variable).unwrap())
}

fn skills(client: &TestClient) -> Vec<Value> {
    let listed = client.request("skills/list", json!({})).wait().unwrap();
    listed["skills"].as_array().unwrap().clone()
}

#[test]
fn each_toolkit_has_one_and_an_operator_can_leave_them_out() {
    for toolkit in names() {
        let found = skills(&client(toolkit, &variable));
        assert_eq!(found.len(), 1, "{toolkit}");
        assert_eq!(
            skills(&client(toolkit, &variable).scopes("")).len(),
            usize::from(["hello", "upstream"].contains(&toolkit))
        );
    }
    let off = |name: &str| match name {
        "MCPFN_TOOLKIT_SKILLS" => Some("off".to_owned()),
        name => variable(name),
    };
    let without = client("hello,sql", &off)
        .request("skills/list", json!({}))
        .wait();
    assert_eq!(without.unwrap_err().code(), Some(-32601));
    let wrong = |name: &str| (name == "MCPFN_TOOLKIT_SKILLS").then(|| "maybe".to_owned());
    let refused = register(Server::builder("a", "1"), "hello", &wrong);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("MCPFN_TOOLKIT_SKILLS must be on or off")
    );
}

/// A skill shows what may be called: whoever sees the skill of a toolkit sees its reading tools.
#[test]
fn texts_name_tools_that_there_are() {
    let own = names()
        .filter(|name| *name != "upstream")
        .collect::<Vec<_>>()
        .join(",");
    let all = client(&own, &variable);
    let tools = all.list_tools().wait().unwrap();
    let tools: BTreeSet<String> = tools.into_iter().map(|tool| tool.name).collect();
    // members of arguments and results, and words of SQL
    let others = ["if_version", "next_offset", "current_date", "order_by"];
    let mut named = 0;
    for skill in skills(&client(&names().collect::<Vec<_>>().join(","), &variable)) {
        for file in skill["resources"].as_array().unwrap() {
            let uri = file["uri"].as_str().unwrap();
            let text = all
                .read(uri)
                .wait()
                .ok()
                .and_then(|read| read.text().map(str::to_owned));
            // that of the toolkit `upstream`, which names no tool of its own
            let Some(text) = text else { continue };
            for word in text.split('`').skip(1).step_by(2) {
                let is_name = word.contains('_')
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                if is_name && !others.contains(&word) {
                    assert!(tools.contains(word), "{uri}: `{word}`");
                    named += 1;
                }
            }
        }
    }
    assert!(named > 35, "{named}");
}
