//! What a token says, and what it must say to count here. The same for signed tokens and for what
//! introspection tells.

use mcpfn_http::AuthError;
use serde::Deserialize;
use serde_json::Value;

use super::object::UniqueObject;
use crate::denied::invalid;
use crate::grant::Grant;
use crate::name::is_name;

/// Clocks differ by this much at most, in seconds.
const SKEW: f64 = 60.0;

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
    /// Read apart, because a claim about scopes of an unknown type grants nothing, while others of
    /// a wrong type make the token unreadable.
    #[serde(skip)]
    pub(crate) grant: Grant,
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
    /// `None` if a claim that is needed has a wrong type.
    pub(crate) fn read(UniqueObject(members): UniqueObject) -> Option<Self> {
        let grant = Grant::read(&members);
        let claims: Self = serde_json::from_value(Value::Object(members)).ok()?;
        Some(Self { grant, ..claims })
    }

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

    /// Whether the token says nothing of an audience, and was issued to one of these clients.
    pub(crate) fn is_without_audience_of(&self, clients: &[String]) -> bool {
        let client = self.client_id.as_ref();
        self.aud.is_none()
            && client.is_some_and(|client| !client.is_empty() && clients.contains(client))
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

    /// The subject, or else `other`, as a name that no other issuer's callers can have.
    pub(crate) fn subject(&self, other: Option<&str>, issuer: &str) -> Result<String, AuthError> {
        if let Some(subject) = self.sub.as_deref().filter(|subject| !subject.is_empty()) {
            let subject = Some(subject).filter(|subject| is_name(subject)).ok_or_else(|| {
                invalid(
                    "the token's subject (`sub`) is too long, or has control, direction or line \
                     separator characters",
                )
            })?;
            // two issuers may have the same subject
            return Ok(format!("{subject}@{issuer}"));
        }
        // An issuer's URL has no fragment, so no subject's name ends like this.
        match other.filter(|other| is_name(other)) {
            Some(client) => Ok(format!("{client}@{issuer}#client")),
            None => Err(invalid("the token does not say whose it is (`sub`)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(members: Value) -> Claims {
        let Value::Object(members) = members else {
            panic!("claims are an object")
        };
        Claims::read(UniqueObject(members)).unwrap()
    }

    #[test]
    fn times_count_with_a_minute_for_clocks_that_differ() {
        for (times, from, until) in [
            (json!({"exp": 1000}), 0, 1_060_000),
            (json!({"exp": 1000.5}), 0, 1_060_500),
            (json!({"nbf": 1000}), 940_000, u64::MAX),
            (json!({"nbf": 1000.5, "exp": 2000}), 940_500, 2_060_000),
            (json!({}), 0, u64::MAX),
        ] {
            let claims = claims(times);
            for now in [0, 1, from, from + 1, until - 1, until, u64::MAX] {
                let counts = claims.check_times(now).is_ok();
                let expected = from <= now && (now < until || until == u64::MAX);
                assert_eq!(counts, expected, "{now} of {from} to {until}");
            }
            if from > 0 {
                assert!(claims.check_times(from - 1).is_err());
            }
        }
    }

    /// Such a token is taken for what it is not addressed to: only where it says nothing at all of
    /// whom it is for, and names a client that the operator did.
    #[test]
    fn no_audience_is_enough_for_named_clients_alone() {
        let clients = ["app".to_owned(), String::new()];
        for (members, is_enough) in [
            (json!({"client_id": "app"}), true),
            (json!({"client_id": "other"}), false),
            (json!({"client_id": ""}), false),
            (json!({}), false),
            (
                json!({"client_id": "app", "aud": "https://elsewhere"}),
                false,
            ),
            (json!({"client_id": "app", "aud": []}), false),
        ] {
            let claims = claims(members.clone());
            assert_eq!(
                claims.is_without_audience_of(&clients),
                is_enough,
                "{members}"
            );
            assert!(!claims.is_without_audience_of(&[]), "{members}");
        }
    }
}
