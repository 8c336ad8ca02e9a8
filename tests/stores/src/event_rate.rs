//! How many events a second a process takes, sends and is asked for, over each store that instances on
//! machines of one's own share, beside a plain call. The receiver is in this process and answers at
//! once: what is measured is the server and its store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcpfn_core::event::{Event, EventOccurrence};
use mcpfn_core::policy::WebhookSettings;
use mcpfn_core::port::{EventJobs, EventLog, EventPorts, EventSubscriptions, HttpClient};
use mcpfn_core::{NoArguments, Principal, PrincipalKind, Scopes, Server, Tool};
use mcpfn_native::EventRuns;
use mcpfn_native::memory::MemoryStores;
use mcpfn_postgres::{PostgresServer, PostgresStores};
use mcpfn_redis::{RedisServer, RedisStores};
use mcpfn_testing::{TestClient, TestClock, TestHttp};
use serde_json::{Value, json};
use tokio::sync::Notify;

const EVENTS: usize = 1000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// All of them are sent by then, over any store.
const LIMIT: Duration = Duration::from_secs(120);

/// Prints a row for each store; either URL may be missing.
pub async fn print(redis: Option<&str>, postgres: Option<&str>) {
    println!(
        "| store | plain calls | polls that find nothing | emitted | sent to one subscriber |"
    );
    println!("|---|---:|---:|---:|---:|");
    row("memory", Arc::new(MemoryStores::default())).await;
    if let Some(url) = redis {
        let server = RedisServer::parse(url).expect("a URL of Redis");
        row("Redis", Arc::new(RedisStores::new(server))).await;
    }
    if let Some(url) = postgres {
        let server = PostgresServer::parse(url).expect("a URL of PostgreSQL");
        row("PostgreSQL", Arc::new(PostgresStores::new(server))).await;
    }
}

/// What came to the receiver, without the question whether it wants events.
#[derive(Default)]
struct Received {
    count: AtomicUsize,
    all: Notify,
}

impl Received {
    fn one_more(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 >= EVENTS {
            self.all.notify_one();
        }
    }
}

fn client<S>(stores: Arc<S>, received: &Arc<Received>) -> (TestClient, EventRuns)
where
    S: EventLog + EventSubscriptions + EventJobs + 'static,
{
    let runs = EventRuns::default().over(stores.clone());
    let ports = EventPorts::new(stores.clone()).webhooks(stores, Arc::new(runs.clone()));
    let settings = WebhookSettings::default().trusted_hosts(["hooks.example"]);
    let event = Event::new("order.created").description("Somebody ordered something.");
    let plain = Tool::new("plain").description("Answers.").read_only();
    let server = Server::builder("rates", "1.0.0")
        .tool(plain.handler(|_: NoArguments| async { "done" }))
        .event(event.payload_schema(json!({})));
    let told = Arc::clone(received);
    let receiver = TestHttp::new(move |_| {
        told.one_more();
        Ok(TestHttp::json(200, ""))
    });
    let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
    let client = TestClient::with_clock(server, TestClock::manual())
        .principal(alice)
        .with_port::<dyn HttpClient>(Arc::new(receiver))
        .map_platform(|platform| platform.with_events(ports).with_webhook_settings(settings));
    // stores tell by it what has expired
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    client.time().set_ms(u64::try_from(now).unwrap_or_default());
    runs.serve(client.server(), client.platform());
    (client, runs)
}

async fn row<S>(name: &str, stores: Arc<S>)
where
    S: EventLog + EventSubscriptions + EventJobs + 'static,
{
    let received = Arc::new(Received::default());
    let (client, _runs) = client(stores, &received);
    let begins = client.request("events/poll", json!({"name": "order.created"}));
    let begins = begins.await.expect("a page");
    let cursor = json!({"name": "order.created", "cursor": begins["cursor"]});
    let calls = rate(&client, "tools/call", &json!({"name": "plain"})).await;
    let polls = rate(&client, "events/poll", &cursor).await;
    // before anybody subscribed: what is measured is the log
    let start = Instant::now();
    emit(&client, "unheard").await;
    let emitted = start.elapsed();
    let delivery = json!({"mode": "webhook", "url": "https://hooks.example/", "secret": SECRET});
    let params = json!({"name": "order.created", "delivery": delivery, "ttlMs": 3_600_000});
    let subscribed = client.request("events/subscribe", params).await;
    subscribed.expect("a subscription");
    received.count.store(0, Ordering::Relaxed);
    let start = Instant::now();
    emit(&client, "heard").await;
    let all = tokio::time::timeout(LIMIT, received.all.notified()).await;
    all.expect("all events are sent");
    let sent = start.elapsed();
    let [emitted, sent] = [emitted, sent].map(|took| EVENTS as f64 / took.as_secs_f64());
    println!("| {name} | {calls:.0} | {polls:.0} | {emitted:.0} | {sent:.0} |");
}

async fn rate(client: &TestClient, method: &str, params: &Value) -> f64 {
    let start = Instant::now();
    for _ in 0..EVENTS {
        let answered = client.request(method, params.clone()).await;
        answered.expect("an answer");
    }
    EVENTS as f64 / start.elapsed().as_secs_f64()
}

async fn emit(client: &TestClient, id: &str) {
    let (server, platform) = (client.server(), client.platform());
    for number in 0..EVENTS {
        let order = json!({"number": number, "cents": 4900, "customer": "c-778"});
        let id = format!("{id}-{number}");
        let order = EventOccurrence::new(id, platform.now_ms(), &order);
        let emitted = server.emit(platform, "order.created", order).await;
        emitted.expect("a place for it");
    }
}
