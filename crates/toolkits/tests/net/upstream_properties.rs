//! What holds of servers behind this one for every text, and for many callers at once. Single cases
//! are fixtures: see `hostile`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcpfn_core::text::{is_hidden, is_visible};
use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Asked, Says, Service};

fn front(list: &str) -> Client {
    let variables = [
        ("MCPFN_UPSTREAMS", list),
        ("MCPFN_UPSTREAM_BAD_TOKEN", SECRETS[3]),
    ];
    Client::new("upstream", &variables, Internet::new())
}

fn message(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn result(asked: &Asked, mut result: Value) -> Says {
    if result.get("resultType").is_none() {
        result["resultType"] = "complete".into();
    }
    let id = &message(asked)["id"];
    Says::json(200, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

/// Texts with every hidden character in one of them, each between two letters and at both ends.
fn dirty() -> Vec<String> {
    let hidden = ('\0'..=char::MAX).filter(|one| is_hidden(*one) && !"\n\t".contains(*one));
    let hidden: Vec<char> = hidden.collect();
    assert!(hidden.len() > 4_000);
    let text = |some: &[char]| some.iter().flat_map(|one| [*one, 'x', *one]).collect();
    hidden.chunks(80).map(text).collect()
}

/// Every text and every name of a member.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                found.push(name.clone());
                texts(value, found);
            }
        }
        _ => {}
    }
}

/// Says the text wherever a server can say anything.
fn says_everywhere(asked: &Asked, dirty: &str) -> Says {
    let message = message(asked);
    let icon = json!({"src": "https://cdn.example.com/i.png", "mimeType": dirty, "theme": dirty});
    let text = json!({"type": "text", "text": dirty, "_meta": {dirty: dirty}});
    let link = json!({"type": "resource_link", "uri": "file:///a", "name": dirty, "title": dirty,
        "description": dirty, "mimeType": dirty, "icons": [icon]});
    let inside = json!({"uri": "file:///a", "mimeType": dirty, "text": dirty});
    let property = json!({"type": "string", "title": dirty, "description": dirty, "default": dirty,
        "examples": [dirty], "pattern": dirty, "format": dirty, "$comment": dirty});
    // properties may be called like keywords
    let schema = json!({"type": "object", "title": dirty, "description": dirty, "properties":
        {"a": property, "name": property, "uri": property, "default": property, "pattern": property}});
    match message["method"].as_str().unwrap() {
        "tools/list" => result(
            asked,
            json!({"tools": [{"name": "x", "title": dirty, "description": dirty, "icons": [icon],
                "inputSchema": schema, "outputSchema": schema, "annotations": {"title": dirty}}]}),
        ),
        "resources/list" => result(
            asked,
            json!({"resources": [{"uri": "file:///a", "name": "a", "title": dirty,
                "description": dirty, "mimeType": dirty, "icons": [icon],
                "annotations": {"lastModified": dirty}}]}),
        ),
        "resources/templates/list" => result(
            asked,
            json!({"resourceTemplates": [{"uriTemplate": "file:///{a}", "name": "a",
                "title": dirty, "description": dirty, "mimeType": dirty}]}),
        ),
        "prompts/list" => result(
            asked,
            json!({"prompts": [{"name": "p", "title": dirty, "description": dirty,
                "arguments": [{"name": "a", "title": dirty, "description": dirty}]}]}),
        ),
        "prompts/get" => result(
            asked,
            json!({"description": dirty, "messages": [{"role": "user", "content": text},
                {"role": "user", "content": {"type": dirty}}, {"role": "user", "content": link}]}),
        ),
        "resources/read" => result(asked, json!({"contents": [inside]})),
        "completion/complete" => result(asked, json!({"completion": {"values": [dirty]}})),
        _ => called(
            asked,
            dirty,
            &json!([text, link, {"type": dirty},
            {"type": "resource", "resource": inside}]),
        ),
    }
}

fn called(asked: &Asked, dirty: &str, content: &Value) -> Says {
    let message = message(asked);
    let token = &message["params"]["_meta"]["progressToken"];
    match message["params"]["arguments"]["how"]
        .as_str()
        .unwrap_or("status")
    {
        "error" => Says::json(
            200,
            &json!({"jsonrpc": "2.0", "id": message["id"],
                "error": {"code": -32000, "message": dirty, "data": {dirty: dirty}}}),
        ),
        "status" => Says::new(500, dirty),
        "version" => Says::json(
            400,
            &json!({"jsonrpc": "2.0", "id": message["id"],
                "error": {"code": -32022, "message": dirty}}),
        ),
        "form" => {
            let field = json!({"type": "string", "title": dirty, "description": dirty,
                "enum": ["a"], "enumNames": [dirty], "oneOf": [{"const": "a", "title": dirty}]});
            let params = json!({"message": dirty, "requestedSchema":
                {"type": "object", "title": dirty, "properties": {"a": field}}});
            let form = json!({"method": "elicitation/create", "params": params});
            let form = json!({"resultType": "input_required", "inputRequests": {"q": form}});
            result(asked, form)
        }
        "progress" => {
            let report = json!({"jsonrpc": "2.0", "method": "notifications/progress",
                "params": {"progressToken": token, "progress": 1, "message": dirty}});
            let end = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}});
            Says::new(200, format!("data: {report}\n\ndata: {end}\n\n"))
                .header("content-type", "text/event-stream")
        }
        _ => result(
            asked,
            json!({"content": content, "structuredContent": {dirty: [dirty], "a": dirty}}),
        ),
    }
}

#[tokio::test]
async fn nothing_hidden_reaches_a_client_or_the_log() {
    for text in dirty() {
        nothing_hidden_of(text).await;
    }
}

async fn nothing_hidden_of(text: String) {
    assert!(!is_visible(&text));
    let service = Service::start(move |asked| says_everywhere(asked, &text)).await;
    let client = front(&format!("bad={}", service.url())).showing_forms();
    let mut asks: Vec<(&str, Value)> = ["tools", "prompts", "resources", "resources/templates"]
        .map(|kind| match kind {
            "tools" => ("tools/list", json!({})),
            "prompts" => ("prompts/list", json!({})),
            "resources" => ("resources/list", json!({})),
            _ => ("resources/templates/list", json!({})),
        })
        .into();
    for how in ["result", "error", "status", "version", "form", "progress"] {
        let params = json!({"name": "bad__x", "arguments": {"how": how}});
        asks.push(("tools/call", params));
    }
    let prompt = json!({"type": "ref/prompt", "name": "bad__p"});
    asks.extend([
        ("prompts/get", json!({"name": "bad__p"})),
        ("resources/read", json!({"uri": "bad+file:///a"})),
        (
            "completion/complete",
            json!({"ref": prompt, "argument": {"name": "a", "value": ""}}),
        ),
    ]);
    for (method, params) in asks {
        let mut heard = client.heard(method, params.clone()).await;
        client.settled().await;
        if method.ends_with("/list") {
            heard = client.heard(method, params.clone()).await;
        }
        let mut found = Vec::new();
        texts(&heard, &mut found);
        let hidden: Vec<&String> = found.iter().filter(|text| !is_visible(text)).collect();
        assert!(hidden.is_empty(), "{method} {params}: {hidden:?}");
        assert!(
            found.iter().any(|text| text.contains("xx"))
                || ["status", "version"]
                    .contains(&params["arguments"]["how"].as_str().unwrap_or_default()),
            "{method} {params}: nothing of the server is in {heard}: {}",
            client.logged()
        );
    }
    for line in client.logged().lines() {
        assert!(is_visible(line), "{line:?}");
    }
}

/// What calls repeat letter by letter can't be cleaned: such an entry is not listed.
#[tokio::test]
async fn what_is_repeated_letter_by_letter_has_nothing_hidden() {
    let hidden = [
        '\u{202e}',
        '\u{e0041}',
        '\u{e0100}',
        '\u{180e}',
        '\u{3164}',
        '\u{1b}',
        '\0',
    ];
    let schema = |properties: Value| json!({"type": "object", "properties": properties});
    let mut tools = Vec::new();
    for mark in hidden {
        let name = format!("a{mark}b");
        for schema in [
            schema(json!({&name: {"type": "string"}})),
            schema(json!({"a": schema(json!({&name: {}}))})),
            schema(json!({"a": {"enum": ["x", &name]}})),
            schema(json!({"a": {"const": &name}})),
            schema(json!({"a": {"items": {"const": {"b": [&name]}}}})),
            json!({"type": "object", "required": [&name]}),
            json!({"type": "object", "$defs": {&name: {}}}),
            json!({"type": "object", &name: {}}),
        ] {
            let number = tools.len();
            tools.push(json!({"name": format!("t{number}"), "inputSchema": schema}));
        }
        tools.push(json!({"name": name, "inputSchema": {"type": "object"}}));
    }
    tools.push(json!({"name": "clean", "inputSchema": {"type": "object"}}));
    let lists = json!({
        "tools/list": {"tools": tools},
        "resources/list": {"resources": hidden.map(|mark|
            json!({"uri": format!("file:///{mark}"), "name": "a"}))},
        "resources/templates/list": {"resourceTemplates": hidden.map(|mark|
            json!({"uriTemplate": format!("file:///{mark}{{a}}"), "name": "a"}))},
        "prompts/list": {"prompts": hidden.map(|mark|
            json!({"name": "p", "arguments": [{"name": format!("a{mark}")}]}))},
    });
    let service = Service::start(move |asked| {
        let method = message(asked)["method"].as_str().unwrap().to_owned();
        result(asked, lists[&method].clone())
    })
    .await;
    let client = front(&format!("bad={}", service.url()));
    assert_eq!(client.tools().await, ["bad__clean"]);
    for (method, member) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let list = client.ask(method, json!({})).await.unwrap();
        assert_eq!(list[member], json!([]), "{method}");
    }
}

/// A hundred callers beside a server that never answers: it is asked once, and nobody waits longer
/// than the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_server_holds_nobody() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let hung = Service::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Says::silence()
    })
    .await;
    let list = json!({"tools": [{"name": "greet", "inputSchema": {"type": "object"}}]});
    let good = Service::start(move |asked| result(asked, list.clone())).await;
    let client = front(&format!("bad={},good={}", hung.url(), good.url()));
    for round in 0..3 {
        let started_ms = client.now_ms();
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.heard("tools/list", json!({})).await })
            })
            .collect();
        for caller in callers {
            let heard = caller.await.unwrap();
            assert_eq!(heard["result"]["tools"][0]["name"], "good__greet");
            assert!(
                heard["result"]["ttlMs"]
                    .as_u64()
                    .is_some_and(|ms| ms <= 5000)
            );
        }
        let took_ms = client.now_ms() - started_ms;
        assert!(took_ms < 6_000, "round {round}: {took_ms} ms");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "round {round}");
    }
}

/// The caller's own deadline is no failure of the server: it is asked on, and not paused.
#[tokio::test]
async fn the_deadline_of_one_caller_is_not_the_servers_failure() {
    let list = json!({"tools": [{"name": "x", "inputSchema": {"type": "object"}}]});
    let slow =
        Service::start(move |asked| result(asked, list.clone()).after(Duration::from_millis(300)))
            .await;
    let client = front(&format!("bad={}", slow.url()));
    // this one goes away before the list is there
    let gone = client.heard("tools/list", json!({}));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), gone)
            .await
            .is_err()
    );
    client.heard("tools/list", json!({})).await;
    client.settled().await;
    assert_eq!(client.tools().await, ["bad__x"]);
    assert!(client.logged().is_empty(), "{}", client.logged());
}
