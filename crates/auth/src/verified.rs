//! Callers whose token or request a platform in front verified, such as an authorizer of API
//! Gateway: what their claims grant. Verifies nothing itself.

use mcpfn_core::{Principal, PrincipalKind, Scopes};
use mcpfn_http::AuthError;
use serde_json::{Map, Value};

use crate::denied::invalid;
use crate::jwt::claims::is_name;
use crate::jwt::grant::Grant;
use crate::jwt::token::Token;

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
