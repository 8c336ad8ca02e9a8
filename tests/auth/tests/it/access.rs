//! Cloudflare Access: its assertion is a signed token in a header of its own.

use mcpfn_auth::CloudflareAccess;
use mcpfn_auth_tests::{Issuer, platform};
use mcpfn_core::Scopes;
use mcpfn_http::AuthErrorKind::{Invalid, Malformed};
use mcpfn_http::Authenticator;
use serde_json::{Value, json};

use crate::world::{P256, RSA, bearer, changed, headers, refused};

#[tokio::test]
async fn assertions_are_taken_and_refused() {
    let issuer = Issuer::start(&[&RSA]).await;
    let (platform, clock) = platform();
    let access = CloudflareAccess::at(&issuer.id, ["tag".to_owned()]);
    let token = |changes: &Value| {
        let now = clock.seconds();
        let claims = json!({"iss": issuer.id, "aud": ["tag"], "sub": "7335", "email": "a@b.example", "exp": now + 60, "nbf": now, "type": "app"});
        RSA.token_with(
            &json!({"alg": "RS256", "kid": "rsa", "typ": "JWT"}),
            &changed(claims, changes),
        )
    };
    let asserted = |token: &str| headers(&[("Cf-Access-Jwt-Assertion", token)]);

    let principal = access
        .authenticate(&asserted(&token(&json!({}))), &platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&principal.subject, &principal.scopes),
        (&format!("7335@{}", issuer.id), &Scopes::none())
    );
    assert_eq!(
        (
            issuer.asked("/cdn-cgi/access/certs"),
            issuer.asked("/.well-known")
        ),
        (1, 0)
    );
    let service = token(&json!({"sub": "", "common_name": "robot.access"}));
    let principal = access
        .authenticate(&asserted(&service), &platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        principal.subject,
        format!("robot.access@{}#client", issuer.id)
    );
    let narrow = CloudflareAccess::at(&issuer.id, ["tag".to_owned()])
        .with_default_scopes(Scopes::parse("hello"));
    assert_eq!(
        narrow
            .authenticate(&asserted(&service), &platform)
            .await
            .unwrap()
            .unwrap()
            .scopes,
        Scopes::parse("hello")
    );

    for (changes, part) in [
        (json!({"aud": ["other"]}), "another server"),
        (
            json!({"iss": "https://other.cloudflareaccess.com"}),
            "issuer",
        ),
        (json!({"exp": clock.seconds() - 60}), "expired"),
        (json!({"sub": ""}), "whose"),
    ] {
        refused(
            access
                .authenticate(&asserted(&token(&changes)), &platform)
                .await,
            Invalid,
            part,
        );
    }
    let foreign = P256.token(
        &json!({"iss": issuer.id, "aud": ["tag"], "sub": "7335", "exp": clock.seconds() + 60}),
    );
    refused(
        access.authenticate(&asserted(&foreign), &platform).await,
        Invalid,
        "does not publish",
    );
    refused(
        access.authenticate(&asserted("x"), &platform).await,
        Malformed,
        "not written",
    );
    let good = token(&json!({}));
    let twice = headers(&[
        ("cf-access-jwt-assertion", &good),
        ("cf-access-jwt-assertion", &good),
    ]);
    refused(
        access.authenticate(&twice, &platform).await,
        Malformed,
        "more than one",
    );
    // the same token elsewhere is not an assertion
    assert!(
        access
            .authenticate(&bearer(&good), &platform)
            .await
            .unwrap()
            .is_none()
    );
}
