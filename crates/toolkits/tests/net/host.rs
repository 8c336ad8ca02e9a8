//! A server asked as a client asks: one JSON-RPC line in, one out. Everything that it says or logs
//! is searched for planted secrets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use mcpfn_core::{
    Server,
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Clock, Failure, HttpClient, Platform, Timer},
    round_trip::Keyring,
};
use mcpfn_native::Tasks;
use mcpfn_ports::SecretStore;
use mcpfn_testing::{TestClient, TestRandom};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::internet::Internet;

/// How much faster time runs: limits of ten seconds are over in little more than one.
pub(crate) const FASTER: u32 = 8;

/// How long a list waits for that of a server which it does not know yet, in milliseconds, and a
/// little less. Where time runs faster, a busy machine may need more.
pub(crate) const PATIENCE_MS: u64 = 1_400;

/// What no answer and no record may have in it. Services get them, and repeat them where they can.
pub(crate) const SECRETS: [&str; 5] = [
    "k-weather-7f3a91",
    "k-company-c02be4",
    "k-search-58d1aa",
    "ghp_planted0token1value2",
    "hunter2",
];

/// When tests run, in milliseconds since 1970.
pub(crate) const NOW: u64 = 1_793_000_000_000;

/// Anything that a server said. It is what the check of this whole binary sees.
fn checked(said: String) -> String {
    for secret in SECRETS {
        assert!(!said.contains(secret), "a secret is in: {said}");
        for coded in coded(secret) {
            assert!(!said.contains(&coded), "Base64 of a secret is in: {said}");
        }
    }
    said
}

/// What the Base64 of any text has in it that has the secret in it, wherever that begins: the
/// letters that depend on nothing around it.
fn coded(secret: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let text = STANDARD_NO_PAD.encode([&b"___"[..before], secret.as_bytes()].concat());
        let whole = (before + secret.len()) * 8 / 6;
        text[(before * 8).div_ceil(6)..whole].to_owned()
    })
}

/// Has the secrets above, and some that are none.
struct Keys;

impl SecretStore for Keys {
    fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<String, String>> {
        let number = reference
            .strip_prefix("ssm:/keys/")
            .or_else(|| {
                reference
                    .strip_prefix("ssm:/objects/")?
                    .strip_suffix("#crm")
            })
            .map(str::parse::<usize>);
        let read = match (reference, number) {
            (_, Some(Ok(number))) => Ok(format!("{}\n", SECRETS[number])),
            ("ssm:/tokens#bad" | "ssm:/tokens#good", _) => Ok(SECRETS[3].to_owned()),
            ("secretsmanager:spaces", _) => Ok("two words".to_owned()),
            ("ssm:/again", _) => Ok("ssm:/keys/0".to_owned()),
            _ => Err(format!("`{reference}` does not exist")),
        };
        Box::pin(async move { read })
    }
}

struct Host {
    started: Instant,
    skipped_ms: AtomicU64,
    causes: Mutex<Vec<String>>,
    called: Mutex<Vec<String>>,
    outcomes: Mutex<Vec<&'static str>>,
}

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        let elapsed_ms = self.started.elapsed().as_millis() as u64 * u64::from(FASTER);
        NOW + elapsed_ms + self.skipped_ms.load(Ordering::Relaxed)
    }
}

impl Timer for Host {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / FASTER))
    }
}

impl AuditLog for Host {
    fn failure(&self, failure: &Failure<'_>) {
        checked(format!("{failure:?}"));
        self.causes.lock().unwrap().push(failure.cause.to_owned());
    }

    fn call(&self, call: &AuditEntry<'_>) {
        checked(format!("{call:?} {}", call.input_hash()));
        self.called.lock().unwrap().push(call.name.to_owned());
        self.outcomes.lock().unwrap().push(call.outcome.as_str());
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        checked(format!("{sentence} {cause:?}"));
    }

    fn store_failure(&self, store: &str, cause: &str) {
        self.causes
            .lock()
            .unwrap()
            .push(checked(format!("{store}: {cause}")));
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    client: TestClient,
    host: Arc<Host>,
    tasks: Tasks,
}

/// What a tool gave, as text.
pub(crate) type Told = Result<String, String>;

impl Client {
    /// The toolkits of a list, with these variables.
    pub(crate) fn new(list: &str, variables: &[(&str, &str)], internet: Internet) -> Self {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
                // what these tests list is of others
                .or_else(|| (name == "MCPFN_TOOLKIT_SKILLS").then(|| "off".to_owned()))
        };
        let server = register(Server::builder("net", "0.0.0"), list, &variable).unwrap();
        let host = Arc::new(Host {
            started: Instant::now(),
            skipped_ms: AtomicU64::new(0),
            causes: Mutex::default(),
            called: Mutex::default(),
            outcomes: Mutex::default(),
        });
        let platform = Platform::new(
            host.clone(),
            host.clone(),
            Arc::new(TestRandom::default()),
            host.clone(),
            Keyring::new([1; 32]),
        );
        let tasks = Tasks::default();
        let platform = platform
            .with_port::<dyn HttpClient>(Arc::new(internet))
            .with_background(Arc::new(tasks.clone()))
            .with_port::<dyn SecretStore>(Arc::new(Keys));
        let client = TestClient::new(server).map_platform(|_| platform);
        Self {
            client,
            host,
            tasks,
        }
    }

    /// Waits for what goes on after the answers.
    pub(crate) async fn settled(&self) {
        self.tasks.drain().await;
    }

    /// The time, by the server's clock.
    pub(crate) fn now_ms(&self) -> u64 {
        self.host.now_ms()
    }

    fn map(self, change: impl FnOnce(TestClient) -> TestClient) -> Self {
        Self {
            client: change(self.client),
            ..self
        }
    }

    /// The same, on a host that keeps results.
    pub(crate) fn keeping_results(self) -> Self {
        let stores = Arc::new(mcpfn_native::memory::MemoryStores::default());
        self.map(|client| client.map_platform(|platform| platform.with_cache(stores)))
    }

    /// The same, for a caller who may only do this.
    pub(crate) fn with_scopes(self, scopes: &[&str]) -> Self {
        self.map(|client| client.scopes(&scopes.join(" ")))
    }

    /// The same, for a client that shows forms.
    pub(crate) fn showing_forms(self) -> Self {
        self.map(|client| client.capabilities(json!({"elicitation": {}})))
    }

    /// The same, for a client that is a server in front of others.
    pub(crate) fn behind(self, hops: u8) -> Self {
        self.map(|client| client.meta("dev.mcpfn/hops", hops))
    }

    /// Lets time pass.
    pub(crate) fn later(&self, milliseconds: u64) {
        self.host
            .skipped_ms
            .fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let started_ms = self.now_ms();
        let mut asked = self.client.request(method, params.clone()).await;
        if method.ends_with("/list") && self.now_ms() - started_ms >= PATIENCE_MS {
            self.settled().await;
            asked = self.client.request(method, params).await;
        }
        let asked = asked.map_err(|error| error.to_json());
        checked(format!("{asked:?}"));
        asked
    }

    /// What is answered: `{"result": ..}` or `{"error": ..}`, and the `progress` before it.
    pub(crate) async fn heard(&self, method: &str, params: Value) -> Value {
        let mut request = self.client.clone();
        if method.ends_with("/call") {
            request = request.meta("progressToken", "p");
        }
        let before = self.client.progress().len();
        let asked = request.request(method, params).await;
        let heard = match asked {
            Ok(result) => json!({"result": result}),
            Err(error) => json!({"error": error.to_json()}),
        };
        let progress: Vec<Value> = self.client.progress()[before..]
            .iter()
            .map(|report| json!({"progress": report.progress, "message": report.message}))
            .collect();
        checked(format!("{heard} {progress:?}"));
        let mut heard = heard;
        heard["progress"] = progress.into();
        heard
    }

    /// The whole result of a tool.
    pub(crate) async fn result(&self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
            .unwrap()
    }

    /// A tool's text, or the sentence of its failure.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> Told {
        let result = self.result(tool, arguments).await;
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        if result["isError"] == true {
            Err(text)
        } else {
            Ok(text)
        }
    }

    /// A tool's structured result, or the sentence of its failure.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        self.text(tool, arguments)
            .await
            .map(|text| serde_json::from_str(&text).unwrap())
    }

    /// The private causes that went to the log.
    pub(crate) fn logged(&self) -> String {
        self.host.causes.lock().unwrap().join("\n")
    }

    /// The names in the records of calls.
    pub(crate) fn called(&self) -> Vec<String> {
        self.host.called.lock().unwrap().clone()
    }

    /// How the last call ended, as its record says.
    pub(crate) fn outcome(&self) -> &'static str {
        self.host.outcomes.lock().unwrap().last().unwrap()
    }

    /// The names of the tools that the caller sees.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let list = self.ask("tools/list", json!({})).await.unwrap();
        list["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn the_search_for_secrets_finds_them() {
    for secret in SECRETS {
        assert!(std::panic::catch_unwind(|| checked(format!("a {secret} b"))).is_err());
    }
    assert_eq!(checked("nothing".to_owned()), "nothing");
}
