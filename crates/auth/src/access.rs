//! Cloudflare Access in front of this server: the assertion that it adds to every request that it
//! let through.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use mcpfn_core::{Principal, Scopes, handler::BoxFuture, port::Platform};
use mcpfn_http::{AuthError, Authenticator};

use crate::bearer;
use crate::issuer::Issuer;
use crate::issuer_scopes::IssuerScopes;
use crate::oauth::OAuth;

/// Takes `Cf-Access-Jwt-Assertion` of one team's applications.
pub struct CloudflareAccess(OAuth);

impl CloudflareAccess {
    /// `team` is the first part of the team's domain, TEAM.cloudflareaccess.com; `audiences` are
    /// the AUD tags of applications. A caller that Cloudflare Access lets through has no scopes
    /// until [`CloudflareAccess::with_default_scopes`] gives it some.
    pub fn new(team: &str, audiences: impl IntoIterator<Item = String>) -> Self {
        let origin = format!("https://{team}.cloudflareaccess.com");
        Self::at(&origin, audiences)
    }

    /// The same for an origin of another form, such as that of a test.
    pub fn at(origin: &str, audiences: impl IntoIterator<Item = String>) -> Self {
        let keys = format!("{origin}/cdn-cgi/access/certs");
        Self(OAuth {
            issuers: vec![Issuer::new(origin, Some(keys))],
            audiences: audiences.into_iter().collect(),
            clients: Vec::new(),
            scopes: Scopes::none(),
            limits: IssuerScopes::default(),
            step_up: false,
            // a service has no subject, and goes by the name of its token
            otherwise: |claims| claims.common_name.as_deref(),
        })
    }

    /// Uses the team's keys for at most this long after they were read, when Access is unavailable;
    /// 15 minutes unless set.
    #[must_use]
    pub fn with_keys_max_age(self, max_age: Duration) -> Self {
        Self(self.0.with_keys_max_age(max_age))
    }

    /// What a caller may do whose assertion is not about scopes.
    #[must_use]
    pub fn with_default_scopes(self, scopes: Scopes) -> Self {
        Self(self.0.with_default_scopes(scopes))
    }
}

impl Authenticator for CloudflareAccess {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        platform: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async move {
            match bearer::only(headers, "cf-access-jwt-assertion")? {
                Some(token) => self.0.principal(token, platform).await.map(Some),
                None => Ok(None),
            }
        })
    }
}

impl fmt::Debug for CloudflareAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloudflareAccess").field(&self.0).finish()
    }
}
