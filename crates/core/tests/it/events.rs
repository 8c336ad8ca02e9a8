//! Events from their clients' side: what they ask for, what they are sent and when, what they may not
//! hear. Receivers are played, and time passes when the test says so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn_core::host::{Execution, Frame};
use mcpfn_core::policy::{WebhookIdProfile, WebhookSettings};
use mcpfn_core::port::{EventRetention, HttpClient, HttpError, HttpRequest, HttpResponse};
use mcpfn_core::{
    Builder, Cx, JsonSchema, NoArguments, Principal, PrincipalKind, Revision, Scopes, Server, Tool,
    ToolError,
};
use mcpfn_testing::{ClientError, TestClient, TestClock, TestHttp, block_on};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::support::with_call;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const URL: &str = "https://hooks.example/c1?session=7";
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Incident {
    severity: String,
    number: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Filter {
    severity: Option<String>,
}

async fn numbers(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    const LAST: usize = 5;
    let seen = match poll.cursor() {
        None => return Ok(EventPage::new("0")),
        Some(cursor) => cursor.parse().unwrap_or(LAST),
    };
    let until = LAST.min(seen + poll.limit());
    let event = |number: usize| {
        EventOccurrence::new(format!("n{number}"), cx.now_ms(), &json!({ "n": number }))
    };
    Ok(EventPage::new(until.to_string())
        .events((seen + 1..=until).map(event))
        .more(until < LAST))
}

fn builder() -> Builder {
    let incident = Event::new("incident.created")
        .description("Something is broken.")
        .scope("incidents:read")
        .payload::<Incident>()
        .input::<Filter>()
        .allow(|caller: &Principal, filter: Filter| {
            caller.subject != "bob" || filter.severity.as_deref() != Some("P1")
        });
    let numbers = Event::new("number.counted")
        .description("A number was counted.")
        .payload_schema(json!({"type": "object"}))
        .poll(numbers);
    let emit = Tool::new("break").description("Breaks something.").handler(
        |incident: Incident, cx: Cx| async move { cx.emit("incident.created", &incident).await },
    );
    let wrong = Tool::new("wrong")
        .description("Emits what does not fit.")
        .handler(|_: NoArguments, cx: Cx| async move {
            cx.emit("incident.created", &json!({"severity": 1})).await
        });
    Server::builder("ops", "1.0.0")
        .event(incident)
        .event(numbers)
        .tool(emit)
        .tool(wrong)
}

fn caller(subject: &str) -> Principal {
    Principal::new(PrincipalKind::Jwt, subject).with_scopes(Scopes::all())
}

fn client() -> TestClient {
    TestClient::new(builder()).principal(caller("alice"))
}

/// What a receiver answers to a delivery; it confirms what it is asked.
type Answer = dyn Fn(usize) -> Result<HttpResponse, HttpError> + Send + Sync;

/// A receiver that confirms its address, and answers the delivery of this number.
fn receiver(
    answer: impl Fn(usize) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
) -> TestHttp {
    let (answer, count): (Box<Answer>, _) = (Box::new(answer), AtomicUsize::new(0));
    TestHttp::new(move |request| {
        let body = body(request);
        match body["type"].as_str() {
            Some("verification") => {
                let challenge = json!({"challenge": body["challenge"]});
                Ok(TestHttp::json(200, challenge.to_string()))
            }
            Some(_) => Ok(TestHttp::json(204, "")),
            None => answer(count.fetch_add(1, Ordering::Relaxed)),
        }
    })
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header(request: &HttpRequest, name: &str) -> String {
    let found = request.headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

fn taken() -> TestHttp {
    receiver(|_| Ok(TestHttp::json(200, "")))
}

/// What was sent beside questions.
fn deliveries(receiver: &TestHttp) -> Vec<HttpRequest> {
    let mut sent = receiver.sent();
    sent.retain(|request| body(request).get("eventId").is_some());
    sent
}

fn hearing(receiver: &TestHttp) -> TestClient {
    client().with_port::<dyn HttpClient>(Arc::new(receiver.clone()))
}

fn delivery() -> Value {
    json!({"mode": "webhook", "url": URL, "secret": SECRET})
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "each caller writes it in its place"
)]
fn subscribe(client: &TestClient, more: Value) -> Result<Value, ClientError> {
    let mut params = json!({"name": "incident.created", "delivery": delivery()});
    for (member, value) in more.as_object().unwrap() {
        params[member] = value.clone();
    }
    client.request("events/subscribe", params).wait()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "each caller writes it in its place"
)]
fn poll(client: &TestClient, cursor: Value, more: Value) -> Value {
    let mut params = json!({"name": "incident.created", "cursor": cursor});
    for (member, value) in more.as_object().unwrap() {
        params[member] = value.clone();
    }
    client.request("events/poll", params).wait().unwrap()
}

fn happens(client: &TestClient, severity: &str, number: u64) {
    let incident = json!({"severity": severity, "number": number});
    client.call("break", incident).wait().unwrap();
}

fn numbers_of(events: &Value) -> Vec<u64> {
    let events = events.as_array().unwrap().iter();
    events
        .map(|event| event["data"]["number"].as_u64().unwrap())
        .collect()
}

#[test]
fn both_capabilities_are_said_to_modern_clients_alone() {
    let capabilities = |revision| {
        let client = client().revision(revision);
        let discovery = match revision == Revision::LATEST {
            true => client.request("server/discover", json!({})),
            false => client.request(
                "initialize",
                json!({"protocolVersion": revision.as_str(), "capabilities": {},
                    "clientInfo": {"name": "x", "version": "1"}}),
            ),
        };
        discovery.wait().unwrap()["capabilities"].clone()
    };
    let modern = capabilities(Revision::LATEST);
    assert_eq!(modern["events"], json!({}));
    let settings = &modern["extensions"]["io.modelcontextprotocol/events"];
    assert_eq!(*settings, json!({"listChanged": false}));
    let legacy = capabilities(Revision::LATEST_LEGACY);
    assert!(
        legacy.get("events").is_none() && legacy.get("extensions").is_none(),
        "{legacy}"
    );
    let legacy = client().revision(Revision::LATEST_LEGACY);
    let error = legacy.request("events/list", json!({})).wait().unwrap_err();
    assert_eq!(error.code(), Some(-32601));
    let none = TestClient::new(Server::builder("none", "1.0.0"));
    let error = none.request("events/list", json!({})).wait().unwrap_err();
    assert_eq!(error.code(), Some(-32601));
}

#[test]
fn callers_see_what_they_may_hear_of_and_how() {
    let list = |client: &TestClient| {
        let listed = client.request("events/list", json!({})).wait().unwrap();
        listed["events"].as_array().unwrap().clone()
    };
    let listed = list(&hearing(&taken()));
    assert_eq!(listed[0]["delivery"], json!(["poll", "push", "webhook"]));
    assert_eq!(
        listed[0]["payloadSchema"]["required"],
        json!(["severity", "number"])
    );
    assert!(
        listed[0]["inputSchema"]["properties"]
            .get("severity")
            .is_some()
    );
    assert_eq!(listed[1]["delivery"], json!(["poll", "push"]));
    // nothing is sent without a client for HTTP
    assert_eq!(list(&client())[0]["delivery"], json!(["poll", "push"]));
    let names: Vec<Value> = list(&client().scopes(""))
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, ["number.counted"]);
}

#[test]
fn events_of_a_page_are_one_list() {
    let many = (0..250).fold(Server::builder("many", "1.0.0"), |builder, number| {
        let event = Event::new(format!("event.{number}")).description("It happened.");
        builder.event(event.payload_schema(json!({})))
    });
    let client = TestClient::new(many);
    let (mut cursor, mut names) = (None::<String>, Vec::new());
    loop {
        let params = cursor.map_or(json!({}), |cursor| json!({ "cursor": cursor }));
        let page = client.request("events/list", params).wait().unwrap();
        names.extend(
            page["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["name"].clone()),
        );
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 250);
    let error = client
        .request("events/list", json!({"cursor": "AAAA"}))
        .wait()
        .unwrap_err();
    assert_eq!(error.code(), Some(-32602));
}

#[test]
fn a_client_that_asks_hears_everything_once_and_in_order() {
    let client = client();
    let begun = poll(&client, Value::Null, json!({}));
    assert_eq!(
        (&begun["events"], &begun["truncated"], &begun["hasMore"]),
        (&json!([]), &json!(false), &json!(false))
    );
    assert_eq!(begun["nextPollMs"], 30_000);
    for number in 0..7 {
        happens(&client, if number % 2 == 0 { "P1" } else { "P2" }, number);
    }
    let (mut cursor, mut heard) = (begun["cursor"].clone(), Vec::new());
    loop {
        let page = poll(&client, cursor, json!({"maxEvents": 2}));
        assert_eq!(page["truncated"], false);
        heard.extend(numbers_of(&page["events"]));
        cursor = page["cursor"].clone();
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(heard, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(poll(&client, cursor, json!({}))["events"], json!([]));
    // of those that it chose
    let arguments = json!({"arguments": {"severity": "P2"}});
    let begun = poll(&client, Value::Null, arguments.clone());
    happens(&client, "P1", 8);
    happens(&client, "P2", 9);
    let page = poll(&client, begun["cursor"].clone(), arguments);
    assert_eq!(numbers_of(&page["events"]), [9]);
    let event = &page["events"][0];
    assert!(
        event["eventId"].as_str().unwrap().starts_with("evt_") && event.get("cursor").is_none()
    );
}

#[test]
fn a_cursor_that_is_not_ones_own_or_is_too_old_is_truncated_and_no_error() {
    let alice = client();
    let begun = poll(&alice, Value::Null, json!({}))["cursor"].clone();
    happens(&alice, "P1", 1);
    let bob = alice.clone().principal(caller("bob"));
    for (client, cursor, more) in [
        (&bob, begun.clone(), json!({})),
        (&alice, json!("forged"), json!({})),
        (&alice, json!("x".repeat(100_000)), json!({})),
        (
            &alice,
            begun.clone(),
            json!({"arguments": {"severity": "P1"}}),
        ),
    ] {
        let page = poll(client, cursor, more);
        assert_eq!(
            (&page["events"], &page["truncated"]),
            (&json!([]), &json!(true))
        );
        let next = poll(client, page["cursor"].clone(), json!({}));
        assert!(next["cursor"].is_string(), "{next}");
    }
    // older than anything that is kept
    alice.time().advance(Duration::from_secs(25 * 3600));
    let page = poll(&alice, begun.clone(), json!({}));
    assert_eq!(
        (&page["events"], &page["truncated"]),
        (&json!([]), &json!(true))
    );
    // a process that ended took its log with it
    let begun = poll(&alice, Value::Null, json!({}))["cursor"].clone();
    alice.events().lose_logs();
    alice.time().advance(Duration::from_millis(1));
    assert_eq!(poll(&alice, begun, json!({}))["truncated"], true);
}

#[test]
fn what_is_too_old_for_the_client_is_left_out() {
    let client = client();
    let begun = poll(&client, Value::Null, json!({}))["cursor"].clone();
    happens(&client, "P1", 1);
    client.time().advance(MINUTE);
    happens(&client, "P1", 2);
    let page = poll(&client, begun.clone(), json!({"maxAgeMs": 30_000}));
    assert_eq!(numbers_of(&page["events"]), [2]);
    assert_eq!(page["truncated"], true);
    let page = poll(&client, begun, json!({"maxAgeMs": 90_000}));
    assert_eq!(
        (numbers_of(&page["events"]), &page["truncated"]),
        (vec![1, 2], &json!(false))
    );
}

#[test]
fn a_function_of_the_authors_is_asked_with_its_own_cursor() {
    let client = client();
    let ask = |cursor: Value, most: u64| {
        let params = json!({"name": "number.counted", "cursor": cursor, "maxEvents": most});
        client.request("events/poll", params).wait().unwrap()
    };
    let first = ask(ask(Value::Null, 3)["cursor"].clone(), 3);
    let ids = |page: &Value| {
        let events = page["events"].as_array().unwrap().clone();
        events
            .iter()
            .map(|it| it["eventId"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(&first), &first["hasMore"]),
        (vec!["n1".into(), "n2".into(), "n3".into()], &json!(true))
    );
    let second = ask(first["cursor"].clone(), 3);
    assert_eq!(
        (ids(&second), &second["hasMore"]),
        (vec!["n4".to_owned(), "n5".to_owned()], &json!(false))
    );
}

#[test]
fn a_function_that_panics_is_an_error_without_its_cause() {
    let panics = Event::new("panics")
        .description("Panics.")
        .payload_schema(json!({}))
        .poll(|_: NoArguments, poll: EventPoll, _: Cx| async move {
            assert!(poll.cursor().is_some(), "secret cause");
            Ok(EventPage::new(""))
        });
    let slow = Event::new("slow")
        .description("Takes too long.")
        .payload_schema(json!({}))
        .poll(|_: NoArguments, _: EventPoll, cx: Cx| async move {
            cx.sleep(Duration::from_secs(3600)).await;
            Ok(EventPage::new(""))
        });
    let server = Server::builder("bad", "1.0.0").event(panics).event(slow);
    let client = TestClient::with_clock(server, TestClock::auto());
    for (name, cause) in [("panics", "secret cause"), ("slow", "took too long")] {
        let error = client
            .request("events/poll", json!({ "name": name }))
            .wait()
            .unwrap_err();
        assert_eq!(error.code(), Some(-32603));
        assert!(!error.to_string().contains(cause), "{error}");
        let logged = client.audit().failures();
        assert!(
            logged.iter().any(|failure| failure.cause.contains(cause)),
            "{logged:?}"
        );
    }
}

#[test]
fn what_does_not_fit_its_schema_is_not_emitted() {
    let client = client();
    let begun = poll(&client, Value::Null, json!({}))["cursor"].clone();
    assert!(client.call("wrong", json!({})).wait().unwrap().is_error());
    assert_eq!(poll(&client, begun, json!({}))["events"], json!([]));
}

#[test]
fn a_subscriber_is_sent_what_it_chose_signed_and_once() {
    let receiver = taken();
    let client = hearing(&receiver);
    happens(&client, "P1", 0);
    let arguments = json!({"arguments": {"severity": "P1"}});
    let subscribed = subscribe(&client, arguments.clone()).unwrap();
    assert_eq!(subscribed["truncated"], false);
    assert_eq!(subscribed["deliveryStatus"]["active"], true);
    assert_eq!(subscribed["refreshBefore"], "2026-07-28T01:00:00.000Z");
    let id = subscribed["id"].as_str().unwrap().to_owned();
    // the address was asked first, with the id of the subscription
    let asked = &receiver.sent()[0];
    assert_eq!(header(asked, "x-mcp-subscription-id"), id);
    assert!(header(asked, "webhook-id").starts_with("msg_verification_") && asked.public_only);
    happens(&client, "P1", 1);
    happens(&client, "P2", 2);
    assert_eq!(client.run_events(), 4, "three events, one delivery");
    let sent = deliveries(&receiver);
    assert_eq!(sent.len(), 1);
    let (request, event) = (&sent[0], body(&sent[0]));
    assert_eq!(
        (request.url.as_str(), &event["data"]["number"]),
        (URL, &json!(1))
    );
    assert!(request.public_only && request.timeout <= Duration::from_secs(10));
    assert_eq!(
        header(request, "webhook-id"),
        event["eventId"].as_str().unwrap()
    );
    assert_eq!(header(request, "webhook-timestamp"), "1785196800");
    assert!(header(request, "webhook-signature").starts_with("v1,"));
    // with its cursor it goes on by itself
    let page = poll(&client, event["cursor"].clone(), arguments);
    assert_eq!(
        (numbers_of(&page["events"]), &page["truncated"]),
        (vec![], &json!(false))
    );
    // nothing in the store opens anything
    let kept = client.events().kept();
    assert!(!String::from_utf8_lossy(&kept[0]).contains(&SECRET[6..]));
}

#[test]
fn the_same_request_again_renews_and_rotates() {
    let receiver = taken();
    let client = hearing(&receiver);
    let first = subscribe(&client, json!({})).unwrap();
    client.time().advance(MINUTE);
    let rotated = json!({"delivery": {"url": URL, "secret": OTHER_SECRET}, "ttlMs": 120_000});
    let second = subscribe(&client, rotated).unwrap();
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["refreshBefore"], "2026-07-28T00:03:00.000Z");
    assert_eq!(client.events().subscriptions(), 1);
    assert_eq!(receiver.sent().len(), 1, "its address is not asked again");
    happens(&client, "P1", 1);
    client.run_events();
    let signature = header(&deliveries(&receiver)[0], "webhook-signature");
    assert_eq!(signature.split(' ').count(), 2, "{signature}");
    // expiry counts at the delivery
    happens(&client, "P1", 2);
    client.time().advance(3 * MINUTE);
    client.run_events();
    assert_eq!(deliveries(&receiver).len(), 1);
}

#[test]
fn the_time_that_is_granted_is_within_bounds() {
    let client = hearing(&taken());
    for (ttl, expires) in [
        (json!(null), "2026-07-29T00:00:00.000Z"),
        (json!(1), "2026-07-28T00:01:00.000Z"),
        (json!(90_000), "2026-07-28T00:01:30.000Z"),
        (json!(9_007_199_254_740_991_u64), "2026-07-29T00:00:00.000Z"),
    ] {
        let granted = subscribe(&client, json!({ "ttlMs": ttl })).unwrap();
        assert_eq!(granted["refreshBefore"], expires, "{ttl}");
    }
}

#[test]
fn a_delivery_that_fails_for_an_hour_arrives_once() {
    let clock = TestClock::manual();
    let (start_ms, since) = (clock.now_ms(), clock.clone());
    let receiver = receiver(move |_| match since.now_ms() - start_ms < 3_600_000 {
        true => Ok(TestHttp::json(503, "the reply is not shown to anybody")),
        false => Ok(TestHttp::json(200, "")),
    });
    let client = TestClient::with_clock(builder(), clock)
        .principal(caller("alice"))
        .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
    subscribe(&client, json!({"ttlMs": 8_000_000})).unwrap();
    happens(&client, "P1", 1);
    for _ in 0..180 {
        client.run_events();
        client.time().advance(MINUTE);
    }
    let sent = deliveries(&receiver);
    assert_eq!(
        sent.len(),
        6,
        "five attempts fail, the sixth is after an hour"
    );
    let ids: Vec<String> = sent.iter().map(|it| header(it, "webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let times: Vec<String> = sent
        .iter()
        .map(|it| header(it, "webhook-timestamp"))
        .collect();
    assert!(times.is_sorted() && times[0] != times[5], "{times:?}");
    assert!(client.events().due().is_empty() && client.events().given_up().is_empty());
    let outcomes: Vec<&str> = client
        .audit()
        .deliveries()
        .iter()
        .map(|it| it.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            "retried",
            "retried",
            "retried",
            "retried",
            "retried",
            "delivered"
        ]
    );
}

#[test]
fn what_never_arrives_is_given_up_and_what_is_refused_at_once() {
    for (answer, attempts) in [(503, 7), (404, 7), (301, 7), (410, 1), (413, 1)] {
        let receiver = receiver(move |_| Ok(TestHttp::json(answer, "")));
        let client = hearing(&receiver);
        subscribe(&client, json!({"ttlMs": null})).unwrap();
        happens(&client, "P1", 1);
        for _ in 0..300 {
            client.run_events();
            client.time().advance(MINUTE);
        }
        assert_eq!(deliveries(&receiver).len(), attempts, "{answer}");
        assert_eq!(client.events().given_up().len(), 1, "{answer}");
        // the subscription lives, and its owner reads how it goes
        let status = subscribe(&client, json!({})).unwrap()["deliveryStatus"].clone();
        let reason = if answer == 503 {
            "http_5xx"
        } else {
            "http_4xx"
        };
        assert_eq!(
            (&status["lastError"], &status["active"]),
            (&json!(reason), &json!(true))
        );
        assert!(status["failedSince"].is_string(), "{status}");
    }
}

#[test]
fn why_an_address_is_not_taken_says_nothing_of_the_network() {
    type Failing = fn() -> Result<HttpResponse, HttpError>;
    let failures: [(Failing, &str); 9] = [
        (
            || Err(HttpError::NotPublic("10.0.0.7 secret".into())),
            "connection_refused",
        ),
        (
            || Err(HttpError::Unreachable("secret".into())),
            "connection_refused",
        ),
        (|| Err(HttpError::Untrusted("secret".into())), "tls_error"),
        (|| Err(HttpError::TimedOut), "timeout"),
        (|| Ok(TestHttp::json(302, "")), "http_4xx"),
        (|| Ok(TestHttp::json(500, "secret")), "http_5xx"),
        (|| Ok(TestHttp::json(200, "secret")), "challenge_failed"),
        (
            || Ok(TestHttp::json(200, r#"{"challenge":"secret"}"#)),
            "challenge_failed",
        ),
        (
            || Ok(TestHttp::json(200, r#"{"challenge":7}"#)),
            "challenge_failed",
        ),
    ];
    for (answer, reason) in failures {
        let client =
            client().with_port::<dyn HttpClient>(Arc::new(TestHttp::new(move |_| answer())));
        let error = subscribe(&client, json!({})).unwrap_err();
        assert_eq!(error.code(), Some(-32015));
        let text = error.to_string();
        assert!(text.contains(reason) && !text.contains("secret"), "{text}");
        assert_eq!(client.events().subscriptions(), 0, "{reason}");
    }
}

#[test]
fn trusted_hosts_are_not_asked_and_may_be_inside() {
    let receiver = taken();
    let settings = WebhookSettings::default()
        .trusted_hosts(["hooks.example"])
        .id_profile(WebhookIdProfile::Message);
    let client =
        hearing(&receiver).map_platform(|platform| platform.with_webhook_settings(settings));
    subscribe(&client, json!({})).unwrap();
    assert!(receiver.sent().is_empty());
    happens(&client, "P1", 1);
    client.run_events();
    let sent = deliveries(&receiver);
    assert!(!sent[0].public_only && header(&sent[0], "webhook-id").starts_with("msg_"));
}

#[test]
fn what_was_missed_is_sent_from_a_cursor_on() {
    let receiver = taken();
    let client = hearing(&receiver);
    let cursor = poll(&client, Value::Null, json!({}))["cursor"].clone();
    for number in 0..150 {
        happens(&client, "P1", number);
    }
    client.run_events();
    let subscribed = subscribe(&client, json!({ "cursor": cursor })).unwrap();
    assert_eq!(subscribed["truncated"], false);
    happens(&client, "P1", 150);
    client.run_events();
    let sent = deliveries(&receiver);
    let mut numbers: Vec<u64> = sent
        .iter()
        .map(|it| body(it)["data"]["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=150).collect::<Vec<_>>());
    let foreign =
        json!({"cursor": "forged", "delivery": {"url": "https://b.example/", "secret": SECRET}});
    assert_eq!(subscribe(&client, foreign).unwrap()["truncated"], true);
}

#[test]
fn an_event_that_happens_while_the_address_is_asked_is_sent() {
    let shared: Arc<Mutex<Option<TestClient>>> = Arc::default();
    let inside = Arc::clone(&shared);
    let receiver = TestHttp::new(move |request| {
        let body = body(request);
        if body["type"] == "verification" {
            let client = inside.lock().unwrap().clone().unwrap();
            happens(&client, "P1", 1);
            client.run_events();
        }
        Ok(TestHttp::json(
            200,
            json!({"challenge": body["challenge"]}).to_string(),
        ))
    });
    let client = hearing(&receiver);
    *shared.lock().unwrap() = Some(client.clone());
    subscribe(&client, json!({})).unwrap();
    client.run_events();
    assert_eq!(deliveries(&receiver).len(), 1);
}

#[test]
fn who_may_not_hear_any_more_is_told_once() {
    let receiver = taken();
    let allowed = Arc::new(AtomicUsize::new(1));
    let asked = Arc::clone(&allowed);
    let event = Event::new("incident.created")
        .description("Something is broken.")
        .payload_schema(json!({}))
        .allow(move |_: &Principal, _: NoArguments| asked.load(Ordering::Relaxed) == 1);
    let client = TestClient::new(Server::builder("ops", "1.0.0").event(event))
        .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
    subscribe(&client, json!({})).unwrap();
    allowed.store(0, Ordering::Relaxed);
    for number in 0..2 {
        let event = EventOccurrence::new(format!("e{number}"), 0, &json!({}));
        block_on(
            client
                .server()
                .emit(client.platform(), "incident.created", event),
        )
        .unwrap();
        client.run_events();
    }
    let controls: Vec<Value> = receiver.sent().iter().map(body).collect();
    assert_eq!(controls.len(), 2, "{controls:?}");
    assert_eq!(controls[1]["type"], "terminated");
    assert_eq!(controls[1]["error"]["data"], json!({"reason": "revoked"}));
    assert_eq!(client.events().subscriptions(), 0);
}

#[test]
fn an_event_that_is_not_kept_any_more_is_a_gap() {
    let receiver = receiver(|_| Ok(TestHttp::json(503, "")));
    let short = Event::new("incident.created")
        .description("Something is broken.")
        .payload_schema(json!({}))
        .keep(EventRetention {
            max_age_ms: 5_000,
            max_events: 10,
        });
    let client = TestClient::new(Server::builder("ops", "1.0.0").event(short))
        .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
    subscribe(&client, json!({})).unwrap();
    let event = EventOccurrence::new("e1", 0, &json!({}));
    block_on(
        client
            .server()
            .emit(client.platform(), "incident.created", event),
    )
    .unwrap();
    client.run_events();
    client.time().advance(MINUTE);
    client.run_events();
    let sent: Vec<Value> = receiver.sent().iter().map(body).collect();
    let last = sent.last().unwrap();
    assert!(
        last["type"] == "gap" && last["cursor"].is_string(),
        "{last}"
    );
    assert_eq!(
        client.events().given_up(),
        ["the event is not kept any more"]
    );
}

#[test]
fn ten_thousand_subscribers_are_found_a_page_at_a_time() {
    const MANY: usize = 10_000;
    let receiver = taken();
    let settings = WebhookSettings::default()
        .trusted_hosts(["hooks.example"])
        .per_principal(MANY)
        .per_event(MANY);
    let client =
        hearing(&receiver).map_platform(|platform| platform.with_webhook_settings(settings));
    for number in 0..MANY {
        let url = format!("https://hooks.example/{number}");
        subscribe(&client, json!({"delivery": {"url": url, "secret": SECRET}})).unwrap();
    }
    let full = subscribe(&client, json!({})).unwrap_err();
    assert_eq!(full.code(), Some(-32013));
    happens(&client, "P1", 1);
    assert_eq!(
        client.run_events(),
        101 + MANY,
        "100 pages, an empty one, and each delivery"
    );
    let sent = deliveries(&receiver);
    let urls: std::collections::BTreeSet<_> = sent.iter().map(|it| it.url.clone()).collect();
    assert_eq!((sent.len(), urls.len()), (MANY, MANY));
}

#[test]
fn who_has_too_many_is_refused_before_its_address_is_asked() {
    let receiver = taken();
    let settings = WebhookSettings::default().per_principal(2);
    let client =
        hearing(&receiver).map_platform(|platform| platform.with_webhook_settings(settings));
    let at = |url: &str| subscribe(&client, json!({"delivery": {"url": url, "secret": SECRET}}));
    assert!(at("https://a.example/").is_ok() && at("https://b.example/").is_ok());
    let asked = receiver.sent().len();
    let error = at("https://c.example/").unwrap_err();
    assert_eq!(error.code(), Some(-32013));
    assert_eq!(receiver.sent().len(), asked);
    assert!(
        at("https://a.example/").is_ok(),
        "a renewal always has its place"
    );
    // another caller has its own
    let bob = client.clone().principal(caller("bob"));
    assert!(subscribe(&bob, json!({})).is_ok());
}

#[test]
fn unsubscribing_is_ones_own_and_may_be_repeated() {
    let client = hearing(&taken());
    subscribe(&client, json!({})).unwrap();
    let params = json!({"name": "incident.created", "delivery": {"mode": "webhook", "url": URL}});
    let ended = |client: &TestClient| client.request("events/unsubscribe", params.clone()).wait();
    let bob = client.clone().principal(caller("bob"));
    assert!(ended(&bob).is_ok());
    assert_eq!(
        client.events().subscriptions(),
        1,
        "bob's word does not end alice's"
    );
    for _ in 0..2 {
        assert_eq!(ended(&client).unwrap()["resultType"], "complete");
        assert_eq!(client.events().subscriptions(), 0);
    }
    let unknown = json!({"name": "no.such.event", "delivery": {"url": URL}});
    assert!(client.request("events/unsubscribe", unknown).wait().is_ok());
}

#[test]
fn a_store_that_is_down_is_a_sentence_and_loses_no_delivery() {
    let receiver = taken();
    let client = hearing(&receiver);
    subscribe(&client, json!({})).unwrap();
    happens(&client, "P1", 1);
    let events = client.events().clone();
    events.go_down();
    let params = json!({"name": "incident.created"});
    let error = client.request("events/poll", params).wait().unwrap_err();
    assert_eq!(error.code(), Some(-32603));
    assert!(error.to_string().contains("ask again"), "{error}");
    assert!(subscribe(&client, json!({})).is_err());
    let failed = client
        .call("break", json!({"severity": "P1", "number": 2}))
        .wait()
        .unwrap();
    assert!(
        failed.is_error() && !failed.text().contains("took it down"),
        "{}",
        failed.text()
    );
    events.come_back();
    client.run_events();
    assert_eq!(deliveries(&receiver).len(), 1);
}

/// One wrong request, as data.
#[derive(Deserialize)]
struct Refused {
    what: String,
    method: String,
    params: Value,
    #[serde(default)]
    caller: Option<String>,
    code: i32,
    says: String,
    #[serde(default)]
    data: Value,
}

#[test]
fn every_member_that_is_wrong_has_its_error() {
    let cases = include_str!("../../../../tests/fixtures/events/refused.json");
    let cases: Vec<Refused> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() > 50);
    let client = hearing(&taken()).map_platform(|platform| {
        platform.with_webhook_settings(WebhookSettings::default().trusted_hosts(["hooks.example"]))
    });
    for case in cases {
        let caller = match case.caller.as_deref() {
            Some("") => Principal::anonymous().with_scopes(Scopes::all()),
            Some("no scopes") => caller("carol").with_scopes(Scopes::none()),
            Some(name) => caller(name),
            None => caller("alice"),
        };
        // the numbers of both profiles, and the same words
        for declared in [false, true] {
            let mut client = client.clone().principal(caller.clone());
            if declared {
                let extension = json!({"extensions": {"io.modelcontextprotocol/events": {}}});
                client = client.capabilities(extension);
            }
            let answer = client.request(&case.method, case.params.clone()).wait();
            let error = answer.expect_err(&case.what);
            let provisional = (-32015..=-32011).contains(&case.code) && declared;
            let code = if provisional {
                case.code - 12
            } else {
                case.code
            };
            assert_eq!(error.code(), Some(code), "{}: {error}", case.what);
            let text = error.to_string();
            assert!(text.contains(&case.says), "{}: {text}", case.what);
            if !case.data.is_null() {
                let data = error.rpc().and_then(|error| error.data.clone());
                assert_eq!(data, Some(case.data.clone()), "{}", case.what);
            }
        }
    }
}

/// The frames of a stream that is held until the clock has moved on by itself to its end.
fn stream(client: &TestClient, params: &Value, before_end: impl Fn(usize)) -> Vec<Value> {
    let execution = with_call("events/stream", params, |call| {
        client
            .server()
            .reply(call.on_stream(true), client.platform())
    });
    let Execution::Running(mut running) = execution else {
        panic!("no stream")
    };
    let mut frames = Vec::new();
    block_on(async {
        while let Some(frame) = running.frame().await {
            let message = match frame {
                Frame::Notification(message) => message,
                Frame::Response(response) => response.message,
            };
            frames.push(serde_json::from_slice::<Value>(&message).unwrap());
            before_end(frames.len());
        }
    });
    frames
}

#[test]
fn a_stream_says_where_it_begins_what_happens_that_it_lives_and_that_it_ends() {
    let client = TestClient::with_clock(builder(), TestClock::auto());
    let frames = stream(&client, &json!({"name": "incident.created"}), |frame| {
        if frame == 1 {
            happens(&client, "P1", 7);
        }
    });
    let methods: Vec<&str> = frames
        .iter()
        .filter_map(|it| it["method"].as_str())
        .collect();
    assert_eq!(
        methods[..2],
        ["notifications/events/active", "notifications/events/event"]
    );
    assert_eq!(frames[0]["params"]["truncated"], false);
    let event = &frames[1]["params"];
    assert_eq!(
        (&event["data"]["number"], &event["name"]),
        (&json!(7), &json!("incident.created"))
    );
    // ten minutes without anything: a heartbeat after each 25 s, as the stream looks each 2 s
    let heartbeats = methods
        .iter()
        .filter(|it| **it == "notifications/events/heartbeat")
        .count();
    assert!((22..=24).contains(&heartbeats), "{heartbeats}");
    assert_eq!(methods.len(), 2 + heartbeats);
    let cursors = frames
        .iter()
        .filter(|it| it["params"]["cursor"].is_string())
        .count();
    assert_eq!(cursors, methods.len(), "each has a cursor");
    let id = |it: &Value, part: &str| {
        it[part]["_meta"]["io.modelcontextprotocol/subscriptionId"].clone()
    };
    assert!(
        frames[..frames.len() - 1]
            .iter()
            .all(|it| id(it, "params") == 1)
    );
    let end = frames.last().unwrap();
    assert_eq!(
        (&end["id"], &end["result"]["resultType"]),
        (&json!(1), &json!("complete"))
    );
    assert_eq!(id(end, "result"), 1);
    // one goes on where it was
    let cursor = frames[0]["params"]["cursor"].clone();
    let again = stream(
        &client,
        &json!({"name": "incident.created", "cursor": cursor}),
        |_| {},
    );
    assert_eq!(again[1]["params"]["data"]["number"], 7);
    let forged = json!({"name": "incident.created", "cursor": "forged"});
    assert_eq!(
        stream(&client, &forged, |_| {})[0]["params"]["truncated"],
        true
    );
}

#[test]
fn a_stream_outlives_an_outage_and_ends_with_the_permission() {
    let allowed = Arc::new(AtomicUsize::new(1));
    let asked = Arc::clone(&allowed);
    let event = Event::new("incident.created")
        .description("Something is broken.")
        .payload_schema(json!({}))
        .allow(move |_: &Principal, _: NoArguments| asked.load(Ordering::Relaxed) == 1);
    let server = Server::builder("ops", "1.0.0").event(event);
    let client = TestClient::with_clock(server, TestClock::auto());
    let events = client.events().clone();
    let frames = stream(
        &client,
        &json!({"name": "incident.created"}),
        |frame| match frame {
            1 => events.go_down(),
            2 => events.come_back(),
            3 => allowed.store(0, Ordering::Relaxed),
            _ => {}
        },
    );
    let methods: Vec<&str> = frames
        .iter()
        .filter_map(|it| it["method"].as_str())
        .collect();
    let kinds: Vec<&str> = methods
        .iter()
        .map(|it| it.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(kinds, ["active", "error", "heartbeat", "terminated"]);
    assert_eq!(frames[1]["params"]["error"]["code"], -32603);
    assert_eq!(
        frames[3]["params"]["error"]["data"],
        json!({"reason": "revoked"})
    );
    assert_eq!(frames[4]["result"]["resultType"], "complete");
}
