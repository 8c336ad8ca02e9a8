//! Whom the platform recognised, and whether the operator lets that count. One decision for every way
//! in which events arrive; what the platform says is read in `event/identity.rs`.

use std::net::IpAddr;

use mcpfn_auth::IamScopes;
use mcpfn_core::{Principal, PrincipalKind, Scopes, port::Platform};
use mcpfn_http::AuthError;
use mcpfn_settings::{AuthMethod, AuthMethods};

/// What the operator decided about callers.
#[derive(Debug, Clone)]
pub(crate) struct Callers {
    pub(crate) methods: AuthMethods,
    /// What callers may do whom IAM recognised; the default scopes without it.
    pub(crate) iam: Option<IamScopes>,
    /// Of callers whose credential is not about scopes.
    pub(crate) default_scopes: Scopes,
}

impl Callers {
    /// The caller, and where it called from. Claims that are not of an access token leave it
    /// anonymous; the log says why.
    pub(crate) fn principal(
        &self,
        recognised: Result<Principal, AuthError>,
        address: Option<IpAddr>,
        platform: &Platform,
    ) -> Principal {
        let principal = match recognised {
            Ok(caller) => believed(caller, &self.methods, self.iam.as_ref()),
            Err(denied) => {
                let log = platform.audit_log();
                log.denied(&denied.message, denied.cause.as_deref());
                Principal::anonymous()
            }
        };
        match address {
            Some(address) => principal.at(address),
            None => principal,
        }
    }
}

/// The caller, if it was authenticated by a method that the operator configured; with the scopes
/// that the operator gives it.
fn believed(principal: Principal, methods: &AuthMethods, iam: Option<&IamScopes>) -> Principal {
    let by_iam = principal.kind == PrincipalKind::Iam;
    // an authorizer in front may require signatures, too
    let wanted = methods.has(AuthMethod::Authorizer) || (by_iam && methods.has(AuthMethod::Iam));
    if methods.has(AuthMethod::None) && principal.kind != PrincipalKind::Anonymous {
        // who signs a request must not be able to do less than who doesn't
        return principal.with_scopes(Scopes::all());
    }
    if !wanted {
        return principal.into_anonymous();
    }
    match iam.filter(|_| by_iam) {
        Some(map) => {
            let scopes = map.scopes(&principal.subject);
            principal.with_scopes(scopes)
        }
        None => principal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_where_it_is_asked_for() {
        let alice = Principal::new(PrincipalKind::Iam, "arn:aws:iam::123456789012:user/alice")
            .at([203, 0, 113, 7].into());
        let token =
            Principal::new(PrincipalKind::Jwt, "user-1").with_scopes(Scopes::parse("crm:read"));
        for (methods, iam, jwt) in [
            (vec![AuthMethod::Iam], true, false),
            (vec![AuthMethod::Authorizer], true, true),
            (vec![AuthMethod::ApiKey, AuthMethod::OAuth], false, false),
            (vec![AuthMethod::Iam, AuthMethod::ApiKey], true, false),
            (vec![AuthMethod::None], true, true),
        ] {
            let methods = AuthMethods::of(methods);
            for (principal, counts) in [(&alice, iam), (&token, jwt)] {
                let believed = believed(principal.clone(), &methods, None);
                assert_eq!(believed.address, principal.address, "{methods:?}");
                let scopes = if methods.has(AuthMethod::None) {
                    Scopes::all()
                } else {
                    principal.scopes.clone()
                };
                let expected = principal.clone().with_scopes(scopes);
                assert_eq!(believed == expected, counts, "{methods:?}");
                assert_eq!(
                    believed.kind == PrincipalKind::Anonymous,
                    !counts,
                    "{methods:?}"
                );
            }
        }
    }

    #[test]
    fn iam_callers_have_the_scopes_of_the_map() {
        let map: IamScopes = "arn:aws:iam::123456789012:role/Reader*=catalog:read; \
            arn:aws:iam::123456789012:user/*=crm"
            .parse()
            .unwrap();
        let scopes = |arn: &str| {
            believed(
                Principal::new(PrincipalKind::Iam, arn),
                &AuthMethods::of([AuthMethod::Iam]),
                Some(&map),
            )
            .scopes
        };
        assert_eq!(
            scopes("arn:aws:sts::123456789012:assumed-role/ReaderOne/session"),
            Scopes::parse("catalog:read")
        );
        assert_eq!(
            scopes("arn:aws:iam::123456789012:user/alice"),
            Scopes::parse("crm")
        );
        assert_eq!(
            scopes("arn:aws:sts::999999999999:assumed-role/ReaderOne/session"),
            Scopes::none()
        );
    }
}
