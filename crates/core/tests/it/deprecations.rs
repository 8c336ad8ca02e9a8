//! Old names and what goes away: what is a mistake, what the log has, and that limits, kept results and
//! keys of writes are the same under every name. What clients see is fixtures of the server `renamed`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcpfn::host::{ToolChange, ToolSetting};
use mcpfn::port::Rate;
use mcpfn::{Builder, JsonObject, NoArguments, Prompt, Server, Tool, input, tool};
use mcpfn_testing::TestClient;
use serde_json::{Value, json};

fn named(name: &str) -> Tool {
    Tool::new(name)
        .description("A tool.")
        .handler(|_: JsonObject| async { "" })
}

fn server(tool: Tool) -> Builder {
    Server::builder("renamed", "1.0.0").tool(tool)
}

#[test]
fn a_name_stands_for_one_thing() {
    let prompt = |name: &str| {
        Prompt::new(name)
            .description("A prompt.")
            .handler(|| async { "" })
    };
    let schema = json!({
        "type": "object",
        "properties": {"a": {"x-old-names": ["b"]}, "b": {}, "c": {"x-deprecated": "leave it out"}},
        "required": ["c"],
    });
    for (builder, named) in [
        (
            server(named("a").old_name("b")).tool(named("b")),
            "tool `b` is registered twice",
        ),
        (
            server(named("a").old_name("a")),
            "tool `a` is registered twice",
        ),
        (
            server(named("a").old_name("b c")),
            "1 to 128 of the characters",
        ),
        (
            server(named("a"))
                .prompt(prompt("p").old_name("q"))
                .prompt(prompt("q")),
            "prompt `q` is registered twice",
        ),
        (
            server(named("a").input_schema(schema.clone())),
            "`b`, an old name of its argument `a`",
        ),
        (
            server(named("a").input_schema(schema)),
            "`c` is deprecated and required",
        ),
    ] {
        let mistakes = builder.build().expect_err("it has mistakes").mistakes;
        assert!(
            mistakes.iter().any(|one| one.contains(named)),
            "{named}: {mistakes:?}"
        );
    }
}

#[input]
struct Search {
    /// Words.
    #[input(old_name = "text")]
    #[schemars(extend("writeOnly" = true))]
    query: String,
}

/// Searches.
#[tool(read_only, old_name = "search", deprecated = "use `look`")]
async fn find(args: Search) -> String {
    args.query
}

#[test]
fn the_log_has_each_call_once_and_no_secret() {
    let client = TestClient::new(Server::builder("renamed", "1.0.0").tool(find))
        .map_platform(mcpfn::port::Platform::with_arguments_in_audit_log);
    client
        .call("search", json!({"text": "hunter2"}))
        .wait()
        .unwrap();
    client
        .call("find", json!({"query": "hunter2"}))
        .wait()
        .unwrap();
    // also one that is refused for its arguments
    let both = client
        .call("find", json!({"query": "hunter2", "text": "hunter2"}))
        .wait()
        .unwrap();
    assert!(
        both.is_error() && !both.text().contains("hunter2"),
        "{}",
        both.text()
    );
    let calls = client.audit().calls();
    let goes_away = "tool `find` is deprecated: use `look`";
    let text = "argument `text` is deprecated: use `query`";
    let expected: [&[&str]; 3] = [
        &["tool `search` is deprecated: use `find`", goes_away, text],
        &[goes_away],
        &[goes_away, text],
    ];
    assert_eq!(calls.len(), 3);
    for (call, expected) in calls.iter().zip(expected) {
        assert_eq!(call.name, "find");
        assert_eq!(call.deprecated, expected);
        let arguments = call.arguments.as_deref().unwrap_or_default();
        assert!(!arguments.contains("hunter2"), "{arguments}");
    }
}

#[test]
fn notes_are_bounded() {
    let properties: JsonObject = (0..40)
        .map(|number| {
            (
                format!("a{number}"),
                json!({"x-deprecated": "leave it out"}),
            )
        })
        .collect();
    let schema = json!({"type": "object", "properties": properties});
    let client = TestClient::new(server(named("many").input_schema(schema)));
    let all: JsonObject = properties
        .keys()
        .map(|name| (name.clone(), json!(1)))
        .collect();
    client.call("many", all).wait().unwrap();
    assert_eq!(client.audit().calls()[0].deprecated.len(), 8);
}

#[test]
fn limits_kept_results_and_keys_are_those_of_the_tool() {
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let counting = |tool: Tool| {
        let counter = Arc::clone(&counter);
        tool.description("Counts.")
            .old_name("old")
            .handler(move |_: NoArguments| {
                let run = counter.fetch_add(1, Ordering::Relaxed);
                async move { run.to_string() }
            })
    };
    let ran = || runs.swap(0, Ordering::Relaxed);
    let kept = Tool::new("kept").read_only().cache(Duration::from_secs(60));
    let client = TestClient::new(server(counting(kept)));
    for name in ["old", "kept", "old"] {
        client.call(name, json!({})).wait().unwrap();
    }
    assert_eq!(ran(), 1, "one kept result");
    let client = TestClient::new(server(counting(Tool::new("write"))));
    for name in ["old", "write"] {
        client
            .call(name, json!({}))
            .idempotency_key("k")
            .wait()
            .unwrap();
    }
    assert_eq!(ran(), 1, "one write");
    let limited = Tool::new("limited").rate_limit(Rate::per_minute(1));
    let client = TestClient::new(server(counting(limited)));
    client.call("old", json!({})).wait().unwrap();
    let refused = client.call("limited", json!({})).wait().unwrap_err();
    assert_eq!((refused.code(), ran()), (Some(429), 1), "one limit");
}

#[test]
fn an_operator_may_use_the_old_name() {
    let setting = |tool: &str| ToolSetting {
        source: "MCPFN_TIMEOUTS".to_owned(),
        tool: tool.to_owned(),
        change: ToolChange::Timeout(Duration::from_secs(3)),
    };
    let build = |tool: &str| {
        server(named("new").old_name("old"))
            .tool_settings([setting(tool)])
            .build()
    };
    assert_eq!(
        build("old").unwrap().longest_timeout(),
        Duration::from_secs(3)
    );
    assert!(build("older").is_err());
}

#[test]
fn a_result_that_is_kept_tells_nothing_of_the_call_that_made_it() {
    let kept = named("kept")
        .read_only()
        .cache(Duration::from_secs(60))
        .old_name("old");
    let client = TestClient::new(server(kept));
    let told = |name: &str| {
        let params = json!({"name": name, "arguments": {}});
        let result: Value = client.request("tools/call", params).wait().unwrap();
        result["_meta"].get("dev.mcpfn/deprecated").is_some()
    };
    assert_eq!(["old", "kept", "old"].map(told), [true, false, true]);
}
