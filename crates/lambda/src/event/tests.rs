//! Who calls and what it may do, for every trigger and every shape of claims.

mod trigger;

use super::*;
use mcpfn_core::PrincipalKind;
use serde_json::{Value, json};

fn read(event: &Value) -> Result<TriggerEvent, NotHttp> {
    TriggerEvent::read(event.to_string().as_bytes())
}

/// An event of an HTTP API of payload version 2.0, or a function URL, with more in its context.
pub(crate) fn version_2(context: &Value) -> Value {
    let mut event = json!({
        "version": "2.0",
        "rawPath": "/mcp",
        "requestContext": {"http": {"method": "POST"}},
    });
    add(&mut event["requestContext"], context);
    event
}

/// An event of a REST API with more in its context.
pub(crate) fn rest(context: &Value) -> Value {
    let mut event = json!({
        "httpMethod": "POST",
        "path": "/mcp",
        "requestContext": {"httpMethod": "POST", "resourcePath": "/mcp"},
    });
    add(&mut event["requestContext"], context);
    event
}

fn add(context: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        context[name] = value.clone();
    }
}

/// An event of each trigger that passes claims on, with these claims of `user-1`.
pub(crate) fn triggers(claims: &Value) -> Vec<(&'static str, PrincipalKind, Value)> {
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
            version_2(&json!({"authorizer": {"jwt": {"claims": jwt, "scopes": route}}})),
        ),
        (
            "HTTP API 1.0, JWT authorizer",
            PrincipalKind::Jwt,
            rest(&json!({"authorizer": {"claims": jwt, "scopes": route}})),
        ),
        (
            "REST API, JWT or Cognito authorizer",
            PrincipalKind::Jwt,
            rest(&json!({"authorizer": {"claims": jwt}, "identity": {"userArn": null}})),
        ),
        (
            "HTTP API 2.0, Lambda authorizer",
            PrincipalKind::Authorizer,
            version_2(&json!({"authorizer": {"lambda": lambda}})),
        ),
        (
            "HTTP API 2.0, Lambda authorizer with a sub",
            PrincipalKind::Authorizer,
            version_2(&json!({"authorizer": {"lambda": jwt}})),
        ),
        (
            "REST API or HTTP API 1.0, Lambda authorizer",
            PrincipalKind::Authorizer,
            rest(&json!({"authorizer": lambda})),
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
        for (name, kind, event) in triggers(&claims) {
            let Ok(event) = read(&event) else {
                // this trigger writes every claim as a string; anything else is no event of it
                let texts = claims.as_object().unwrap().values().all(Value::is_string);
                assert!(
                    name == "HTTP API 2.0, JWT authorizer" && !texts,
                    "{name}: {claims}"
                );
                continue;
            };
            let caller = event.caller(&default).unwrap();
            assert_eq!(caller.kind, kind, "{name}");
            let subject = caller.subject.trim_end_matches("@https://issuer");
            assert_eq!(subject, "user-1", "{name}");
            assert_eq!(caller.scopes.to_string(), expected, "{name}: {claims}");
            if expected == "default:read" {
                let caller = event.caller(&Scopes::none()).unwrap();
                assert_eq!(
                    caller.scopes,
                    Scopes::none(),
                    "{name}: nothing is the default"
                );
            }
        }
    }
}

/// Else one of them would have the other's cached results, idempotency keys and state.
#[test]
fn equal_subjects_of_two_issuers_are_two_callers() {
    for issuer in [json!("https://a"), json!("https://b")] {
        for (name, _, event) in triggers(&json!({"iss": issuer, "scope": "hello"})) {
            let caller = read(&event).unwrap().caller(&Scopes::none()).unwrap();
            let expected = if event.to_string().contains("principalId") {
                "user-1".to_owned()
            } else {
                format!("user-1@{}", issuer.as_str().unwrap())
            };
            assert_eq!(caller.subject, expected, "{name}");
        }
    }
    for issuer in [json!(""), json!(null), json!(7)] {
        let claims = json!({"sub": "user-1", "iss": issuer});
        let event = rest(&json!({"authorizer": {"claims": claims}}));
        let caller = read(&event).unwrap().caller(&Scopes::none()).unwrap();
        assert_eq!(caller.subject, "user-1");
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
        for (name, _, event) in triggers(&claims) {
            let denied = read(&event).unwrap().caller(&Scopes::all()).unwrap_err();
            assert!(
                denied.message.contains("send an access token"),
                "{name}: {claims}"
            );
        }
    }
    for subject in ["user\u{202e}", "a\nb", &"a".repeat(513)] {
        let context = json!({"authorizer": {"claims": {"sub": subject}}});
        assert!(
            read(&rest(&context))
                .unwrap()
                .caller(&Scopes::all())
                .is_err(),
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
    let caller = read(&rest(&context)).unwrap().caller(&default).unwrap();
    assert_eq!(caller.kind, PrincipalKind::Iam);
    assert_eq!(caller.subject, "arn:aws:iam::1:user/a#pool:1");
    assert_eq!(
        caller.scopes, default,
        "claims say nothing about another caller"
    );
    let context =
        json!({"authorizer": {"claims": {"sub": "", "scope": "crm"}, "principalId": "c"}});
    let caller = read(&rest(&context))
        .unwrap()
        .caller(&Scopes::none())
        .unwrap();
    assert_eq!((&*caller.subject, caller.scopes), ("c", Scopes::none()));
    for context in [
        json!({}),
        json!({"authorizer": null}),
        json!({"authorizer": {"claims": "x"}}),
    ] {
        assert_eq!(
            read(&rest(&context))
                .unwrap()
                .caller(&Scopes::all())
                .unwrap(),
            Principal::anonymous()
        );
    }
}

#[test]
fn a_caller_of_iam_is_named_by_each_trigger() {
    let arn = "arn:aws:sts::1:assumed-role/r/s";
    let identity = json!({"amr": ["x"], "identityId": "pool:1"});
    for (event, expected) in [
        (
            version_2(&json!({"authorizer": {"iam": {"userArn": arn}}})),
            arn.to_owned(),
        ),
        (
            version_2(
                &json!({"authorizer": {"iam": {"userArn": arn, "cognitoIdentity": identity}}}),
            ),
            format!("{arn}#pool:1"),
        ),
        (rest(&json!({"identity": {"userArn": arn}})), arn.to_owned()),
    ] {
        let caller = read(&event).unwrap().caller(&Scopes::none()).unwrap();
        assert_eq!(
            (caller.kind, caller.subject),
            (PrincipalKind::Iam, expected)
        );
    }
    let nobody = version_2(&json!({"authorizer": {"iam": {"userArn": ""}}}));
    let caller = read(&nobody).unwrap().caller(&Scopes::all()).unwrap();
    assert_eq!(caller, Principal::anonymous());
}

#[test]
fn addresses() {
    let load_balancer = |forwarded: &str| {
        let elb = json!({"elb": {"targetGroupArn": "arn"}});
        let single = json!({
            "httpMethod": "POST", "path": "/mcp", "requestContext": elb,
            "headers": {"x-forwarded-for": forwarded},
        });
        let multiple = json!({
            "httpMethod": "POST", "path": "/mcp", "requestContext": elb,
            "multiValueHeaders": {"x-forwarded-for": ["198.51.100.1", forwarded]},
        });
        let address = |event: &Value| read(event).unwrap().address();
        assert_eq!(address(&single), address(&multiple), "{forwarded}");
        address(&single).map(|address| address.to_string())
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
    for event in [
        version_2(&json!({"http": {"method": "POST", "sourceIp": "203.0.113.7"}})),
        rest(&json!({"identity": {"sourceIp": "203.0.113.7"}})),
    ] {
        assert_eq!(
            read(&event).unwrap().address(),
            Some([203, 0, 113, 7].into())
        );
    }
    // only a load balancer's header counts
    for mut forged in [rest(&json!({})), version_2(&json!({}))] {
        forged["headers"] = json!({"x-forwarded-for": "203.0.113.7"});
        assert_eq!(read(&forged).unwrap().address(), None);
    }
}

#[test]
fn null_members_are_absent_ones() {
    let mut event = rest(&json!({"http": null, "stage": null, "domainName": null}));
    add(
        &mut event,
        &json!({
            "headers": {"accept": null, "x-a": "1"},
            "multiValueHeaders": null,
            "body": null,
            "isBase64Encoded": null,
        }),
    );
    let request = read(&event).unwrap().into_request("");
    assert!(!request.headers().contains_key("accept"));
    assert_eq!(request.headers()["x-a"], "1");
    event["multiValueHeaders"] = json!({"accept": null, "x-a": [null, "1"]});
    let request = read(&event).unwrap().into_request("");
    assert_eq!(request.headers().len(), 1);
}

/// What makes `lambda_http` lose a value or panic, in each kind of event: each is read, or refused.
#[test]
fn no_member_that_a_client_writes_is_lost_or_panics() {
    let multiple = json!({"origin": ["https://a.example", "https://b.example"]});
    let mut event = rest(&json!({}));
    event["headers"] = json!({"origin": "https://b.example"});
    event["multiValueHeaders"] = multiple;
    let request = read(&event).unwrap().into_request("");
    assert_eq!(request.headers().get_all("origin").iter().count(), 2);

    let bad_host = json!({"host": "a b:99999999", "x-forwarded-proto": "\u{0}", "x-b": "\u{7f}\n"});
    for headers in [json!({"host": "mcp.example.com"}), bad_host] {
        for mut event in [rest(&json!({})), version_2(&json!({}))] {
            event["headers"] = headers.clone();
            event["rawQueryString"] = json!("%zz&&=\u{0}");
            event["queryStringParameters"] = json!({"a": "\u{0}"});
            event["requestContext"]["domainName"] = json!("xn--a b");
            let request = read(&event).unwrap().into_request("");
            assert_eq!(request.headers().len(), headers.as_object().unwrap().len());
            assert_eq!(request.uri(), "/mcp");
        }
    }
    let long = "/a".repeat(40_000);
    for path in ["", "mcp", ":99999999", "@x", "//[", "/\u{0}", "/a b", &long] {
        for mut event in [rest(&json!({})), version_2(&json!({}))] {
            event["path"] = json!(path);
            event["rawPath"] = json!(path);
            event["requestContext"]["stage"] = json!(path);
            let request = read(&event).unwrap().into_request("");
            assert!(
                ["/unreadable", "//["].contains(&request.uri().path()),
                "{path:?}"
            );
        }
    }
    let mut event = version_2(&json!({}));
    event["body"] = json!("no base64");
    event["isBase64Encoded"] = json!(true);
    assert!(read(&event).is_err());
}

#[test]
fn other_events_are_none() {
    for event in [
        json!({}),
        json!([]),
        json!({"httpMethod": "POST", "path": "/mcp"}),
        json!({"requestContext": {"http": null}}),
        // a WebSocket API, VPC Lattice
        json!({"requestContext": {"connectionId": "a", "eventType": "MESSAGE", "stage": "p"}}),
        json!({
            "version": "2.0", "method": "POST", "path": "/mcp",
            "requestContext": {"serviceArn": "arn", "identity": {"type": "AWS_IAM"}},
        }),
        json!({"Records": [{"eventSource": "aws:sqs"}]}),
    ] {
        assert!(read(&event).is_err(), "{event}");
    }
}

#[test]
fn stage_and_base_path_are_no_part_of_the_path() {
    let path = |mut event: Value, path: &str, stage: &str, base: &str| {
        event["path"] = json!(path);
        event["rawPath"] = json!(path);
        event["requestContext"]["stage"] = json!(stage);
        let request = read(&event).unwrap().into_request(base);
        request.uri().to_string()
    };
    for event in [rest(&json!({})), version_2(&json!({}))] {
        for (given, stage, base, expected) in [
            ("/mcp", "$default", "", "/mcp"),
            ("/prod/mcp", "prod", "", "/mcp"),
            ("/mcp", "prod", "", "/mcp"),
            ("/prod/tools/mcp", "prod", "/tools", "/mcp"),
            ("/mcp?a=1", "$default", "", "/mcp?a=1"),
        ] {
            assert_eq!(path(event.clone(), given, stage, base), expected);
        }
    }
}
