//! Who calls, in workerd: API keys, and access tokens of an issuer on this machine, whose keys the
//! Worker fetches.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{Host as _, Request, Response, Worker};

const CHALLENGE: &str = r#"Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp", scope="secrets:read""#;

fn get(path: &str) -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    path.clone_into(&mut request.path);
    request
}

fn call(service: &str, tool: &str, proof: Option<(&str, &str)>) -> Response {
    let mut request = Request::modern("tools/call", json!({"name": tool, "arguments": {}}));
    if let Some((name, value)) = proof {
        request = request.header(name, value);
    }
    Worker::named(service).send(&request)
}

fn issuer(path: &str) -> Value {
    let mut request = get(path);
    // the issuer names itself as it is called
    request = request.header("host", &Worker::named("issuer").0.to_string());
    Worker::named("issuer").send(&request).json()
}

fn bearer(query: &str) -> String {
    let token = issuer(&format!("/token{query}"));
    format!(
        "Bearer {}",
        token
            .as_str()
            .unwrap_or_else(|| panic!("no token: {token}"))
    )
}

fn refused(service: &str, proof: Option<(&str, &str)>, status: u16, challenge: &str) -> String {
    let response = call(service, "held", proof);
    assert_eq!(
        (response.status, response.header("www-authenticate")),
        (status, Some(challenge)),
        "{}",
        response.text()
    );
    response.error().1
}

#[test]
fn api_keys() {
    for (name, value) in [
        ("x-api-key", "robot-key"),
        ("authorization", "Bearer robot-key"),
    ] {
        let response = call("keyed", "held", Some((name, value)));
        assert_eq!(response.status, 200, "{}", response.text());
    }
    refused("keyed", None, 401, r#"Bearer realm="watched""#);
    let invalid = r#"Bearer realm="watched", error="invalid_token""#;
    let message = refused("keyed", Some(("x-api-key", "robot-kex")), 401, invalid);
    assert!(
        message.contains("unknown API key") && !message.contains("robot-kex"),
        "{message}"
    );
    refused(
        "keyed",
        Some(("authorization", "Bearer robot-kex")),
        401,
        invalid,
    );
    // the key has other scopes than the tool needs
    let response = call("keyed", "secret", Some(("x-api-key", "robot-key")));
    let lacking = r#"Bearer realm="watched", scope="secrets:read", error="insufficient_scope""#;
    assert_eq!(
        (response.status, response.header("www-authenticate")),
        (403, Some(lacking))
    );
}

#[test]
fn the_card_for_directories() {
    for (path, text) in [
        ("/mcp/server-card", r#""name":"com.example/shop""#),
        ("/.well-known/mcp/catalog.json", "urn:air:example.com:shop"),
    ] {
        let response = Worker::named("carded").send(&get(path));
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert!(response.text().contains(text), "{}", response.text());
        assert_eq!(Worker::named("watched").send(&get(path)).status, 404);
    }
}

#[test]
fn the_proof_for_the_registry() {
    let request = get("/.well-known/mcp-registry-auth");
    let proof = Worker::named("keyed").send(&request);
    assert_eq!(proof.status, 200, "{}", proof.text());
    assert_eq!(proof.header("content-type"), Some("text/plain"));
    assert_eq!(
        proof.text(),
        "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    );
}

/// The runtime ends a request that waits for what another one fetches: each of the first calls asks
/// for itself.
#[test]
fn tokens() {
    let good = bearer("");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let response = call("oauth", "secret", Some(("authorization", &good)));
                assert_eq!(response.status, 200, "{}", response.text());
            });
        }
    });
    assert!(start.elapsed().as_millis() >= 500, "the keys were slow");
    let asked = issuer("/asked");
    assert!(
        asked.as_u64().is_some_and(|asked| (1..=4).contains(&asked)),
        "{asked}"
    );
    for _ in 0..5 {
        assert_eq!(
            call("oauth", "secret", Some(("authorization", &good))).status,
            200
        );
    }
    assert_eq!(issuer("/asked"), asked, "the keys are kept");

    refused("oauth", None, 401, CHALLENGE);
    let invalid = format!("{CHALLENGE}, error=\"invalid_token\"");
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let good = bearer(&format!("?alg={algorithm}"));
        let response = call("oauth", "secret", Some(("authorization", &good)));
        assert_eq!(response.status, 200, "{algorithm}: {}", response.text());
        // the claims of another token of the same key
        let (signed, _) = good.rsplit_once('.').expect("a token has three parts");
        let other = bearer(&format!("?alg={algorithm}&sub=bob"));
        let (_, signature) = other.rsplit_once('.').expect("a token has three parts");
        for signature in [signature, &signature[4..], ""] {
            let message = refused(
                "oauth",
                Some(("authorization", &format!("{signed}.{signature}"))),
                401,
                &invalid,
            );
            assert!(message.contains("signature"), "{algorithm}: {message}");
        }
    }
    let (text, _) = good.rsplit_once('.').expect("a token has three parts");
    let forged = format!("{text}.{}", "A".repeat(86));
    for (token, part) in [
        (bearer("?exp=-120"), "expired"),
        (bearer("?nbf=120"), "not valid yet"),
        (bearer("?aud=https://other.example/mcp"), "another server"),
        (bearer("?iss=https://other.example"), "does not trust"),
        (forged, "signature"),
        ("Bearer opaque".to_owned(), "bearer token not accepted"),
    ] {
        let message = refused("oauth", Some(("authorization", &token)), 401, &invalid);
        assert!(message.contains(part), "{message}");
    }
    let response = call(
        "oauth",
        "secret",
        Some(("authorization", &bearer("?scope=held"))),
    );
    let lacking = format!("{CHALLENGE}, error=\"insufficient_scope\"");
    assert_eq!(
        (response.status, response.header("www-authenticate")),
        (403, Some(&*lacking)),
        "{}",
        response.text()
    );
}

#[test]
fn the_metadata_document() {
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let document = Worker::named("oauth").send(&get(path));
        assert_eq!(
            (
                document.status,
                document.header("access-control-allow-origin")
            ),
            (200, Some("*")),
            "{}",
            document.text()
        );
        let expected = json!({
            "resource": "https://mcp.example.com/mcp",
            "authorization_servers": [format!("http://{}", Worker::named("issuer").0)],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["secrets:read"],
            "resource_name": "watched",
        });
        assert_eq!(document.json(), expected);
    }
}

/// A token of the team's domain, with the claims of a query.
fn asserted(query: &str) -> String {
    let request = get(&format!(
        "/token?iss=https://acme.cloudflareaccess.com&aud=tag&{query}"
    ));
    let token = Worker::named("team").send(&request).json();
    token
        .as_str()
        .unwrap_or_else(|| panic!("no token: {token}"))
        .to_owned()
}

#[test]
fn cloudflare_access() {
    const ASSERTION: &str = "cf-access-jwt-assertion";
    const EMAIL: (&str, &str) = ("cf-access-authenticated-user-email", "boss@acme.example");
    let good = asserted("");
    let held = Request::modern("tools/call", json!({"name": "held", "arguments": {}}));
    let ask = |service: &str, token: &str| {
        Worker::named(service).send(
            &held
                .clone()
                .header(ASSERTION, token)
                .header(EMAIL.0, EMAIL.1),
        )
    };
    for _ in 0..2 {
        let response = ask("access", &good);
        assert_eq!(response.status, 200, "{}", response.text());
    }

    let unproven = r#"Bearer realm="watched""#;
    for proof in [
        None,
        Some(EMAIL),
        Some(("cf-access-client-id", "robot.access")),
    ] {
        let message = refused("access", proof, 401, unproven);
        assert!(message.contains("authentication required"), "{message}");
    }
    let invalid = r#"Bearer realm="watched", error="invalid_token""#;
    let (text, _) = good.rsplit_once('.').expect("a token has three parts");
    for (token, part) in [
        (asserted("aud=other"), "another server"),
        (
            asserted("iss=https://evil.cloudflareaccess.com"),
            "does not trust",
        ),
        (asserted("exp=-120"), "expired"),
        (asserted("nbf=120"), "not valid yet"),
        (asserted("alg=none"), "algorithm"),
        (format!("{text}.{}", "A".repeat(86)), "signature"),
    ] {
        let message = refused("access", Some((ASSERTION, &token)), 401, invalid);
        assert!(message.contains(part), "{part}: {message}");
    }

    let mut rotate = get("/rotate");
    rotate.method = "POST".to_owned();
    assert_eq!(Worker::named("team").send(&rotate).status, 204);
    // an isolate that asks for keys now finds the new one, and the old one no more; how keys are
    // renewed in time, tests with a clock show
    assert_eq!(ask("access-later", &asserted("")).status, 200);
    let message = refused("access-later", Some((ASSERTION, &good)), 401, invalid);
    assert!(message.contains("does not publish"), "{message}");
}
