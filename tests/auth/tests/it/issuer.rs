//! Keys that change, issuers that are gone, slow or wrong, and how often they are asked.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_auth::OAuth;
use mcpfn_auth_tests::{Issuer, Key, Kind, Mood, compact, platform};
use mcpfn_http::AuthErrorKind::{Invalid, Unavailable};
use mcpfn_http::Authenticator;
use mcpfn_native::Tasks;
use serde_json::json;

use crate::world::{ED25519, P256, RSA, SERVER, World, bearer, refused};

const MINUTE: u64 = 60;

#[tokio::test]
async fn keys_are_asked_for_once_and_kept() {
    let world = World::new().await;
    let token = RSA.token(&world.claims_with(&json!({"exp": world.clock.seconds() + 3600})));
    for _ in 0..20 {
        world.accept(&token).await;
        world.clock.pass(14);
    }
    assert_eq!(world.issuer.asked("/keys"), 1);
    world.clock.pass(20);
    world.accept(&token).await;
    assert_eq!(
        world.issuer.asked("/keys"),
        2,
        "after five minutes they are asked for again"
    );
}

#[tokio::test]
async fn a_rotated_key_is_found_and_the_old_one_forgotten() {
    let world = World::new().await;
    let long = world.claims_with(&json!({"exp": world.clock.seconds() + 3600}));
    world.accept(&RSA.token(&long)).await;
    let new = Key::new(Kind::P256, "new");
    world.issuer.publish(vec![new.jwk()]);

    world.clock.pass(MINUTE - 1);
    world
        .refuse(&new.token(&long), Invalid, "does not publish")
        .await;
    assert_eq!(
        world.issuer.asked("/keys"),
        1,
        "within a minute nobody is asked again"
    );
    world.clock.pass(1);
    world.accept(&new.token(&long)).await;
    assert_eq!(world.issuer.asked("/keys"), 2);
    world
        .refuse(&RSA.token(&long), Invalid, "does not publish")
        .await;
    world.clock.pass(MINUTE);
    world
        .refuse(&RSA.token(&long), Invalid, "does not publish")
        .await;
    assert_eq!(world.issuer.asked("/keys"), 3);
}

#[tokio::test]
async fn a_key_that_is_taken_back_serves_ten_minutes_at_most() {
    let world = World::new().await;
    let long = world.claims_with(&json!({"exp": world.clock.seconds() + 3600}));
    world.accept(&RSA.token(&long)).await;
    world.issuer.publish(vec![P256.jwk()]);
    world.clock.pass(10 * MINUTE);
    world
        .refuse(&RSA.token(&long), Invalid, "does not publish")
        .await;
}

/// As long as the operator says, and not for good: a key that was stolen is taken back there.
#[tokio::test]
async fn keys_of_an_issuer_that_is_away_serve_as_long_as_is_set() {
    for (set, minutes) in [(None, 15), (Some(3), 3), (Some(60), 60)] {
        let mut world = World::new().await;
        if let Some(minutes) = set {
            let auth = world.auth;
            let auth = auth.with_keys_max_age(Duration::from_secs(minutes * MINUTE));
            world = World { auth, ..world };
        }
        let long = world.claims_with(&json!({"exp": world.clock.seconds() + 120 * MINUTE}));
        let token = RSA.token(&long);
        world.accept(&token).await;
        world.issuer.is(Mood::Gone);
        world.clock.pass(minutes * MINUTE - 1);
        world.accept(&token).await;
        world.clock.pass(1);
        world.refuse(&token, Unavailable, "unavailable").await;
    }
}

#[tokio::test]
async fn a_thousand_unknown_keys_are_one_question_a_minute() {
    let world = Arc::new(World::new().await);
    world.accept(&RSA.token(&world.claims())).await;
    let stranger = Key::new(Kind::Ed25519, "x");
    for minute in 1..=2 {
        world.clock.pass(MINUTE);
        let tasks: Vec<_> = (0..1000)
            .map(|at| {
                let header = json!({"alg": "EdDSA", "kid": format!("unknown-{minute}-{at}")});
                let (world, token) = (
                    Arc::clone(&world),
                    stranger.token_with(&header, &world.claims()),
                );
                tokio::spawn(async move { world.refuse(&token, Invalid, "does not publish").await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(world.issuer.asked("/keys"), 1 + minute);
    }
    world.accept(&RSA.token(&world.claims())).await;
}

#[tokio::test]
async fn many_first_calls_are_one_question() {
    let world = Arc::new(World::new().await);
    world.issuer.is(Mood::Slow(Duration::from_millis(200)));
    let token = RSA.token(&world.claims());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { world.accept(&token).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        (
            world.issuer.asked("/keys"),
            world.issuer.asked("/.well-known")
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn while_the_issuer_is_down_known_keys_keep_working_for_a_quarter_of_an_hour() {
    for mood in [
        Mood::Gone,
        Mood::Status(500),
        Mood::Says("no json".to_owned()),
        Mood::Says("{\"keys\": []}".to_owned()),
    ] {
        let world = World::new().await;
        let long = world.claims_with(&json!({"exp": world.clock.seconds() + 36_000}));
        world.accept(&RSA.token(&long)).await;
        world.issuer.is(mood.clone());
        let new = Key::new(Kind::Ed25519, "new");
        for _ in 0..7 {
            world.clock.pass(2 * MINUTE);
            world.accept(&RSA.token(&long)).await;
            world
                .refuse(&new.token(&long), Unavailable, "unavailable")
                .await;
        }
        let asked = world.issuer.asked("/");
        assert!(
            asked <= 1 + 1 + 8 * 2,
            "{mood:?}: {asked} questions in 14 minutes"
        );
        world.clock.pass(MINUTE);
        world
            .refuse(&RSA.token(&long), Unavailable, "unavailable")
            .await;
        // it is back, and so is everything
        world.issuer.is(Mood::Well);
        world.issuer.publish(vec![RSA.jwk(), new.jwk()]);
        world.clock.pass(MINUTE);
        world.accept(&new.token(&long)).await;
    }
}

#[tokio::test]
async fn an_issuer_that_was_never_there_is_unavailable_and_asked_again_soon() {
    let world = World::new().await;
    world.issuer.is(Mood::Gone);
    let token = RSA.token(&world.claims());
    for _ in 0..10 {
        world.refuse(&token, Unavailable, "unavailable").await;
    }
    assert_eq!(
        world.issuer.asked("/.well-known"),
        1,
        "not once for each call"
    );
    world.issuer.is(Mood::Well);
    world.clock.pass(5);
    world.accept(&token).await;
}

#[tokio::test]
async fn a_slow_issuer_holds_up_one_call_and_not_the_others() {
    let world = Arc::new(World::new().await);
    let token = RSA.token(&world.claims_with(&json!({"exp": world.clock.seconds() + 3600})));
    world.accept(&token).await;
    world.issuer.is(Mood::Slow(Duration::from_millis(1500)));
    world.clock.pass(5 * MINUTE);
    let (slow_world, slow_token) = (Arc::clone(&world), token.clone());
    let slow = tokio::spawn(async move { slow_world.accept(&slow_token).await });
    while world.issuer.asked("/.well-known") < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        world.accept(&token).await;
    }
    assert!(!slow.is_finished(), "the others went on with the old keys");
    slow.await.unwrap();

    // keys of ten minutes are not used without asking: all calls wait for one question
    world.issuer.is(Mood::Slow(Duration::from_millis(200)));
    world.issuer.publish(vec![P256.jwk()]);
    world.clock.pass(10 * MINUTE);
    let asked = world.issuer.asked("/keys");
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move {
                world.refuse(&token, Invalid, "does not publish").await;
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(world.issuer.asked("/keys"), asked + 1);
}

#[tokio::test]
async fn where_work_goes_on_after_the_answer_no_call_waits_while_old_keys_are_good() {
    let (mut world, tasks) = (World::new().await, Tasks::default());
    world.platform = world.platform.with_background(Arc::new(tasks.clone()));
    let long = world.claims_with(&json!({"exp": world.clock.seconds() + 36_000}));
    world.accept(&RSA.token(&long)).await;
    world.issuer.publish(vec![P256.jwk()]);
    world.clock.pass(5 * MINUTE);
    // a call that waited would know that the key was taken back
    world.accept(&RSA.token(&long)).await;
    tasks.drain().await;
    world
        .refuse(&RSA.token(&long), Invalid, "does not publish")
        .await;
    world.accept(&P256.token(&long)).await;
    assert_eq!(world.issuer.asked("/keys"), 2);

    // after a long silence the first call waits, so that a key that was taken back serves nobody
    world.issuer.publish(vec![ED25519.jwk()]);
    world.clock.pass(10 * MINUTE);
    world
        .refuse(&P256.token(&long), Invalid, "does not publish")
        .await;

    // an issuer that hangs: the first call waits in vain, and none after it for a while
    world.issuer.is(Mood::Slow(Duration::from_secs(3600)));
    world.clock.pass(10 * MINUTE);
    world.accept(&ED25519.token(&long)).await;
    let asked = world.issuer.asked("/.well-known");
    world.clock.pass(4);
    let token = ED25519.token(&long);
    tokio::time::timeout(Duration::from_secs(2), world.accept(&token))
        .await
        .expect("the call does not wait for the issuer");
    tasks.drain().await;
    assert_eq!(
        world.issuer.asked("/.well-known"),
        asked,
        "it is not asked again either"
    );
}

#[tokio::test]
async fn where_requests_can_not_wait_for_each_other_each_asks_for_itself() {
    let mut world = World::new().await;
    world.platform = world.platform.without_sharing();
    let world = Arc::new(world);
    world.issuer.is(Mood::Slow(Duration::from_millis(200)));
    let token = RSA.token(&world.claims_with(&json!({"exp": world.clock.seconds() + 36_000})));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { world.accept(&token).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.issuer.asked("/keys"), 5);

    // a request that the platform stops while it asks: nothing of it runs any more, not even its
    // end
    world.clock.pass(5 * MINUTE);
    let mut stopped = Box::pin({
        let (world, token) = (Arc::clone(&world), token.clone());
        async move { world.accept(&token).await }
    });
    assert!(
        std::future::poll_fn(|cx| std::task::Poll::Ready(stopped.as_mut().poll(cx).is_pending()))
            .await
    );
    std::mem::forget(stopped);
    for _ in 0..5 {
        world.accept(&token).await;
    }
    assert_eq!(
        world.issuer.asked("/keys"),
        5,
        "the others go on with the old keys"
    );
    world.clock.pass(MINUTE);
    world.accept(&token).await;
    assert_eq!(world.issuer.asked("/keys"), 6);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_asks_leaves_the_question_to_the_next() {
    let world = Arc::new(World::new().await);
    world.issuer.is(Mood::Slow(Duration::from_secs(2)));
    let token = RSA.token(&world.claims());
    let (dropped_world, dropped_token) = (Arc::clone(&world), token.clone());
    let dropped = tokio::spawn(async move { dropped_world.accept(&dropped_token).await });
    while world.issuer.asked("/.well-known") < 1 {
        tokio::task::yield_now().await;
    }
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    world.issuer.is(Mood::Well);
    world.accept(&token).await;
}

#[tokio::test]
async fn keys_of_no_use_are_left_out() {
    let world = World::new().await;
    let mut encrypts = RSA.jwk();
    encrypts["use"] = json!("enc");
    let mut wraps = P256.jwk();
    wraps["key_ops"] = json!(["wrapKey"]);
    let mut other = ED25519.jwk();
    other["alg"] = json!("ES256");
    let last = Key::new(Kind::Ed25519, "last");
    let secret = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"});
    let odd = [
        json!(null),
        json!("x"),
        json!({}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
    ];
    world.issuer.publish(
        [
            vec![encrypts, wraps, other, secret],
            odd.to_vec(),
            vec![last.jwk()],
        ]
        .concat(),
    );
    world.accept(&last.token(&world.claims())).await;
    for key in [&*RSA, &*P256, &*ED25519] {
        world
            .refuse(&key.token(&world.claims()), Invalid, "does not publish")
            .await;
    }
}

#[tokio::test]
async fn keys_for_which_anyone_can_sign_are_left_out() {
    let world = World::new().await;
    // The neutral element of the curve, and a signature of it that fits every text.
    let neutral = [&[1][..], &[0; 31]].concat();
    let signature = [&neutral[..], &[0; 32]].concat();
    let x = URL_SAFE_NO_PAD.encode(&neutral);
    let weak = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "weak"});
    world.issuer.publish(vec![weak, RSA.jwk()]);
    world.accept(&RSA.token(&world.claims())).await;
    let header = json!({"alg": "EdDSA", "kid": "weak"});
    let forged = compact(&header, &world.claims(), |_| signature.clone());
    world.refuse(&forged, Invalid, "does not publish").await;
}

#[tokio::test]
async fn keys_beside_their_curve_verify_nothing() {
    let world = World::new().await;
    let beside = |key: &Key, id: &str, member: &str| {
        let mut jwk = key.jwk();
        let mut bytes = URL_SAFE_NO_PAD
            .decode(jwk[member].as_str().unwrap())
            .unwrap();
        bytes.fill(2);
        jwk[member] = json!(URL_SAFE_NO_PAD.encode(bytes));
        jwk["kid"] = json!(id);
        jwk
    };
    let keys = vec![
        beside(&P256, "p256-beside", "y"),
        beside(&ED25519, "ed25519-beside", "x"),
        RSA.jwk(),
    ];
    world.issuer.publish(keys);
    world.accept(&RSA.token(&world.claims())).await;
    for (key, id) in [(&*P256, "p256-beside"), (&*ED25519, "ed25519-beside")] {
        let header = json!({"alg": key.algorithm(), "kid": id});
        let good = key.token_with(&header, &world.claims());
        let zeros = compact(&header, &world.claims(), |_| vec![0; 64]);
        for token in [good, zeros] {
            let denied = world.try_token(&token).await.unwrap_err();
            assert_eq!(denied.kind, Invalid, "{id}: {denied:?}");
        }
    }
}

#[tokio::test]
async fn two_keys_of_one_kind_need_a_name() {
    let world = World::new().await;
    let second = Key::new(Kind::P256, "second");
    world.issuer.publish(vec![P256.jwk(), second.jwk()]);
    world
        .refuse(
            &P256.token_with(&json!({"alg": "ES256"}), &world.claims()),
            Invalid,
            "kid",
        )
        .await;
    world.accept(&P256.token(&world.claims())).await;
}

#[tokio::test]
async fn documents_are_found_in_each_of_their_places() {
    for (tenant, path) in [
        ("", "/.well-known/oauth-authorization-server"),
        ("", "/.well-known/openid-configuration"),
        ("/", "/.well-known/openid-configuration"),
        ("/t/1", "/.well-known/oauth-authorization-server/t/1"),
        ("/t/1", "/.well-known/openid-configuration/t/1"),
        ("/t/1", "/t/1/.well-known/openid-configuration"),
    ] {
        let world = World::new().await;
        let id = format!("{}{tenant}", world.issuer.id);
        world.issuer.document(path, "issuer", &id);
        let auth = OAuth::new([id.clone()], [SERVER.to_owned()]);
        let token = RSA.token(&world.claims_with(&json!({"iss": id})));
        let principal = auth
            .authenticate(&bearer(&token), &world.platform)
            .await
            .expect(path)
            .unwrap();
        assert_eq!(principal.subject, format!("alice@{id}"));
    }
}

#[tokio::test]
async fn documents_that_are_not_believed() {
    let at = "/.well-known/oauth-authorization-server";
    for (path, member, value, part) in [
        (at, "issuer", "https://other.example", "as configured"),
        (at, "jwks_uri", "http://keys.example/", "https"),
        (at, "jwks_uri", "file:///etc/passwd", "jwks_uri"),
        ("/elsewhere", "issuer", "x", "status 404"),
    ] {
        let world = World::new().await;
        world.issuer.document(path, member, value);
        let denied = refused(
            world.try_token(&RSA.token(&world.claims())).await,
            Unavailable,
            "unavailable",
        );
        assert!(
            denied
                .cause
                .as_deref()
                .is_some_and(|cause| cause.contains(part)),
            "{denied:?}"
        );
    }
}

#[tokio::test]
async fn a_page_for_people_in_the_place_of_a_document_is_passed_over() {
    let world = World::new().await;
    world.issuer.document(
        "/.well-known/openid-configuration",
        "issuer",
        &world.issuer.id,
    );
    world.issuer.page("/.well-known/oauth-authorization-server");
    world.accept(&RSA.token(&world.claims())).await;
}

#[tokio::test]
async fn keys_at_a_given_url_need_no_document() {
    let world = World::new().await;
    let keys = format!("{}/keys", world.issuer.id);
    let auth = OAuth::new([world.issuer.id.clone()], [SERVER.to_owned()])
        .with_keys_at(&world.issuer.id, keys);
    auth.authenticate(&bearer(&RSA.token(&world.claims())), &world.platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.issuer.asked("/.well-known"), 0);
}

#[tokio::test]
async fn subjects_of_two_issuers_are_two_callers_and_keys_are_not_shared() {
    let (one, two) = (World::new().await, Issuer::start(&[&P256]).await);
    let (platform, _) = platform();
    let auth = OAuth::new([one.issuer.id.clone(), two.id.clone()], [SERVER.to_owned()]);
    let first = auth
        .authenticate(&bearer(&RSA.token(&one.claims())), &platform)
        .await
        .unwrap()
        .unwrap();
    let second = one.claims_with(&json!({"iss": two.id}));
    let other = auth
        .authenticate(&bearer(&P256.token(&second)), &platform)
        .await
        .unwrap()
        .unwrap();
    assert_ne!(first.subject, other.subject);
    // what the first issuer signs in the name of the second
    refused(
        auth.authenticate(&bearer(&RSA.token(&second)), &platform)
            .await,
        Invalid,
        "does not publish",
    );
}

#[tokio::test]
async fn a_host_without_a_client_says_so_in_the_log() {
    use mcpfn_core::round_trip::Keyring;
    let world = World::new().await;
    let bare = mcpfn_native::platform(Keyring::new([7; 32]));
    let claims = world.claims_with(&json!({"exp": 32_503_680_000_u64}));
    let denied = refused(
        world
            .auth
            .authenticate(&bearer(&RSA.token(&claims)), &bare)
            .await,
        Unavailable,
        "unavailable",
    );
    assert_eq!(
        denied.cause.as_deref(),
        Some("this host has no HTTP client")
    );
}
