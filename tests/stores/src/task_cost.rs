//! What a task costs, step by step, beside a plain call: requests to the store, the units of DynamoDB,
//! and the time that the server takes for it in this process, over a store on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskRunner, TaskStore};
use mcpfn_core::round_trip::Form;
use mcpfn_core::task::TaskOptions;
use mcpfn_core::{Cx, NoArguments, Server, Tool, ToolError};
use mcpfn_lambda::dynamodb;
use mcpfn_native::memory::MemoryStores;
use mcpfn_redis::{RedisServer, RedisStores};
use mcpfn_testing::{TestClient, TestClock};
use serde_json::json;

use crate::fake::Fake;
use crate::table::at;

/// How often each step is taken, of which the first ones are not counted.
const TIMES: usize = 220;
const WARM: usize = 20;

/// What a million units cost on demand, in US dollars: us-east-1, November 2025.
pub(crate) const READ_UNITS: f64 = 0.125;
pub(crate) const WRITE_UNITS: f64 = 0.625;

/// The steps, in their order.
const STEPS: [&str; 6] = [
    "plain call",
    "a task is begun",
    "a run that ends in a question",
    "a poll (`tasks/get`)",
    "an answer (`tasks/update`)",
    "a run that ends in the result",
];

/// A store whose requests are counted, and a runner that only remembers.
struct Counted {
    store: Arc<dyn TaskStore>,
    reads: AtomicU64,
    writes: AtomicU64,
    ordered: std::sync::Mutex<Option<String>>,
}

impl Counted {
    fn requests(&self) -> [u64; 2] {
        [&self.reads, &self.writes].map(|count| count.load(Ordering::Relaxed))
    }
}

impl TaskStore for Counted {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.create(key, head, call, now_ms, expires_ms)
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.read(key, parts, now_ms)
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let store = &self.store;
        store.swap(key, version, head, also, now_ms, expires_ms)
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.remove(key)
    }
}

impl TaskRunner for Counted {
    fn start<'a>(&'a self, key: &'a str, _: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        let ordered = self.ordered.lock();
        *ordered.unwrap_or_else(std::sync::PoisonError::into_inner) = Some(key.to_owned());
        Box::pin(async { Ok(()) })
    }
}

fn server() -> Server {
    let plain = Tool::new("plain").description("Answers.").read_only();
    let work = Tool::new("work").description("Asks once.").read_only();
    let work = work.task(TaskOptions::new());
    Server::builder("costs", "1.0.0")
        .tool(plain.handler(|_: NoArguments| async { "done" }))
        .tool(work.handler(|_: NoArguments, cx: Cx| async move {
            let sure = cx.elicit("sure", Form::new("Sure?").boolean("sure", "Sure"))?;
            Ok::<_, ToolError>(format!("accepted: {}", sure.accepted().is_some()))
        }))
        .build()
        .expect("the server is right")
}

/// What one step took: times, and requests to the store.
#[derive(Default)]
struct Step {
    times: Vec<Duration>,
    reads: u64,
    writes: u64,
    units: [f64; 2],
}

/// Prints a table for each store. `dynamodb` is an emulator with a table of this name, `redis` a URL.
pub async fn print(dynamodb: Option<(SocketAddr, &str)>, redis: Option<&str>) {
    row_of_heads();
    steps("memory", Arc::new(MemoryStores::default()), None).await;
    if let Some(url) = redis {
        let server = RedisServer::parse(url).expect("a URL of Redis");
        steps("Redis", Arc::new(RedisStores::new(server)), None).await;
    }
    if let Some((address, name)) = dynamodb {
        let mut table = at(address, name);
        // a virtual machine that has just started
        table.timeout = Duration::from_secs(5);
        let stores = dynamodb::Stores::new(table);
        steps("DynamoDB, an emulator", Arc::new(stores), None).await;
    }
    let fake = Fake::default();
    let stores = dynamodb::Stores::over(Fake::table(), fake.clone());
    steps("DynamoDB, played", Arc::new(stores), Some(fake)).await;
}

fn row_of_heads() {
    println!(
        "| store | step | p50, us | p95, us | reads | writes | read units | write units | USD per million |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
}

async fn steps(name: &str, store: Arc<dyn TaskStore>, fake: Option<Fake>) {
    let counted = Arc::new(Counted {
        store,
        reads: AtomicU64::default(),
        writes: AtomicU64::default(),
        ordered: std::sync::Mutex::default(),
    });
    let tasks = Arc::clone(&counted);
    let client = TestClient::with_clock(server(), TestClock::manual())
        .capabilities(json!({"elicitation": {}}))
        .does_tasks()
        .map_platform(|platform| platform.with_tasks(Arc::clone(&tasks) as _, tasks));
    // stores tell by it what has expired
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    client.time().set_ms(u64::try_from(now).unwrap_or_default());
    let mut found = STEPS.map(|_| Step::default());
    for time in 0..TIMES {
        let mut id = String::new();
        for (step, found) in found.iter_mut().enumerate() {
            let before = (counted.requests(), fake.as_ref().map(Fake::costs));
            let start = Instant::now();
            take(step, &client, &counted, &mut id).await;
            let took = start.elapsed();
            if time < WARM {
                continue;
            }
            let requests = counted.requests();
            found.times.push(took);
            found.reads += requests[0] - before.0[0];
            found.writes += requests[1] - before.0[1];
            if let (Some(fake), Some(before)) = (&fake, before.1) {
                let costs = fake.costs();
                found.units[0] += costs.reads - before.reads;
                found.units[1] += costs.writes - before.writes;
            }
        }
    }
    for (step, found) in STEPS.iter().zip(found) {
        shown(name, step, found, fake.is_some());
    }
}

async fn take(step: usize, client: &TestClient, counted: &Counted, id: &mut String) {
    match step {
        0 => drop(client.call("plain", json!({})).await.expect("a result")),
        1 => {
            let task = client.begin("work", json!({})).await.expect("a task");
            task.id().clone_into(id);
        }
        2 | 5 => {
            let key = counted.ordered.lock().ok().and_then(|mut key| key.take());
            let key = key.expect("a run was ordered");
            client
                .server()
                .run_task(&key, client.platform(), None)
                .await;
        }
        3 => {
            let task = client.task(id).await.expect("the task");
            assert_eq!(task.status(), "input_required");
        }
        _ => {
            let answer = json!({"sure": {"action": "accept", "content": {"sure": true}}});
            let answered = client.answer_task(id, answer).await;
            answered.expect("an acknowledgement");
        }
    }
}

fn shown(store: &str, step: &str, mut found: Step, has_units: bool) {
    found.times.sort_unstable();
    let count = found.times.len() as f64;
    let at = |part: usize| found.times[(found.times.len() - 1) * part / 100].as_micros();
    let each = |sum: f64| format!("{:.1}", sum / count);
    let units = found.units.map(|sum| match has_units {
        true => each(sum),
        false => String::new(),
    });
    let [reads, writes] = found.units;
    let dollars = match has_units {
        true => format!("{:.2}", (reads * READ_UNITS + writes * WRITE_UNITS) / count),
        false => String::new(),
    };
    println!(
        "| {store} | {step} | {} | {} | {} | {} | {} | {} | {dollars} |",
        at(50),
        at(95),
        each(found.reads as f64),
        each(found.writes as f64),
        units[0],
        units[1]
    );
}
