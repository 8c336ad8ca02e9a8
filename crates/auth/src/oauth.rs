//! OAuth access tokens that are signed (RFC 9068 and what issuers make of it): the order of the
//! checks.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use mcpfn_core::{Principal, PrincipalKind, Scopes, handler::BoxFuture, port::Platform};
use mcpfn_http::{AuthError, Authenticator};

use crate::bearer;
use crate::denied::invalid;
use crate::issuer::Issuer;
use crate::issuer_scopes::IssuerScopes;
use crate::jwt::claims::Claims;
use crate::jwt::token::{Token, has_three_parts};

/// Takes signed access tokens in `Authorization: Bearer`. A bearer token that does not have three
/// parts is ignored.
pub struct OAuth {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) audiences: Vec<String>,
    /// Whose tokens without an audience are taken.
    pub(crate) clients: Vec<String>,
    pub(crate) scopes: Scopes,
    pub(crate) limits: IssuerScopes,
    pub(crate) step_up: bool,
    /// Who a token is of when it has no subject.
    pub(crate) otherwise: fn(&Claims) -> Option<&str>,
}

impl OAuth {
    /// Takes tokens of these issuers that were issued for one of these audiences. The keys are
    /// found through the issuers' documents.
    pub fn new(
        issuers: impl IntoIterator<Item = String>,
        audiences: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            issuers: issuers
                .into_iter()
                .map(|issuer| Issuer::new(issuer, None))
                .collect(),
            audiences: audiences.into_iter().collect(),
            clients: Vec::new(),
            scopes: Scopes::none(),
            limits: IssuerScopes::default(),
            step_up: false,
            otherwise: |claims| claims.client_id.as_deref(),
        }
    }

    /// Takes the keys of an issuer from this URL, without looking for it.
    #[must_use]
    pub fn with_keys_at(mut self, issuer: &str, url: impl Into<String>) -> Self {
        let url = url.into();
        for known in self.issuers.iter_mut().filter(|known| known.id == issuer) {
            *known = Issuer::new(issuer, Some(url.clone()));
        }
        self
    }

    /// Uses the keys of an issuer that is unavailable for at most this long after they were read;
    /// 15 minutes unless set. Then its tokens get 503. Call it after
    /// [`with_keys_at`](Self::with_keys_at).
    #[must_use]
    pub fn with_keys_max_age(mut self, max_age: Duration) -> Self {
        let max_age = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
        self.issuers
            .iter_mut()
            .for_each(|issuer| issuer.set_max_age(max_age));
        self
    }

    /// Also takes tokens without an audience (`aud`), as Amazon Cognito writes them, if they were
    /// issued to one of these clients (`client_id`); nobody's unless set. A token that has an
    /// audience is held to it.
    #[must_use]
    pub fn with_client_ids(mut self, clients: impl IntoIterator<Item = String>) -> Self {
        self.clients = clients.into_iter().collect();
        self
    }

    /// The scopes of a token that names none; nothing unless set.
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

    /// The caller that a token authenticates. What costs nothing is checked first, the signature
    /// last; no service is asked about a token that would be refused anyway.
    pub(crate) async fn principal(
        &self,
        text: &str,
        platform: &Platform,
    ) -> Result<Principal, AuthError> {
        let token = Token::read(text)?;
        let claims = &token.claims;
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| Some(&issuer.id) == claims.iss.as_ref());
        let issuer = issuer.ok_or_else(|| {
            invalid("the token is of an issuer (`iss`) that this server does not trust")
        })?;
        if !token.is_access_token {
            claims.grant.check_use()?;
        }
        if !claims.is_without_audience_of(&self.clients) {
            claims.check_audience(&self.audiences)?;
        }
        if claims.exp.is_none() {
            return Err(invalid("the token has no end (`exp`)"));
        }
        claims.check_times(platform.now_ms())?;
        let subject = claims.subject((self.otherwise)(claims), &issuer.id)?;
        issuer.check(&token, platform).await?;
        let scopes = bare(&claims.grant.scopes(&self.scopes), &self.audiences);
        let principal = Principal::new(PrincipalKind::Jwt, subject)
            .with_scopes(self.limits.limit(&issuer.id, &scopes));
        Ok(match self.step_up {
            true => principal.with_step_up(self.limits.limit(&issuer.id, &Scopes::all())),
            false => principal,
        })
    }
}

/// Scopes without the name of this server before them: Amazon Cognito writes those of a resource
/// server as `IDENTIFIER/SCOPE`.
fn bare(scopes: &Scopes, audiences: &[String]) -> Scopes {
    let name = |scope: &str| {
        let mut own = audiences.iter();
        let bare = own.find_map(|own| scope.strip_prefix(own.as_str())?.strip_prefix('/'));
        bare.unwrap_or(scope).to_owned()
    };
    scopes.iter().map(name).collect()
}

impl Authenticator for OAuth {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        platform: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async move {
            match bearer::token(headers)? {
                Some(token) if has_three_parts(token) => {
                    self.principal(token, platform).await.map(Some)
                }
                _ => Ok(None),
            }
        })
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<&str> = self
            .issuers
            .iter()
            .map(|issuer| issuer.id.as_str())
            .collect();
        f.debug_struct("OAuth")
            .field("issuers", &issuers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
