//! Tokens that only their issuer can read: it is asked about each (RFC 7662), and its verdict is
//! kept for a short while.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use mcpfn_core::{BoxFuture, HttpRequest, Platform, Principal, PrincipalKind, Scopes};
use mcpfn_http::{AuthError, AuthErrorKind, Authenticator};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bearer;
use crate::denied::{invalid, unavailable};
use crate::jwt::claims::Claims;
use crate::jwt::object::UniqueObject;
use crate::jwt::token::has_three_parts;
use crate::remote;

/// How long a verdict is kept, in milliseconds: a token that was taken back serves for at most the
/// first.
const GOOD: u64 = 60_000;
const BAD: u64 = 10_000;
/// Most verdicts that are kept.
const MAX: usize = 1_000;

/// Takes bearer tokens that are not signed ones, and asks their issuer.
pub struct Introspection {
    url: String,
    /// The value of the header that says who asks.
    authorization: String,
    issuers: Vec<String>,
    audiences: Vec<String>,
    scopes: Scopes,
    kept: Mutex<HashMap<[u8; 32], IntrospectedToken>>,
}

struct IntrospectedToken {
    until_ms: u64,
    verdict: Result<Principal, AuthError>,
}

struct IntrospectionResponse {
    active: bool,
    token_type: Option<String>,
    claims: Claims,
}

impl IntrospectionResponse {
    /// `None` if it is not an answer of RFC 7662.
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Verdict {
            active: bool,
            token_type: Option<String>,
        }
        let members: UniqueObject = serde_json::from_slice(body).ok()?;
        let verdict: Verdict = serde_json::from_value(Value::Object(members.0.clone())).ok()?;
        Some(Self {
            active: verdict.active,
            token_type: verdict.token_type,
            claims: Claims::read(members)?,
        })
    }
}

impl Introspection {
    /// Asks `url` as the client `id` with `secret`. The first issuer is the one that is asked; a
    /// token that names its issuer must name one of them. The token must have been issued for one
    /// of `audiences`.
    pub fn new(
        url: impl Into<String>,
        id: &str,
        secret: &str,
        issuers: Vec<String>,
        audiences: Vec<String>,
    ) -> Self {
        // RFC 6749, section 2.3.1: both are encoded before they are joined
        let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        Self {
            url: url.into(),
            authorization: format!("Basic {pair}"),
            issuers,
            audiences,
            scopes: Scopes::none(),
            kept: Mutex::default(),
        }
    }

    /// What a token grants about which the issuer has no word; nothing unless set.
    #[must_use]
    pub fn with_default_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    async fn principal(&self, token: &str, platform: &Platform) -> Result<Principal, AuthError> {
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = platform.now_ms();
        if let Some(kept) = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .filter(|kept| now < kept.until_ms)
        {
            return kept.verdict.clone();
        }
        let claims = match self.ask(token, platform).await {
            Ok(answer) => answer,
            Err(denied) if denied.kind == AuthErrorKind::Unavailable => return Err(denied),
            Err(denied) => return self.keep(key, now, now + BAD, Err(denied)),
        };
        let verdict = self.check(&claims, now);
        let until_ms = match (&verdict, claims.exp) {
            (Err(_), _) => now + BAD,
            (Ok(_), Some(end)) => (now + GOOD).min((end * 1000.0) as u64),
            (Ok(_), None) => now + GOOD,
        };
        self.keep(key, now, until_ms, verdict)
    }

    async fn ask(&self, token: &str, platform: &Platform) -> Result<Claims, AuthError> {
        let down = |cause: String| {
            unavailable("the issuer of the token gives no answer: try again in a minute")
                .because(cause)
        };
        let client = remote::client(platform).map_err(down)?.as_ref();
        let body = format!("token={}&token_type_hint=access_token", encoded(token));
        let request = HttpRequest::post(&self.url, "application/x-www-form-urlencoded", body)
            .header("authorization", &self.authorization);
        let response = remote::ask(client, request).await.map_err(down)?;
        if response.status != 200 {
            return Err(down(format!(
                "POST {}: status {}",
                self.url, response.status
            )));
        }
        // neither the answer nor what is wrong with it is repeated: it may hold the token
        let answer = IntrospectionResponse::read(&response.body).ok_or_else(|| {
            down(format!(
                "POST {}: the answer is not that of RFC 7662",
                self.url
            ))
        })?;
        let bearer = |kind: &str| {
            ["bearer", "access_token"]
                .iter()
                .any(|known| kind.eq_ignore_ascii_case(known))
        };
        if !answer.active || !answer.token_type.as_deref().is_none_or(bearer) {
            return Err(invalid(
                "the token is none of its issuer's, has expired, or was taken back: get a new one",
            ));
        }
        Ok(answer.claims)
    }

    fn check(&self, claims: &Claims, now: u64) -> Result<Principal, AuthError> {
        let asked = self
            .issuers
            .first()
            .map_or(self.url.as_str(), String::as_str);
        let issuer = claims.iss.as_deref().unwrap_or(asked);
        if claims.iss.is_some() && !self.issuers.iter().any(|known| known == issuer) {
            return Err(invalid(
                "the token is of an issuer (`iss`) that this server does not trust",
            ));
        }
        claims.grant.check_use()?;
        claims.check_audience(&self.audiences)?;
        claims.check_times(now)?;
        let subject = claims.subject(claims.client_id.as_deref(), issuer)?;
        Ok(Principal::new(PrincipalKind::Jwt, subject)
            .with_scopes(claims.grant.scopes(&self.scopes)))
    }

    fn keep(
        &self,
        key: [u8; 32],
        now: u64,
        until_ms: u64,
        verdict: Result<Principal, AuthError>,
    ) -> Result<Principal, AuthError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX {
            kept.retain(|_, kept| now < kept.until_ms);
        }
        if kept.len() >= MAX {
            // refusals end first, so a flood of wrong tokens drives out its own
            let first = kept
                .iter()
                .min_by_key(|(_, kept)| kept.until_ms)
                .map(|(key, _)| *key);
            first.map(|first| kept.remove(&first));
        }
        kept.insert(
            key,
            IntrospectedToken {
                until_ms,
                verdict: verdict.clone(),
            },
        );
        verdict
    }
}

/// As forms encode a value.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

impl Authenticator for Introspection {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        platform: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async move {
            match bearer::token(headers)? {
                Some(token) if !has_three_parts(token) => {
                    self.principal(token, platform).await.map(Some)
                }
                _ => Ok(None),
            }
        })
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("url", &self.url)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
