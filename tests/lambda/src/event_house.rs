//! A server whose events are sent: a function that answers clients and one that sends, over one table,
//! with a queue in front of it and a receiver behind it. Environments are processes, and frozen while
//! they are idle; time passes as a test says.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use mcpfn_store_tests::fake::Fake;
use serde_json::{Value, json};

use crate::environment::Bootstrap;
use crate::event_source::EventSource;
use crate::fleet::Fleet;
use crate::receiver::Receiver;
use crate::runtime_api::Invocation;
use crate::table;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The account of its queues.
pub const ACCOUNT: &str = "123456789012";

/// All of it.
#[derive(Debug)]
pub struct EventHouse {
    /// The function that answers clients. No environment is used twice in a row.
    pub front: Arc<Fleet>,
    /// The queue, and the function that sends.
    pub source: EventSource,
    /// Who gets what is sent.
    pub receiver: Receiver,
    /// What they share.
    pub table: Fake,
    folder: PathBuf,
    shifted_ms: AtomicU64,
}

impl EventHouse {
    /// `program` is everything-lambda, and `sqs` where queues are asked: it has `events` and `dead`.
    ///
    /// # Panics
    /// Where something of it can't be started.
    pub async fn start(program: &str, sqs: SocketAddr, more: &[(&str, &str)]) -> Self {
        static HOUSES: AtomicU64 = AtomicU64::new(0);
        let house = HOUSES.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcpfn-events-{}-{house}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let receiver = Receiver::start(Some(200)).await;
        let in_folder = |name: &str| folder.join(name).to_string_lossy().into_owned();
        std::fs::write(in_folder("root"), &receiver.root).expect("a file");
        std::fs::write(in_folder("clock"), "0").expect("a file");
        let table = Fake::default();
        let address = table::serve(table.clone()).await.expect("a port");
        let url = |name: &str| format!("http://{sqs}/{ACCOUNT}/{name}");
        let own = [
            ("MCPFN_AUTH", "iam".to_owned()),
            ("MCPFN_RATE_LIMIT", "none".to_owned()),
            ("MCPFN_STATE_KEY", KEY.to_owned()),
            ("MCPFN_DYNAMODB_TABLE", "mcpfn".to_owned()),
            ("MCPFN_DYNAMODB_TIMEOUT_MS", "5000".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{address}")),
            ("AWS_ACCESS_KEY_ID", "AKIA".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "hunter2".to_owned()),
            ("MCPFN_EVENTS_QUEUE", url("events")),
            ("MCPFN_EVENTS_DEAD_QUEUE", url("dead")),
            ("MCPFN_WEBHOOK_HOSTS", receiver.host()),
            ("TEST_ROOT", in_folder("root")),
            ("TEST_CLOCK", in_folder("clock")),
            ("TEST_NO_TIDE", in_folder("no-tide")),
        ];
        let function = |mode: Option<&str>, least| {
            let own = own.iter().map(|(name, value)| (*name, value.as_str()));
            let mode = mode.map(|mode| ("MCPFN_LAMBDA_MODE", mode));
            let all: Vec<_> = own.chain(mode).chain(more.iter().copied()).collect();
            Arc::new(Fleet::new(Bootstrap::new(program, &all), least))
        };
        let arn = format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:events");
        let sends = function(Some("events"), 1);
        Self {
            front: function(None, 3),
            source: EventSource::new(format!("http://{sqs}"), url("events"), arn, sends),
            receiver,
            table,
            folder,
            shifted_ms: AtomicU64::new(0),
        }
    }

    /// Lets time pass for both functions, and gives what it is now.
    ///
    /// # Panics
    /// Where the file of the time can't be written.
    pub fn pass_ms(&self, more_ms: u64) -> u64 {
        let shifted = self.shifted_ms.fetch_add(more_ms, Ordering::Relaxed) + more_ms;
        std::fs::write(self.folder.join("clock"), shifted.to_string()).expect("a file");
        now_ms() + shifted
    }

    /// Whether a function of an event can say what happened.
    ///
    /// # Panics
    /// Where the file that says so can't be written.
    pub fn know_tides(&self, known: bool) {
        let file = self.folder.join("no-tide");
        match known {
            true => std::fs::remove_file(file).expect("a file"),
            false => std::fs::write(file, "").expect("a file"),
        }
    }

    /// A request of a client that IAM knows as alice.
    ///
    /// # Panics
    /// Where there is no answer.
    pub async fn ask(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1.0.0"},
            "io.modelcontextprotocol/clientCapabilities": {
                "extensions": {"io.modelcontextprotocol/events": {}},
            },
        });
        let name = params.get("name").cloned();
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let fixture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lambda/url-iam-user.json");
        let fixture = std::fs::read(fixture).expect("a fixture");
        let mut fixture: Value = serde_json::from_slice(&fixture).expect("JSON");
        let mut event = fixture["event"].take();
        event["body"] = message.to_string().into();
        event["isBase64Encoded"] = false.into();
        let headers = &mut event["headers"];
        headers["mcp-protocol-version"] = json!("2026-07-28");
        headers["mcp-method"] = json!(method);
        if let Some(name) = name {
            headers["mcp-name"] = name;
        }
        let reply = self.front.call(Invocation::new(event)).await;
        let reply = reply.unwrap_or_else(|failure| panic!("{failure:?}: {:#?}", self.front.log()));
        reply.json()
    }

    /// Subscribes the receiver.
    ///
    /// # Panics
    /// Where that is refused.
    pub async fn subscribe(&self) -> Value {
        self.subscribe_to("door.opened").await
    }

    /// Subscribes the receiver to an event.
    ///
    /// # Panics
    /// Where that is refused.
    pub async fn subscribe_to(&self, name: &str) -> Value {
        let url = format!("https://{}/hook", self.receiver.host());
        let delivery = json!({"mode": "webhook", "url": url, "secret": SECRET});
        let params = json!({"name": name, "delivery": delivery, "ttlMs": 86_400_000});
        let answer = self.ask("events/subscribe", params).await;
        assert!(
            answer["result"].is_object(),
            "{answer}: {:#?}",
            self.front.log()
        );
        answer["result"].clone()
    }

    /// Has a tool emit an event.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn open_door(&self, number: u64) {
        let call = json!({"name": "open_door", "arguments": {"number": number}});
        let answer = self.ask("tools/call", call).await;
        let id = format!("door-{number}");
        assert_eq!(
            answer["result"]["content"][0]["text"],
            *id,
            "{answer}: {:#?}",
            self.front.log()
        );
    }

    /// Lines of the function that sends, of one kind.
    #[must_use]
    pub fn lines(&self, event: &str) -> Vec<Value> {
        let log = self.source.fleet.log();
        let lines = log
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|line: &Value| line["event"] == event)
            .collect()
    }

    /// The ids under which the receiver took events.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        let delivered = self.receiver.delivered().into_iter();
        let taken = delivered.filter(|it| it.status.is_some_and(|status| status < 300));
        taken.map(|it| it.id).collect()
    }
}

impl Drop for EventHouse {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The system's time.
#[must_use]
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}
