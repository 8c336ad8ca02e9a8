//! Callers whose token or request a platform in front verified, such as an authorizer of API
//! Gateway: what their claims grant. Verifies nothing itself.

use mcpfn_core::{Principal, PrincipalKind, Scopes};
use mcpfn_http::AuthError;
use serde_json::{Map, Value};

use crate::denied::invalid;
use crate::grant::Grant;
#[cfg(feature = "tokens")]
use crate::jwt::token::Token;
use crate::name::is_name;

/// The caller named `subject`, whose `claims` were verified in front of this server. The claims are
/// read like those of a token that this crate verifies: `scope`, `scp`, `permissions` and `scopes`,
/// as text, as an array, or as the text of an array. A claim that is empty or of another type
/// grants nothing; `default` counts only if no such claim is there; `*` is never granted.
///
/// ```
/// use mcpfn_auth::verified_caller;
/// use mcpfn_core::{PrincipalKind, Scopes};
///
/// let claims = serde_json::json!({"scp": ["crm:read", "*"]});
/// let claims = claims.as_object().unwrap();
/// let caller = verified_caller(PrincipalKind::Jwt, "user-1", claims, &Scopes::none())?;
/// assert_eq!(caller.scopes, Scopes::parse("crm:read"));
/// # Ok::<(), mcpfn_http::AuthError>(())
/// ```
///
/// # Errors
/// When the claims are those of an ID or refresh token, and when the subject is empty, over 512
/// bytes, or has control, direction or line separator characters.
pub fn verified_caller(
    kind: PrincipalKind,
    subject: &str,
    claims: &Map<String, Value>,
    default: &Scopes,
) -> Result<Principal, AuthError> {
    if !is_name(subject) {
        return Err(invalid(
            "the caller's name is empty, too long, or has characters that change how it is shown",
        ));
    }
    let grant = Grant::read(claims);
    grant.check_use()?;
    Ok(Principal::new(kind, subject).with_scopes(grant.scopes(default)))
}

/// The caller that a token would name if its signature, issuer, audience and times were right, when
/// no scopes are the default: all that is read of its text, for the fuzz target of this repository.
#[cfg(feature = "tokens")]
#[doc(hidden)]
#[must_use]
pub fn caller_of_token(text: &str) -> Option<Principal> {
    let Token {
        claims,
        is_access_token,
        ..
    } = Token::read(text).ok()?;
    if !is_access_token {
        claims.grant.check_use().ok()?;
    }
    let issuer = claims.iss.as_deref().unwrap_or_default();
    let subject = claims.subject(claims.client_id.as_deref(), issuer).ok()?;
    let scopes = claims.grant.scopes(&Scopes::none());
    Some(Principal::new(PrincipalKind::Jwt, subject).with_scopes(scopes))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_caller_has_a_name_and_the_claims_of_an_access_token() {
        let read = |subject: &str, claims: Value| {
            let claims = claims.as_object().unwrap();
            verified_caller(PrincipalKind::Authorizer, subject, claims, &Scopes::none())
        };
        let caller = read("user-1", json!({"scope": "crm"})).unwrap();
        let expected = Principal::new(PrincipalKind::Authorizer, "user-1");
        assert_eq!(caller, expected.with_scopes(Scopes::parse("crm")));
        for subject in ["", " ", "a\nb", "a\u{202e}b", &"a".repeat(513)] {
            assert!(
                read(subject, json!({"scope": "crm"})).is_err(),
                "{subject:?}"
            );
        }
        for claims in [json!({"token_use": "id"}), json!({"typ": "Refresh"})] {
            assert!(read("user-1", claims.clone()).is_err(), "{claims}");
        }
    }

    /// Else the fuzz target would look at nothing.
    #[test]
    fn the_fuzz_target_reads_what_tokens_are_read_by() {
        let read = |header: Value, claims: Value| {
            let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
            caller_of_token(&format!("{}.{}.c2ln", part(&header), part(&claims)))
        };
        let rs256 = || json!({"alg": "RS256"});
        let claims = json!({"iss": "https://issuer", "sub": "alice", "scope": "crm"});
        let alice = Principal::new(PrincipalKind::Jwt, "alice@https://issuer")
            .with_scopes(Scopes::parse("crm"));
        assert_eq!(read(rs256(), claims.clone()), Some(alice));
        assert_eq!(read(json!({"alg": "none"}), claims), None);
        let id = json!({"iss": "https://issuer", "sub": "alice", "token_use": "id"});
        assert_eq!(read(rs256(), id.clone()), None);
        // its type says what it is
        assert!(read(json!({"alg": "RS256", "typ": "at+jwt"}), id).is_some());
        assert_eq!(read(rs256(), json!({"iss": "https://issuer"})), None);
    }
}
