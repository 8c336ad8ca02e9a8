//! A client that asks for what it is told to ask for reaches the tools that write: it follows
//! challenges, and sees in the list what it could ask for.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use mcpfn_auth_tests::guarded;
use mcpfn_core::port::Platform;
use mcpfn_http::{Config, Service};
use serde_json::{Value, json};

use crate::settings::{mistakes, read};
use crate::world::{RSA, SERVER, World};

/// A client with a token of some scopes, which asks for those of each challenge, beside its own.
struct Follows<'a> {
    world: &'a World,
    service: Service,
    platform: Arc<Platform>,
    scopes: Option<String>,
    /// What it was told to ask for, each time.
    asked: Vec<String>,
}

impl<'a> Follows<'a> {
    fn new(world: &'a World, more: &[(&str, &str)]) -> Self {
        let variables = [
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", world.issuer.id.as_str()),
            ("MCPFN_PUBLIC_URL", SERVER),
        ];
        let mut config = Config::default();
        config.auth = read(&[&variables, more].concat()).unwrap().auth;
        Self {
            world,
            service: Service::new(guarded().build().unwrap(), config),
            platform: Arc::new(world.platform.clone()),
            scopes: None,
            asked: Vec::new(),
        }
    }

    /// One request: its status, the scopes of its challenge, and its body.
    async fn send(&self, method: &str, params: &Value) -> (u16, Option<String>, Value) {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-06-18");
        if let Some(scopes) = &self.scopes {
            let claims = self.world.claims_with(&json!({"scope": scopes}));
            request = request.header("authorization", format!("Bearer {}", RSA.token(&claims)));
        }
        let request = request
            .body(Full::<Bytes>::from(message.to_string()))
            .unwrap();
        let (head, body) = self
            .service
            .call(request, &self.platform)
            .await
            .into_parts();
        let challenge = head.headers.get("www-authenticate").map(|value| {
            let value = value.to_str().unwrap();
            let scope = value.split("scope=\"").nth(1).unwrap_or_default();
            scope.split('"').next().unwrap_or_default().to_owned()
        });
        let body = body.collect().await.unwrap().to_bytes();
        (
            head.status.as_u16(),
            challenge,
            serde_json::from_slice(&body).unwrap(),
        )
    }

    /// The same, with a token for what the challenges ask.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        for _ in 0..4 {
            let (status, challenge, body) = self.send(method, &params).await;
            let Some(scopes) = challenge.filter(|_| matches!(status, 401 | 403)) else {
                assert_eq!(status, 200, "{body}");
                return body["result"].clone();
            };
            self.asked.push(scopes.clone());
            self.scopes = Some(format!(
                "{} {scopes}",
                self.scopes.as_deref().unwrap_or_default()
            ));
        }
        panic!("it is never enough: {:?}", self.asked);
    }

    async fn tools(&mut self) -> Vec<String> {
        let result = self.ask("tools/list", json!({})).await;
        let tools = result["tools"].as_array().unwrap();
        let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
        tools.iter().map(name).collect()
    }

    async fn metadata(&self) -> Value {
        let at = "/.well-known/oauth-protected-resource";
        let request = Request::get(at).body(Full::<Bytes>::default()).unwrap();
        let response = self.service.call(request, &self.platform).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }
}

const NOTIFY: &str = "notify";

#[tokio::test]
async fn a_client_that_follows_challenges_reaches_what_writes() {
    let world = World::new().await;
    let mut client = Follows::new(&world, &[]);
    assert!(client.tools().await.iter().any(|name| name == NOTIFY));
    // nothing that writes was asked for yet
    assert!(
        client.asked.len() == 1 && !client.asked[0].contains("write"),
        "{:?}",
        client.asked
    );
    let called = client
        .ask("tools/call", json!({"name": NOTIFY, "arguments": {}}))
        .await;
    assert_eq!(called["content"][0]["text"], "sent");
    let asked = client.asked.last().unwrap();
    assert!(
        asked.contains("crm:write") && asked.contains("mail:send"),
        "{asked}"
    );
}

#[tokio::test]
async fn an_operator_chooses_what_is_advertised() {
    let world = World::new().await;
    for (advertised, has, has_not) in [
        ("read", "crm:read", "crm:write"),
        ("all", "crm:write", "nothing"),
        ("mail:send crm:write", "mail:send", "crm:read"),
    ] {
        let mut client = Follows::new(&world, &[("MCPFN_ADVERTISED_SCOPES", advertised)]);
        let scopes = client.metadata().await["scopes_supported"].to_string();
        client.tools().await;
        for said in [&scopes, &client.asked[0]] {
            assert!(
                said.contains(has) && !said.contains(has_not),
                "{advertised}: {said}"
            );
        }
    }
    let oauth = [
        ("MCPFN_AUTH", "oauth"),
        ("MCPFN_ISSUER", "https://a.example"),
        ("MCPFN_PUBLIC_URL", SERVER),
    ];
    for (name, wrong) in [
        ("MCPFN_ADVERTISED_SCOPES", "a\"b"),
        ("MCPFN_ADVERTISED_SCOPES", "*"),
        ("MCPFN_LIST_STEP_UP", "maybe"),
    ] {
        mistakes(&[&oauth[..], &[(name, wrong)]].concat(), &[name]);
    }
}

#[tokio::test]
async fn what_no_step_up_opens_is_not_listed() {
    let world = World::new().await;
    let limits = format!("{}=crm:read", world.issuer.id);
    for hidden in [
        ("MCPFN_LIST_STEP_UP", "off"),
        ("MCPFN_ISSUER_SCOPES", limits.as_str()),
    ] {
        let mut client = Follows::new(&world, &[hidden]);
        client.scopes = Some("crm:read".to_owned());
        let tools = client.tools().await;
        assert!(
            !tools.is_empty() && !tools.iter().any(|name| name == NOTIFY),
            "{hidden:?}: {tools:?}"
        );
    }
}
