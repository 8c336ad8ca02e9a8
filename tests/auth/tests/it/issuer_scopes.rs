//! Several issuers: each grants what the operator lets it grant, and nothing of another's.

use mcpfn_auth_tests::Issuer;
use mcpfn_core::Scopes;
use serde_json::{Value, json};

use crate::settings::{mistakes, read};
use crate::world::{P256, RSA, SERVER, World, bearer};

/// The scopes that a token of `issuer` has in the end, be it signed or opaque.
struct Granted {
    signed: Scopes,
    /// None where the issuer that was asked may not vouch for it.
    opaque: Option<Scopes>,
}

async fn granted(first: &World, second: &Issuer, limits: &str, scope: Value) -> [Granted; 2] {
    let issuers = format!("{},{}", first.issuer.id, second.id);
    let limits = limits
        .replace("FIRST", &first.issuer.id)
        .replace("SECOND", &second.id);
    let introspect = format!("{}/introspect", first.issuer.id);
    let credentials = read(&[
        ("MCPFN_AUTH", "oauth"),
        ("MCPFN_ISSUER", &issuers),
        ("MCPFN_ISSUER_SCOPES", &limits),
        ("MCPFN_PUBLIC_URL", SERVER),
        ("MCPFN_INTROSPECTION_URL", &introspect),
        ("MCPFN_INTROSPECTION_CLIENT_ID", "id"),
        ("MCPFN_INTROSPECTION_CLIENT_SECRET", "secret"),
        ("MCPFN_DEFAULT_SCOPES", "hello crm"),
    ])
    .unwrap();
    let ask = async |token: &str| {
        for authenticator in &credentials.auth.authenticators {
            let headers = bearer(token);
            match authenticator.authenticate(&headers, &first.platform).await {
                Ok(None) => {}
                Ok(Some(principal)) => return Some(principal.scopes),
                Err(_) => return None,
            }
        }
        panic!("no authenticator knows {token}");
    };
    let name =
        format!("opaque-{limits}-{scope}").replace(|letter: char| !letter.is_alphanumeric(), "-");
    let of_first = first.claims_with(&json!({"scope": scope}));
    let of_second = first.claims_with(&json!({"scope": scope, "iss": second.id}));
    for (token, claims, issuer) in [
        ("1", &of_first, true),
        ("2", &of_second, true),
        ("3", &of_first, false),
    ] {
        let mut verdict = claims.clone();
        verdict["active"] = json!(true);
        if !issuer {
            // who asked is known: the answer is the first issuer's
            verdict.as_object_mut().unwrap().remove("iss");
        }
        first.issuer.knows(&format!("{name}-{token}"), verdict);
    }
    assert_eq!(
        ask(&format!("{name}-3")).await,
        ask(&format!("{name}-1")).await
    );
    [
        Granted {
            signed: ask(&RSA.token(&of_first)).await.unwrap(),
            opaque: ask(&format!("{name}-1")).await,
        },
        Granted {
            signed: ask(&P256.token(&of_second)).await.unwrap(),
            opaque: ask(&format!("{name}-2")).await,
        },
    ]
}

#[tokio::test]
async fn an_issuer_grants_what_it_may_and_nothing_else() {
    let world = World::new().await;
    let other = Issuer::start(&[&P256]).await;
    for (limits, scope, first, second) in [
        // a token with everything in it
        (
            "FIRST=crm;SECOND=files:read",
            json!("crm files hello"),
            "crm",
            "files:read",
        ),
        (
            "FIRST=crm:read hello;SECOND=*",
            json!("crm files hello"),
            "crm:read hello",
            "crm files hello",
        ),
        // what is not about scopes has the default ones, and no more than the issuer may grant
        ("FIRST=hello;SECOND=files", Value::Null, "hello", ""),
        // neither may be imitated by a name
        (
            "FIRST=crm:read;SECOND=crm-admin",
            json!("crm crm-admin"),
            "crm:read",
            "crm-admin",
        ),
        (
            "FIRST=*;SECOND=hello",
            json!(["crm", "hello"]),
            "crm hello",
            "hello",
        ),
    ] {
        let found = granted(&world, &other, limits, scope.clone()).await;
        let [of_first, of_second] = &found;
        assert_eq!(
            of_first.opaque.as_ref(),
            Some(&of_first.signed),
            "{limits} {scope}"
        );
        assert_eq!(
            of_second.opaque, None,
            "the first issuer answers for itself only"
        );
        for (granted, expected) in found.iter().zip([first, second]) {
            assert_eq!(granted.signed, Scopes::parse(expected), "{limits} {scope}");
        }
    }
}

#[test]
fn several_issuers_need_a_map_of_exactly_them() {
    let with = |limits: Option<&'static str>| {
        let mut variables = vec![
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "https://a.example, https://b.example"),
            ("MCPFN_PUBLIC_URL", SERVER),
        ];
        variables.extend(limits.map(|limits| ("MCPFN_ISSUER_SCOPES", limits)));
        variables
    };
    mistakes(&with(None), &["MCPFN_ISSUER_SCOPES is not set"]);
    mistakes(
        &with(Some("https://a.example=*")),
        &["does not say what `https://b.example` may grant"],
    );
    mistakes(
        &with(Some("https://a.example=*;https://b.example/=*")),
        &[
            "does not say what `https://b.example` may grant",
            "has `https://b.example/`, which is not in MCPFN_ISSUER",
        ],
    );
    mistakes(
        &with(Some("https://a.example=crm:*;https://b.example")),
        &["write `crm`", "needs a ="],
    );
    assert!(
        read(&with(Some(
            "https://a.example=*\nhttps://b.example=crm, hello"
        )))
        .is_ok()
    );
    // one issuer needs no map, and may have one
    for limits in [None, Some(("MCPFN_ISSUER_SCOPES", "https://a.example=crm"))] {
        let one = [
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "https://a.example"),
            ("MCPFN_PUBLIC_URL", SERVER),
        ];
        let variables: Vec<_> = one.into_iter().chain(limits).collect();
        assert!(read(&variables).is_ok());
    }
    mistakes(
        &[("MCPFN_AUTH", "none"), ("MCPFN_ISSUER_SCOPES", "x=y")],
        &["MCPFN_ISSUER_SCOPES is set, but"],
    );
}
