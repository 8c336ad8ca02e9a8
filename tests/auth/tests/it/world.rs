//! One issuer with three keys, a server that trusts it, and short words for what tests say.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use mcpfn_auth::OAuth;
use mcpfn_auth_tests::{Issuer, Key, Kind, TestClock, platform};
use mcpfn_core::{Principal, Scopes, port::Platform};
use mcpfn_http::{AuthError, AuthErrorKind, Authenticator};
use serde_json::{Value, json};

/// This server, as tokens name it.
pub(crate) const SERVER: &str = "https://mcp.example.com/mcp";

// making an RSA key takes a second
pub(crate) static RSA: LazyLock<Key> = LazyLock::new(|| Key::new(Kind::Rsa, "rsa"));
pub(crate) static P256: LazyLock<Key> = LazyLock::new(|| Key::new(Kind::P256, "p256"));
pub(crate) static ED25519: LazyLock<Key> = LazyLock::new(|| Key::new(Kind::Ed25519, "ed25519"));

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) platform: Platform,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) auth: OAuth,
}

impl World {
    pub(crate) async fn new() -> Self {
        let issuer = Issuer::start(&[&RSA, &P256, &ED25519]).await;
        let (platform, clock) = platform();
        let auth = OAuth::new([issuer.id.clone()], [SERVER.to_owned()]);
        Self {
            issuer,
            platform,
            clock,
            auth,
        }
    }

    /// What a good token says.
    pub(crate) fn claims(&self) -> Value {
        let now = self.clock.seconds();
        json!({"iss": self.issuer.id, "sub": "alice", "aud": SERVER, "exp": now + 300, "iat": now, "scope": "crm:read catalog"})
    }

    /// What a good token says, with changes; `null` takes a claim away.
    pub(crate) fn claims_with(&self, changes: &Value) -> Value {
        changed(self.claims(), changes)
    }

    pub(crate) async fn try_token(&self, token: &str) -> Result<Option<Principal>, AuthError> {
        self.auth.authenticate(&bearer(token), &self.platform).await
    }

    pub(crate) async fn accept(&self, token: &str) -> Principal {
        self.try_token(token)
            .await
            .expect("the token is good")
            .expect("it is a token")
    }

    pub(crate) async fn refuse(&self, token: &str, kind: AuthErrorKind, part: &str) {
        let denied = refused(self.try_token(token).await, kind, part);
        secrets_are_not_told(&denied, token);
    }
}

pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("changes are an object") {
        match value {
            Value::Null => drop(
                claims
                    .as_object_mut()
                    .expect("claims are an object")
                    .remove(name),
            ),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        headers.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"),
        );
    }
    headers
}

pub(crate) fn bearer(token: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {token}"))])
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text)
}

#[track_caller]
pub(crate) fn refused(
    result: Result<Option<Principal>, AuthError>,
    kind: AuthErrorKind,
    part: &str,
) -> AuthError {
    let denied = result.expect_err(part);
    assert_eq!(denied.kind, kind, "{denied:?}");
    assert!(
        denied.message.contains(part),
        "`{part}` is not in {denied:?}"
    );
    denied
}

/// No part of a credential may be in what is told or logged.
#[track_caller]
pub(crate) fn secrets_are_not_told(denied: &AuthError, proof: &str) {
    let told = format!("{denied:?}");
    for part in proof.split(['.', ' ', ':']).filter(|part| part.len() > 8) {
        assert!(!told.contains(part), "{told} has a part of the proof in it");
    }
}
