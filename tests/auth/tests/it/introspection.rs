//! Opaque tokens: what the issuer says of them, how often it is asked, and what is not told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_auth::Introspection;
use mcpfn_auth_tests::Mood;
use mcpfn_core::{PrincipalKind, Scopes};
use mcpfn_http::AuthErrorKind::{Invalid, Unanswered, Unavailable};
use mcpfn_http::Authenticator;
use serde_json::{Value, json};

use crate::world::{RSA, SERVER, World, bearer, changed, refused, secrets_are_not_told};

fn introspection(world: &World) -> Introspection {
    let url = format!("{}/introspect", world.issuer.id);
    Introspection::new(
        url,
        "mcp server",
        "s3cret:+/ü",
        vec![world.issuer.id.clone()],
        vec![SERVER.to_owned()],
    )
}

fn verdict(world: &World, changes: &Value) -> Value {
    changed(
        world.claims_with(&json!({"active": true, "token_type": "Bearer"})),
        changes,
    )
}

#[tokio::test]
async fn active_tokens_are_taken_and_asked_about_once_a_minute() {
    let world = World::new().await;
    let auth = introspection(&world);
    world
        .issuer
        .knows("opaque-token-1", verdict(&world, &json!({})));
    for _ in 0..10 {
        let principal = auth
            .authenticate(&bearer("opaque-token-1"), &world.platform)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (principal.kind, principal.subject),
            (PrincipalKind::Jwt, format!("alice@{}", world.issuer.id))
        );
        assert_eq!(principal.scopes, Scopes::parse("crm:read catalog"));
    }
    assert_eq!(world.issuer.asked("/introspect"), 1);
    let asked = world.issuer.requests().remove(0);
    // mcp%20server:s3cret%3A%2B%2F%C3%BC
    let expected = "Basic bWNwJTIwc2VydmVyOnMzY3JldCUzQSUyQiUyRiVDMyVCQw== \
        token=opaque-token-1&token_type_hint=access_token";
    assert!(asked.contains(expected), "{asked}");
    world.clock.pass(60);
    auth.authenticate(&bearer("opaque-token-1"), &world.platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.issuer.asked("/introspect"), 2);
}

/// A secret that is kept elsewhere is read on the first question, replaced without a start, and
/// used for a bounded time while it can't be read.
#[tokio::test]
async fn a_secret_that_is_elsewhere_is_read_renewed_and_grows_too_old() {
    let world = World::new().await;
    let place = Arc::new(Mutex::new(Ok("one\n".to_owned())));
    let read = Arc::clone(&place);
    let source = Arc::new(move || read.lock().unwrap().clone());
    let auth = introspection(&world).with_secret_source(source, Duration::from_secs(900));
    world
        .issuer
        .knows("opaque", verdict(&world, &json!({"exp": null})));
    // "mcp%20server:one" and so on
    let asked_as = |pair: &str| {
        let last = world.issuer.requests().pop().unwrap_or_default();
        last.contains(&format!("Basic {pair} "))
    };
    let ask = async || auth.authenticate(&bearer("opaque"), &world.platform).await;
    ask().await.unwrap().unwrap();
    assert!(asked_as("bWNwJTIwc2VydmVyOm9uZQ=="));
    *place.lock().unwrap() = Ok("two".to_owned());
    world.clock.pass(130);
    ask().await.unwrap().unwrap();
    assert!(asked_as("bWNwJTIwc2VydmVyOnR3bw=="));
    *place.lock().unwrap() = Err("away".to_owned());
    world.clock.pass(700);
    ask().await.unwrap().unwrap();
    for unusable in [Err("away".to_owned()), Ok(" \n".to_owned())] {
        *place.lock().unwrap() = unusable;
        world.clock.pass(1000);
        let questions = world.issuer.asked("/introspect");
        refused(ask().await, Unavailable, "unavailable");
        assert_eq!(world.issuer.asked("/introspect"), questions);
    }
}

#[tokio::test]
async fn a_verdict_is_not_kept_beyond_the_end_of_the_token() {
    let world = World::new().await;
    let auth = introspection(&world);
    world.issuer.knows(
        "opaque",
        verdict(&world, &json!({"exp": world.clock.seconds() + 20})),
    );
    auth.authenticate(&bearer("opaque"), &world.platform)
        .await
        .unwrap()
        .unwrap();
    world.clock.pass(20);
    world
        .issuer
        .is(Mood::Says("{\"active\": false}".to_owned()));
    refused(
        auth.authenticate(&bearer("opaque"), &world.platform).await,
        Invalid,
        "revoked",
    );
}

/// By the name of another it would grant what that one may, to callers of that one's names.
#[tokio::test]
async fn an_issuer_vouches_for_its_own_tokens_only() {
    let world = World::new().await;
    let second = "https://second.example";
    let auth = Introspection::new(
        format!("{}/introspect", world.issuer.id),
        "id",
        "secret",
        vec![world.issuer.id.clone(), second.to_owned()],
        vec![SERVER.to_owned()],
    );
    let told = verdict(
        &world,
        &json!({"iss": second, "sub": "ceo", "scope": "crm"}),
    );
    world.issuer.knows("opaque-secret-token", told);
    let token = bearer("opaque-secret-token");
    let answer = auth.authenticate(&token, &world.platform).await;
    refused(answer, Invalid, "another issuer");
}

#[tokio::test]
async fn verdicts_that_refuse() {
    let world = World::new().await;
    let now = world.clock.seconds();
    let table = [
        (json!({"active": false}), "revoked"),
        (json!({"token_type": "refresh_token"}), "revoked"),
        (json!({"token_type": "DPoP"}), "revoked"),
        (json!({"aud": null}), "another server"),
        (json!({"aud": "https://other.example"}), "another server"),
        (json!({"iss": "https://other.example"}), "issuer"),
        (json!({"exp": now - 61}), "expired"),
        (json!({"nbf": now + 61}), "not valid yet"),
        (json!({"sub": null}), "whose"),
        (json!({"typ": "Refresh"}), "refresh"),
        (json!({"typ": "refresh"}), "refresh"),
        (json!({"token_use": "REFRESH_TOKEN"}), "refresh"),
    ];
    for (changes, part) in table {
        let (world, token) = (World::new().await, "opaque-secret-token");
        world.issuer.knows(token, verdict(&world, &changes));
        let denied = refused(
            introspection(&world)
                .authenticate(&bearer(token), &world.platform)
                .await,
            Invalid,
            part,
        );
        secrets_are_not_told(&denied, token);
    }
    // what an issuer need not say
    for changes in [
        json!({"iss": null}),
        json!({"exp": null}),
        json!({"token_type": null}),
        json!({"nbf": null, "iat": null}),
    ] {
        let world = World::new().await;
        world.issuer.knows("opaque", verdict(&world, &changes));
        let principal = introspection(&world)
            .authenticate(&bearer("opaque"), &world.platform)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            principal.subject,
            format!("alice@{}", world.issuer.id),
            "{changes}"
        );
    }
}

/// For whatever reason: no longer than that, or a token that its issuer gets to know stays out; and
/// no shorter, or one caller has the issuer asked without end.
#[tokio::test]
async fn refusals_are_kept_for_ten_seconds() {
    let elsewhere = json!({"aud": "https://other.example.com/mcp"});
    for (mood, known, kind, part) in [
        (Mood::Well, None, Invalid, "revoked"),
        (Mood::Well, Some(elsewhere), Invalid, "another server"),
        (Mood::Status(400), None, Unanswered, "unavailable"),
        (Mood::Status(422), None, Unanswered, "unavailable"),
    ] {
        let world = World::new().await;
        let auth = introspection(&world);
        let ask = async || auth.authenticate(&bearer("opaque"), &world.platform).await;
        world.issuer.is(mood.clone());
        if let Some(changes) = known {
            world.issuer.knows("opaque", verdict(&world, &changes));
        }
        for passed in [0, 0, 9] {
            world.clock.pass(passed);
            refused(ask().await, kind, part);
            assert_eq!(world.issuer.asked("/introspect"), 1, "{mood:?} {part}");
        }
        world.issuer.is(Mood::Well);
        world.issuer.knows("opaque", verdict(&world, &json!({})));
        world.clock.pass(1);
        assert!(ask().await.unwrap().is_some(), "{mood:?} {part}");
        assert_eq!(world.issuer.asked("/introspect"), 2, "{mood:?} {part}");
    }
}

/// Also where the part that is left could be read.
#[tokio::test]
async fn an_answer_is_read_up_to_a_size() {
    for (length, is_read) in [
        (200 * 1024, true),
        (256 * 1024, true),
        (256 * 1024 + 1, false),
        (1024 * 1024, false),
    ] {
        let world = World::new().await;
        let auth = introspection(&world);
        let mut answer = verdict(&world, &json!({})).to_string();
        answer.push_str(&" ".repeat(length - answer.len()));
        world.issuer.is(Mood::Says(answer));
        let asked = auth.authenticate(&bearer("opaque"), &world.platform).await;
        if is_read {
            assert!(asked.unwrap().is_some(), "{length}");
        } else {
            let denied = refused(asked, Unavailable, "unavailable");
            let cause = denied.cause.unwrap_or_default();
            assert!(cause.contains("more than 262144 bytes"), "{cause}");
        }
    }
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_does_not_drive_out_the_good_ones() {
    let world = World::new().await;
    let auth = introspection(&world);
    world.issuer.knows("good", verdict(&world, &json!({})));
    auth.authenticate(&bearer("good"), &world.platform)
        .await
        .unwrap()
        .unwrap();
    for at in 0..1100 {
        refused(
            auth.authenticate(&bearer(&format!("wrong-{at}")), &world.platform)
                .await,
            Invalid,
            "revoked",
        );
    }
    let asked = world.issuer.asked("/introspect");
    auth.authenticate(&bearer("good"), &world.platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.issuer.asked("/introspect"), asked);
    // there is room for a thousand verdicts, and no more
    for at in 0..1100 {
        refused(
            auth.authenticate(&bearer(&format!("wrong-{at}")), &world.platform)
                .await,
            Invalid,
            "revoked",
        );
    }
    assert!(world.issuer.asked("/introspect") >= asked + 100);
}

#[tokio::test]
async fn an_issuer_without_an_answer_is_unavailable_and_nothing_is_told() {
    for mood in [
        Mood::Gone,
        Mood::Status(500),
        Mood::Status(401),
        Mood::Says("opaque-secret-token".to_owned()),
        Mood::Says("{\"active\": 1}".to_owned()),
    ] {
        let world = World::new().await;
        let auth = introspection(&world);
        world.issuer.is(mood);
        let denied = refused(
            auth.authenticate(&bearer("opaque-secret-token"), &world.platform)
                .await,
            Unavailable,
            "unavailable",
        );
        secrets_are_not_told(&denied, "opaque-secret-token");
        secrets_are_not_told(
            &denied,
            "s3cret:+/ü s3cret%3A bWNwJTIwc2VydmVyOnMzY3JldCUzQSUyQiUyRiVDMyVCQw==",
        );
        world.issuer.is(Mood::Well);
        world
            .issuer
            .knows("opaque-secret-token", verdict(&world, &json!({})));
        auth.authenticate(&bearer("opaque-secret-token"), &world.platform)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn signed_tokens_are_not_its_business_and_its_secret_is_not_shown() {
    let world = World::new().await;
    let auth = introspection(&world);
    assert!(
        auth.authenticate(&bearer(&RSA.token(&world.claims())), &world.platform)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(world.issuer.requests().len(), 0);
    assert!(!format!("{auth:?}").contains("bWNw"));
}
