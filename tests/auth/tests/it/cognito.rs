//! Amazon Cognito: access tokens that name a client and no audience, scopes with the name of a
//! resource server before them, ID tokens beside them.

use mcpfn_auth::OAuth;
use mcpfn_core::Scopes;
use mcpfn_http::AuthErrorKind::Invalid;
use mcpfn_http::Authenticator;
use serde_json::{Value, json};

use crate::settings::{mistakes, read};
use crate::world::{RSA, SERVER, World, bearer, changed, refused};

const CLIENT: &str = "57cbishk4j24pabc1234567890";

/// The claims of an access token as a user pool writes them.
fn access(world: &World, changes: &Value) -> Value {
    let claims = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "aud": null, "client_id": CLIENT,
        "token_use": "access", "version": 2, "username": "alice",
        "cognito:groups": ["admin"], "scp": null,
        "scope": format!("openid {SERVER}/catalog:read https://other.example/crm:read"),
    });
    changed(changed(world.claims(), &claims), changes)
}

/// Signed as a user pool does it: nothing says in the header what the token is for.
fn signed(claims: &Value) -> String {
    RSA.token_with(&json!({"alg": RSA.algorithm(), "kid": "rsa"}), claims)
}

fn pool(world: &World, clients: &[&str]) -> OAuth {
    let clients = clients.iter().map(|client| (*client).to_owned());
    OAuth::new([world.issuer.id.clone()], [SERVER.to_owned()]).with_client_ids(clients)
}

#[tokio::test]
async fn tokens_of_listed_clients_are_taken_without_an_audience() {
    let world = World::new().await;
    let token = signed(&access(&world, &json!({})));
    let caller = pool(&world, &["another", CLIENT])
        .authenticate(&bearer(&token), &world.platform)
        .await
        .unwrap()
        .unwrap();
    // its own name is taken off, another server's stays
    let expected = Scopes::parse("openid catalog:read https://other.example/crm:read");
    assert_eq!(caller.scopes, expected);
    assert!(!caller.scopes.contains("crm:read"));
    // one with an audience needs no list
    let claims = access(&world, &json!({"aud": SERVER}));
    let token = signed(&claims);
    let (pool, headers) = (pool(&world, &[]), bearer(&token));
    let caller = pool.authenticate(&headers, &world.platform).await;
    assert!(caller.unwrap().is_some());
}

#[tokio::test]
async fn every_other_token_is_refused() {
    let world = World::new().await;
    let another = "another-client";
    for (clients, changes, part) in [
        (&[][..], json!({}), "another server"),
        (&[another][..], json!({}), "another server"),
        (&[""][..], json!({"client_id": ""}), "another server"),
        (&[CLIENT][..], json!({"client_id": null}), "another server"),
        (
            &[CLIENT][..],
            json!({"client_id": another}),
            "another server",
        ),
        (
            &[CLIENT][..],
            json!({"client_id": CLIENT.to_uppercase()}),
            "another server",
        ),
        // an audience is held to, whoever the client is
        (
            &[CLIENT][..],
            json!({"aud": "https://other.example"}),
            "another server",
        ),
        (
            &[CLIENT][..],
            json!({"aud": CLIENT, "token_use": "id"}),
            "ID, refresh or other token",
        ),
        (
            &[CLIENT][..],
            json!({"token_use": "id"}),
            "ID, refresh or other token",
        ),
        (
            &[CLIENT][..],
            json!({"iss": "https://other.example"}),
            "issuer",
        ),
        (
            &[CLIENT][..],
            json!({"exp": world.clock.seconds() - 61}),
            "expired",
        ),
    ] {
        let token = signed(&access(&world, &changes));
        let pool = pool(&world, clients);
        let verdict = pool.authenticate(&bearer(&token), &world.platform).await;
        refused(verdict, Invalid, part);
    }
}

#[test]
fn clients_are_those_of_one_issuer() {
    let of = |issuers| {
        [
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", issuers),
            (
                "MCPFN_ISSUER_SCOPES",
                "https://a.example=a;https://b.example=b",
            ),
            ("MCPFN_PUBLIC_URL", SERVER),
            ("MCPFN_CLIENT_IDS", "one, two"),
        ]
    };
    mistakes(
        &of("https://a.example,https://b.example"),
        &["MCPFN_CLIENT_IDS has"],
    );
    let mut one = of("https://a.example").to_vec();
    one.remove(2);
    assert!(read(&one).is_ok());
}
