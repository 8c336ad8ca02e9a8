//! Tokens that only their issuer can read: it is asked about each (RFC 7662), and its verdict is
//! kept for a short while. How often it may be asked is decided in `questions`.

mod questions; // how many may be asked, and when

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use mcpfn_core::text::percent_encoded;
use mcpfn_core::{
    Principal, PrincipalKind, Scopes,
    handler::BoxFuture,
    port::{HttpRequest, Platform},
};
use mcpfn_http::{AuthError, AuthErrorKind, Authenticator};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::questions::{Questions, Refusal};
use crate::api_key::KeySource;
use crate::bearer;
use crate::denied::{invalid, unavailable};
use crate::issuer_scopes::IssuerScopes;
use crate::jwt::claims::Claims;
use crate::jwt::object::UniqueObject;
use crate::jwt::token::has_three_parts;
use crate::kept::RefreshingCache;
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
    id: String,
    secret: ClientSecret,
    issuers: Vec<String>,
    audiences: Vec<String>,
    scopes: Scopes,
    limits: IssuerScopes,
    step_up: bool,
    kept: Mutex<HashMap<[u8; 32], IntrospectedToken>>,
    questions: Questions<Outcome>,
}

/// How this server proves to the issuer who it is.
enum ClientSecret {
    Known(String),
    Read {
        source: Arc<dyn KeySource>,
        kept: Arc<RefreshingCache<String>>,
    },
}

/// How long a secret that was read serves before it is read again, in milliseconds.
const FRESH: u64 = 60_000;

struct IntrospectedToken {
    until_ms: u64,
    verdict: Outcome,
}

type Outcome = Result<Principal, AuthError>;

/// Why there are no claims.
enum NoAnswer {
    /// The issuer does not vouch for the token.
    Inactive(AuthError),
    /// The issuer refused the question about this token; others may be asked.
    Refused(String),
    /// The issuer is unavailable or not set up for this server.
    Failed(String),
}

fn down(cause: String) -> AuthError {
    unavailable("the token's issuer is unavailable").because(cause)
}

fn not_asked(refusal: Refusal) -> AuthError {
    match refusal {
        Refusal::Busy => unavailable("too many tokens are being checked at the moment"),
        Refusal::Paused => down("it failed a short time ago, and is not asked".to_owned()),
    }
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
    /// token that names its issuer must name that one. The token must have been issued for one
    /// of `audiences`.
    pub fn new(
        url: impl Into<String>,
        id: &str,
        secret: &str,
        issuers: Vec<String>,
        audiences: Vec<String>,
    ) -> Self {
        Self {
            url: url.into(),
            id: id.to_owned(),
            secret: ClientSecret::Known(secret.to_owned()),
            issuers,
            audiences,
            scopes: Scopes::none(),
            limits: IssuerScopes::default(),
            step_up: false,
            kept: Mutex::default(),
            questions: Questions::default(),
        }
    }

    /// Presents the secret that this source has, in place of the one given before: read when a
    /// token has to be asked about, and again every minute at most, so that it is replaced without
    /// a deployment. While the source is unavailable, a secret serves for `max_age`, in whole
    /// milliseconds, after it was read; then tokens get 503.
    #[must_use]
    pub fn with_secret_source(mut self, source: Arc<dyn KeySource>, max_age: Duration) -> Self {
        let max_age = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
        let kept = RefreshingCache::new(FRESH, max_age);
        self.secret = ClientSecret::Read { source, kept };
        self
    }

    /// The scopes of a token for which the issuer names none; nothing unless set.
    #[must_use]
    pub fn with_default_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Whether tools are listed that the caller could use after it asked for more scopes, as far as
    /// its issuer may grant them; not unless set.
    #[must_use]
    pub fn with_step_up(mut self, listed: bool) -> Self {
        self.step_up = listed;
        self
    }

    /// What each issuer may grant, the default scopes included; everything unless set.
    #[must_use]
    pub fn with_issuer_scopes(mut self, limits: IssuerScopes) -> Self {
        self.limits = limits;
        self
    }

    async fn principal(&self, token: &str, platform: &Platform) -> Outcome {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = platform.now_ms();
        if let Some(verdict) = self.known(&digest, now) {
            return verdict;
        }
        if !platform.shares_work() {
            return self.ask_and_keep(digest, token, platform).await;
        }
        let flight = self.questions.join(digest, now).map_err(not_asked)?;
        let mut outcome = flight.lock().await;
        // the caller that had the lock before asked; if it was cancelled, this one does
        if let Some(outcome) = &*outcome {
            return outcome.clone();
        }
        let result = self.ask_and_keep(digest, token, platform).await;
        *outcome = Some(result.clone());
        self.questions.close(&digest);
        result
    }

    fn known(&self, digest: &[u8; 32], now: u64) -> Option<Outcome> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(digest).filter(|kept| now < kept.until_ms)?;
        Some(kept.verdict.clone())
    }

    async fn ask_and_keep(&self, digest: [u8; 32], token: &str, platform: &Platform) -> Outcome {
        let permit = self.questions.enter(platform.now_ms()).map_err(not_asked)?;
        let answer = self.ask(token, platform).await;
        let now = platform.now_ms();
        let claims = match answer {
            Ok(claims) => {
                permit.succeeded();
                claims
            }
            Err(NoAnswer::Inactive(denied)) => {
                permit.succeeded();
                return self.keep(digest, now, now + BAD, Err(denied));
            }
            // some issuers answer like this to a token that they can't read: strangers must not be
            // able to pause the questions about others' tokens, nor to ask without end
            Err(NoAnswer::Refused(cause)) => {
                permit.succeeded();
                let mut denied = down(cause);
                denied.kind = AuthErrorKind::Unanswered;
                return self.keep(digest, now, now + BAD, Err(denied));
            }
            Err(NoAnswer::Failed(cause)) => {
                permit.failed(now);
                return Err(down(cause));
            }
        };
        let verdict = self.check(&claims, now);
        let until_ms = match (&verdict, claims.exp) {
            (Err(_), _) => now + BAD,
            (Ok(_), Some(end)) => (now + GOOD).min((end * 1000.0) as u64),
            (Ok(_), None) => now + GOOD,
        };
        self.keep(digest, now, until_ms, verdict)
    }

    /// The value of the header that says who asks.
    async fn authorization(&self, platform: &Platform) -> Result<String, String> {
        let secret = match &self.secret {
            ClientSecret::Known(secret) => Arc::new(secret.clone()),
            ClientSecret::Read { source, kept } => {
                let read = || {
                    let (source, records) = (Arc::clone(source), Arc::clone(platform.audit_log()));
                    async move {
                        let secret = source.read().await.and_then(|secret| {
                            let secret = secret.trim();
                            if secret.is_empty() {
                                Err("the introspection client's secret is empty".to_owned())
                            } else {
                                Ok(secret.to_owned())
                            }
                        });
                        secret.inspect_err(|cause| records.store_failure("secrets", cause))
                    }
                };
                let seen = kept.get(platform, |_| true, read).await;
                seen.value.ok_or_else(|| seen.failure.unwrap_or_default())?
            }
        };
        // RFC 6749, section 2.3.1: both are encoded before they are joined
        let pair = format!("{}:{}", percent_encoded(&self.id), percent_encoded(&secret));
        Ok(format!("Basic {}", STANDARD.encode(pair)))
    }

    async fn ask(&self, token: &str, platform: &Platform) -> Result<Claims, NoAnswer> {
        let authorization = self.authorization(platform).await;
        let authorization = authorization.map_err(NoAnswer::Failed)?;
        let client = remote::client(platform).map_err(NoAnswer::Failed)?.as_ref();
        let body = format!(
            "token={}&token_type_hint=access_token",
            percent_encoded(token)
        );
        let request = HttpRequest::post(&self.url, "application/x-www-form-urlencoded", body)
            .header("authorization", authorization);
        let response = remote::ask(client, request)
            .await
            .map_err(NoAnswer::Failed)?;
        if response.status != 200 {
            let cause = format!("POST {}: status {}", self.url, response.status);
            return Err(match response.status {
                400 | 404 | 413 | 414 | 422 => NoAnswer::Refused(cause),
                _ => NoAnswer::Failed(cause),
            });
        }
        // neither the answer nor what is wrong with it is repeated: it may hold the token
        let answer = IntrospectionResponse::read(&response.body).ok_or_else(|| {
            NoAnswer::Failed(format!(
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
            return Err(NoAnswer::Inactive(invalid(
                "the token is unknown to its issuer, expired or revoked: get a new one",
            )));
        }
        Ok(answer.claims)
    }

    fn check(&self, claims: &Claims, now: u64) -> Result<Principal, AuthError> {
        let asked = self
            .issuers
            .first()
            .map_or(self.url.as_str(), String::as_str);
        // an issuer vouches for its own tokens: by another's name it would grant what that one may
        if claims.iss.as_deref().is_some_and(|named| named != asked) {
            return Err(invalid(
                "the token is of another issuer (`iss`) than the one that was asked about it",
            ));
        }
        let issuer = asked;
        claims.grant.check_use()?;
        claims.check_audience(&self.audiences)?;
        claims.check_times(now)?;
        let subject = claims.subject(claims.client_id.as_deref(), issuer)?;
        let scopes = claims.grant.scopes(&self.scopes);
        let principal = Principal::new(PrincipalKind::Jwt, subject)
            .with_scopes(self.limits.limit(issuer, &scopes));
        Ok(match self.step_up {
            true => principal.with_step_up(self.limits.limit(issuer, &Scopes::all())),
            false => principal,
        })
    }

    fn keep(&self, key: [u8; 32], now: u64, until_ms: u64, verdict: Outcome) -> Outcome {
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
