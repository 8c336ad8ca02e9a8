//! Events from what happens to who waits: by asking, on a stream, and at an address, in which the
//! queue's messages come twice, late, wrong or not at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::socket::{encode, send};
use crate::{Host as _, Request, Worker};

/// Longest wait for something to arrive.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(50);
const KEY: (&str, &str) = ("x-api-key", "robot-key");
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a server with events answers to a client that may ask.
fn asked(server: &str, method: &str, params: Value) -> Value {
    let mut request = Request::modern(method, params.clone()).header(KEY.0, KEY.1);
    if let Some(name) = params["name"].as_str().filter(|_| method == "tools/call") {
        request = request.header("mcp-name", name);
    }
    Worker::named(server).send(&request).json()
}

fn result(server: &str, method: &str, params: Value) -> Value {
    let mut answer = asked(server, method, params);
    match answer.get_mut("result") {
        Some(result) => result.take(),
        None => panic!("{method}: {answer}"),
    }
}

fn subscribed(server: &str, to: &str) -> Value {
    subscribed_to("thing.happened", server, to)
}

fn subscribed_to(name: &str, server: &str, to: &str) -> Value {
    let delivery =
        json!({"mode": "webhook", "url": format!("https://hooks.example{to}"), "secret": SECRET});
    // a day: under a fast clock an hour is over soon
    let params = json!({"name": name, "delivery": delivery, "ttlMs": 86_400_000});
    result(server, "events/subscribe", params)
}

/// Something happens; gives the event's id.
fn happened(server: &str, what: &str) -> String {
    let call = json!({"name": "happen", "arguments": {"what": what}});
    let said = result(server, "tools/call", call);
    let id = said["content"][0]["text"].as_str();
    id.unwrap_or_else(|| panic!("no id: {said}")).to_owned()
}

/// A page of a script's own port.
fn page(service: &str, path: &str, body: Option<Value>) -> Value {
    let mut request = Request::post(body.map_or_else(String::new, |body| body.to_string()));
    request.path = path.to_owned();
    let Worker(address) = Worker::named(service);
    send(address, &request).json()
}

/// What a receiver got of one event.
fn got(to: &str, id: &str) -> Vec<Value> {
    let sent = page("receiver", &format!("/sent?to={to}"), None);
    let sent = sent.as_array().cloned().unwrap_or_default();
    sent.into_iter().filter(|sent| sent["id"] == id).collect()
}

/// What it got, once it is as wanted.
fn arrived(to: &str, id: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let sent = got(to, id);
        if wanted(&sent) {
            return sent;
        }
        assert!(start.elapsed() < PATIENCE, "{to}: {sent:?}");
        std::thread::sleep(BETWEEN);
    }
}

/// What the queue has of work with this in it, once it is as wanted.
fn queued(broker: &str, of: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let queue = page(broker, "/messages", None);
        let messages = queue["messages"].as_array().cloned().unwrap_or_default();
        let has = |message: &Value| {
            message["body"]
                .as_str()
                .is_some_and(|body| body.contains(of))
        };
        let found: Vec<Value> = messages.into_iter().filter(has).collect();
        if wanted(&found) {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{of}: {found:?}");
        std::thread::sleep(BETWEEN);
    }
}

fn ends_well(sent: &[Value]) -> bool {
    sent.last().is_some_and(|last| last["status"] == 200)
}

#[test]
fn events_are_listed_with_what_is_bound() {
    let delivery = |server: &str, key: bool| {
        let mut request = Request::modern("events/list", json!({}));
        if key {
            request = request.header(KEY.0, KEY.1);
        }
        let answer = Worker::named(server).send(&request).json();
        answer["result"]["events"][0]["delivery"].clone()
    };
    assert_eq!(
        delivery("evented", true),
        json!(["poll", "push", "webhook"])
    );
    assert_eq!(delivery("events", false), json!(["poll", "push"]));
}

#[test]
fn what_happens_is_asked_for_and_sent() {
    let begun = result("evented", "events/poll", json!({"name": "thing.happened"}));
    let subscription = subscribed("evented", "/ok/first");
    let id = happened("evented", "it");
    let sent = arrived("/ok/first", &id, ends_well);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["body"]["data"], json!({"what": "it"}));
    assert_eq!(sent[0]["signed"], true);
    let poll = json!({"name": "thing.happened", "cursor": begun["cursor"]});
    let polled = result("evented", "events/poll", poll);
    let events = polled["events"].as_array().expect("events").clone();
    assert!(
        events.iter().any(|event| event["eventId"] == *id),
        "{polled}"
    );
    let delivery = json!({"url": "https://hooks.example/ok/first"});
    let stop = json!({"name": "thing.happened", "id": subscription["id"], "delivery": delivery});
    result("evented", "events/unsubscribe", stop);
    let later = happened("evented", "more");
    subscribed("evented", "/ok/second");
    let last = happened("evented", "the last");
    arrived("/ok/second", &last, ends_well);
    assert_eq!(
        got("/ok/first", &later).len(),
        0,
        "it does not listen any more"
    );
}

#[test]
fn a_message_that_comes_twice_is_the_same_event() {
    subscribed("evented", "/ok/twice");
    page("broker", "/twice", None);
    page("broker", "/twice", None);
    let id = happened("evented", "twice");
    // the fan-out or the delivery: either way the receiver knows it by its id
    arrived("/ok/twice", &id, |sent| !sent.is_empty() && ends_well(sent));
}

#[test]
fn a_receiver_that_fails_for_an_hour_gets_it_once_in_the_end() {
    // 720 times as fast: five seconds are an hour
    subscribed("fast", "/down/5");
    let id = happened("fast", "an hour");
    let sent = arrived("/down/5", &id, ends_well);
    let taken = sent.iter().filter(|sent| sent["status"] == 200).count();
    assert_eq!(
        (sent.len(), taken),
        (6, 1),
        "at 0, 10 s, 70 s, 6, 21 and 66 minutes: {sent:?}"
    );
    queued("fast-broker", &id, <[Value]>::is_empty);
    assert_eq!(got("/down/5", &id).len(), 6, "and not again");
}

#[test]
fn a_receiver_that_is_gone_is_given_up_with_the_reason() {
    let subscription = subscribed("evented", "/gone");
    let id = happened("evented", "gone");
    arrived("/gone", &id, |sent| sent.len() == 1);
    let of = subscription["id"].as_str().expect("an id").to_owned();
    let dead = queued("broker", &of, |found| {
        found.iter().any(|one| one["dead"] == 1.0)
    });
    let body = dead[0]["body"].as_str().unwrap_or_default();
    assert!(
        body.contains("1 attempts failed, the last with http_4xx"),
        "{body}"
    );
    assert!(!body.contains("whsec_"), "{body}");
}

#[test]
fn redirects_are_not_followed_and_addresses_that_do_not_agree_get_nothing() {
    subscribed("evented", "/moved");
    let id = happened("evented", "moved");
    arrived("/moved", &id, |sent| sent.len() == 1);
    assert_eq!(got("/ok", &id).len(), 0);
    for (url, word) in [
        ("https://hooks.example/mute", "challenge_failed"),
        ("https://127.0.0.1/ok", "connection_refused"),
        ("https://localhost/ok", "connection_refused"),
        ("http://hooks.example/ok", "https"),
    ] {
        let delivery = json!({"mode": "webhook", "url": url, "secret": SECRET});
        let params = json!({"name": "thing.happened", "delivery": delivery});
        let answer = asked("evented", "events/subscribe", params);
        assert!(
            answer["error"].to_string().contains(word),
            "{url}: {answer}"
        );
    }
}

#[test]
fn messages_of_others_and_schedules_are_for_the_program() {
    let begun = result("evented", "events/poll", json!({"name": "thing.happened"}));
    page("broker", "/put", Some(json!({"from": "a bucket"})));
    page("broker", "/put", Some(json!({"fail": true})));
    let ran = page("broker", "/run", None);
    assert_eq!(ran["outcome"], "ok", "{ran}");
    let start = Instant::now();
    let wanted = [
        json!({"said": {"from": "a bucket"}, "attempts": 1}),
        json!({"cron": "*/5 * * * *"}),
    ];
    loop {
        let poll = json!({"name": "thing.happened", "cursor": begun["cursor"]});
        let polled = result("evented", "events/poll", poll);
        let events = polled["events"].as_array().cloned().unwrap_or_default();
        let told = |data: &Value| events.iter().any(|event| event["data"] == *data);
        if wanted.iter().all(told) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{polled}");
        std::thread::sleep(BETWEEN);
    }
    // what failed comes again in ten seconds
    queued("broker", "\"fail\"", |found| {
        found.iter().any(|one| one["attempts"] == 1.0)
    });
}

#[test]
fn what_a_function_knows_is_read_by_a_schedule_for_its_subscribers() {
    subscribed_to("tide.turned", "evented", "/ok/tides");
    let start = Instant::now();
    while page("receiver", "/sent?to=/ok/tides", None) == json!([]) {
        let ran = page("broker", "/run", None);
        assert_eq!(ran["outcome"], "ok", "{ran}");
        assert!(start.elapsed() < PATIENCE, "nothing came");
        std::thread::sleep(BETWEEN);
    }
}

#[test]
fn wrong_messages_are_given_up_and_no_other_waits_for_them() {
    for (wrong, reason) in [
        (
            "{\"mcpfn\":\"event\",\"due\":\"wrong-1\"}",
            "another version",
        ),
        (
            "{\"mcpfn\":\"event\",\"due\":0,\"queue\":\"wrong-2\",\"work\":\"{}\"}",
            "another name",
        ),
    ] {
        page("broker", "/put", Some(Value::String(wrong.to_owned())));
        let of = &wrong[wrong.find("wrong-").expect("a mark")..][..7];
        let dead = queued("broker", of, |found| {
            found.iter().any(|one| one["dead"] == 1.0)
        });
        let bodies = Value::Array(dead).to_string();
        assert!(bodies.contains(reason), "{bodies}");
    }
}

#[test]
fn a_stream_tells_what_happens() {
    let params = json!({"name": "thing.happened"});
    let request = Request::modern("events/stream", params).header(KEY.0, KEY.1);
    let Worker(address) = Worker::named("evented");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(address, &request)).unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    let mut until = |wanted: &str| {
        while !heard.contains(wanted) {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the stream ended: {heard}");
            heard += &String::from_utf8_lossy(&buffer[..read]);
        }
    };
    until("notifications/events/active");
    let id = happened("evented", "streamed");
    // it looks every ten seconds
    until(&id);
}
