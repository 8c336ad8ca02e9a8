//! One issuer of signed tokens: where its keys are, and whether a token is signed by one of them.

use std::sync::Arc;

use mcpfn_core::port::{HttpClient, HttpRequest, Platform};
use mcpfn_http::{AuthError, origin_and_path};
use serde::Deserialize;

use crate::denied::{invalid, unavailable};
use crate::jwt::key::{KeySet, Verdict};
use crate::jwt::token::Token;
use crate::kept::{self, RefreshingCache};
use crate::remote;
use crate::signatures::{self, Signatures};
use crate::url::url_mistake;

/// How long keys serve until they are asked for again, in milliseconds. A key that the issuer takes
/// back serves twice as long at most, and until the greatest age while the issuer is unavailable.
const FRESH: u64 = 5 * 60 * 1000;

#[derive(Clone)]
pub(crate) struct Issuer {
    /// As tokens have it in `iss`.
    pub(crate) id: String,
    /// Where the keys are; found through the issuer's own document if not given.
    keys_url: Option<String>,
    keys: Arc<RefreshingCache<KeySet>>,
}

/// The members that we need of RFC 8414 and OpenID Connect Discovery.
#[derive(Deserialize)]
struct IssuerMetadata {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(crate) fn new(id: impl Into<String>, keys_url: Option<String>) -> Self {
        Self {
            id: id.into(),
            keys_url,
            keys: RefreshingCache::new(FRESH, kept::MAX_KEY_AGE_MS),
        }
    }

    /// Uses keys for at most this many milliseconds after they were read.
    pub(crate) fn set_max_age(&mut self, max_age: u64) {
        self.keys = RefreshingCache::new(FRESH, max_age);
    }

    /// Whether one of the issuer's keys signed the token.
    pub(crate) async fn check(
        &self,
        token: &Token<'_>,
        platform: &Platform,
    ) -> Result<(), AuthError> {
        let known = |keys: &KeySet| keys.knows(token);
        let read = || {
            let (issuer, client, signatures) = (
                self.clone(),
                remote::client(platform).cloned(),
                signatures::of(platform),
            );
            async move { issuer.read(client?.as_ref(), signatures?.as_ref()).await }
        };
        let seen = self.keys.get(platform, known, read).await;
        let verdict = match seen.value {
            Some(keys) => keys.check(token).await,
            None => Verdict::NoSuchKey,
        };
        match verdict {
            Verdict::Signed => Ok(()),
            Verdict::Forged => Err(invalid("the token's signature is not its issuer's")),
            Verdict::Ambiguous => Err(invalid(
                "the token does not name the key that signed it (`kid`), and its issuer has \
                 several",
            )),
            Verdict::NoSuchKey => Err(match seen.failure {
                None => invalid(
                    "the token is signed with a key that its issuer does not publish: get a new \
                     one",
                ),
                Some(cause) => unavailable("the token's issuer is unavailable").because(cause),
            }),
        }
    }

    async fn read(
        &self,
        client: &dyn HttpClient,
        signatures: &dyn Signatures,
    ) -> Result<KeySet, String> {
        let url = match &self.keys_url {
            Some(url) => url.clone(),
            None => self.discover(client).await?,
        };
        let response = remote::ask(client, HttpRequest::get(&url)).await?;
        if !response.is_success() {
            return Err(format!("GET {url}: status {}", response.status));
        }
        KeySet::read(&response.body, signatures)
            .await
            .map_err(|why| format!("GET {url}: {why}"))
    }

    /// Asks for the issuer's document wherever it may be.
    async fn discover(&self, client: &dyn HttpClient) -> Result<String, String> {
        let mut tried = Vec::new();
        for url in documents(&self.id) {
            let response = remote::ask(client, HttpRequest::get(&url)).await?;
            if !response.is_success() {
                tried.push(format!("GET {url}: status {}", response.status));
                continue;
            }
            // some answer every path with a page for people
            let document: IssuerMetadata = match serde_json::from_slice(&response.body) {
                Ok(document) => document,
                Err(error) => {
                    tried.push(format!("GET {url}: {error}"));
                    continue;
                }
            };
            if document.issuer != self.id {
                return Err(format!(
                    "GET {url}: the issuer there is `{}`, and not `{}` as configured",
                    document.issuer, self.id
                ));
            }
            if let Some(mistake) = url_mistake(&document.jwks_uri) {
                return Err(format!("GET {url}: its `jwks_uri` {mistake}"));
            }
            return Ok(document.jwks_uri);
        }
        Err(tried.join("; "))
    }
}

/// Where an issuer's document may be: RFC 8414 puts the well-known part before a path, OpenID
/// Connect behind it.
fn documents(issuer: &str) -> Vec<String> {
    let (origin, path) = origin_and_path(issuer);
    let mut urls = vec![format!(
        "{origin}/.well-known/oauth-authorization-server{path}"
    )];
    if !path.is_empty() {
        urls.push(format!("{origin}/.well-known/openid-configuration{path}"));
    }
    urls.push(format!("{origin}{path}/.well-known/openid-configuration"));
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_documents_are() {
        let root = [
            "https://a.example/.well-known/oauth-authorization-server",
            "https://a.example/.well-known/openid-configuration",
        ];
        assert_eq!(documents("https://a.example"), root);
        assert_eq!(documents("https://a.example/"), root);
        let path = [
            "https://a.example/.well-known/oauth-authorization-server/t/1",
            "https://a.example/.well-known/openid-configuration/t/1",
            "https://a.example/t/1/.well-known/openid-configuration",
        ];
        assert_eq!(documents("https://a.example/t/1"), path);
    }
}
