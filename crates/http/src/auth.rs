//! Authentication of a request by its headers. The methods (tokens, keys) are behind
//! [`Authenticator`]; this is what HTTP says about it: challenges, the metadata document, refusals.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use mcpfn_core::text;
use mcpfn_core::{
    Principal,
    handler::{BoxFuture, MaybeSend, MaybeSync},
    port::Platform,
};
use serde_json::json;

/// Where the metadata document is, also with the endpoint's path behind it.
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// One authentication method: a kind of token, or API keys.
pub trait Authenticator: MaybeSend + MaybeSync {
    /// The caller that the headers authenticate; `None` when they hold no credential of this kind.
    ///
    /// # Errors
    /// When they hold a credential of this kind that is not accepted.
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        platform: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>>;
}

/// Why a credential is refused. Neither text may contain the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError {
    /// Which answer it gets.
    pub kind: AuthErrorKind,
    /// One sentence that says what to change.
    pub message: String,
    /// More, for the log alone.
    pub cause: Option<String>,
}

/// Which response a refused credential gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthErrorKind {
    /// 400: malformed.
    Malformed,
    /// 401: expired, of another issuer, for another server, with a wrong signature.
    Invalid,
    /// 503: the service that could check it is unavailable. The response adds to the sentence when
    /// to retry.
    Unavailable,
    /// 503 as well: that service refuses to say anything about this credential. It counts like an
    /// invalid one, because some issuers answer like this to what they never issued.
    Unanswered,
}

impl AuthError {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(kind: AuthErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
        }
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

/// The authentication methods.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct AuthConfig {
    /// Asked in this order; the first that finds something of its kind decides.
    pub authenticators: Vec<Arc<dyn Authenticator>>,
    /// What an OAuth client reads to find out where it gets a token (RFC 9728); without it there is
    /// no such document.
    pub resource: Option<ProtectedResource>,
}

/// This server as an OAuth protected resource (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// The URL of the MCP endpoint as clients use it: tokens are issued for it.
    pub url: String,
    /// Issuers whose tokens are taken.
    pub authorization_servers: Vec<String>,
    /// The scopes that a client should ask for first. If there are none,
    /// [`Service::new`](crate::Service::new) takes those of everything that only reads; `*` alone
    /// stands for every scope that anything of the server needs.
    pub scopes: Vec<String>,
}

impl ProtectedResource {
    /// The URL of the metadata document: where RFC 9728 puts it, or, for an endpoint behind a
    /// prefix that the server does not see, below that prefix.
    pub(crate) fn metadata_url(&self) -> String {
        let (origin, path) = origin_and_path(&self.url);
        match path.strip_suffix("/mcp").unwrap_or(&path) {
            "" => format!("{origin}{WELL_KNOWN}{path}"),
            prefix => format!("{origin}{prefix}{WELL_KNOWN}"),
        }
    }

    pub(crate) fn metadata(&self, name: &str) -> Bytes {
        let mut document = json!({
            "resource": self.url,
            "authorization_servers": self.authorization_servers,
            "bearer_methods_supported": ["header"],
            "resource_name": name,
        });
        if !self.scopes.is_empty() {
            document["scopes_supported"] = json!(self.scopes);
        }
        document.to_string().into()
    }
}

/// The two parts of a URL that well-known documents stand between (RFC 8414 and 9728): scheme and
/// authority, and the path without slashes at its end. What is not an absolute URL is all origin.
#[must_use]
pub fn origin_and_path(url: &str) -> (String, String) {
    let uri = url.parse::<Uri>().unwrap_or_default();
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => (
            format!("{scheme}://{authority}"),
            uri.path().trim_end_matches('/').to_owned(),
        ),
        _ => (url.to_owned(), String::new()),
    }
}

/// What a caller is told that is not authenticated, or lacks a scope: the value of
/// `WWW-Authenticate`, and the same as JSON, because some front doors take the header away.
pub(crate) struct Challenge {
    pub(crate) header: String,
    pub(crate) data: serde_json::Value,
}

impl AuthConfig {
    /// `error` is a code of RFC 6750, where a credential was presented.
    pub(crate) fn challenge(
        &self,
        realm: &str,
        error: Option<&str>,
        scopes: &[String],
    ) -> Challenge {
        let mut members: Vec<(&str, String)> = Vec::new();
        match &self.resource {
            Some(resource) => members.push(("resource_metadata", resource.metadata_url())),
            None => members.push(("realm", realm.to_owned())),
        }
        let wanted = match (&self.resource, scopes) {
            (Some(resource), []) if error != Some("insufficient_scope") => {
                resource.scopes.join(" ")
            }
            _ => scopes.join(" "),
        };
        if !wanted.is_empty() {
            members.push(("scope", wanted));
        }
        members.extend(error.map(|error| ("error", error.to_owned())));
        // neither URLs nor scopes have quotes in them; what has is not sent
        let quoted: Vec<String> = members
            .iter()
            .filter(|(_, value)| {
                value
                    .bytes()
                    .all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'))
            })
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let data = members.into_iter();
        let data = text::members(data.map(|(name, value)| (name.to_owned(), value.into())));
        Challenge {
            header: format!("Bearer {}", quoted.join(", ")),
            data: serde_json::Value::Object(data),
        }
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig")
            .field("authenticators", &self.authenticators.len())
            .field("resource", &self.resource)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(url: &str) -> ProtectedResource {
        ProtectedResource {
            url: url.to_owned(),
            authorization_servers: vec!["https://issuer".to_owned()],
            scopes: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    #[test]
    fn the_document_is_where_clients_look() {
        for (url, expected) in [
            (
                "https://host/mcp",
                "https://host/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://host",
                "https://host/.well-known/oauth-protected-resource",
            ),
            (
                "https://host/",
                "https://host/.well-known/oauth-protected-resource",
            ),
            (
                "https://host/prod/mcp",
                "https://host/prod/.well-known/oauth-protected-resource",
            ),
            (
                "https://host/prod",
                "https://host/prod/.well-known/oauth-protected-resource",
            ),
        ] {
            assert_eq!(resource(url).metadata_url(), expected);
        }
    }

    #[test]
    fn origins_and_paths() {
        for (url, origin, path) in [
            ("https://a.example", "https://a.example", ""),
            ("https://a.example//", "https://a.example", ""),
            (
                "HTTPS://a.example:8443/t/1/",
                "https://a.example:8443",
                "/t/1",
            ),
            ("http://[::1]:9/x?y=/z", "http://[::1]:9", "/x"),
            ("a.example/x", "a.example/x", ""),
            ("/x", "/x", ""),
            ("https://a b/", "https://a b/", ""),
        ] {
            let expected = (origin.to_owned(), path.to_owned());
            assert_eq!(origin_and_path(url), expected, "{url}");
        }
    }

    #[test]
    fn challenges() {
        let mut auth = AuthConfig::default();
        assert_eq!(
            auth.challenge("shop", None, &[]).header,
            "Bearer realm=\"shop\""
        );
        auth.resource = Some(resource("https://host/mcp"));
        let metadata =
            "Bearer resource_metadata=\"https://host/.well-known/oauth-protected-resource/mcp\"";
        assert_eq!(
            auth.challenge("shop", None, &[]).header,
            format!("{metadata}, scope=\"a b\"")
        );
        let refused = auth.challenge(
            "shop",
            Some("insufficient_scope"),
            &["crm:write".to_owned()],
        );
        assert_eq!(
            refused.header,
            format!("{metadata}, scope=\"crm:write\", error=\"insufficient_scope\"")
        );
        assert_eq!(refused.data["scope"], "crm:write");
        // what is asked for first is no answer to a refusal
        let refused = auth.challenge("shop", Some("insufficient_scope"), &[]);
        assert_eq!(
            refused.header,
            format!("{metadata}, error=\"insufficient_scope\"")
        );
    }

    #[test]
    fn what_could_end_a_quoted_text_is_not_sent() {
        let auth = AuthConfig::default();
        for realm in ["a\"b", "a\\b", "a\nb", "a\u{7f}b", "é"] {
            let challenge = auth.challenge(realm, Some("invalid_token"), &[]);
            assert_eq!(
                challenge.header, "Bearer error=\"invalid_token\"",
                "{realm:?}"
            );
        }
        let challenge = auth.challenge(" a~b ", None, &[]);
        assert_eq!(challenge.header, "Bearer realm=\" a~b \"");
    }
}
