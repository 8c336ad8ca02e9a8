//! What each trigger sends, and what it takes in return.

use super::*;

/// An event of a load balancer.
fn balancer(headers: &str) -> Value {
    let mut event = json!({
        "httpMethod": "POST",
        "path": "/mcp",
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
    });
    event[headers] = json!({});
    event
}

#[test]
fn each_trigger_gets_what_it_takes() {
    let at = |domain: &str| version_2(&json!({"domainName": domain}));
    let mut version_1 = rest(&json!({"domainName": "x.lambda-url.us-east-1.on.aws"}));
    version_1["version"] = json!("1.0");
    let mut unnamed = rest(&json!({}));
    unnamed["requestContext"]["resourcePath"] = Value::Null;
    let mut no_version = at("x.lambda-url.us-east-1.on.aws");
    no_version["version"] = Value::Null;
    let lambda = 6 * 1024 * 1024;
    for (event, trigger, streams, document, decodes) in [
        (
            at("x.lambda-url.us-east-1.on.aws"),
            Trigger::FunctionUrl,
            true,
            lambda,
            true,
        ),
        (at("localhost"), Trigger::FunctionUrl, true, lambda, true),
        (
            at("x.execute-api.us-east-1.amazonaws.com"),
            Trigger::HttpApi,
            false,
            lambda,
            true,
        ),
        (
            at("x.lambda-url.us-east-1.on.aws.example.com"),
            Trigger::HttpApi,
            false,
            lambda,
            true,
        ),
        (at("mcp.on.aws"), Trigger::HttpApi, false, lambda, true),
        (at(""), Trigger::HttpApi, false, lambda, true),
        (version_2(&json!({})), Trigger::HttpApi, false, lambda, true),
        (no_version, Trigger::HttpApi, false, lambda, true),
        (version_1, Trigger::HttpApi, false, lambda, true),
        (unnamed, Trigger::HttpApi, false, lambda, true),
        (rest(&json!({})), Trigger::RestApi, true, lambda, false),
        (
            balancer("headers"),
            Trigger::LoadBalancer,
            false,
            1_000_000,
            true,
        ),
        (
            balancer("multiValueHeaders"),
            Trigger::LoadBalancer,
            false,
            1_000_000,
            true,
        ),
    ] {
        let read = read(&event).unwrap().trigger();
        let found = (
            read,
            read.takes_streams(),
            read.max_document(),
            read.decodes_base64(),
        );
        assert_eq!(found, (trigger, streams, document, decodes), "{event}");
    }
}

#[test]
fn headers_go_back_as_they_came() {
    for (event, apart) in [
        (balancer("multiValueHeaders"), true),
        (balancer("headers"), false),
        (version_2(&json!({})), false),
    ] {
        assert_eq!(
            read(&event).unwrap().has_multi_value_headers(),
            apart,
            "{event}"
        );
    }
}

#[test]
fn a_body_is_decoded_where_the_event_says_so() {
    for (flag, expected) in [
        (json!(true), "hi"),
        (json!(false), "aGk="),
        (Value::Null, "aGk="),
    ] {
        let mut event = version_2(&json!({}));
        event["body"] = json!("aGk=");
        event["isBase64Encoded"] = flag;
        assert_eq!(read(&event).unwrap().body, expected, "{event}");
    }
}

#[test]
fn the_caller_of_an_event_is_found_with_its_address() {
    let event = version_2(&json!({
        "authorizer": {"jwt": {"claims": {"sub": "user-1", "scope": "crm"}}},
        "http": {"method": "POST", "path": "/mcp", "sourceIp": "192.0.2.7"},
    }));
    let caller = caller_of_event(event.to_string().as_bytes()).unwrap();
    assert_eq!(
        (&*caller.subject, caller.scopes),
        ("user-1", Scopes::parse("crm"))
    );
    assert_eq!(caller.address.unwrap().to_string(), "192.0.2.7");
    assert_eq!(
        caller_of_event(b"{}").is_none(),
        TriggerEvent::read(b"{}").is_err()
    );
    assert!(NotHttp.to_string().contains("not an HTTP request"));
}
