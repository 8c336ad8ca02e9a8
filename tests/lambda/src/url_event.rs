//! An HTTP request as the event of a function URL, payload version 2.0. Who calls is the caller's
//! word: nothing is verified.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

const DOMAIN: &str = "abc123.lambda-url.eu-west-1.on.aws";

/// The event for a request. `caller` is the ARN that IAM would have recognised, if any.
#[must_use]
pub fn event(request: &Parts, body: &Bytes, from: IpAddr, caller: Option<&str>) -> Value {
    let mut headers = BTreeMap::<&str, String>::new();
    let mut cookies = Vec::new();
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match name.as_str() {
            "cookie" => cookies.extend(value.split("; ").map(str::to_owned)),
            // the platform's own connection to the client ends at the front
            "connection" | "keep-alive" | "transfer-encoding" | "upgrade" => {}
            name => {
                let joined = headers.entry(name).or_default();
                if !joined.is_empty() {
                    joined.push(',');
                }
                joined.push_str(&value);
            }
        }
    }
    headers.insert("host", DOMAIN.to_owned());
    headers.insert("x-forwarded-for", from.to_string());
    headers.insert("x-forwarded-proto", "https".to_owned());
    let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
    let text = std::str::from_utf8(body).ok();
    let iam = caller.map(|caller| {
        json!({"iam": {"accessKey": "AKIAEXAMPLE", "accountId": "123456789012", "callerId": "AIDAEXAMPLE", "cognitoIdentity": null,
            "principalOrgId": "o-abc", "userArn": caller, "userId": "AIDAEXAMPLE"}})
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": if iam.is_some() { "123456789012" } else { "anonymous" },
            "apiId": "abc123",
            "authentication": null,
            "authorizer": iam,
            "domainName": DOMAIN,
            "domainPrefix": "abc123",
            "http": {"method": request.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": from.to_string(),
                "userAgent": headers.get("user-agent")},
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": text.is_none(),
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !body.is_empty() {
        event["body"] = text.map_or_else(|| json!(STANDARD.encode(body)), |text| json!(text));
    }
    event
}
