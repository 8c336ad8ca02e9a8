//! A Worker that can't be served says why: at the first request, in a sentence that names what to
//! change, without secrets.

use std::time::{Duration, Instant};

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

/// `tests/worker` binds each to something else in the service `mistaken`.
const MISTAKEN: [(&str, &str); 12] = [
    ("CACHE", "[[kv_namespaces]]"),
    ("IDEMPOTENCY", "[[durable_objects.bindings]]"),
    ("TASKS", "class_name = \"McpfnTasks\""),
    ("EVENTS", "class_name = \"McpfnEvents\""),
    ("EVENT_QUEUE", "[[queues.producers]]"),
    ("EVENT_DEAD", "[[queues.producers]]"),
    ("METRICS", "[[analytics_engine_datasets]]"),
    ("CF_VERSION_METADATA", "[version_metadata]"),
    ("RATE_60_PER_60", "[[ratelimits]]"),
    ("MCPFN_STATE_KEY", "an object"),
    ("MCPFN_ALLOWED_ORIGINS", "a list"),
    ("MCPFN_BASE_PATH", "a KV namespace"),
];

#[test]
fn what_is_bound_to_something_else_is_named_with_what_it_must_be() {
    let message = said("mistaken");
    for (name, fix) in MISTAKEN {
        let line = message
            .lines()
            .find(|line| line.contains(&format!("{name} is bound to ")));
        assert!(
            line.is_some_and(|line| line.contains(fix)),
            "{name}: {message}"
        );
    }
    assert!(!message.contains("hunter2"), "{message}");
    for (service, words) in [
        ("misfiled", ["FILES is bound to text", "[[r2_buckets]]"]),
        (
            "misasked",
            ["DB is bound to a KV namespace", "[[d1_databases]]"],
        ),
        (
            "queue-alone",
            ["EVENT_QUEUE is bound", "class_name = \"McpfnEvents\""],
        ),
        (
            "schedule-alone",
            [
                "MCPFN_EVENTS_SCHEDULE=on has no effect",
                "[[queues.producers]]",
            ],
        ),
        (
            "misindexed",
            ["VECTORS is bound to a KV namespace", "[[vectorize]]"],
        ),
    ] {
        let message = said(service);
        for word in words {
            assert!(message.contains(word), "{service}: {message}");
        }
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn settings_of_other_hosts_are_refused() {
    let message = said("ignoring");
    for name in [
        "MCPFN_DATABASE",
        "MCPFN_DYNAMODB_TABLE",
        "MCPFN_METRICS",
        "MCPFN_TRUSTED_PROXIES",
    ] {
        let line = message.lines().find(|line| line.contains(name));
        assert!(
            line.is_some_and(|line| line.contains("remove it")),
            "{name}: {message}"
        );
    }
}

#[test]
fn a_secret_of_the_secrets_store_is_its_text() {
    let ask = |key: &str| {
        let list = Request::modern("tools/list", json!({})).header("x-api-key", key);
        Worker::named("locked").send(&list)
    };
    let known = ask("robot-key");
    assert_eq!(known.status, 200, "{}", known.text());
    assert_eq!(ask("hunter2").status, 401);
}

#[test]
fn a_secret_that_cannot_be_read_is_named_and_read_again() {
    for _ in 0..2 {
        let message = said("lost");
        assert!(
            message.contains("MCPFN_STATE_KEY") && message.contains("Secrets Store"),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
    let again = Worker::named("lost").send(&Request::modern("tools/list", json!({})));
    assert_eq!(again.status, 200, "{}", again.text());
}

#[test]
fn a_secrets_store_that_does_not_answer_holds_no_request_for_long() {
    let begun = Instant::now();
    let message = said("stuck");
    assert!(
        message.contains("MCPFN_STATE_KEY") && message.contains("no answer"),
        "{message}"
    );
    assert!(begun.elapsed() < Duration::from_secs(4), "{message}");
}
