//! Who calls and what it may do, for every trigger and every shape of claims.

use super::*;
use serde_json::json;

fn event(context: &Value) -> TriggerEvent {
    serde_json::from_value(json!({"requestContext": context})).unwrap()
}

/// The request context of each trigger that passes claims on, with these claims of `user-1`.
fn triggers(claims: &Value) -> Vec<(&'static str, PrincipalKind, Value)> {
    let with = |name: &str| {
        let mut claims = claims.clone();
        claims[name] = json!("user-1");
        claims
    };
    let (jwt, lambda) = (with("sub"), with("principalId"));
    let route = json!(["hello", "admin"]);
    vec![
        (
            "HTTP API 2.0, JWT authorizer",
            PrincipalKind::Jwt,
            json!({"authorizer": {"jwt": {"claims": jwt, "scopes": route}}}),
        ),
        (
            "HTTP API 1.0, JWT authorizer",
            PrincipalKind::Jwt,
            json!({"authorizer": {"claims": jwt, "scopes": route}}),
        ),
        (
            "REST API, JWT or Cognito authorizer",
            PrincipalKind::Jwt,
            json!({"authorizer": {"claims": jwt}, "identity": {"userArn": null}}),
        ),
        (
            "HTTP API 2.0, Lambda authorizer",
            PrincipalKind::Authorizer,
            json!({"authorizer": {"lambda": lambda}}),
        ),
        (
            "HTTP API 2.0, Lambda authorizer with a sub",
            PrincipalKind::Authorizer,
            json!({"authorizer": {"lambda": jwt}}),
        ),
        (
            "REST API or HTTP API 1.0, Lambda authorizer",
            PrincipalKind::Authorizer,
            json!({"authorizer": lambda}),
        ),
    ]
}

#[test]
fn claims_grant_what_they_say_and_nothing_else() {
    let default = Scopes::parse("default:read");
    for (claims, expected) in [
        (json!({"scope": "hello crm:read"}), "hello crm:read"),
        (json!({"scope": "[hello crm:read]"}), "hello crm:read"),
        (json!({"scp": "hello"}), "hello"),
        (json!({"scp": ["hello", "crm"]}), "hello crm"),
        (json!({"permissions": ["hello"]}), "hello"),
        (json!({"permissions": "[hello crm]"}), "hello crm"),
        (json!({"scopes": "hello"}), "hello"),
        (json!({"scope": "hello *"}), "hello"),
        (json!({"scope": "*"}), ""),
        (json!({"scp": ["*"]}), ""),
        (json!({"scope": ""}), ""),
        (json!({"scope": []}), ""),
        (json!({"scope": "[]"}), ""),
        (json!({"scope": null}), ""),
        (json!({"scope": 7}), ""),
        (json!({"scope": {"hello": true}}), ""),
        (json!({"scope": ["hello", 7]}), ""),
        (
            json!({"iss": "https://issuer", "exp": "1795168800"}),
            "default:read",
        ),
        (json!({"token_use": "access", "scope": "hello"}), "hello"),
    ] {
        for (name, kind, context) in triggers(&claims) {
            let caller = event(&context).caller(&default).unwrap();
            assert_eq!((caller.kind, &*caller.subject), (kind, "user-1"), "{name}");
            assert_eq!(caller.scopes.to_string(), expected, "{name}: {claims}");
            if expected == "default:read" {
                let caller = event(&context).caller(&Scopes::none()).unwrap();
                assert_eq!(
                    caller.scopes,
                    Scopes::none(),
                    "{name}: nothing is the default"
                );
            }
        }
    }
}

#[test]
fn id_and_refresh_tokens_are_refused() {
    for claims in [
        json!({"token_use": "id", "scope": "hello"}),
        json!({"typ": "ID"}),
        json!({"typ": "refresh"}),
        json!({"at_hash": "x", "scope": "hello"}),
    ] {
        for (name, _, context) in triggers(&claims) {
            let denied = event(&context).caller(&Scopes::all()).unwrap_err();
            assert!(
                denied.message.contains("send an access token"),
                "{name}: {claims}"
            );
        }
    }
    for subject in ["user\u{202e}", "a\nb", &"a".repeat(513)] {
        let context = json!({"authorizer": {"claims": {"sub": subject}}});
        assert!(
            event(&context).caller(&Scopes::all()).is_err(),
            "{subject:?}"
        );
    }
}

#[test]
fn the_strongest_credential_names_the_caller() {
    let default = Scopes::parse("d");
    let context = json!({
        "identity": {"userArn": "arn:aws:iam::1:user/a", "cognitoIdentityId": "pool:1"},
        "authorizer": {"claims": {"sub": "b", "scope": "crm"}, "principalId": "c"},
    });
    let caller = event(&context).caller(&default).unwrap();
    assert_eq!(caller.kind, PrincipalKind::Iam);
    assert_eq!(caller.subject, "arn:aws:iam::1:user/a#pool:1");
    assert_eq!(
        caller.scopes, default,
        "claims say nothing about another caller"
    );
    let context =
        json!({"authorizer": {"claims": {"sub": "", "scope": "crm"}, "principalId": "c"}});
    let caller = event(&context).caller(&Scopes::none()).unwrap();
    assert_eq!((&*caller.subject, caller.scopes), ("c", Scopes::none()));
    for context in [
        json!({}),
        json!({"authorizer": null}),
        json!({"authorizer": {"claims": "x"}}),
    ] {
        assert_eq!(
            event(&context).caller(&Scopes::all()).unwrap(),
            Principal::anonymous()
        );
    }
}

#[test]
fn addresses() {
    let load_balancer = |forwarded: &str| {
        let elb = json!({"elb": {}});
        let single = json!({"requestContext": elb, "headers": {"x-forwarded-for": forwarded}});
        let multiple = json!({
            "requestContext": elb,
            "multiValueHeaders": {"x-forwarded-for": ["198.51.100.1", forwarded]},
        });
        let read = |event: Value| {
            serde_json::from_value::<TriggerEvent>(event)
                .unwrap()
                .address()
        };
        assert_eq!(read(single.clone()), read(multiple), "{forwarded}");
        read(single).map(|address| address.to_string())
    };
    for (forwarded, expected) in [
        ("203.0.113.7", Some("203.0.113.7")),
        ("10.0.0.1, 203.0.113.7", Some("203.0.113.7")),
        ("203.0.113.7:4711", Some("203.0.113.7")),
        ("2001:db8::1", Some("2001:db8::1")),
        ("10.0.0.1,[2001:db8::1]:443", Some("2001:db8::1")),
        ("203.0.113.7:x", None),
        ("unknown", None),
        ("", None),
    ] {
        assert_eq!(load_balancer(forwarded).as_deref(), expected, "{forwarded}");
    }
    for context in [
        json!({"http": {"sourceIp": "203.0.113.7"}}),
        json!({"identity": {"sourceIp": "203.0.113.7"}}),
    ] {
        assert_eq!(event(&context).address(), Some([203, 0, 113, 7].into()));
    }
    // only a load balancer's header counts
    let forged = json!({"requestContext": {}, "headers": {"x-forwarded-for": "203.0.113.7"}});
    let forged: TriggerEvent = serde_json::from_value(forged).unwrap();
    assert_eq!(forged.address(), None);
}

#[test]
fn null_members_are_absent_ones() {
    let event = json!({
        "httpMethod": "POST",
        "path": "/mcp",
        "headers": {"accept": null, "x-a": "1"},
        "multiValueHeaders": null,
        "requestContext": {"http": null},
        "body": null,
        "isBase64Encoded": null,
    });
    let event: TriggerEvent = serde_json::from_value(event).unwrap();
    let request = event.into_request("").unwrap();
    assert!(!request.headers().contains_key("accept"));
    assert_eq!(request.headers()["x-a"], "1");
    let several = json!({
        "httpMethod": "POST",
        "multiValueHeaders": {"accept": null, "x-a": [null, "1"]},
    });
    let several: TriggerEvent = serde_json::from_value(several).unwrap();
    let request = several.into_request("").unwrap();
    assert_eq!(request.headers().len(), 1);
}
