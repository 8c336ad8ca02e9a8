//! What the log has of each call, and the bounds of results. Not the log's format, which is a
//! host's.

use mcpfn::prelude::*;
use serde_json::json;

use super::{Runs, call, host, says};
use crate::support::in_process::InProcess;
use crate::support::{Host as _, Request};

#[test]
fn calls_are_recorded_whatever_their_end() {
    let runs = Runs::default();
    let host = host(&runs);
    host.send(&call("look", json!({"sku": 1})));
    host.send(&call("look", json!({"sku": "broken"})));
    host.send(&call("look", json!({"sku": "slow"})));
    host.send(&call("look", json!({"sku": "panic"})));
    host.send(&Request::modern(
        "prompts/get",
        json!({"name": "weekly", "arguments": {"no": "such"}}),
    ));
    let expected = [
        "look invalid_arguments off",
        "look tool_error off",
        "look timeout off",
        "look internal off",
        "weekly refused off",
    ];
    assert_eq!(host.log.calls(), expected);
}

#[test]
fn calls_that_run_nothing_are_recorded_without_the_clients_words() {
    let host = host(&Runs::default());
    host.send(&Request::modern("tools/list", json!({})));
    host.send(&Request::modern("tools/list", json!({"cursor": "rubbish"})));
    host.send(&call("no-such-tool", json!({})));
    host.send(&Request::modern("no/such/method", json!({})));
    host.send(&Request::from_client(
        "2025-06-18",
        json!({"id": 1, "method": "no/such/method"}),
    ));
    host.send(&Request::modern(
        "prompts/get",
        json!({"name": "no-such-prompt"}),
    ));
    let expected = [
        "[tools/list] ok off",
        "[tools/list] refused off",
        "[tools/call] refused off",
        "[] refused off",
        "[] refused off",
        "[prompts/get] refused off",
    ];
    assert_eq!(host.log.calls(), expected);
}

#[test]
fn prompts_and_resources_have_the_bound_and_the_time_of_tools() {
    let host = InProcess::new(|| {
        Server::builder("heavy", "1")
            .max_result_bytes(1_000)
            .prompt(
                Prompt::new("long")
                    .description("Says much.")
                    .handler(|_: NoArguments| async { "x".repeat(2_000) }),
            )
            .prompt(
                Prompt::new("never")
                    .description("Says nothing.")
                    .handler(|_: NoArguments| async { std::future::pending::<String>().await }),
            )
            .resource(
                Resource::new("test://long", "large")
                    .description("Says much.")
                    .handler(|| async { "x".repeat(2_000) }),
            )
            .resource(
                Resource::new("test://never", "endless")
                    .description("Says nothing.")
                    .handler(|| async { std::future::pending::<String>().await }),
            )
    });
    let ask = |request: Request| host.send(&request).error().1;
    for name in ["long", "large"] {
        let request = if name == "long" {
            Request::modern("prompts/get", json!({"name": name}))
        } else {
            Request::modern("resources/read", json!({"uri": "test://long"}))
        };
        let sentence = ask(request);
        assert!(
            sentence.starts_with(&format!("`{name}` has 2"))
                && sentence.ends_with("the 1000 that one answer may have"),
            "{sentence}"
        );
    }
    assert!(
        ask(Request::modern("prompts/get", json!({"name": "never"})))
            .contains("did not finish within 5 s")
    );
    assert!(
        ask(Request::modern(
            "resources/read",
            json!({"uri": "test://never"})
        ))
        .contains("did not finish within 5 s")
    );
    assert_eq!(
        host.log.calls(),
        [
            "long too_large off",
            "large too_large off",
            "never timeout off",
            "endless timeout off"
        ]
    );
}

#[test]
fn facts_for_programs_count_among_the_bytes_of_a_result() {
    let server = || {
        let heavy = |_: NoArguments| async {
            CallToolResult::text("light").meta("example.com/heavy", json!("x".repeat(2_000)))
        };
        Server::builder("heavy", "1").max_result_bytes(1_000).tool(
            Tool::new("heavy")
                .description("Weighs much.")
                .handler(heavy),
        )
    };
    let response = InProcess::new(server).send(&call("heavy", json!({})));
    assert_eq!(response.json()["result"]["isError"], true);
    assert!(
        says(&response).contains("more than the 1000 that one answer may have"),
        "{}",
        says(&response)
    );
}
