//! Subscriptions on their way: what happens while their address is asked, and while the queue or another
//! request comes between. Nothing of it is lost, and nothing of another request is undone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_core::event::Event;
use mcpfn_core::host::EventJobRun;
use mcpfn_core::port::HttpClient;
use mcpfn_core::{Cx, JsonSchema, Principal, PrincipalKind, Scopes, Server, Tool};
use mcpfn_testing::{ClientError, TestClient, TestHttp, block_on};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Rang {
    number: u64,
}

/// What happens while an address is asked, and whether it agrees then.
type Meanwhile = Box<dyn FnOnce(&TestClient) -> bool + Send>;

struct Bell {
    client: TestClient,
    receiver: TestHttp,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl Bell {
    fn new() -> Self {
        let meanwhile: Arc<Mutex<Option<Meanwhile>>> = Arc::default();
        let alone: Arc<Mutex<Option<TestClient>>> = Arc::default();
        let (happens, client) = (Arc::clone(&meanwhile), Arc::clone(&alone));
        let receiver = TestHttp::new(move |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let first = happens.lock().unwrap().take();
            let agrees = match (first, body["type"].as_str()) {
                (Some(first), Some("verification")) => {
                    let client = client.lock().unwrap().clone().unwrap();
                    first(&client)
                }
                _ => true,
            };
            let challenge = if agrees {
                &body["challenge"]
            } else {
                &Value::Null
            };
            Ok(TestHttp::json(
                200,
                json!({ "challenge": challenge }).to_string(),
            ))
        });
        let event = Event::new("bell.rang").description("Somebody rang.");
        let ring =
            Tool::new("ring")
                .description("Rings.")
                .handler(|rang: Rang, cx: Cx| async move {
                    let id = format!("bell-{}", rang.number);
                    cx.emit_as(id, "bell.rang", &rang).await
                });
        let server = Server::builder("door", "1.0.0")
            .event(event.payload::<Rang>())
            .tool(ring);
        let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
        let client = TestClient::new(server)
            .principal(alice)
            .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
        *alone.lock().unwrap() = Some(client.clone());
        Self {
            client,
            receiver,
            meanwhile,
        }
    }

    /// Once, while an address is asked the next time. Gives whether it agrees.
    fn meanwhile(&self, happens: impl FnOnce(&TestClient) -> bool + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happens));
    }

    fn cursor(&self) -> Value {
        let poll = self
            .client
            .request("events/poll", json!({"name": "bell.rang"}));
        poll.wait().unwrap()["cursor"].take()
    }

    /// What arrived, each as often as it did, in order.
    fn arrived(&self) -> Vec<String> {
        self.client.run_events();
        let sent = self.receiver.sent().into_iter();
        let bodies = sent.map(|it| serde_json::from_slice::<Value>(&it.body).unwrap());
        let mut ids: Vec<String> = bodies
            .filter_map(|body| body["eventId"].as_str().map(str::to_owned))
            .collect();
        ids.sort_unstable();
        ids
    }
}

fn subscribe(client: &TestClient, cursor: &Value) -> Result<Value, ClientError> {
    let delivery = json!({
        "mode": "webhook", "url": "https://hooks.example/1",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    });
    let params = json!({"name": "bell.rang", "delivery": delivery, "cursor": cursor});
    client.request("events/subscribe", params).wait()
}

fn ring(client: &TestClient, number: u64) {
    let rung = client.call("ring", json!({ "number": number })).wait();
    assert!(!rung.unwrap().is_error(), "{number}");
}

#[test]
fn what_was_missed_comes_although_the_queue_refused_it_once() {
    let bell = Bell::new();
    let cursor = bell.cursor();
    for number in 1..=2 {
        ring(&bell.client, number);
    }
    let events = bell.client.events();
    events.refuse_work(true);
    subscribe(&bell.client, &cursor).unwrap_err();
    events.refuse_work(false);
    assert_eq!(
        subscribe(&bell.client, &cursor).unwrap()["truncated"],
        false
    );
    assert_eq!(bell.arrived(), ["bell-1", "bell-2"]);
}

#[test]
fn what_happens_while_the_address_is_asked_comes() {
    for refuses in [false, true] {
        let bell = Bell::new();
        let cursor = bell.cursor();
        bell.meanwhile(move |client| {
            ring(client, 1);
            client.events().refuse_work(refuses);
            true
        });
        let subscribed = subscribe(&bell.client, &cursor);
        assert_eq!(subscribed.is_err(), refuses, "{subscribed:?}");
        if refuses {
            bell.client.events().refuse_work(false);
            subscribe(&bell.client, &cursor).unwrap();
        }
        assert_eq!(bell.arrived(), ["bell-1"], "{refuses}");
        ring(&bell.client, 2);
        assert_eq!(bell.arrived(), ["bell-1", "bell-2"], "{refuses}");
    }
}

/// The queue may be quicker than the store: what is ordered for a subscription comes before it counts.
#[test]
fn work_for_a_subscription_that_does_not_count_yet_waits_for_it() {
    // whose id is the same at each server of this name
    let id = subscribe(&Bell::new().client, &Value::Null).unwrap()["id"].take();
    let bell = Bell::new();
    let work = json!({"do": "catch_up", "event": "bell.rang", "subscription": id, "after": 0});
    let work = move |client: &TestClient| {
        let work = work.to_string().into();
        block_on(client.server().run_event_job(work, client.platform()))
    };
    assert_eq!(work(&bell.client), EventJobRun::Done, "there is none");
    let (said, early) = (Arc::new(Mutex::new(None)), work.clone());
    let says = Arc::clone(&said);
    bell.meanwhile(move |client| {
        ring(client, 1);
        *says.lock().unwrap() = Some(early(client));
        true
    });
    subscribe(&bell.client, &Value::Null).unwrap();
    let said = said.lock().unwrap().take();
    assert!(matches!(said, Some(EventJobRun::Again { .. })), "{said:?}");
    assert_eq!(work(&bell.client), EventJobRun::Done);
    let mut arrived = bell.arrived();
    // once for each of both orders, under one id
    arrived.dedup();
    assert_eq!(arrived, ["bell-1"]);
}

/// A client that waits no longer asks again: whichever of both is answered, it has its subscription.
#[test]
fn the_same_request_twice_at_a_time_is_one_subscription() {
    for agrees in [true, false] {
        let bell = Bell::new();
        bell.meanwhile(move |client| {
            subscribe(client, &Value::Null).unwrap();
            ring(client, 1);
            agrees
        });
        let first = subscribe(&bell.client, &Value::Null);
        assert_eq!(first.is_ok(), agrees, "{first:?}");
        assert_eq!(bell.client.events().subscriptions(), 1, "{agrees}");
        // it lasts as long as was granted, not the minute of one that is asked
        bell.client.time().advance(Duration::from_secs(120));
        ring(&bell.client, 2);
        let arrived = bell.arrived();
        for id in ["bell-1", "bell-2"] {
            assert!(arrived.iter().any(|it| it == id), "{agrees}: {arrived:?}");
        }
    }
}
