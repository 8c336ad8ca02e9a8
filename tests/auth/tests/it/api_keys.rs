//! API keys: which are taken, in which headers, and what happens when the list changes.

use std::sync::{Arc, Mutex};

use mcpfn_auth::{ApiKey, ApiKeys, RejectUnknownBearer, hash_key, new_key};
use mcpfn_auth_tests::platform;
use mcpfn_core::{PrincipalKind, Scopes, port::Random};
use mcpfn_http::AuthErrorKind::{Invalid, Malformed, Unavailable};
use mcpfn_http::Authenticator;

use crate::world::{bearer, headers, refused, secrets_are_not_told};

fn keys() -> ApiKeys {
    let list = format!(
        "alice:{}:crm:read catalog;\nbob:{}\nalice:{}",
        hash_key("first-key"),
        hash_key("second-key"),
        hash_key("third-key").to_uppercase()
    );
    ApiKeys::new(ApiKey::parse(&list).unwrap())
}

#[tokio::test]
async fn keys_are_taken_from_either_header() {
    let (platform, _) = platform();
    let alice = Scopes::parse("crm:read catalog");
    let cases = [
        ("first-key", "alice", alice),
        ("second-key", "bob", Scopes::none()),
        ("third-key", "alice", Scopes::none()),
    ];
    for (key, name, scopes) in cases {
        for headers in [
            bearer(key),
            headers(&[("x-api-key", key)]),
            headers(&[
                ("x-api-key", key),
                ("authorization", &format!("bearer {key}")),
            ]),
        ] {
            let principal = keys()
                .authenticate(&headers, &platform)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                (principal.kind, &*principal.subject, &principal.scopes),
                (PrincipalKind::ApiKey, name, &scopes)
            );
        }
    }
    let narrow = keys().with_default_scopes(Scopes::parse("hello"));
    let principal = narrow
        .authenticate(&bearer("second-key"), &platform)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(principal.scopes, Scopes::parse("hello"));
    // behind a signature of IAM
    let signed = headers(&[
        ("x-api-key", "second-key"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
    ]);
    assert!(
        keys()
            .authenticate(&signed, &platform)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn other_keys_are_refused() {
    let (platform, _) = platform();
    for key in [
        "first-kez",
        "first-key-longer",
        "first-ke",
        &hash_key("first-key"),
        "alice",
    ] {
        let denied = refused(
            keys()
                .authenticate(&headers(&[("x-api-key", key)]), &platform)
                .await,
            Invalid,
            "API key",
        );
        secrets_are_not_told(&denied, key);
        assert!(
            keys()
                .authenticate(&bearer(key), &platform)
                .await
                .unwrap()
                .is_none(),
            "a bearer token may be of another kind"
        );
        let denied = refused(
            RejectUnknownBearer
                .authenticate(&bearer(key), &platform)
                .await,
            Invalid,
            "bearer token not accepted",
        );
        secrets_are_not_told(&denied, key);
    }
    assert!(
        keys()
            .authenticate(&headers(&[]), &platform)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        RejectUnknownBearer
            .authenticate(&headers(&[("authorization", "Basic eDp5")]), &platform)
            .await
            .unwrap()
            .is_none()
    );
    let malformed: [&[(&str, &str)]; 5] = [
        &[
            ("x-api-key", "first-key"),
            ("authorization", "Bearer second-key"),
        ],
        &[("x-api-key", "first-key"), ("x-api-key", "first-key")],
        &[("x-api-key", "")],
        &[("x-api-key", "ü")],
        &[
            ("x-api-key", "first-key"),
            ("authorization", "Bearer first-key"),
            ("authorization", "Bearer first-key"),
        ],
    ];
    for pairs in malformed {
        refused(
            keys().authenticate(&headers(pairs), &platform).await,
            Malformed,
            "",
        );
    }
}

#[tokio::test]
async fn a_list_that_changes_is_read_again_every_minute_and_kept_when_it_can_not_be() {
    let (platform, clock) = platform();
    let list: Arc<Mutex<Result<String, String>>> =
        Arc::new(Mutex::new(Err("the store is down".to_owned())));
    let reads = Arc::new(Mutex::new(0));
    let (source, count) = (Arc::clone(&list), Arc::clone(&reads));
    let keys = ApiKeys::from_source(Arc::new(move || {
        *count.lock().unwrap() += 1;
        source.lock().unwrap().clone()
    }));
    let denied = refused(
        keys.authenticate(&bearer("first-key"), &platform).await,
        Unavailable,
        "can't be read",
    );
    assert_eq!(denied.cause.as_deref(), Some("the store is down"));
    *list.lock().unwrap() = Ok(format!("alice:{}", hash_key("first-key")));
    clock.pass(5);
    assert!(
        keys.authenticate(&bearer("first-key"), &platform)
            .await
            .unwrap()
            .is_some()
    );
    for _ in 0..10 {
        keys.authenticate(&bearer("first-key"), &platform)
            .await
            .unwrap();
    }
    assert_eq!(*reads.lock().unwrap(), 2);
    // the new key is added, then the old one removed
    *list.lock().unwrap() = Ok(format!(
        "alice:{};alice:{}",
        hash_key("first-key"),
        hash_key("second-key")
    ));
    clock.pass(60);
    for key in ["first-key", "second-key"] {
        assert!(
            keys.authenticate(&bearer(key), &platform)
                .await
                .unwrap()
                .is_some()
        );
    }
    *list.lock().unwrap() = Ok(format!("alice:{}", hash_key("second-key")));
    clock.pass(60);
    assert!(
        keys.authenticate(&bearer("first-key"), &platform)
            .await
            .unwrap()
            .is_none()
    );
    *list.lock().unwrap() = Err("gone".to_owned());
    for _ in 0..3 {
        clock.pass(60);
        assert!(
            keys.authenticate(&bearer("second-key"), &platform)
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_a_minute_at_most() {
    let (platform, clock) = platform();
    let list = Arc::new(Mutex::new(format!("alice:{}", hash_key("first-key"))));
    let reads = Arc::new(Mutex::new(0));
    let (source, count) = (Arc::clone(&list), Arc::clone(&reads));
    let keys = ApiKeys::from_source(Arc::new(move || {
        *count.lock().unwrap() += 1;
        Ok(source.lock().unwrap().clone())
    }));
    assert!(
        keys.authenticate(&bearer("first-key"), &platform)
            .await
            .unwrap()
            .is_some()
    );
    *list.lock().unwrap() += &format!(";bob:{}", hash_key("second-key"));
    for _ in 0..100 {
        assert!(
            keys.authenticate(&bearer("second-key"), &platform)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(*reads.lock().unwrap(), 1, "guesses reach the store seldom");
    clock.pass(60);
    assert!(
        keys.authenticate(&bearer("second-key"), &platform)
            .await
            .unwrap()
            .is_some(),
        "it was read before the answer"
    );
    for _ in 0..100 {
        assert!(
            keys.authenticate(&bearer("no-key"), &platform)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(*reads.lock().unwrap(), 2);
}

#[test]
fn lists_with_mistakes_say_all_of_them_and_no_secret() {
    let hash = hash_key("some-key");
    let text = format!(
        "alice:{hash}; bob:{hash}; :{hash}; carol; dave:the-key-itself-by-mistake; e f:{hash}; \
         g:{}:x",
        &hash[..63]
    );
    let mistakes = ApiKey::parse(&text).unwrap_err();
    let expected = [
        "entry 2 has the same key",
        "entry 3 needs a name",
        "entry 4 needs the SHA-256",
        "entry 5 needs the SHA-256",
        "entry 6 needs a name",
        "entry 7 needs the SHA-256",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}");
        assert!(
            !mistake.contains("the-key-itself") && !mistake.contains(&hash[..20]),
            "{mistake}"
        );
    }
    assert_eq!(ApiKey::parse(" ;\n ").unwrap_err().len(), 1);
    let shown = format!(
        "{:?}",
        ApiKeys::new(ApiKey::parse(&format!("alice:{hash}")).unwrap())
    );
    assert!(
        shown.contains("alice") && !shown.contains(&hash[..8]) && !shown.contains("hash"),
        "{shown}"
    );
}

#[test]
fn new_keys_are_long_and_their_hash_is_sha256() {
    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }
    assert_eq!(
        new_key(&Fixed),
        "mcpfn_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
    );
    assert_eq!(
        hash_key("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

/// The one place where a key meets the hashes: no early end, no comparison of another kind.
#[test]
fn comparison_is_in_constant_time_over_all_entries() {
    let source = include_str!("../../../../crates/auth/src/api_key.rs");
    let start = source.find("fn find_in").expect("the function is there");
    let body = &source[start..start + source[start..].find("\n    }\n").expect("it ends")];
    assert!(
        body.contains("conditional_assign(&at, key.hash.ct_eq(&hash))"),
        "{body}"
    );
    let looks = body
        .split("for ")
        .nth(1)
        .and_then(|rest| rest.split("\n        }").next())
        .expect("it has a loop");
    for early in ["return", "break", "==", "find(", "position("] {
        assert!(!looks.contains(early), "`{early}` in {looks}");
    }
}
