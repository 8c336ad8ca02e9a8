//! What a token says, and what it must say to count here. The same for signed tokens and for what
//! introspection tells.

use mcpfn_core::Scopes;
use mcpfn_http::AuthError;
use serde::Deserialize;

use crate::denied::invalid;

/// Clocks differ by this much at most, in seconds.
const SKEW: f64 = 60.0;
/// Most bytes of a subject: it goes into every record.
const MAX_SUBJECT: usize = 512;

#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    /// Seconds since 1970, perhaps with a fraction.
    pub(crate) exp: Option<f64>,
    nbf: Option<f64>,
    aud: Option<OneOrMore>,
    pub(crate) client_id: Option<String>,
    /// What Cloudflare Access calls a service by.
    pub(crate) common_name: Option<String>,
    scope: Option<OneOrMore>,
    scp: Option<OneOrMore>,
    permissions: Option<OneOrMore>,
    typ: Option<String>,
    token_use: Option<String>,
    at_hash: Option<String>,
    c_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

impl Claims {
    /// Whether the times allow the token now; `now` in milliseconds since 1970.
    pub(crate) fn check_times(&self, now: u64) -> Result<(), AuthError> {
        let now = now as f64 / 1000.0;
        if self.exp.is_some_and(|end| now >= end + SKEW) {
            return Err(invalid("the token has expired: get a new one"));
        }
        if self.nbf.is_some_and(|start| now < start - SKEW) {
            return Err(invalid(
                "the token is not valid yet: check the clock of its issuer",
            ));
        }
        Ok(())
    }

    /// Whether the token was issued for one of these. A slash at the end makes no other server.
    pub(crate) fn check_audience(&self, audiences: &[String]) -> Result<(), AuthError> {
        let bare = |url: &'_ str| url.strip_suffix('/').unwrap_or(url).to_owned();
        let meant = self.aud.as_ref().is_some_and(|aud| {
            aud.all()
                .iter()
                .any(|aud| audiences.iter().any(|own| bare(own) == bare(aud)))
        });
        if meant {
            Ok(())
        } else {
            Err(invalid(
                "the token was issued for another server: ask for one with this server as its \
                 resource",
            ))
        }
    }

    /// Whether it says of itself that it is no access token: ID tokens are for the client, and
    /// refresh tokens for the issuer.
    pub(crate) fn check_use(&self) -> Result<(), AuthError> {
        let named = |name: &Option<String>| {
            name.as_deref()
                .is_some_and(|name| matches!(name, "ID" | "id" | "Refresh" | "Offline"))
        };
        // `at_hash` and `c_hash` stand in ID tokens only (OpenID Connect Core, 3.1.3.6 and
        // 3.3.2.11)
        if named(&self.typ)
            || named(&self.token_use)
            || self.at_hash.is_some()
            || self.c_hash.is_some()
        {
            return Err(invalid(
                "the token is an ID or refresh token: send an access token",
            ));
        }
        Ok(())
    }

    /// The subject, or else `other`, as a name that no other issuer's callers can have.
    pub(crate) fn subject(&self, other: Option<&str>, issuer: &str) -> Result<String, AuthError> {
        let named = |name: &&str| {
            !name.is_empty() && name.len() <= MAX_SUBJECT && !name.chars().any(char::is_control)
        };
        if let Some(subject) = self.sub.as_deref().filter(|subject| !subject.is_empty()) {
            let subject = Some(subject).filter(named).ok_or_else(|| {
                invalid("the token's subject (`sub`) is too long or has control characters")
            })?;
            // two issuers may have the same subject
            return Ok(format!("{subject}@{issuer}"));
        }
        // An issuer's URL has no fragment, so no subject's name ends like this.
        match other.filter(named) {
            Some(client) => Ok(format!("{client}@{issuer}#client")),
            None => Err(invalid("the token does not say whose it is (`sub`)")),
        }
    }

    /// The scopes of the token, or `otherwise` if it names none.
    pub(crate) fn scopes(&self, otherwise: &Scopes) -> Scopes {
        // `scope` is the standard's (RFC 8693), `scp` is Microsoft's and Okta's, `permissions` is
        // Auth0's
        let said = [&self.scope, &self.scp, &self.permissions];
        if said.iter().all(|said| said.is_none()) {
            return otherwise.clone();
        }
        // `*` is our word for everything, not an issuer's: some grant whatever name a client asks
        // for
        let words = said
            .into_iter()
            .flatten()
            .flat_map(OneOrMore::all)
            .flat_map(|words| words.split_ascii_whitespace());
        words
            .filter(|word| *word != "*")
            .map(str::to_owned)
            .collect()
    }
}
