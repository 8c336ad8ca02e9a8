//! What claims grant, and whether they are those of an access token. One reading for tokens that
//! this crate verifies, answers of introspection, and claims that a platform in front verified.
//! Verifies nothing.

use mcpfn_core::Scopes;
use mcpfn_http::AuthError;
use serde_json::{Map, Value};

use crate::denied::invalid;

/// `scope` is the standard's (RFC 8693), `scp` is Microsoft's and Okta's, `permissions` is Auth0's,
/// and `scopes` is what authorizer functions write.
const SCOPES: [&str; 4] = ["scope", "scp", "permissions", "scopes"];

#[derive(Default)]
pub(crate) struct Grant {
    /// `None` if no claim is about scopes.
    scopes: Option<Scopes>,
    /// The claims say that the token is something else than an access token.
    has_other_use: bool,
}

impl Grant {
    pub(crate) fn read(claims: &Map<String, Value>) -> Self {
        let mut said = SCOPES
            .iter()
            .filter_map(|name| claims.get(*name))
            .peekable();
        let scopes = said
            .peek()
            .is_some()
            .then(|| said.flat_map(words).collect::<Scopes>());
        Self {
            scopes,
            has_other_use: has_other_use(claims),
        }
    }

    /// ID tokens are for the client, refresh tokens for the issuer, and logout tokens and those in
    /// links of mails for one purpose each.
    pub(crate) fn check_use(&self) -> Result<(), AuthError> {
        if self.has_other_use {
            return Err(invalid(
                "the token says of itself that it is an ID, refresh or other token: send an access \
                 token",
            ));
        }
        Ok(())
    }

    /// What the claims grant, or `default` if none of them is about scopes. A claim that is empty,
    /// `null` or of an unknown type is about scopes and grants nothing.
    pub(crate) fn scopes(&self, default: &Scopes) -> Scopes {
        self.scopes.as_ref().unwrap_or(default).clone()
    }
}

/// The words of one claim. An array that holds anything but strings is not understood, so it grants
/// nothing.
fn words(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => words_of_text(text),
        Value::Array(items) => items
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<&str>>>()
            .unwrap_or_default()
            .into_iter()
            .flat_map(str::split_ascii_whitespace)
            .filter_map(word)
            .collect(),
        _ => Vec::new(),
    }
}

/// An HTTP API writes the array `["a","b"]` as the text `[a b]`, and authorizer functions write
/// arrays as JSON, because their context holds texts only.
fn words_of_text(text: &str) -> Vec<String> {
    let text = text.trim();
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return text.split_ascii_whitespace().filter_map(word).collect();
    };
    if text.contains('"') {
        return match serde_json::from_str(text) {
            Ok(list @ Value::Array(_)) => words(&list),
            _ => Vec::new(),
        };
    }
    // a list in a list is not understood, and no part of it is
    if inner.contains(['[', ']', '{', '}']) {
        return Vec::new();
    }
    inner
        .split([' ', '\t', '\n', '\r', ','])
        .filter(|part| !part.is_empty())
        .filter_map(word)
        .collect()
}

/// `*` is this server's word for everything, not an issuer's: some issuers grant any name that a
/// client asks for.
fn word(text: &str) -> Option<String> {
    (text != "*").then(|| text.to_owned())
}

/// What issuers call access tokens. Every other word is another use: issuers have dozens for tokens
/// that log out, verify an address or reset a password, and sign them with the same key.
const ACCESS: [&str; 7] = [
    "access",
    "access_token",
    "at+jwt",
    "application/at+jwt",
    "bearer",
    "dpop",
    "jwt",
];

/// Claims that stand in ID tokens only (OpenID Connect Core, 3.1.3.6 and 3.3.2.11; FAPI, 5.1.1), and
/// one that stands in tokens about events, such as a logout, only (RFC 8417).
const OF_OTHERS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

fn has_other_use(claims: &Map<String, Value>) -> bool {
    let present = |name: &&str| claims.get(*name).filter(|value| !value.is_null());
    let other = |value: &Value| {
        !value
            .as_str()
            .is_some_and(|text| ACCESS.iter().any(|known| text.eq_ignore_ascii_case(known)))
    };
    ["typ", "token_use"].iter().filter_map(present).any(other)
        || OF_OTHERS.iter().any(|name| present(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grant(claims: &Value) -> Grant {
        Grant::read(claims.as_object().unwrap())
    }

    #[test]
    fn every_shape_of_scopes() {
        let default = Scopes::parse("default");
        for (claims, expected) in [
            (json!({}), "default"),
            (json!({"scope": "a b"}), "a b"),
            (json!({"scope": " a\tb\n"}), "a b"),
            (json!({"scp": "a"}), "a"),
            (json!({"scp": ["a", "b c"]}), "a b c"),
            (json!({"permissions": ["a:read"]}), "a:read"),
            (json!({"scopes": "a"}), "a"),
            (json!({"scope": "a", "permissions": ["b"]}), "a b"),
            (json!({"scope": "", "permissions": ["b"]}), "b"),
            (json!({"scope": 5, "scp": ["b"]}), "b"),
            (json!({"scope": "[a b]"}), "a b"),
            (json!({"scope": "[a, b]"}), "a b"),
            (json!({"scope": r#"["a","b"]"#}), "a b"),
            (json!({"scope": "[]"}), ""),
            (json!({"scope": "[a [b]]"}), ""),
            (json!({"scope": "[[a] b]"}), ""),
            (json!({"scope": "[a {b}]"}), ""),
            (json!({"scope": "[a"}), "[a"),
            (json!({"scope": r#"["a",1]"#}), ""),
            (json!({"scope": r#"["a"#}), r#"["a"#),
            (json!({"scope": r#"["a]"#}), ""),
            (json!({"scope": ""}), ""),
            (json!({"scope": null}), ""),
            (json!({"scope": []}), ""),
            (json!({"scope": ["a", 1]}), ""),
            (json!({"scope": {"a": 1}}), ""),
            (json!({"scope": true}), ""),
            (json!({"scope": 1}), ""),
            (json!({"scope": "*"}), ""),
            (json!({"scope": "hello *"}), "hello"),
            (json!({"scope": ["*", "a"]}), "a"),
            (json!({"scope": "[* a]"}), "a"),
            (json!({"scope": "[*,a]"}), "a"),
            (json!({"scope": r#"["* a"]"#}), "a"),
        ] {
            assert_eq!(
                grant(&claims).scopes(&default).to_string(),
                expected,
                "{claims}"
            );
        }
    }

    #[test]
    fn only_access_tokens() {
        for claims in [
            json!({"typ": "ID"}),
            json!({"typ": "id"}),
            json!({"typ": "Refresh"}),
            json!({"typ": "refresh"}),
            json!({"typ": "OFFLINE"}),
            json!({"token_use": "id"}),
            json!({"token_use": "refresh_token"}),
            json!({"token_use": ["access"]}),
            json!({"token_use": "id "}),
            json!({"token_use": ""}),
            json!({"typ": "IDToken"}),
            json!({"typ": "id token"}),
            json!({"typ": "Logout"}),
            json!({"typ": "Serialized-ID"}),
            json!({"typ": "reset-credentials"}),
            json!({"typ": "RegistrationAccessToken"}),
            json!({"typ": true}),
            json!({"s_hash": ""}),
            json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
            json!({"at_hash": "x"}),
            json!({"c_hash": 1}),
        ] {
            assert!(grant(&claims).check_use().is_err(), "{claims}");
        }
        for claims in [
            json!({}),
            json!({"typ": "Bearer"}),
            json!({"typ": "DPoP"}),
            json!({"typ": "JWT"}),
            json!({"typ": "at+jwt", "token_use": "ACCESS"}),
            json!({"token_use": "access"}),
            json!({"token_use": null, "at_hash": null}),
        ] {
            assert!(grant(&claims).check_use().is_ok(), "{claims}");
        }
    }
}
