//! The table: what a client sends, and what it is told. Three parts, between which the issuer
//! changes.

use mcpfn_auth::hash_key;
use mcpfn_auth_tests::{Issuer, Key, Kind, Mood, compact, hmac};
use serde_json::{Value, json};

use crate::host::Settings;

/// The endpoint as clients and tokens name it.
pub(crate) const SERVER: &str = "https://mcp.example.com/mcp";
const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
/// What the server's tools need that only read.
const FIRST_SCOPE: &str = "crm:read";

const DOWN: &str = "the token's issuer is unavailable; retry in 60 s";
const UNPUBLISHED: &str =
    "the token is signed with a key that its issuer does not publish: get a new one";
const NOT_WRITTEN: &str = "the Authorization header must be `Bearer`, one space, and a token of \
    letters, digits and -._~+/=";

/// One row.
pub(crate) struct Case {
    /// The input in words.
    pub(crate) input: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) tool: &'static str,
    pub(crate) expected: Expected,
    /// The sentence, where what is in front makes one header of two.
    pub(crate) joined: Option<&'static str>,
}

pub(crate) enum Expected {
    /// 200, and the tool's text.
    Says(String),
    /// A refusal before the message is read: status, `error` of the challenge, sentence.
    Refused(u16, Option<&'static str>, &'static str),
    /// 503 and no challenge.
    Unavailable(&'static str),
    /// 403: the scopes that the tool needs, and the sentence.
    Lacks(&'static [&'static str], &'static str),
}

impl Expected {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Says(_) => 200,
            Self::Refused(status, ..) => *status,
            Self::Unavailable(_) => 503,
            Self::Lacks(..) => 403,
        }
    }

    pub(crate) fn challenge(&self) -> Option<String> {
        let challenge = |scope: &str, error: Option<&str>| {
            let error = error
                .map(|error| format!(", error=\"{error}\""))
                .unwrap_or_default();
            Some(format!(
                "Bearer resource_metadata=\"{METADATA}\", scope=\"{scope}\"{error}"
            ))
        };
        match self {
            Self::Says(_) | Self::Unavailable(_) => None,
            Self::Refused(_, error, _) => challenge(FIRST_SCOPE, *error),
            Self::Lacks(scopes, _) => challenge(&scopes.join(" "), Some("insufficient_scope")),
        }
    }

    /// The JSON-RPC error, if it is one.
    pub(crate) fn body(&self, joined: Option<&str>) -> Option<Value> {
        match self {
            Self::Says(_) => None,
            Self::Refused(_, error, message) => {
                let mut data = json!({"resource_metadata": METADATA, "scope": FIRST_SCOPE});
                if let Some(error) = error {
                    data["error"] = json!(error);
                }
                let message = joined.unwrap_or(message);
                Some(
                    json!({"jsonrpc": "2.0", "error": {"code": -32600, "message": message, "data": data}}),
                )
            }
            Self::Unavailable(message) => {
                Some(json!({"jsonrpc": "2.0", "error": {"code": -32600, "message": message}}))
            }
            Self::Lacks(scopes, message) => {
                let scope = scopes.join(" ");
                let data = json!({"requiredScopes": scopes, "resource_metadata": METADATA, "scope": scope, "error": "insufficient_scope"});
                Some(
                    json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 403, "message": message, "data": data}}),
                )
            }
        }
    }
}

/// An issuer with its keys, one that is never there, and API keys.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    gone: Issuer,
    rsa: Key,
    p256: Key,
    ed25519: Key,
    new: Key,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (rsa, p256) = (Key::new(Kind::Rsa, "rsa"), Key::new(Kind::P256, "p256"));
        let (ed25519, new) = (
            Key::new(Kind::Ed25519, "ed25519"),
            Key::new(Kind::Ed25519, "new"),
        );
        let (issuer, gone) = (
            Issuer::start(&[&rsa, &p256, &ed25519]).await,
            Issuer::start(&[]).await,
        );
        gone.is(Mood::Gone);
        Self {
            issuer,
            gone,
            rsa,
            p256,
            ed25519,
            new,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let keys = format!(
            "robot:{}:crm:read; operator:{}:*; novice:{}",
            hash_key("robot-key"),
            hash_key("operator-key"),
            hash_key("novice-key")
        );
        vec![
            ("MCPFN_AUTH", "oauth,api-key".to_owned()),
            ("MCPFN_ISSUER", self.issuers().join(",")),
            (
                "MCPFN_ISSUER_SCOPES",
                self.issuers().map(|issuer| format!("{issuer}=*")).join(";"),
            ),
            ("MCPFN_PUBLIC_URL", SERVER.to_owned()),
            // lists of each caller's own are what is tested
            ("MCPFN_LIST_STEP_UP", "off".to_owned()),
            ("MCPFN_API_KEYS", keys),
            (
                "MCPFN_INTROSPECTION_URL",
                format!("{}/introspect", self.issuer.id),
            ),
            ("MCPFN_INTROSPECTION_CLIENT_ID", "guarded".to_owned()),
            ("MCPFN_INTROSPECTION_CLIENT_SECRET", "secret".to_owned()),
        ]
    }

    /// Both issuers, as tokens name them.
    pub(crate) fn issuers(&self) -> [&str; 2] {
        [&self.issuer.id, &self.gone.id]
    }

    /// What a good token says, with changes.
    fn claims(&self, now: u64, changes: Value) -> Value {
        let mut claims = json!({"iss": self.issuer.id, "sub": "alice", "aud": SERVER, "exp": now + 3600, "scope": "crm:read"});
        if let (Some(claims), Value::Object(changes)) = (claims.as_object_mut(), changes) {
            claims.extend(changes);
        }
        claims
    }

    /// A good token of a caller with these scopes.
    pub(crate) fn token(&self, now: u64, subject: &str, scope: &str) -> String {
        self.p256
            .token(&self.claims(now, json!({"sub": subject, "scope": scope})))
    }

    /// The issuer as it is at first.
    pub(crate) fn well(&self, now: u64) -> Vec<Case> {
        let Self {
            issuer,
            gone,
            rsa,
            p256,
            ed25519,
            new,
        } = self;
        let token = |changes: Value| rsa.token(&self.claims(now, changes));
        let headed = |header: Value| rsa.token_with(&header, &self.claims(now, json!({})));
        let good = p256.token(&self.claims(now, json!({})));
        let hmac_token = compact(
            &json!({"alg": "HS256", "kid": "rsa"}),
            &self.claims(now, json!({})),
            |text| hmac(&rsa.public(), text),
        );
        let forged = Key::new(Kind::P256, "p256").token(&self.claims(now, json!({})));
        issuer.knows(
            "opaque-active",
            self.claims(now, json!({"active": true, "sub": "carol"})),
        );
        let algorithm = "the token is signed with an algorithm that is not taken: it must be \
            RS256, ES256 or EdDSA";
        let taken_back = "the token is unknown to its issuer, expired or revoked: get a new one";
        let nobodys_key = "unknown API key: get one from the operator of this server";
        let lacks = || {
            Expected::Lacks(
                &["crm:write", "mail:send"],
                "`notify` needs the scopes crm:write and mail:send",
            )
        };
        let says = |who: &str| Expected::Says(who.to_owned());
        let alice = || says(&format!("Jwt alice@{}", issuer.id));
        let invalid = |message| Expected::Refused(401, Some("invalid_token"), message);
        let malformed = |message| Expected::Refused(400, Some("invalid_request"), message);
        let unproven = || {
            let message = "authentication required: send a token or an API key in `Authorization: \
                           Bearer ...`";
            Expected::Refused(401, None, message)
        };
        let two = |one: &str, other: &str| {
            vec![
                ("authorization", format!("Bearer {one}")),
                ("authorization", format!("Bearer {other}")),
            ]
        };
        let api = |key: &str| vec![("x-api-key", key.to_owned())];
        let both = |bearer: &str, key: &str| [self::bearer(bearer), api(key)].concat();
        vec![
            case("token, RS256", bearer(&token(json!({}))), "whoami", alice()),
            case("token, ES256", bearer(&good), "whoami", alice()),
            case(
                "token, EdDSA",
                bearer(&ed25519.token(&self.claims(now, json!({})))),
                "whoami",
                alice(),
            ),
            case("no proof", vec![], "whoami", unproven()),
            case(
                "`Authorization: Basic ...`",
                vec![("authorization", "Basic eDp5".to_owned())],
                "whoami",
                unproven(),
            ),
            case(
                "token, `alg` RS512",
                bearer(&headed(json!({"alg": "RS512", "kid": "rsa"}))),
                "whoami",
                invalid(algorithm),
            ),
            case(
                "token, `alg` none",
                bearer(&headed(json!({"alg": "none"}))),
                "whoami",
                invalid(algorithm),
            ),
            case(
                "token, HMAC with the public key",
                bearer(&hmac_token),
                "whoami",
                invalid(algorithm),
            ),
            case(
                "token, signed by somebody else",
                bearer(&forged),
                "whoami",
                invalid("the token's signature is not its issuer's"),
            ),
            case(
                "token, expired",
                bearer(&token(json!({"exp": now - 120}))),
                "whoami",
                invalid("the token has expired: get a new one"),
            ),
            case(
                "token, not valid yet",
                bearer(&token(json!({"nbf": now + 120}))),
                "whoami",
                invalid("the token is not valid yet: check the clock of its issuer"),
            ),
            case(
                "token, another issuer",
                bearer(&token(json!({"iss": "https://other.example"}))),
                "whoami",
                invalid("the token is of an issuer (`iss`) that this server does not trust"),
            ),
            case(
                "token, for another server",
                bearer(&token(json!({"aud": "https://other.example/mcp"}))),
                "whoami",
                invalid(
                    "the token was issued for another server: ask for one with this server as its \
                     resource",
                ),
            ),
            case(
                "token, unknown `kid`",
                bearer(&new.token(&self.claims(now, json!({})))),
                "whoami",
                invalid(UNPUBLISHED),
            ),
            case(
                "token, its issuer was never there",
                bearer(&token(json!({"iss": gone.id}))),
                "whoami",
                Expected::Unavailable(DOWN),
            ),
            case(
                "token of 64 KB",
                bearer(&token(json!({"x": "x".repeat(48 * 1024)}))),
                "whoami",
                malformed(
                    "the `authorization` header has more than 16384 bytes: send a shorter token",
                ),
            ),
            Case {
                joined: Some(NOT_WRITTEN),
                ..case(
                    "`Authorization` twice",
                    two(&good, &good),
                    "whoami",
                    malformed("there is more than one `authorization` header: send one"),
                )
            },
            case(
                "not a token: `Bearer a b`",
                bearer("a b"),
                "whoami",
                malformed(NOT_WRITTEN),
            ),
            case(
                "token with crm:read, tool needs it",
                bearer(&good),
                "accounts",
                says("Acme"),
            ),
            case(
                "token with crm:read, tool needs crm:write and mail:send",
                bearer(&good),
                "notify",
                lacks(),
            ),
            case(
                "token with crm:read and crm:write, one missing",
                bearer(&token(json!({"scope": "crm:read crm:write"}))),
                "notify",
                lacks(),
            ),
            case(
                "token with crm and mail, which cover them",
                bearer(&token(json!({"scope": "crm mail"}))),
                "notify",
                says("sent"),
            ),
            case(
                "`X-API-Key`, good",
                api("robot-key"),
                "whoami",
                says("ApiKey robot"),
            ),
            case(
                "API key as bearer, good",
                bearer("robot-key"),
                "whoami",
                says("ApiKey robot"),
            ),
            case(
                "API key in both headers, the same",
                both("robot-key", "robot-key"),
                "whoami",
                says("ApiKey robot"),
            ),
            case(
                "API key in both headers, two keys",
                both("robot-key", "operator-key"),
                "whoami",
                malformed("`Authorization` and `X-API-Key` hold different keys: send one of them"),
            ),
            case(
                "`X-API-Key`, wrong",
                api("robot-kex"),
                "whoami",
                invalid(nobodys_key),
            ),
            case(
                "API key with crm:read, tool needs more",
                api("robot-key"),
                "notify",
                lacks(),
            ),
            case(
                "API key with every scope",
                api("operator-key"),
                "notify",
                says("sent"),
            ),
            case(
                "API key without scopes of its own",
                api("novice-key"),
                "notify",
                lacks(),
            ),
            case(
                "opaque token, active",
                bearer("opaque-active"),
                "whoami",
                says(&format!("Jwt carol@{}", issuer.id)),
            ),
            case(
                "opaque token, inactive",
                bearer("opaque-inactive"),
                "whoami",
                invalid(taken_back),
            ),
        ]
    }

    /// A minute after the issuer has taken one key back, and published another.
    pub(crate) fn rotated(&self, now: u64) -> Vec<Case> {
        let alice = || Expected::Says(format!("Jwt alice@{}", self.issuer.id));
        vec![
            case(
                "token, new key",
                bearer(&self.new.token(&self.claims(now, json!({})))),
                "whoami",
                alice(),
            ),
            case(
                "token, key that was taken back",
                bearer(&self.rsa.token(&self.claims(now, json!({})))),
                "whoami",
                Expected::Refused(401, Some("invalid_token"), UNPUBLISHED),
            ),
            case(
                "token, key that was kept",
                bearer(&self.p256.token(&self.claims(now, json!({})))),
                "whoami",
                alice(),
            ),
        ]
    }

    pub(crate) fn rotate(&self) {
        self.issuer.publish([self.p256.jwk(), self.new.jwk()]);
    }

    /// A minute after the issuer has gone.
    pub(crate) fn down(&self, now: u64) -> Vec<Case> {
        let unknown = Key::new(Kind::P256, "newer").token(&self.claims(now, json!({})));
        let known = self.p256.token(&self.claims(now, json!({})));
        vec![
            case(
                "issuer down, known key",
                bearer(&known),
                "whoami",
                Expected::Says(format!("Jwt alice@{}", self.issuer.id)),
            ),
            case(
                "issuer down, unknown `kid`",
                bearer(&unknown),
                "whoami",
                Expected::Unavailable(DOWN),
            ),
            case(
                "issuer down, opaque token",
                bearer("opaque-other"),
                "whoami",
                Expected::Unavailable(DOWN),
            ),
        ]
    }
}

fn case(
    input: &'static str,
    headers: Vec<(&'static str, String)>,
    tool: &'static str,
    expected: Expected,
) -> Case {
    Case {
        input,
        headers,
        tool,
        expected,
        joined: None,
    }
}

pub(crate) fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {token}"))]
}
