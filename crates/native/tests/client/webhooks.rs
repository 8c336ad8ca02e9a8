//! Events on their way to real receivers: through this crate's client, runner and stores in memory. The
//! clock is the test's; what a receiver does wrong, it does over TLS on loopback.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_core::event::{Event, EventOccurrence};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::EventJobRun;
use mcpfn_core::policy::WebhookSettings;
use mcpfn_core::port::{EventJobEnd, EventJobs as _, EventPorts, HttpClient};
use mcpfn_core::{Principal, PrincipalKind, Scopes, Server};
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{Client, EventRuns, Resolve};
use mcpfn_testing::{ClientError, TestClient};
use serde_json::{Value, json};

use super::server::{self, RpcResponse};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with one event, and all that sends it.
struct House {
    client: TestClient,
    stores: Arc<MemoryStores>,
}

impl House {
    /// `trusted` may be asked though it is on loopback; `root` signed its certificate.
    fn new(trusted: &[String], root: &[u8], resolver: Option<Arc<dyn Resolve>>) -> Self {
        let event = Event::new("door.opened").description("A door was opened.");
        let server = Server::builder("house", "1.0.0").event(event.payload_schema(json!({})));
        let stores = Arc::new(MemoryStores::default());
        let runs = EventRuns::default().over(stores.clone());
        let ports =
            EventPorts::new(stores.clone()).webhooks(stores.clone(), Arc::new(runs.clone()));
        let mut http = Client::new().with_root(root).unwrap();
        if let Some(resolver) = resolver {
            http = http.with_resolver(resolver);
        }
        let settings = WebhookSettings::default()
            .trusted_hosts(trusted)
            .timeout(Duration::from_millis(500));
        let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
        let client = TestClient::new(server)
            .principal(alice)
            .with_port::<dyn HttpClient>(Arc::new(http))
            .map_platform(|platform| platform.with_events(ports).with_webhook_settings(settings));
        runs.serve(client.server(), client.platform());
        Self { client, stores }
    }

    async fn subscribe(&self, url: &str) -> Result<Value, ClientError> {
        let delivery = json!({"mode": "webhook", "url": url, "secret": SECRET});
        let params = json!({"name": "door.opened", "delivery": delivery, "ttlMs": null});
        self.client.request("events/subscribe", params).await
    }

    async fn open_door(&self, number: u64) {
        let (server, platform) = (self.client.server(), self.client.platform());
        let now_ms = self.client.time().now_ms();
        let event = EventOccurrence::new(format!("door-{number}"), now_ms, &json!({"n": number}));
        server.emit(platform, "door.opened", event).await.unwrap();
    }

    /// Waits until so many attempts were made.
    async fn attempts(&self, many: usize) -> Vec<(&'static str, String)> {
        let made = async {
            loop {
                let made = self.client.audit().deliveries();
                if made.len() >= many {
                    return made;
                }
                tokio::task::yield_now().await;
            }
        };
        let made = tokio::time::timeout(PATIENCE, made)
            .await
            .expect("attempts");
        made.into_iter().map(|it| (it.outcome, it.reason)).collect()
    }
}

fn host(server: &server::Server) -> String {
    format!("localhost:{}", server.port())
}

fn deliveries(server: &server::Server) -> usize {
    let requests = server.requests();
    requests
        .iter()
        .filter(|it| it.contains("\"eventId\""))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_misbehaves_is_tried_again_and_nothing_waits_for_it() {
    let elsewhere = server::Server::start(RpcResponse::new(200).body("")).await;
    let redirect = RpcResponse::new(307)
        .header("location", &elsewhere.url("/"))
        .body("");
    for (answer, reason) in [
        (RpcResponse::new(503).body("x"), "http_5xx"),
        (redirect, "http_4xx"),
        (RpcResponse::silent(), "timeout"),
        (RpcResponse::new(200).dripping(), "timeout"),
        (RpcResponse::bytes("nonsense\r\n\r\n"), "connection_refused"),
    ] {
        let (bad, root) = server::Server::tls("localhost", answer).await;
        let house = House::new(&[host(&bad)], &root, None);
        let url = format!("https://{}/hook?session=7", host(&bad));
        house.subscribe(&url).await.unwrap();
        house.open_door(1).await;
        assert_eq!(house.attempts(1).await, [("retried", reason.to_owned())]);
        let queue = house.client.server().event_queue();
        let now_ms = house.client.time().now_ms();
        let due_ms = loop {
            // its end is written after it was told
            let due_ms = house
                .stores
                .next_due(&queue, now_ms)
                .await
                .unwrap()
                .unwrap();
            if due_ms < now_ms + 59_000 {
                break due_ms;
            }
            tokio::task::yield_now().await;
        };
        assert!((10_000..=11_000).contains(&(due_ms - now_ms)), "{reason}");
    }
    assert_eq!(elsewhere.requests().len(), 0, "redirects are not followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_answer_counts_as_soon_as_enough_of_it_was_read() {
    let (endless, root) = server::Server::tls("localhost", RpcResponse::new(200).endless()).await;
    let house = House::new(&[host(&endless)], &root, None);
    house
        .subscribe(&format!("https://{}/", host(&endless)))
        .await
        .unwrap();
    house.open_door(1).await;
    assert_eq!(house.attempts(1).await, [("delivered", String::new())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_fails_for_hours_arrives_once_when_its_receiver_is_back() {
    let (down, root) = server::Server::tls("localhost", RpcResponse::new(503).body("")).await;
    let house = House::new(&[host(&down)], &root, None);
    house
        .subscribe(&format!("https://{}/", host(&down)))
        .await
        .unwrap();
    house.open_door(1).await;
    for attempt in 1..=5 {
        house.attempts(attempt).await;
        house.client.time().advance(Duration::from_secs(3600));
    }
    down.becomes(RpcResponse::new(200).body(""));
    let outcomes = house.attempts(6).await;
    assert_eq!((outcomes[5].0, outcomes.len()), ("delivered", 6));
    // nothing follows
    house.client.time().advance(Duration::from_secs(3600));
    house.open_door(2).await;
    house.attempts(7).await;
    let bodies = down.requests();
    let of_first = bodies.iter().filter(|it| it.contains("\"door-1\"")).count();
    assert_eq!((of_first, deliveries(&down)), (6, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_signed_is_no_receiver() {
    let (stranger, _) = server::Server::tls("localhost", RpcResponse::new(200).body("")).await;
    let (_, root) = server::Server::tls("localhost", RpcResponse::new(200).body("")).await;
    let house = House::new(&[host(&stranger)], &root, None);
    house
        .subscribe(&format!("https://{}/", host(&stranger)))
        .await
        .unwrap();
    house.open_door(1).await;
    assert_eq!(
        house.attempts(1).await,
        [("retried", "tls_error".to_owned())]
    );
    assert_eq!(stranger.requests().len(), 0);
}

/// A name that is of the internet when it is asked first, and inside the own network from then on.
struct Rebinding {
    asked: AtomicUsize,
    names: Mutex<Vec<String>>,
}

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.names.lock().unwrap().push(name.to_owned());
        let inside = self.asked.fetch_add(1, Ordering::Relaxed) > 0;
        let address = match inside {
            // where nobody answers
            false => IpAddr::from([192, 0, 1, 7]),
            true => IpAddr::from([127, 0, 0, 1]),
        };
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_moves_into_the_own_network_is_never_connected_to() {
    let (inside, root) = server::Server::tls("localhost", RpcResponse::new(200).body("")).await;
    let url = format!("https://{}/", host(&inside));
    let names = Arc::new(Rebinding {
        asked: AtomicUsize::new(0),
        names: Mutex::default(),
    });
    let house = House::new(&[], &root, Some(names.clone()));
    // at first it is of the internet, and does not answer there; then it has moved
    for _ in 0..2 {
        let error = house.subscribe(&url).await.unwrap_err();
        assert_eq!(error.code(), Some(-32015), "{error}");
    }
    assert_eq!(
        names.asked.load(Ordering::Relaxed),
        2,
        "asked at each attempt"
    );
    // an address that was fine when it subscribed, and nobody vouches for any more
    let stores = Arc::new(MemoryStores::default());
    let with = |settings| {
        let ports = EventPorts::new(stores.clone()).webhooks(stores.clone(), stores.clone());
        let house = House::new(&[], &root, None);
        let client = house.client;
        client.map_platform(|platform| platform.with_events(ports).with_webhook_settings(settings))
    };
    let vouched = with(WebhookSettings::default().trusted_hosts([host(&inside)]));
    let delivery = json!({"mode": "webhook", "url": url, "secret": SECRET});
    let params = json!({"name": "door.opened", "delivery": delivery});
    vouched.request("events/subscribe", params).await.unwrap();
    let client = with(WebhookSettings::default());
    let (server, platform) = (client.server(), client.platform());
    let event = EventOccurrence::new("door-2", 0, &json!({}));
    server.emit(platform, "door.opened", event).await.unwrap();
    let (queue, now_ms) = (server.event_queue(), client.time().now_ms());
    // who subscribed is found, and is not sent it
    for _ in 0..2 {
        for taken in stores.take(&queue, now_ms, now_ms + 1, 10).await.unwrap() {
            let run = server.run_event_job(taken.job.body.clone(), platform).await;
            let end = match run {
                EventJobRun::Again { body, at_ms } => EventJobEnd::Again(body, at_ms),
                _ => EventJobEnd::Done,
            };
            stores.finish(&queue, &taken, end, now_ms).await.unwrap();
        }
    }
    let made = client.audit().deliveries();
    assert_eq!(
        (made.len(), made[0].reason.as_str()),
        (1, "connection_refused")
    );
    assert_eq!(inside.connections(), 0, "nothing was connected to");
}
