//! Other MCP servers behind this one: of both eras, in every state, and with what they must not get
//! or give.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mcpfn_core::{Cx, Resource, Server, Tool};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Asked, Says, Service};

/// A front for servers, the first of which knows it by a token.
fn front(servers: &[(&str, &str)]) -> Client {
    let list = servers
        .iter()
        .map(|(name, url)| format!("{name}={url}"))
        .collect::<Vec<_>>()
        .join(",");
    let token = format!(
        "MCPFN_UPSTREAM_{}_TOKEN",
        servers[0].0.to_uppercase().replace('-', "_")
    );
    Client::new(
        "upstream",
        &[("MCPFN_UPSTREAMS", &list), (&token, SECRETS[3])],
        Internet::new(),
    )
}

fn message(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn result(asked: &Asked, mut result: Value) -> Says {
    if asked.header("mcp-protocol-version") == Some("2026-07-28")
        && result.get("resultType").is_none()
    {
        result["resultType"] = "complete".into();
    }
    Says::json(
        200,
        &json!({"jsonrpc": "2.0", "id": message(asked)["id"], "result": result}),
    )
}

fn error(asked: &Asked, status: u16, error: &Value) -> Says {
    Says::json(
        status,
        &json!({"jsonrpc": "2.0", "id": message(asked)["id"], "error": error}),
    )
}

fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn tool(name: &str) -> Value {
    json!({"name": name, "description": "Does it.", "inputSchema": {"type": "object"}})
}

/// A server without a handshake that has these tools, and does `call` when one is called.
fn modern(
    tools: Value,
    call: impl Fn(&Asked) -> Says + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Says + Send + Sync + 'static {
    move |asked| {
        let message = message(asked);
        assert_eq!(asked.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(asked.header("mcp-method"), message["method"].as_str());
        match message["method"].as_str().unwrap() {
            "tools/list" => result(
                asked,
                json!({"tools": tools, "ttlMs": 60_000, "cacheScope": "public"}),
            ),
            "tools/call" => call(asked),
            _ => error(
                asked,
                404,
                &json!({"code": -32601, "message": "no such method"}),
            ),
        }
    }
}

async fn good() -> Service {
    Service::start(modern(json!([tool("greet")]), |asked| {
        result(asked, text("hello"))
    }))
    .await
}

#[tokio::test]
async fn tools_are_listed_and_called_under_a_prefix() {
    let schema = json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "n": {"type": "integer"}}});
    let tools = json!([{"name": "create_issue", "title": "Create", "description": "Creates\u{e0041} it.", "inputSchema": schema,
        "annotations": {"readOnlyHint": true}, "_meta": {"x": 1}, "icons": [{"src": "https://x.example/i.png"}]}]);
    let service = Service::start(modern(tools, |asked| {
        let answer = json!({"content": [{"type": "text", "text": "done"}, {"type": "resource_link", "uri": "file:///a", "name": "a"}],
            "structuredContent": {"number": 12345678901234567_u64}, "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "it", "version": "1"}}});
        result(asked, answer)
    }))
    .await;
    let client = front(&[("git-hub", &service.url())]);
    let list = client.ask("tools/list", json!({})).await.unwrap();
    let listed = &list["tools"][0];
    assert_eq!(
        (listed["name"].as_str(), listed["description"].as_str()),
        (Some("git-hub__create_issue"), Some("Creates it."))
    );
    assert_eq!(listed["annotations"], json!({"readOnlyHint": true}));
    assert_eq!(
        listed["inputSchema"]["properties"]["region"],
        json!({"type": "string"}),
        "callers need repeat nothing in headers"
    );
    assert_eq!(listed.get("_meta"), None);
    assert_eq!(list["cacheScope"], "private");

    let called = client
        .result("git-hub__create_issue", json!({"region": "Zürich", "n": 1}))
        .await;
    assert_eq!(called["content"][0]["text"], "done");
    assert_eq!(called["content"][1]["uri"], "git-hub+file:///a");
    assert_eq!(called["structuredContent"]["number"], 12345678901234567_u64);
    assert_eq!(called["_meta"]["dev.mcpfn/upstream"], "git-hub");
    assert_eq!(
        called["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "net",
        "the answer is this server's own"
    );
    let asked = service.asked();
    assert_eq!(asked.len(), 2, "a list and a call");
    assert_eq!(asked[1].header("mcp-name"), Some("create_issue"));
    assert_eq!(
        asked[1].header("mcp-param-region"),
        Some("=?base64?WsO8cmljaA==?=")
    );
    assert_eq!(
        message(&asked[1])["params"]["arguments"],
        json!({"region": "Zürich", "n": 1})
    );
    assert_eq!(
        message(&asked[1])["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"],
        json!({})
    );
}

#[tokio::test]
async fn each_server_gets_its_own_credential_or_none() {
    let (one, other) = (good().await, good().await);
    let client = front(&[("one", &one.url()), ("other", &other.url())]);
    assert_eq!(client.tools().await, ["one__greet", "other__greet"]);
    assert_eq!(client.text("one__greet", json!({})).await.unwrap(), "hello");
    assert_eq!(
        client.text("other__greet", json!({})).await.unwrap(),
        "hello"
    );
    assert!(
        one.asked()
            .iter()
            .all(|asked| asked.header("authorization") == Some(&format!("Bearer {}", SECRETS[3])))
    );
    assert!(
        other
            .asked()
            .iter()
            .all(|asked| asked.header("authorization").is_none())
    );
}

/// A server with a handshake: what it wants of every request is checked, and sessions end when
/// `expire` says so.
fn legacy(
    expire: Arc<AtomicBool>,
    sessions: Arc<AtomicUsize>,
) -> impl Fn(&Asked) -> Says + Send + Sync + 'static {
    move |asked| {
        let message = message(asked);
        if message["method"] == "initialize" {
            assert_eq!(message["params"]["protocolVersion"], "2025-11-25");
            let session = format!("s-{}", sessions.fetch_add(1, Ordering::Relaxed));
            expire.store(false, Ordering::Relaxed);
            let answer = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "old", "version": "1"}});
            let event = json!({"jsonrpc": "2.0", "id": message["id"], "result": answer});
            // with an event that is there so that a client may come back, as the specification of
            // 2025-11-25 has it
            return Says::new(
                200,
                format!("id: 1\ndata:\n\nevent: message\ndata: {event}\n\n"),
            )
            .header("content-type", "text/event-stream")
            .header("mcp-session-id", &session);
        }
        let known = format!("s-{}", sessions.load(Ordering::Relaxed).saturating_sub(1));
        match asked.header("mcp-session-id") {
            None => {
                return Says::json(
                    400,
                    &json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": "Server not initialized"}}),
                );
            }
            Some(session) if session != known || expire.load(Ordering::Relaxed) => {
                return Says::new(404, "no such session");
            }
            Some(_) => {}
        }
        assert_eq!(asked.header("mcp-protocol-version"), Some("2025-06-18"));
        assert_eq!(asked.header("mcp-method"), None);
        match message["method"].as_str().unwrap() {
            "notifications/initialized" => Says::new(202, ""),
            "tools/list" => result(asked, json!({"tools": [tool("greet")]})),
            "tools/call" => result(asked, text("hello from before")),
            _ => error(
                asked,
                200,
                &json!({"code": -32601, "message": "no such method"}),
            ),
        }
    }
}

#[tokio::test]
async fn a_server_with_a_handshake_gets_one_and_another_when_its_session_ends() {
    let (expire, sessions) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let service = Service::start(legacy(Arc::clone(&expire), Arc::clone(&sessions))).await;
    let client = front(&[("old", &service.url())]);
    assert_eq!(client.tools().await, ["old__greet"]);
    for _ in 0..2 {
        assert_eq!(
            client.text("old__greet", json!({})).await.unwrap(),
            "hello from before"
        );
    }
    // the attempt without a handshake, initialize, initialized, list, two calls
    assert_eq!(
        (sessions.load(Ordering::Relaxed), service.asked().len()),
        (1, 6)
    );
    expire.store(true, Ordering::Relaxed);
    assert_eq!(
        client.text("old__greet", json!({})).await.unwrap(),
        "hello from before"
    );
    assert_eq!(
        (sessions.load(Ordering::Relaxed), service.asked().len()),
        (2, 10)
    );
    let ids: Vec<Value> = service
        .asked()
        .iter()
        .map(|asked| message(asked)["id"].clone())
        .filter(|id| !id.is_null())
        .collect();
    assert!(
        ids.iter()
            .enumerate()
            .all(|(position, id)| !ids[..position].contains(id)),
        "an id is used once: {ids:?}"
    );
}

#[tokio::test]
async fn a_server_that_fails_hides_no_other() {
    let good = good().await;
    let endless_events = || Says::endless().header("content-type", "text/event-stream");
    let huge = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#,
        "{},".repeat(1_000_000)
    );
    let leaks = format!("<html>at /srv/app.py line 3 {}", SECRETS[3]);
    for (says, why, said, outcome) in [
        (
            Says::new(500, leaks.clone()),
            "status 500",
            "answered that it failed. Try again in a few minutes.",
            "service_failing",
        ),
        (
            Says::new(503, ""),
            "status 503",
            "answered that it failed. Try again in a few minutes.",
            "service_failing",
        ),
        (
            Says::new(429, "").header("retry-after", "90"),
            "status 429",
            "takes no more requests for the next 90 seconds. Try again then.",
            "service_rate_limited",
        ),
        (
            Says::new(401, leaks.clone()).header(
                "www-authenticate",
                "Bearer resource_metadata=\"https://evil.example\"",
            ),
            "status 401",
            "rejected this server's credentials. Tell the user",
            "service_credentials",
        ),
        (
            Says::new(403, ""),
            "not allowed to do this",
            "rejected this server's credentials. Tell the user",
            "service_credentials",
        ),
        (
            Says::redirect(307, "http://127.0.0.1:9/"),
            "it redirects",
            "does not take this server's request. Tell the user",
            "service_refused",
        ),
        (
            Says::new(200, leaks.clone()),
            "no answer to the request",
            "gave an answer that can't be read. Try again",
            "service_malformed",
        ),
        (
            Says::new(200, "{\"jsonrpc\":\"2.0\",").header("content-type", "application/json"),
            "no answer to the request",
            "gave an answer that can't be read. Try again",
            "service_malformed",
        ),
        (
            Says::new(200, huge).header("content-type", "application/json"),
            "longer than the limit",
            "gave an answer that is too long to be read. Ask for less.",
            "service_too_long",
        ),
        (
            Says::new(400, leaks.clone()),
            "neither a request without a handshake",
            "does not take this server's request. Tell the user",
            "service_refused",
        ),
        (
            Says::new(404, "not found"),
            "neither a request without a handshake",
            "does not take this server's request. Tell the user",
            "service_refused",
        ),
        (
            Says::json(
                200,
                &json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": "none"}}),
            ),
            "not a list of objects",
            "gave an answer that can't be read. Try again",
            "service_malformed",
        ),
        (
            Says::json(
                200,
                &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": leaks}}),
            ),
            "error -32603",
            "answered that it failed. Try again in a few minutes.",
            "service_failing",
        ),
        (
            endless_events(),
            "longer than the limit",
            "gave an answer that is too long to be read. Ask for less.",
            "service_too_long",
        ),
        (
            Says::new(200, ""),
            "no answer to the request",
            "gave an empty answer. Try again",
            "service_empty",
        ),
        (
            Says::silence(),
            "no answer in time",
            "did not answer within ",
            "service_timeout",
        ),
    ] {
        let bad = Service::saying(says).await;
        let client = front(&[("bad", &bad.url()), ("good", &good.url())]);
        assert_eq!(client.tools().await, ["good__greet"], "{why}");
        client.settled().await;
        assert!(
            client.logged().contains(why),
            "{why} is not in {}",
            client.logged()
        );
        assert_eq!(
            client.text("good__greet", json!({})).await.unwrap(),
            "hello",
            "{why}"
        );
        let refused = client.text("bad__greet", json!({})).await.unwrap_err();
        assert!(
            refused.starts_with(&format!("`bad` {said}")),
            "{why}: {refused}"
        );
        assert_eq!(client.outcome(), outcome, "{why}: {refused}");
        for detail in ["status", "app.py", "evil", "127.0.0.1", "redirect"] {
            assert!(!refused.contains(detail), "{why}: {refused}");
        }
    }
    let client = front(&[("bad", &Service::closed().await), ("good", &good.url())]);
    assert_eq!(client.tools().await, ["good__greet"]);
    assert!(
        client.logged().contains("unreachable"),
        "{}",
        client.logged()
    );
    let refused = client.text("bad__greet", json!({})).await.unwrap_err();
    assert!(refused.starts_with("`bad` can't be reached."), "{refused}");
    assert_eq!(client.outcome(), "service_unreachable");
}

#[tokio::test]
async fn calls_that_fail_say_what_is_known() {
    let says = Arc::new(std::sync::Mutex::new(Says::new(500, "")));
    let next = Arc::clone(&says);
    let service = Service::start(modern(json!([tool("pay")]), move |asked| {
        let says = next.lock().unwrap().clone();
        // an error is an answer only to the request that it names
        says.answering(&message(asked)["id"].to_string())
    }))
    .await;
    let client = front(&[("bank", &service.url())]);
    let rpc = |code: i64, message: &str| {
        Says::new(
            200,
            format!(
                r#"{{"jsonrpc":"2.0","id":ID,"error":{{"code":{code},"message":{},"data":{{"at":"{}"}}}}}}"#,
                json!(message),
                SECRETS[3]
            ),
        )
    };
    for (answer, sentence) in [
        (
            Says::new(500, SECRETS[3]),
            "`bank` answered that it failed. It is not known whether it was done",
        ),
        (
            Says::silence(),
            "`bank` did not answer within 30 s. It is not known whether it was done",
        ),
        (
            Says::new(401, ""),
            "`bank` rejected this server's credentials. Tell the user",
        ),
        (
            Says::new(429, ""),
            "`bank` takes no more requests for now. Try again in a minute.",
        ),
        (
            rpc(-32602, "amount is missing"),
            "`bank` refused the call: amount is missing",
        ),
        (
            rpc(-32603, &format!("at db.rs:1 with {}", SECRETS[3])),
            "`bank` refused the call: at db.rs:1 with [token]",
        ),
        (
            rpc(-32042, "open a page"),
            "`bank` wants a page to be opened, which this server does not pass on.",
        ),
        (
            Says::new(
                200,
                r#"{"jsonrpc":"2.0","id":ID,"result":{"resultType":"task","taskId":"1"}}"#,
            ),
            "`bank` gave a result that can't be read.",
        ),
        (
            Says::new(
                200,
                r#"{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"no money"}],"isError":true}}"#,
            ),
            "no money",
        ),
    ] {
        *says.lock().unwrap() = answer;
        let refused = client.text("bank__pay", json!({})).await.unwrap_err();
        assert!(refused.starts_with(sentence), "{sentence}: {refused}");
    }
    let unknown = client
        .ask("tools/call", json!({"name": "bank__rob", "arguments": {}}))
        .await
        .unwrap_err();
    assert_eq!(
        (unknown["code"].as_i64(), unknown["message"].as_str()),
        (Some(-32602), Some("unknown tool `bank__rob`"))
    );
    let unknown = client
        .ask("tools/call", json!({"name": "other__pay", "arguments": {}}))
        .await
        .unwrap_err();
    assert_eq!(unknown["code"], -32602);
}

#[tokio::test]
async fn the_last_known_list_stays_while_a_server_is_down() {
    let down = Arc::<AtomicBool>::default();
    let is_down = Arc::clone(&down);
    let up = modern(json!([tool("greet")]), |asked| result(asked, text("hello")));
    let service = Service::start(move |asked| {
        if is_down.load(Ordering::Relaxed) {
            Says::new(503, "")
        } else {
            up(asked)
        }
    })
    .await;
    let client = front(&[("a", &service.url())]);
    let list = client.ask("tools/list", json!({})).await.unwrap();
    assert!(
        list["ttlMs"].as_u64().is_some_and(|ttl| ttl <= 60_000),
        "{list}"
    );
    assert_eq!(client.tools().await, ["a__greet"]);
    assert_eq!(
        service.asked().len(),
        1,
        "a list is kept for as long as its server says"
    );
    down.store(true, Ordering::Relaxed);
    client.later(60_000);
    assert_eq!(client.tools().await, ["a__greet"]);
    client.settled().await;
    assert!(
        client
            .logged()
            .contains("tools can't be listed: status 503"),
        "{}",
        client.logged()
    );
    assert_eq!(client.tools().await, ["a__greet"]);
    assert_eq!(
        service.asked().len(),
        2,
        "a server that is down is left alone for a while"
    );
    down.store(false, Ordering::Relaxed);
    client.later(10_000);
    client.tools().await;
    client.settled().await;
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn many_callers_ask_for_a_list_once() {
    let up = modern(json!([tool("greet")]), |asked| result(asked, text("hello")));
    let service = Service::start(move |asked| up(asked).after(Duration::from_millis(50))).await;
    let client = Arc::new(front(&[("a", &service.url())]));
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.tools().await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), ["a__greet"]);
    }
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn lists_are_bounded_and_names_are_ours() {
    let long = "x".repeat(130);
    let tools = json!([
        tool("ok"), tool("ok"), tool("has space"), tool("bell\u{7}"), tool("ünï"), tool(""), tool(&long),
        {"name": "no_schema"}, {"name": "array", "inputSchema": {"type": "array"}}, "text", {"inputSchema": {"type": "object"}},
        {"name": "far", "inputSchema": {"type": "object", "$ref": "https://evil.example/s.json"}},
        {"name": "large", "description": "x".repeat(70_000), "inputSchema": {"type": "object"}},
        tool("also-ok.2"),
    ]);
    let service = Service::start(move |asked| {
        // every page has a next one, and it is the same
        result(
            asked,
            json!({"tools": tools, "nextCursor": "again", "ttlMs": 0, "cacheScope": "public"}),
        )
    })
    .await;
    let client = front(&[("a", &service.url())]);
    assert_eq!(client.tools().await, ["a__ok", "a__also-ok_2_05db2e21"]);
    let logged = client.logged();
    for part in [
        "its pages have no end: 2 were read",
        "an entry has 70",
        "more",
    ] {
        assert!(logged.contains(part), "{part}: {logged}");
    }
    let endless = AtomicUsize::new(0);
    let service = Service::start(move |asked| {
        let page = endless.fetch_add(1, Ordering::Relaxed);
        let tools: Vec<Value> = (0..99).map(|number| tool(&format!("t{page}_{number}"))).collect();
        result(asked, json!({"tools": tools, "nextCursor": page.to_string(), "ttlMs": 0, "cacheScope": "public"}))
    })
    .await;
    let client = front(&[("a", &service.url())]);
    let list = client.ask("tools/list", json!({})).await.unwrap();
    assert_eq!(
        list["tools"].as_array().unwrap().len(),
        1000,
        "a page of this server"
    );
    assert_eq!(service.asked().len(), 11);
    assert!(
        client.logged().contains("more than 1000 entries"),
        "{}",
        client.logged()
    );
    // this server's own pages lead through all of it
    let (mut seen, mut cursor) = (1000, list["nextCursor"].clone());
    while cursor.is_string() {
        let page = client
            .ask("tools/list", json!({"cursor": cursor}))
            .await
            .unwrap();
        seen += page["tools"].as_array().unwrap().len();
        cursor = page["nextCursor"].clone();
    }
    assert_eq!(seen, 1000);
    assert_eq!(
        client
            .ask("tools/list", json!({"cursor": "made-up"}))
            .await
            .unwrap_err()["code"],
        -32602
    );
}

#[tokio::test]
async fn a_scope_hides_a_server() {
    let (open, secret) = (good().await, good().await);
    let list = format!("open={},hr={}", open.url(), secret.url());
    let variables: &[(&str, &str)] = &[
        ("MCPFN_UPSTREAMS", &list),
        ("MCPFN_UPSTREAM_HR_SCOPE", "hr"),
    ];
    let of =
        |scopes: &[&str]| Client::new("upstream", variables, Internet::new()).with_scopes(scopes);
    // without a setting the scope is named after the server
    assert!(of(&["catalog", "upstream:hr"]).tools().await.is_empty());
    let stranger = of(&["upstream:open"]);
    assert_eq!(stranger.tools().await, ["open__greet"]);
    let refused = stranger
        .ask("tools/call", json!({"name": "hr__greet"}))
        .await
        .unwrap_err();
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("needs the scope hr"),
        "{refused}"
    );
    assert_eq!(
        stranger
            .ask("resources/read", json!({"uri": "hr+file:///a"}))
            .await
            .unwrap_err()["code"],
        refused["code"]
    );
    assert!(
        secret.asked().is_empty(),
        "nobody without the scope makes this server ask"
    );
    let known = of(&["upstream", "hr"]);
    assert_eq!(known.tools().await, ["open__greet", "hr__greet"]);
    assert_eq!(known.text("hr__greet", json!({})).await.unwrap(), "hello");
}

/// A server with resources and prompts.
fn library(asked: &Asked) -> Says {
    let message = message(asked);
    let params = &message["params"];
    match message["method"].as_str().unwrap() {
        "resources/list" => result(
            asked,
            json!({"resources": [{"uri": "file:///a", "name": "a"}, {"uri": "no uri", "name": "b"}], "ttlMs": 1}),
        ),
        "resources/templates/list" => result(
            asked,
            json!({"resourceTemplates": [{"uriTemplate": "file:///{+path}", "name": "files"}]}),
        ),
        "resources/read" if params["uri"] == "file:///a" => {
            assert_eq!(asked.header("mcp-name"), Some("file:///a"));
            result(
                asked,
                json!({"contents": [{"uri": "file:///a", "mimeType": "text/plain", "text": "inside", "_meta": {"x": 1}}, {"uri": "file:///b", "blob": "AA=="}]}),
            )
        }
        "resources/read" => error(
            asked,
            200,
            &json!({"code": -32602, "message": "there is no such file"}),
        ),
        "prompts/list" => result(
            asked,
            json!({"prompts": [{"name": "review", "description": "Reviews.", "arguments": [{"name": "file", "required": true}]}]}),
        ),
        "prompts/get" => {
            assert_eq!(asked.header("mcp-name"), Some("review"));
            let words = format!("Review {}", params["arguments"]["file"].as_str().unwrap());
            result(
                asked,
                json!({"description": "d", "messages": [
                {"role": "user", "content": {"type": "text", "text": words}},
                {"role": "assistant", "content": {"type": "resource", "resource": {"uri": "file:///a", "text": "x"}}}]}),
            )
        }
        "completion/complete" => {
            let values = json!([
                params["ref"]["name"],
                params["ref"]["uri"],
                params["argument"]["value"],
                params["context"]["arguments"]["other"]
            ]);
            let values: Vec<&Value> = values
                .as_array()
                .unwrap()
                .iter()
                .filter(|value| value.is_string())
                .collect();
            result(asked, json!({"completion": {"values": values}}))
        }
        _ => error(asked, 404, &json!({"code": -32601, "message": "no"})),
    }
}

#[tokio::test]
async fn resources_prompts_and_completions() {
    let service = Service::start(library).await;
    let client = front(&[("lib", &service.url())]);
    assert!(client.tools().await.is_empty());
    let resources = client.ask("resources/list", json!({})).await.unwrap();
    assert_eq!(
        resources["resources"],
        json!([{"uri": "lib+file:///a", "name": "a"}])
    );
    let templates = client
        .ask("resources/templates/list", json!({}))
        .await
        .unwrap();
    assert_eq!(
        templates["resourceTemplates"],
        json!([{"uriTemplate": "lib+file:///{+path}", "name": "files"}])
    );
    let read = client
        .ask("resources/read", json!({"uri": "lib+file:///a"}))
        .await
        .unwrap();
    assert_eq!(
        read["contents"],
        json!([
            {"uri": "lib+file:///a", "mimeType": "text/plain", "text": "inside", "_meta": {"dev.mcpfn/untrusted": true}},
            {"uri": "lib+file:///b", "blob": "AA==", "_meta": {"dev.mcpfn/untrusted": true}}
        ])
    );
    assert_eq!(
        (&read["ttlMs"], &read["cacheScope"]),
        (&json!(0), &json!("private"))
    );
    let missing = client
        .ask("resources/read", json!({"uri": "lib+file:///z"}))
        .await
        .unwrap_err();
    assert_eq!(
        (missing["code"].as_i64(), missing["message"].as_str()),
        (
            Some(-32602),
            Some("`lib` refused it: there is no such file")
        )
    );
    assert_eq!(missing["data"]["uri"], "lib+file:///z");

    let prompts = client.ask("prompts/list", json!({})).await.unwrap();
    assert_eq!(prompts["prompts"][0]["name"], "lib__review");
    assert_eq!(
        prompts["prompts"][0]["arguments"],
        json!([{"name": "file", "required": true}])
    );
    let prompt = client
        .ask(
            "prompts/get",
            json!({"name": "lib__review", "arguments": {"file": "x"}}),
        )
        .await
        .unwrap();
    assert_eq!(prompt["messages"][0]["content"]["text"], "Review x");
    assert_eq!(
        prompt["messages"][1]["content"]["resource"]["uri"],
        "lib+file:///a"
    );
    assert_eq!(
        client
            .ask("prompts/get", json!({"name": "lib__none"}))
            .await
            .unwrap_err()["code"],
        -32602
    );

    let complete = async |reference: Value| {
        let params = json!({"ref": reference, "argument": {"name": "file", "value": "ab"}, "context": {"arguments": {"other": "o"}}});
        client.ask("completion/complete", params).await.unwrap()["completion"]["values"].clone()
    };
    assert_eq!(
        complete(json!({"type": "ref/prompt", "name": "lib__review"})).await,
        json!(["review", "ab", "o"])
    );
    assert_eq!(
        complete(json!({"type": "ref/resource", "uri": "lib+file:///{+path}"})).await,
        json!(["file:///{+path}", "ab", "o"])
    );
}

/// Asks for a name before it greets, and wants its state back.
fn asks(asked: &Asked) -> Says {
    let message = message(asked);
    let params = &message["params"];
    let form = json!({"type": "object", "properties": {"name": {"type": "string"}, "nick": {"type": "string"}}, "required": ["name"]});
    match (
        params["requestState"].as_str(),
        &params["inputResponses"]["who"],
    ) {
        (Some("their-own-state"), answer) if answer["action"] == "accept" => result(
            asked,
            text(&format!(
                "hello {}",
                answer["content"]["name"].as_str().unwrap()
            )),
        ),
        (Some("their-own-state"), answer) => {
            result(asked, text(&format!("then not: {}", answer["action"])))
        }
        _ if params["_meta"]["io.modelcontextprotocol/clientCapabilities"]
            != json!({"elicitation": {"form": {}}}) =>
        {
            error(
                asked,
                400,
                &json!({"code": -32021, "message": "forms are needed", "data": {"requiredCapabilities": {"elicitation": {}}}}),
            )
        }
        _ if params["arguments"]["page"] == true => {
            let page = json!({"method": "elicitation/create", "params": {"mode": "url", "message": "Log in", "url": "https://evil.example", "requestedSchema": form}});
            result(
                asked,
                json!({"resultType": "input_required", "inputRequests": {"who": page}}),
            )
        }
        _ => {
            let form = json!({"method": "elicitation/create", "params": {"message": "Who\u{202e} is it?", "requestedSchema": form}});
            result(
                asked,
                json!({"resultType": "input_required", "inputRequests": {"who": form}, "requestState": "their-own-state"}),
            )
        }
    }
}

#[tokio::test]
async fn forms_are_passed_on_with_the_state_sealed() {
    let service = Service::start(modern(json!([tool("greet")]), asks)).await;
    let client = front(&[("a", &service.url())]).showing_forms();
    let question = client.result("a__greet", json!({})).await;
    assert_eq!(question["resultType"], "input_required");
    let form = &question["inputRequests"]["who"]["params"];
    assert_eq!(form["message"], "The server `a` asks: Who is it?");
    assert_eq!(form["requestedSchema"]["required"], json!(["name"]));
    let state = question["requestState"].as_str().unwrap();
    assert!(!state.contains("their-own-state"));
    let again = async |name: &str, arguments: Value, answer: Value, state: &str| {
        client
            .ask("tools/call", json!({"name": name, "arguments": arguments, "inputResponses": {"who": answer}, "requestState": state}))
            .await
    };
    let ada = json!({"action": "accept", "content": {"name": "Ada"}});
    assert_eq!(
        again("a__greet", json!({}), ada.clone(), state)
            .await
            .unwrap()["content"][0]["text"],
        "hello Ada"
    );
    assert_eq!(
        again("a__greet", json!({}), json!({"action": "decline"}), state)
            .await
            .unwrap()["content"][0]["text"],
        "then not: \"decline\""
    );
    assert_eq!(
        again("a__greet", json!({"other": 1}), ada.clone(), state)
            .await
            .unwrap_err()["code"],
        -32602,
        "it belongs to its call"
    );
    assert_eq!(
        again("a__greet", json!({}), ada, "their-own-state")
            .await
            .unwrap_err()["code"],
        -32602,
        "clients make no state"
    );

    let page = client
        .text("a__greet", json!({"page": true}))
        .await
        .unwrap_err();
    assert!(
        page.starts_with("`a` asks for something that this server does not pass on")
            && !page.contains("evil"),
        "{page}"
    );
    let blind = front(&[("a", &service.url())]);
    let refused = blind.text("a__greet", json!({})).await.unwrap_err();
    assert!(
        refused.starts_with("`a` needs a capability that the client did not declare"),
        "{refused}"
    );
}

#[tokio::test]
async fn records_have_names_that_a_list_has() {
    let service = good().await;
    let client = front(&[("a", &service.url())]);
    client.text("a__greet", json!({})).await.unwrap();
    for number in 0..3 {
        client
            .ask(
                "tools/call",
                json!({"name": format!("a__made_up_{number}")}),
            )
            .await
            .unwrap_err();
    }
    assert_eq!(
        client.called(),
        ["a__greet", "a", "a", "a"],
        "a caller can't fill metrics with names"
    );
}

#[tokio::test]
async fn servers_that_front_each_other_do_not_ask_without_end() {
    let service = good().await;
    assert_eq!(
        front(&[("a", &service.url())]).behind(2).tools().await,
        ["a__greet"]
    );
    assert_eq!(
        message(&service.asked()[0])["params"]["_meta"]["dev.mcpfn/hops"],
        3
    );
    let circle = front(&[("a", &service.url())]).behind(3);
    assert!(circle.tools().await.is_empty());
    assert!(
        circle
            .logged()
            .contains("do some of them front each other?"),
        "{}",
        circle.logged()
    );
    assert_eq!(service.asked().len(), 1);
}

#[test]
fn an_upstream_shadows_nothing() {
    let variable = |name: &str| match name {
        "MCPFN_UPSTREAMS" => Some("a=http://127.0.0.1:9".to_owned()),
        "MCPFN_UPSTREAM_A_SCOPE" => Some("no scope".to_owned()),
        _ => None,
    };
    let own = Server::builder("x", "1")
        .tool(
            Tool::new("a__greet")
                .description("Greets.")
                .handler(|| async { "hello" }),
        )
        .tool(
            Tool::new("ab__greet")
                .description("Greets.")
                .handler(|| async { "hello" }),
        )
        .resource(
            Resource::new("a+file:///x", "x")
                .description("X.")
                .handler(|_: Cx| async { "x" }),
        );
    let refused = register(own, "upstream", &variable)
        .unwrap()
        .build()
        .unwrap_err();
    assert_eq!(refused.mistakes.len(), 3, "{refused}");
    for part in [
        "`a__greet` of this server has its prefix",
        "`a+file:///x` of this server has its prefix",
        "tool `a`: a scope has 1 to 128",
    ] {
        assert!(refused.to_string().contains(part), "{part}: {refused}");
    }
}

#[test]
fn settings_are_checked_all_at_once() {
    let mistakes = |variables: &[(&str, &str)]| {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        register(Server::builder("x", "1"), "upstream", &variable)
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    assert!(
        mistakes(&[]).contains("needs MCPFN_UPSTREAMS: the servers to front, such as crm=https://")
    );
    let list = "a=https://a.example/mcp, b=ftp://hunter2, Bad Name=https://x.example, hunter2, \
        a=http://a.example, c=https://u:hunter2@c.example";
    let said = mistakes(&[
        ("MCPFN_UPSTREAMS", list),
        ("MCPFN_UPSTREAM_A_TOKEN", "two words hunter2"),
    ]);
    for part in [
        "the URL of `b` is not an address",
        "an entry whose name is not 1 to 32",
        "an entry without `=`",
        "names `a` twice",
        "the URL of `c` is not an address",
        "MCPFN_UPSTREAM_A_TOKEN is not a key",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
