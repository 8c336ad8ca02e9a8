//! A Worker that can't be served says why: at the first request, in a sentence that names what to
//! change, without secrets.

use serde_json::json;

use crate::{Host as _, Request, Worker};

fn said(service: &str) -> String {
    let response = Worker::named(service).send(&Request::modern("tools/list", json!({})));
    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.error().1
}

#[test]
fn who_may_call_must_be_said() {
    for _ in 0..2 {
        let message = said("unset");
        assert!(
            message.contains("MCPFN_AUTH is not set") && message.contains("wrangler.toml"),
            "{message}"
        );
    }
}

#[test]
fn every_rate_needs_its_binding() {
    let message = said("unlimited");
    for part in [
        "MCPFN_RATE_LIMIT: ",
        "RATE_60_PER_60",
        "the tool `limited`: ",
        "RATE_2_PER_10",
        "[[ratelimits]]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn files_need_a_bucket() {
    let message = said("unbound");
    assert!(
        message.contains("no R2 bucket is bound as FILES") && message.contains("[[r2_buckets]]"),
        "{message}"
    );
}

#[test]
fn mistakes_are_reported_together_and_secrets_are_not_repeated() {
    let message = said("wrong");
    for name in [
        "MCPFN_AUTH",
        "MCPFN_BASE_PATH",
        "MCPFN_ALLOWED_ORIGINS",
        "MCPFN_MAX_BODY_BYTES",
        "MCPFN_STATE_KEY",
        "MCPFN_LOG",
        "MCPFN_RATE_LIMIT",
    ] {
        assert!(message.contains(name), "no word of {name}: {message}");
    }
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn names_of_the_own_zone_are_not_public() {
    let ask = |host: &str, url: &str| {
        let call = json!({"name": "reaches", "arguments": {"url": url}});
        let request = Request::modern("tools/call", call).header("host", host);
        Worker::named("watched").send(&request).text()
    };
    let own = "a name of the zone";
    assert!(!ask("localhost", "http://wiki.zone-test.example/").contains(own));
    for url in [
        "http://zone-test.example/",
        "http://wiki.Zone-Test.example./x",
    ] {
        let said = ask("mcp.zone-test.example", url);
        assert!(said.contains(own), "{url}: {said}");
    }
    let said = ask("mcp.zone-test.example", "http://127.0.0.1/");
    assert!(said.contains("an address instead of a name"), "{said}");
}

#[test]
fn a_path_in_front_is_taken_off() {
    let ask = |path: &str| {
        let mut request = Request::modern("tools/list", json!({}));
        request.path = path.to_owned();
        Worker::named("routed").send(&request).status
    };
    for (path, status) in [
        ("/tools/mcp", 200),
        ("/tools/mcp?page=1", 200),
        ("/mcp", 200),
        ("/toolshed/mcp", 404),
        ("/tools/tools/mcp", 404),
    ] {
        assert_eq!(ask(path), status, "{path}");
    }
}
