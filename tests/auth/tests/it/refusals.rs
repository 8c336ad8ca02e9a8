//! The table: every token that was not meant for this server, and the answer that it gets. Then
//! those that must be taken.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_auth_tests::{Key, Kind, compact, hmac};
use mcpfn_core::PrincipalKind;
use mcpfn_http::AuthErrorKind::{Invalid, Malformed};
use mcpfn_http::{AuthErrorKind, Authenticator};
use serde_json::{Value, json};

use crate::world::{
    ED25519, P256, RSA, SERVER, World, bearer, headers, refused, scopes, secrets_are_not_told,
};

#[tokio::test]
async fn claims_that_refuse_a_token() {
    let world = World::new().await;
    let now = world.clock.seconds();
    let table: Vec<(Value, AuthErrorKind, &str)> = vec![
        (json!({"exp": now - 61}), Invalid, "expired"),
        (json!({"exp": now - 60}), Invalid, "expired"),
        (json!({"exp": -1}), Invalid, "expired"),
        (json!({"exp": null}), Invalid, "no end"),
        (json!({"exp": "tomorrow"}), Malformed, "not written"),
        (
            json!({"exp": (now + 300).to_string()}),
            Malformed,
            "not written",
        ),
        (json!({"nbf": now + 61}), Invalid, "not valid yet"),
        (json!({"nbf": 1e300}), Invalid, "not valid yet"),
        (json!({"iss": "https://other.example"}), Invalid, "issuer"),
        (
            json!({"iss": format!("{}/", world.issuer.id)}),
            Invalid,
            "issuer",
        ),
        (json!({"iss": null}), Invalid, "issuer"),
        (json!({"iss": [world.issuer.id]}), Malformed, "not written"),
        (
            json!({"aud": "https://other.example/mcp"}),
            Invalid,
            "another server",
        ),
        (
            json!({"aud": "https://mcp.example.com"}),
            Invalid,
            "another server",
        ),
        (
            json!({"aud": "https://mcp.example.com/mcp/x"}),
            Invalid,
            "another server",
        ),
        (json!({"aud": []}), Invalid, "another server"),
        (json!({"aud": ""}), Invalid, "another server"),
        (json!({"aud": null}), Invalid, "another server"),
        (json!({"aud": {"x": SERVER}}), Malformed, "not written"),
        (json!({"sub": null}), Invalid, "whose"),
        (json!({"sub": ""}), Invalid, "whose"),
        (json!({"sub": 7}), Malformed, "not written"),
        (json!({"sub": "x".repeat(600)}), Invalid, "subject"),
        (json!({"sub": "a\nb"}), Invalid, "subject"),
        (json!({"sub": "alice\u{202e}"}), Invalid, "subject"),
        (json!({"sub": "alice\u{2028}"}), Invalid, "subject"),
    ];
    for (changes, kind, part) in table {
        let token = RSA.token(&world.claims_with(&changes));
        world.refuse(&token, kind, part).await;
    }
    assert_eq!(
        world.issuer.requests().len(),
        0,
        "no service is asked about a token that would be refused anyway"
    );
}

#[tokio::test]
async fn a_member_that_stands_twice_refuses_a_token() {
    let world = World::new().await;
    let good = world.claims().to_string();
    let header = json!({"alg": "RS256", "kid": "rsa", "typ": "at+jwt"}).to_string();
    let twice = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let unknown = r#""unknown":1,"unknown":1"#;
    for (header, claims) in [
        (header.clone(), twice(&good, unknown)),
        (header.clone(), twice(&good, r#""sub":"eve""#)),
        (header.clone(), twice(&good, r#""scope":"crm""#)),
        (twice(&header, unknown), good.clone()),
        (twice(&header, r#""alg":"RS256""#), good.clone()),
    ] {
        let parts = [&header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = parts.join(".");
        let signature = URL_SAFE_NO_PAD.encode(RSA.sign(signed.as_bytes()));
        let token = format!("{signed}.{signature}");
        world.refuse(&token, Malformed, "repeated member").await;
    }
}

#[tokio::test]
async fn headers_that_refuse_a_token() {
    let world = World::new().await;
    let claims = world.claims();
    let table: Vec<(Value, AuthErrorKind, &str)> = vec![
        (json!({"alg": "none"}), Invalid, "algorithm"),
        (json!({"alg": "None"}), Invalid, "algorithm"),
        (json!({"alg": ""}), Invalid, "algorithm"),
        (json!({"alg": "HS256", "kid": "rsa"}), Invalid, "algorithm"),
        (json!({"alg": "RS512", "kid": "rsa"}), Invalid, "algorithm"),
        (json!({"alg": "PS256", "kid": "rsa"}), Invalid, "algorithm"),
        (json!({"alg": "rs256", "kid": "rsa"}), Invalid, "algorithm"),
        (json!({"kid": "rsa"}), Malformed, "not written"),
        (json!({"alg": ["RS256"]}), Malformed, "not written"),
        (json!({"alg": "ES256", "kid": "rsa"}), Invalid, "signature"),
        (json!({"alg": "EdDSA", "kid": "rsa"}), Invalid, "signature"),
        (json!({"alg": "RS256", "kid": "p256"}), Invalid, "signature"),
        (
            json!({"alg": "RS256", "kid": "nobody"}),
            Invalid,
            "does not publish",
        ),
        (
            json!({"alg": "RS256", "kid": "rsa", "crit": ["b64"], "b64": false}),
            Invalid,
            "crit",
        ),
        (
            json!({"alg": "RS256", "kid": "rsa", "typ": "id_token+jwt"}),
            Invalid,
            "typ",
        ),
        (
            json!({"alg": "RS256", "kid": "rsa", "typ": "logout+jwt"}),
            Invalid,
            "typ",
        ),
        (
            json!({"alg": "RS256", "kid": "rsa", "typ": "dpop+jwt"}),
            Invalid,
            "typ",
        ),
        (
            json!({"alg": "RS256", "kid": "rsa", "typ": ""}),
            Invalid,
            "typ",
        ),
    ];
    for (header, kind, part) in table {
        world
            .refuse(&RSA.token_with(&header, &claims), kind, part)
            .await;
    }
}

#[tokio::test]
async fn id_and_refresh_tokens_where_they_can_be_told() {
    let world = World::new().await;
    for changes in [
        json!({"typ": "ID"}),
        json!({"typ": "Refresh"}),
        json!({"token_use": "id"}),
        json!({"at_hash": "x"}),
        json!({"c_hash": "x"}),
    ] {
        let token = RSA.token_with(
            &json!({"alg": "RS256", "kid": "rsa", "typ": "JWT"}),
            &world.claims_with(&changes),
        );
        world.refuse(&token, Invalid, "access token").await;
    }
}

#[tokio::test]
async fn signatures_that_are_none() {
    let world = World::new().await;
    let claims = world.claims();
    for key in [&*RSA, &*P256, &*ED25519] {
        let header = json!({"alg": key.algorithm(), "kid": key.id});
        let good = key.token(&claims);
        world.accept(&good).await;
        // every bit of the signature counts
        let (text, signature) = good.rsplit_once('.').unwrap();
        let flipped = |at: usize| {
            let mut letters: Vec<u8> = signature.bytes().collect();
            letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
            format!("{text}.{}", String::from_utf8(letters).unwrap())
        };
        for at in [0, 1, signature.len() / 2, signature.len() - 3] {
            world.refuse(&flipped(at), Invalid, "signature").await;
        }
        // another key of the same kind and name
        let kind = match key.algorithm() {
            "RS256" => Kind::Rsa,
            "ES256" => Kind::P256,
            _ => Kind::Ed25519,
        };
        world
            .refuse(
                &Key::new(kind, &key.id).token(&claims),
                Invalid,
                "signature",
            )
            .await;
        // the signature of other claims
        let other = key.token(&world.claims_with(&json!({"sub": "bob"})));
        let other_signature = other.rsplit_once('.').unwrap().1;
        world
            .refuse(&format!("{text}.{other_signature}"), Invalid, "signature")
            .await;
        // none, too short, too long, all zeros, all ones
        for signature in [
            vec![],
            vec![0],
            key.sign(b"x")[1..].to_vec(),
            [key.sign(b"x"), vec![0]].concat(),
            vec![0; 64],
            vec![0; 256],
            vec![0xff; 256],
        ] {
            world
                .refuse(
                    &compact(&header, &claims, |_| signature.clone()),
                    Invalid,
                    "signature",
                )
                .await;
        }
        // the public key as a shared secret, under every name for that
        for algorithm in ["HS256", "none", key.algorithm()] {
            let forged = compact(&json!({"alg": algorithm, "kid": key.id}), &claims, |text| {
                hmac(&key.public(), text)
            });
            let part = if algorithm == key.algorithm() {
                "signature"
            } else {
                "algorithm"
            };
            world.refuse(&forged, Invalid, part).await;
        }
    }
    // a token brings no key of its own
    let own = Key::new(Kind::P256, "own");
    let header = json!({"alg": "ES256", "kid": "p256", "jwk": own.jwk(), "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"});
    world
        .refuse(&own.token_with(&header, &claims), Invalid, "signature")
        .await;
}

#[tokio::test]
async fn tokens_that_are_not_written_as_such() {
    let world = World::new().await;
    let good = RSA.token(&world.claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let texts = [
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}+/.{claims}.{signature}"),
        format!("{claims}.{header}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.A"),
        format!("{header}.W10.{signature}"),
        format!("{header}.bnVsbA.{signature}"),
        format!("{header}.eyJleHAiOjEsImV4cCI6Mn0.{signature}"), // a claim twice
        format!("W10.{claims}.{signature}"),
        format!("{header}.{}.{signature}", "W".repeat(4000)),
    ];
    for text in texts {
        world.refuse(&text, Malformed, "not written").await;
    }
    for length in [1, 3] {
        let text = good.splitn(length + 1, '.').collect::<Vec<_>>().join("");
        assert!(
            world.try_token(&text).await.unwrap().is_none(),
            "what has not three parts is not this kind's business"
        );
    }
}

#[tokio::test]
async fn headers_of_http_that_are_refused() {
    let world = World::new().await;
    let good = RSA.token(&world.claims());
    let bearer_good = format!("Bearer {good}");
    let table: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (
            vec![
                ("authorization", &bearer_good),
                ("authorization", &bearer_good),
            ],
            "more than one",
        ),
        (
            vec![
                ("authorization", &bearer_good),
                ("authorization", "Basic eDp5"),
            ],
            "more than one",
        ),
        (
            vec![
                ("authorization", "Basic eDp5"),
                ("authorization", &bearer_good),
            ],
            "more than one",
        ),
        (vec![("authorization", "Bearer")], "Bearer"),
        (vec![("authorization", "Bearer ")], "Bearer"),
        (vec![("authorization", "Bearer a b")], "Bearer"),
        (vec![("authorization", "Bearer a,b")], "Bearer"),
        (vec![("authorization", "Bearer \"a\"")], "Bearer"),
        (vec![("authorization", "Bearer täken")], "ASCII"),
        (vec![("authorization", "")], "ASCII"),
    ];
    for (pairs, part) in table {
        let denied = refused(
            world
                .auth
                .authenticate(&headers(&pairs), &world.platform)
                .await,
            Malformed,
            part,
        );
        secrets_are_not_told(&denied, &good);
    }
    let long = RSA.token(&world.claims_with(&json!({"x": "x".repeat(64 * 1024)})));
    assert!(long.len() > 64 * 1024);
    refused(
        world
            .auth
            .authenticate(&bearer(&long), &world.platform)
            .await,
        Malformed,
        "16384 bytes",
    );
    for pairs in [
        vec![],
        vec![("authorization", "Basic eDp5")],
        vec![(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=x, Signature=y",
        )],
        vec![("x-api-key", "x")],
    ] {
        assert!(
            world
                .auth
                .authenticate(&headers(&pairs), &world.platform)
                .await
                .unwrap()
                .is_none(),
            "{pairs:?}"
        );
    }
}

#[tokio::test]
async fn good_tokens_are_taken() {
    let world = World::new().await;
    let now = world.clock.seconds();
    let subject = format!("alice@{}", world.issuer.id);
    for changes in [
        json!({}),
        json!({"aud": ["https://other.example", SERVER]}),
        json!({"aud": format!("{SERVER}/")}),
        json!({"exp": now - 59}),
        json!({"exp": now as f64 + 0.5}),
        json!({"nbf": now + 59}),
        json!({"typ": "Bearer"}),
        json!({"client_id": "ignored", "unknown": {"deep": [1, 2, {"x": null}]}}),
    ] {
        for key in [&*RSA, &*P256, &*ED25519] {
            let principal = world.accept(&key.token(&world.claims_with(&changes))).await;
            assert_eq!(
                (principal.kind, &principal.subject),
                (PrincipalKind::Jwt, &subject),
                "{changes}"
            );
            assert_eq!(principal.scopes, scopes("crm:read catalog"));
        }
    }
    let good = RSA.token(&world.claims());
    for scheme in ["bearer", "BEARER", "Bearer  "] {
        let pairs = [("authorization", &*format!("{scheme} {good}"))];
        assert!(
            world
                .auth
                .authenticate(&headers(&pairs), &world.platform)
                .await
                .unwrap()
                .is_some(),
            "{scheme}"
        );
    }
    for kind in [
        json!("JWT"),
        json!("jwt"),
        json!("application/at+jwt"),
        json!("AT+JWT"),
        json!(null),
    ] {
        world
            .accept(&RSA.token_with(
                &json!({"alg": "RS256", "kid": "rsa", "typ": kind}),
                &world.claims(),
            ))
            .await;
    }
    // without a `kid`, when only one key can be meant
    world
        .accept(&P256.token_with(&json!({"alg": "ES256"}), &world.claims()))
        .await;
    // an access token may have a nonce, and one that says it is one is believed
    let header = json!({"alg": "RS256", "kid": "rsa", "typ": "at+jwt"});
    world
        .accept(&RSA.token_with(&header, &world.claims_with(&json!({"at_hash": "x"}))))
        .await;
}

#[tokio::test]
async fn scopes_and_subjects_are_read() {
    let world = World::new().await;
    let table = [
        (json!({"scope": "a b"}), "a b"),
        (json!({"scope": null, "scp": ["a", "b"]}), "a b"),
        (json!({"scope": null, "scp": "a b"}), "a b"),
        (
            json!({"scope": "a", "scp": ["b"], "permissions": ["c"]}),
            "a b c",
        ),
        (json!({"scope": ""}), ""),
        (json!({"scope": null}), ""),
        (json!({"scope": "* a"}), "a"),
    ];
    for (changes, expected) in table {
        assert_eq!(
            world
                .accept(&RSA.token(&world.claims_with(&changes)))
                .await
                .scopes,
            scopes(expected),
            "{changes}"
        );
    }
    let client = world
        .accept(&RSA.token(&world.claims_with(&json!({"sub": null, "client_id": "alice"}))))
        .await;
    assert_eq!(client.subject, format!("alice@{}#client", world.issuer.id));

    let open = mcpfn_auth::OAuth::new([world.issuer.id.clone()], [SERVER.to_owned()])
        .with_default_scopes(scopes("hello"));
    for (changes, expected) in [
        (json!({"scope": null}), "hello"),
        (json!({"scope": ""}), ""),
    ] {
        let token = RSA.token(&world.claims_with(&changes));
        let principal = open
            .authenticate(&bearer(&token), &world.platform)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(principal.scopes, scopes(expected), "{changes}");
    }
}

/// Another implementation signs, ours must agree with it on every message.
#[tokio::test]
async fn signatures_of_another_implementation_are_taken() {
    let world = World::new().await;
    let keys = [
        Key::new(Kind::LongRsa, "long"),
        Key::new(Kind::Rsa, "1"),
        Key::new(Kind::P256, "2"),
        Key::new(Kind::Ed25519, "3"),
    ];
    world.issuer.publish(keys.iter().map(Key::jwk));
    for at in 0..50 {
        for key in &keys {
            let subject = format!("{at}-{}", "x".repeat(at));
            let principal = world
                .accept(&key.token(&world.claims_with(&json!({"sub": subject}))))
                .await;
            assert!(principal.subject.starts_with(&subject));
        }
    }
}

/// As a number it is the same; RFC 8017 wants the bytes of the modulus.
#[tokio::test]
async fn an_rsa_signature_without_its_first_zero_is_none() {
    let world = World::new().await;
    let header = json!({"alg": "RS256", "kid": "rsa"});
    for at in 0..10_000 {
        let claims = world.claims_with(&json!({"jti": at}));
        let good = RSA.token_with(&header, &claims);
        let short = compact(&header, &claims, |text| {
            RSA.sign(text)
                .strip_prefix(&[0])
                .unwrap_or_default()
                .to_vec()
        });
        if !short.ends_with('.') {
            world.accept(&good).await;
            world.refuse(&short, Invalid, "signature").await;
            return;
        }
    }
    panic!("one of 256 signatures begins with a zero");
}
