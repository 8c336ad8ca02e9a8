//! Every trigger's event: the caller reaches a tool, the answer has the trigger's shape, paths and
//! headers survive.

use mcpfn_lambda_emulator::{Failure, Invocation};
use serde_json::{Value, json};

use crate::{Fixture, call, function, start, text};

#[tokio::test]
async fn the_caller_reaches_a_tool_and_the_answer_has_the_triggers_shape() {
    let function = function(&[]).await;
    for fixture in Fixture::all() {
        let name = &fixture.name;
        let reply = function
            .invoke(Invocation::new(fixture.with(&call("whoami", &json!({})))))
            .await
            .unwrap();
        assert_eq!(reply.head.status, 200, "{name}");
        assert_eq!(text(&reply), fixture.whoami, "{name}");
        let document = reply.document;
        assert_eq!(document["isBase64Encoded"], false, "{name}");
        let several = fixture.event.get("multiValueHeaders").is_some();
        let (wanted, other) = if several {
            ("multiValueHeaders", "headers")
        } else {
            ("headers", "multiValueHeaders")
        };
        let content_type = &document[wanted]["content-type"];
        assert_eq!(
            content_type,
            &if several {
                json!(["application/json"])
            } else {
                json!("application/json")
            },
            "{name}"
        );
        let balanced = name.starts_with("load-balancer");
        // nothing in them, but `cargo lambda watch` insists
        let unused = (!several && !balanced).then(|| json!({}));
        assert_eq!(document.get(other), unused.as_ref(), "{name}");
        assert_eq!(
            document.get("cookies").is_some(),
            unused.is_some(),
            "{name}"
        );
        assert_eq!(
            document.get("statusDescription"),
            balanced.then_some(&json!("200 OK")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn only_recognised_callers_pass() {
    for (auth, refused) in [
        ("iam", &["Anonymous", "Jwt", "Authorizer"][..]),
        ("authorizer", &["Anonymous"]),
    ] {
        for mode in ["buffer", "stream"] {
            let function = start(&[("MCPFN_AUTH", auth), ("MCPFN_LAMBDA_MODE", mode)]).await;
            for fixture in Fixture::all() {
                let name = format!("{auth} {mode} {}", fixture.name);
                let reply = function
                    .invoke(Invocation::new(fixture.with(&call("whoami", &json!({})))))
                    .await
                    .unwrap();
                if refused.iter().any(|kind| fixture.whoami.starts_with(kind)) {
                    assert_eq!(reply.head.status, 403, "{name}");
                    let body = reply.json();
                    assert_eq!(body["error"]["code"], -32600, "{name}: {body}");
                    assert!(body.get("id").is_none_or(Value::is_null), "{name}: {body}");
                } else {
                    assert_eq!(text(&reply), fixture.whoami, "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_api_key_is_checked_by_the_function_itself() {
    // the SHA-256 of `a key`
    let entry = "ci:8fa3aab2faa9b79e0a0398da5b5abd0780142442a5be80b9a64608d718cb1fcd";
    let function = start(&[("MCPFN_AUTH", "iam,api-key"), ("MCPFN_API_KEYS", entry)]).await;
    let ask = |key: Option<&str>| {
        let mut event = Fixture::named("url-none").with(&call("whoami", &json!({})));
        if let Some(key) = key {
            event["headers"]["x-api-key"] = json!(key);
        }
        function.invoke(Invocation::new(event))
    };
    assert_eq!(ask(None).await.unwrap().head.status, 401);
    assert_eq!(ask(Some("another key")).await.unwrap().head.status, 401);
    assert_eq!(text(&ask(Some("a key")).await.unwrap()), "ApiKey ci");
}

#[tokio::test]
async fn stage_and_base_path_are_taken_off() {
    let function = function(&[("MCPFN_BASE_PATH", "/tools/")]).await;
    let api = Fixture::named("http-api-jwt-base64");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for (path, status) in [
        ("/prod/tools/mcp", 200),
        ("/tools/mcp", 200),
        ("/tools", 200),
        ("/prod/tools/", 200),
        ("/prod/mcp", 200),
        ("/prod", 200),
        ("/mcp", 200),
        ("/product/mcp", 404),
        ("/prod/toolshed/mcp", 404),
        ("/tools/prod/mcp", 404),
        ("/tools/a b\u{1}", 404),
        ("", 404),
    ] {
        let mut event = api.with(&ping);
        event["rawPath"] = json!(path);
        let reply = function.invoke(Invocation::new(event)).await.unwrap();
        assert_eq!(reply.head.status, status, "{path}: {:?}", reply.body());
    }
}

#[tokio::test]
async fn every_value_of_a_header_is_seen() {
    let function = function(&[("MCPFN_ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let rest = Fixture::named("rest-cognito");
    // the first of two values says that a stream is welcome, the single-value form holds the last
    // alone
    let mut event = rest.with(&call("count", &json!({})));
    event["headers"]["Accept"] = json!("application/json");
    event["multiValueHeaders"]["Accept"] = json!(["text/event-stream", "application/json"]);
    let reply = function.invoke(Invocation::new(event)).await.unwrap();
    assert_eq!(reply.head.headers["content-type"], "text/event-stream");
    // one allowed origin does not hide another
    for (origins, status) in [
        (&["https://app.example.com"][..], 200),
        (
            &["https://evil.example.com", "https://app.example.com"],
            403,
        ),
        (&["https://app.example.com\n"], 403),
    ] {
        let mut event = rest.with(&call("whoami", &json!({})));
        event["headers"]["Origin"] = json!(origins.last());
        event["multiValueHeaders"]["Origin"] = json!(origins);
        let reply = function.invoke(Invocation::new(event)).await.unwrap();
        assert_eq!(reply.head.status, status, "{origins:?}");
    }
}

#[tokio::test]
async fn what_is_no_http_event_is_an_error_with_advice() {
    let function = function(&[]).await;
    for event in [
        json!({}),
        json!({"Records": [{"eventSource": "aws:sqs"}]}),
        json!({"requestContext": {"connectionId": "c"}}),
    ] {
        let Err(Failure::Function(error)) = function.invoke(Invocation::new(event.clone())).await
        else {
            panic!("{event} was answered");
        };
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.contains("function URL"), "{message}");
    }
    let message = call("whoami", &json!({}));
    let reply = function
        .invoke(Invocation::new(Fixture::named("url-none").with(&message)))
        .await
        .unwrap();
    assert_eq!(text(&reply), "Anonymous ", "the same process answers on");
}

#[tokio::test]
async fn a_host_that_is_none_is_no_panic() {
    let function = function(&[]).await;
    let mut event = Fixture::named("load-balancer").with(&call("whoami", &json!({})));
    event["headers"]["host"] = json!("[::1/evil host");
    event["headers"]["x-forwarded-proto"] = json!("%");
    let reply = function.invoke(Invocation::new(event)).await.unwrap();
    assert_eq!(text(&reply), "Anonymous ");
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused() {
    let function = function(&[]).await;
    let message = call("add", &json!({"a": "x".repeat(5 * 1024 * 1024)}));
    for name in ["url-none", "http-api-jwt-base64"] {
        let reply = function
            .invoke(Invocation::new(Fixture::named(name).with(&message)))
            .await
            .unwrap();
        assert_eq!(reply.head.status, 413, "{name}");
    }
}
