//! A server asked as a client asks: one JSON-RPC line in, one out. Everything that it says or logs
//! is searched for planted secrets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcpfn_core::{
    Server,
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Clock, Failure, HttpClient, Platform, Timer},
    round_trip::Keyring,
};
use mcpfn_testing::{TestClient, TestRandom};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::internet::Internet;

/// How much faster time runs: limits of ten seconds are over in little more than one.
pub(crate) const FASTER: u32 = 8;

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
    }
    said
}

struct Host {
    started: Instant,
    skipped_ms: AtomicU64,
    causes: Mutex<Vec<String>>,
    called: Mutex<Vec<String>>,
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

pub(crate) struct Client {
    client: TestClient,
    host: Arc<Host>,
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
        };
        let server = register(Server::builder("net", "0.0.0"), list, &variable).unwrap();
        let host = Arc::new(Host {
            started: Instant::now(),
            skipped_ms: AtomicU64::new(0),
            causes: Mutex::default(),
            called: Mutex::default(),
        });
        let platform = Platform::new(
            host.clone(),
            host.clone(),
            Arc::new(TestRandom::default()),
            host.clone(),
            Keyring::new([1; 32]),
        );
        let platform = platform.with_port::<dyn HttpClient>(Arc::new(internet));
        let client = TestClient::new(server).map_platform(|_| platform);
        Self { client, host }
    }

    fn map(self, change: impl FnOnce(TestClient) -> TestClient) -> Self {
        Self {
            client: change(self.client),
            host: self.host,
        }
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
        let asked = self.client.request(method, params).await;
        let asked = asked.map_err(|error| error.to_json());
        checked(format!("{asked:?}"));
        asked
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
