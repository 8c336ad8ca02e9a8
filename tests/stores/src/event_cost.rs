//! What an event costs on Lambda, step by step: requests to the table and its units, played with
//! DynamoDB's rules, and requests to SQS. Times are not measured: the network is most of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcpfn_core::event::{Event, EventOccurrence};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::EventJobRun;
use mcpfn_core::policy::WebhookSettings;
use mcpfn_core::port::{EventJob, EventPorts, EventQueue, HttpClient, StoreError};
use mcpfn_core::{Principal, PrincipalKind, Scopes, Server};
use mcpfn_lambda::dynamodb;
use mcpfn_testing::{TestClient, TestClock, TestHttp};
use serde_json::{Value, json};

use crate::fake::{Costs, Fake};
use crate::task_cost::{READ_UNITS, WRITE_UNITS};

/// What a million requests to SQS cost, in US dollars: us-east-1, November 2025.
const SQS: f64 = 0.40;
/// Messages of one request.
const BATCH: usize = 10;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A queue that is looked into, and whose requests are counted.
#[derive(Default)]
struct CountedQueue(Mutex<(Vec<Bytes>, usize)>);

impl CountedQueue {
    // held for a few instructions and never across a wait
    fn state(&self) -> MutexGuard<'_, (Vec<Bytes>, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventQueue for CountedQueue {
    fn put<'a>(
        &'a self,
        _: &'a str,
        jobs: Vec<EventJob>,
        _: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut state = self.state();
        state.1 += jobs.len().div_ceil(BATCH);
        state.0.extend(jobs.into_iter().map(|job| job.body));
        Box::pin(async { Ok(()) })
    }
}

/// A server with subscribers, over a table that is played.
struct Measured {
    client: TestClient,
    fake: Fake,
    queue: Arc<CountedQueue>,
    subscribers: usize,
}

impl Measured {
    async fn start(subscribers: usize) -> Self {
        let (fake, queue) = (Fake::default(), Arc::new(CountedQueue::default()));
        let stores = Arc::new(dynamodb::Stores::over(Fake::table(), fake.clone()));
        let ports = EventPorts::new(stores.clone()).webhooks(stores, queue.clone());
        let settings = WebhookSettings::default().trusted_hosts(["hooks.example"]);
        let event = Event::new("order.created").description("Somebody ordered something.");
        let event = event.payload_schema(json!({}));
        let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
        let receiver = TestHttp::new(|_| Ok(TestHttp::json(200, "")));
        let server = Server::builder("costs", "1.0.0").event(event);
        let client = TestClient::with_clock(server, TestClock::manual())
            .principal(alice)
            .with_port::<dyn HttpClient>(Arc::new(receiver))
            .map_platform(|platform| platform.with_events(ports).with_webhook_settings(settings));
        // stores tell by it what has expired
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        client.time().set_ms(u64::try_from(now).unwrap_or_default());
        let measured = Self {
            client,
            fake,
            queue,
            subscribers,
        };
        // all but the last, which is a step
        for number in 1..subscribers {
            measured.subscribe(number).await;
        }
        measured
    }

    async fn subscribe(&self, number: usize) {
        let url = format!("https://hooks.example/{number}");
        let delivery = json!({"mode": "webhook", "url": url, "secret": SECRET});
        let params = json!({"name": "order.created", "delivery": delivery, "ttlMs": 3_600_000});
        let subscribed = self.client.request("events/subscribe", params).await;
        subscribed.expect("a subscription");
    }

    async fn poll(&self, cursor: &Value) -> Value {
        let mut params = json!({"name": "order.created"});
        if !cursor.is_null() {
            params["cursor"] = cursor.clone();
        }
        let polled = self.client.request("events/poll", params).await;
        polled.expect("a page")
    }

    async fn emit(&self) {
        let (server, platform) = (self.client.server(), self.client.platform());
        let order = json!({"id": "order-12345", "cents": 4900, "customer": "c-778",
            "items": [{"sku": "DESK-01", "quantity": 1}, {"sku": "LAMP-03", "quantity": 2}]});
        let order = EventOccurrence::new("order-12345", platform.now_ms(), &order);
        let emitted = server.emit(platform, "order.created", order).await;
        emitted.expect("a place for it");
    }

    /// Does the work that waits, and says how much that was.
    async fn work(&self) -> usize {
        let waiting = std::mem::take(&mut self.queue.state().0);
        let taken = waiting.len();
        for work in waiting {
            let (server, platform) = (self.client.server(), self.client.platform());
            match server.run_event_job(work, platform).await {
                EventJobRun::Done => {}
                EventJobRun::Again { body, .. } => {
                    let mut state = self.queue.state();
                    state.0.push(body);
                    state.1 += 1;
                }
                end => panic!("{end:?}"),
            }
        }
        taken
    }

    /// Requests and units so far.
    fn costs(&self) -> (Costs, usize) {
        (self.fake.costs(), self.queue.state().1)
    }

    /// A row of what was asked since then. `taken` messages were received and deleted.
    fn row(&self, step: &str, before: (Costs, usize), taken: usize) {
        let (costs, sent) = self.costs();
        let (reads, writes) = (costs.reads - before.0.reads, costs.writes - before.0.writes);
        let asked = sent - before.1 + 2 * taken.div_ceil(BATCH);
        let table = reads * READ_UNITS + writes * WRITE_UNITS;
        println!(
            "| {} | {step} | {} | {reads:.1} | {writes:.1} | {asked} | {:.2} |",
            self.subscribers,
            costs.requests - before.0.requests,
            table + asked as f64 * SQS
        );
    }
}

/// Prints a row for each step, with one subscriber and with a hundred.
pub async fn print() {
    println!(
        "| subscribers | step | requests to the table | read units | write units | requests to SQS | USD per million |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|");
    for subscribers in [1, 100] {
        let measured = Measured::start(subscribers).await;
        let begins = measured.poll(&Value::Null).await;
        let before = measured.costs();
        measured.subscribe(subscribers).await;
        measured.row("a subscription", before, 0);
        let before = measured.costs();
        measured.subscribe(subscribers).await;
        measured.row("the same, renewed", before, 0);
        let before = measured.costs();
        measured.poll(&begins["cursor"]).await;
        measured.row("a poll that finds nothing (`events/poll`)", before, 0);
        let before = measured.costs();
        measured.emit().await;
        measured.row("an event is emitted", before, 0);
        let before = measured.costs();
        let polled = measured.poll(&begins["cursor"]).await;
        assert_eq!(polled["events"].as_array().map(Vec::len), Some(1));
        measured.row("a poll that finds it", before, 0);
        let before = measured.costs();
        let taken = measured.work().await;
        assert_eq!(taken, 1);
        measured.row("who is to hear of it", before, taken);
        let before = measured.costs();
        // with a whole page of subscribers there may be another one
        let taken = measured.work().await + measured.work().await;
        assert!((subscribers..=subscribers + 1).contains(&taken), "{taken}");
        assert!(measured.queue.state().0.is_empty());
        measured.row("it is sent to all of them", before, taken);
    }
}
