//! Cloudflare Access through HTTP, by the settings that an operator writes: what a client is told
//! about each assertion. The team's domain is the issuer on loopback.

use std::ffi::OsString;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use mcpfn_auth_tests::{Issuer, Key, Kind, TestClock, compact, guarded, platform};
use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse, Platform},
};
use mcpfn_http::{Config, Service};
use mcpfn_native::Client;
use mcpfn_settings::{AuthMethod, Common, EnvReader, Hosts};
use serde_json::{Value, json};

use crate::world::{P256, RSA, changed};

const TEAM: &str = "https://acme.cloudflareaccess.com";

/// The way to the team's domain.
struct Domain {
    issuer: String,
    client: Client,
}

impl HttpClient for Domain {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        assert_eq!(
            request.url,
            format!("{TEAM}/cdn-cgi/access/certs"),
            "nothing else is asked"
        );
        request.url = request.url.replace(TEAM, &self.issuer);
        self.client.send(request)
    }
}

struct Guarded {
    service: Service,
    platform: Arc<Platform>,
    clock: Arc<TestClock>,
}

impl Guarded {
    fn new(issuer: &Issuer) -> Self {
        let settings = [
            ("MCPFN_AUTH", "access"),
            ("MCPFN_ACCESS_TEAM", "acme"),
            ("MCPFN_ACCESS_AUDIENCE", "tag"),
        ];
        let variable = |name: &str| {
            settings
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        let mut reader = EnvReader::new(&variable);
        let host = mcpfn_settings::Host {
            id: Hosts::ALL,
            methods: &[AuthMethod::CloudflareAccess],
            auth_unset: None,
            max_body: 4 * 1024 * 1024,
            rate: None,
            rate_with_auth: None,
            key_source: None,
            listening: None,
            deployment: None,
        };
        let common = Common::read(&mut reader, &host, &[]);
        let mut config = Config::default();
        config.auth = reader
            .finish(common.credentials)
            .expect("the settings have no mistake")
            .auth;
        let (platform, clock) = platform();
        let domain = Domain {
            issuer: issuer.id.clone(),
            client: Client::new(),
        };
        let platform = Arc::new(platform.with_port::<dyn HttpClient>(Arc::new(domain)));
        Self {
            service: Service::new(
                guarded().build().expect("the server has no mistake"),
                config,
            ),
            platform,
            clock,
        }
    }

    fn token(&self, key: &Key, changes: &Value) -> String {
        key.token(&self.claims(changes))
    }

    fn claims(&self, changes: &Value) -> Value {
        let now = self.clock.seconds();
        let claims = json!({"iss": TEAM, "aud": ["tag"], "sub": "7335", "email": "a@b.example", "exp": now + 600, "nbf": now, "type": "app"});
        changed(claims, changes)
    }

    /// The status, and what the caller is told.
    async fn whoami(&self, headers: &[(&str, &str)]) -> (u16, String) {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}}).to_string();
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json");
        request = request.header("mcp-protocol-version", "2025-06-18");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::<Bytes>::from(message))
            .expect("a request");
        let response = self.service.call(request, &self.platform).await;
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("our bodies do not fail")
            .to_bytes();
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let told = if status == 200 {
            &body["result"]["content"][0]["text"]
        } else {
            &body["error"]["message"]
        };
        (
            status,
            told.as_str().unwrap_or_else(|| panic!("{body}")).to_owned(),
        )
    }
}

const ASSERTION: &str = "cf-access-jwt-assertion";
const EMAIL: (&str, &str) = ("cf-access-authenticated-user-email", "boss@acme.example");

#[tokio::test]
async fn an_assertion_says_who_calls_and_nothing_else_does() {
    let issuer = Issuer::start(&[&RSA, &P256]).await;
    let guarded = Guarded::new(&issuer);
    let good = guarded.token(&RSA, &json!({}));
    let alice = (200, format!("Jwt 7335@{TEAM}"));
    assert_eq!(guarded.whoami(&[(ASSERTION, &good)]).await, alice);
    assert_eq!(
        guarded.whoami(&[(ASSERTION, &good), EMAIL]).await,
        alice,
        "who the header names does not matter"
    );

    for headers in [
        &[][..],
        &[EMAIL][..],
        &[("authorization", "Bearer x"), EMAIL][..],
        &[("cf-access-client-id", "x.access")][..],
    ] {
        let (status, told) = guarded.whoami(headers).await;
        assert_eq!(status, 401, "{headers:?}: {told}");
        assert!(told.contains("authentication required"), "{told}");
    }
    let bearer = format!("Bearer {good}");
    assert_eq!(
        guarded.whoami(&[("authorization", &bearer)]).await.0,
        401,
        "an assertion elsewhere is none"
    );
}

#[tokio::test]
async fn every_other_assertion_is_refused() {
    let issuer = Issuer::start(&[&RSA, &P256]).await;
    let guarded = Guarded::new(&issuer);
    let forged = Key::new(Kind::P256, "p256");
    let now = guarded.clock.seconds();
    let none = compact(&json!({"alg": "none"}), &guarded.claims(&json!({})), |_| {
        Vec::new()
    });
    for (token, part) in [
        (
            guarded.token(&RSA, &json!({"aud": ["other"]})),
            "another server",
        ),
        (guarded.token(&RSA, &json!({"aud": []})), "another server"),
        (
            guarded.token(&RSA, &json!({"iss": "https://evil.cloudflareaccess.com"})),
            "does not trust",
        ),
        (
            guarded.token(&RSA, &json!({"iss": issuer.id})),
            "does not trust",
        ),
        (guarded.token(&RSA, &json!({"exp": now - 120})), "expired"),
        (
            guarded.token(&RSA, &json!({"nbf": now + 120})),
            "not valid yet",
        ),
        (guarded.token(&forged, &json!({})), "signature"),
        (none, "algorithm"),
    ] {
        let (status, told) = guarded.whoami(&[(ASSERTION, &token), EMAIL]).await;
        assert!(
            status == 401 && told.contains(part),
            "{part}: {status} {told}"
        );
    }
}

#[tokio::test]
async fn a_key_that_was_changed_is_found_and_the_old_one_is_no_more() {
    let issuer = Issuer::start(&[&RSA]).await;
    let guarded = Guarded::new(&issuer);
    let old = guarded.token(&RSA, &json!({}));
    assert_eq!(guarded.whoami(&[(ASSERTION, &old)]).await.0, 200);
    issuer.publish([P256.jwk()]);
    guarded.clock.pass(61);
    assert_eq!(
        guarded
            .whoami(&[(ASSERTION, &guarded.token(&P256, &json!({})))])
            .await
            .0,
        200
    );
    let (status, told) = guarded.whoami(&[(ASSERTION, &old)]).await;
    assert!(
        status == 401 && told.contains("does not publish"),
        "{status} {told}"
    );
    assert_eq!(issuer.asked("/cdn-cgi/access/certs"), 2);
}
