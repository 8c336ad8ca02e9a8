//! Whatever a caller sends: an answer, and no panic.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use mcpfn_auth::{
    ApiKey, ApiKeys, CloudflareAccess, IamScopes, OAuth, RejectUnknownBearer, hash_key,
    verified_caller,
};
use mcpfn_auth_tests::platform;
use mcpfn_core::{PrincipalKind, Scopes};
use mcpfn_http::Authenticator;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::world::{P256, SERVER};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new().expect("a runtime can be made"));
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let claims = serde_json::json!({"iss": "http://127.0.0.1:1", "sub": "alice", "aud": SERVER, "exp": 1_900_000_000});
    P256.token(&claims)
});

/// Asks everybody; nobody may take what is random.
fn ask(headers: &HeaderMap) {
    let (platform, _) = platform();
    let keys =
        ApiKeys::new(ApiKey::parse(&format!("alice:{}", hash_key("the right one"))).unwrap());
    let everybody: [Box<dyn Authenticator>; 4] = [
        Box::new(OAuth::new(
            ["http://127.0.0.1:1".to_owned()],
            [SERVER.to_owned()],
        )),
        Box::new(CloudflareAccess::at(
            "http://127.0.0.1:1",
            [SERVER.to_owned()],
        )),
        Box::new(keys),
        Box::new(RejectUnknownBearer),
    ];
    for authenticator in everybody {
        let result = RUNTIME.block_on(authenticator.authenticate(headers, &platform));
        assert!(!matches!(result, Ok(Some(_))), "{result:?}");
    }
}

fn header(prefix: &str, bytes: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&[prefix.as_bytes(), bytes].concat()).ok()
}

fn json_like() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        Just("\"alg\":\"ES256\"".to_owned()),
        Just("\"kid\":\"p256\"".to_owned()),
        Just("\"iss\":\"http://127.0.0.1:1\"".to_owned()),
        Just(format!("\"aud\":[\"{SERVER}\"]")),
        Just("\"exp\":1e308".to_owned()),
        Just("\"exp\":-1e308".to_owned()),
        Just("\"nbf\":1e-9".to_owned()),
        Just("\"sub\":\"\\u0000\"".to_owned()),
        Just("\"sub\":\"a\"".to_owned()),
        Just("\"scope\":\"a b\"".to_owned()),
        "\"[a-z]{1,4}\":(1|null|true|\"\"|\\[\\]|\\{\\})",
    ];
    prop::collection::vec(member, 0..9).prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), prefix in prop_oneof![Just(""), Just("Bearer "), Just("bearer")]) {
        let mut headers = HeaderMap::new();
        if let Some(value) = header(prefix, &bytes) {
            headers.append("authorization", value.clone());
            headers.append("x-api-key", value.clone());
            headers.append("cf-access-jwt-assertion", value);
            ask(&headers);
        }
    }

    #[test]
    fn any_token(text in "[A-Za-z0-9._~+/=-]{0,200}(\\.[A-Za-z0-9_-]{0,200}){0,3}") {
        let mut headers = HeaderMap::new();
        headers.append("authorization", header("Bearer ", text.as_bytes()).unwrap());
        ask(&headers);
    }

    #[test]
    fn any_json_in_a_token(head in json_like(), claims in json_like(), signature in prop::collection::vec(any::<u8>(), 0..70)) {
        let parts = [head.as_bytes(), claims.as_bytes(), &signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        let mut headers = HeaderMap::new();
        headers.append("authorization", header("Bearer ", parts.join(".").as_bytes()).unwrap());
        headers.append("cf-access-jwt-assertion", header("", parts.join(".").as_bytes()).unwrap());
        ask(&headers);
    }

    #[test]
    fn a_good_token_with_one_letter_changed(at in 0_usize..200, letter in "[A-Za-z0-9._-]") {
        let mut token = GOOD.clone();
        let at = at % token.len();
        token.replace_range(at..=at, &letter);
        let mut headers = HeaderMap::new();
        headers.append("authorization", header("Bearer ", token.as_bytes()).unwrap());
        ask(&headers);
    }

    #[test]
    fn any_verified_claims(text in json_like(), scopes in prop_oneof![
        Just("\"scope\":\"a *\"".to_owned()), Just("\"scp\":[\"*\",\"b\"]".to_owned()),
        Just("\"permissions\":\"[* c]\"".to_owned()), "\"scopes\":\"[\\[\\]*a ,]{0,9}\"",
    ]) {
        let text = format!("{{{scopes},{}", &text[1..]);
        let text = text.replace(",}", "}");
        if let Ok(serde_json::Value::Object(claims)) = serde_json::from_str(&text) {
            let caller = verified_caller(PrincipalKind::Jwt, "alice", &claims, &Scopes::all());
            // a token that says of itself what it is for may be of another kind
            let may_be_refused = ["typ", "token_use"].iter().any(|name| claims.contains_key(*name));
            let held = caller.map_or(may_be_refused, |caller| !caller.scopes.contains("d:e"));
            prop_assert!(held, "{}", text);
        }
    }

    #[test]
    fn any_key_list(text in "([a-z:;\n0-9 ]{0,30}|\\PC{0,30})", good in 0_usize..2) {
        let entry = format!("alice:{}:crm", hash_key("the right one"));
        let list = format!("{text}\n{}", &entry[..entry.len() * good]);
        let (keys, mistakes) = ApiKey::parse_each(&list);
        prop_assert_eq!(keys.iter().filter(|key| key.name == "alice").count(), good);
        for mistake in mistakes {
            prop_assert!(mistake.starts_with("entry ") && mistake.len() < 160, "{}", mistake);
        }
    }

    #[test]
    fn any_settings(text in "\\PC{0,120}", arn in "\\PC{0,80}", entry in "(arn:aws:(iam|sts):[a-z*]?:[0-9*]{0,3}:(role|user)/[a-z/*]{0,9}=[a-z* \
        ]{0,5};?){0,3}") {
        let _ = ApiKey::parse(&text);
        for text in [&text, &entry] {
            if let Ok(map) = text.parse::<IamScopes>() {
                let granted = [&*arn, "arn:aws:sts::123:assumed-role/a/b", text].map(|arn| map.scopes(arn));
                let words = granted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                prop_assert!(words.split_whitespace().all(|word| text.contains(word)), "only what \
                    the map says is granted");
            }
        }
    }
}
