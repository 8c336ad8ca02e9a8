//! A server with every toolkit over the demo shop, asked as a client asks: one JSON-RPC line in,
//! one out.

use std::future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mcpfn_core::{
    AuditEntry, AuditLog, BoxFuture, Clock, Connection, Cx, Execution, Failure, FailureMode,
    Keyring, NoArguments, Platform, Principal, Random, Received, Server, Timer, Tool, ToolError,
};
use mcpfn_native::memory::MemoryStores;
use mcpfn_ports::Sql;
use mcpfn_toolkits::{defaults, register};
use serde_json::{Value, json};

use crate::databases;
use crate::wait::wait;

struct Host(Mutex<Vec<String>>);

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        1_793_000_000_000
    }
}

impl Timer for Host {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::pending())
    }
}

impl Random for Host {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl AuditLog for Host {
    fn failure(&self, failure: &Failure<'_>) {
        self.0.lock().unwrap().push(failure.cause.to_owned());
    }

    fn call(&self, _: &AuditEntry<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, _: &str, _: &str) {}
}

/// A server and the database behind it.
pub(crate) struct Client {
    server: Server,
    principal: Principal,
    platform: Arc<Platform>,
    host: Arc<Host>,
}

impl Client {
    /// Every toolkit over the demo shop, which all tests share and none changes.
    pub(crate) fn of_shop() -> Self {
        static SHOP: OnceLock<Arc<dyn Sql>> = OnceLock::new();
        Self::new(Arc::clone(SHOP.get_or_init(databases::reading)))
    }

    /// Every toolkit over a shop of its own, which may be written to.
    pub(crate) fn of_new_shop() -> Self {
        Self::new(databases::writing())
    }

    /// Every toolkit over another database.
    pub(crate) fn new(database: Arc<dyn Sql>) -> Self {
        let builder = Server::builder("toolkits", "0.0.0");
        let all = defaults().chain(["sql"]).collect::<Vec<_>>().join(",");
        Self::with(
            register(builder, &all, &|_| None).unwrap().build().unwrap(),
            database,
        )
    }

    fn with(server: Server, database: Arc<dyn Sql>) -> Self {
        let host = Arc::new(Host(Mutex::default()));
        let keys = Keyring::new([1; 32]);
        let platform = Platform::new(host.clone(), host.clone(), host.clone(), host.clone(), keys)
            .with_port::<dyn Sql>(database);
        let platform =
            platform.with_idempotency(Arc::new(MemoryStores::default()), FailureMode::Closed);
        Self {
            server,
            principal: Principal::local(),
            platform: Arc::new(platform),
            host,
        }
    }

    /// The same server, called by somebody else.
    pub(crate) fn called_by(self, principal: Principal) -> Self {
        Self { principal, ..self }
    }

    /// The result, or the error as it is.
    pub(crate) fn ask(&self, method: &str, mut params: Value) -> Result<Value, Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        });
        let line =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = match Connection::new(self.server.clone(), self.principal.clone())
            .receive(line.as_bytes(), &self.platform)
        {
            Received::Send(bytes) => bytes,
            Received::Run { call, .. } => wait(Execution::Running(call).into_response()).message,
            other => panic!("{other:?}"),
        };
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let error = answer["error"].take();
        if error.is_null() {
            Ok(answer["result"].take())
        } else {
            Err(error)
        }
    }

    /// A tool's structured result, or the sentence of its failure.
    pub(crate) fn call(&self, tool: &str, arguments: impl Into<Value>) -> Result<Value, String> {
        let arguments: Value = arguments.into();
        let mut result = self
            .ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .unwrap();
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap().to_owned());
        }
        Ok(result["structuredContent"].take())
    }

    /// A resource's text.
    pub(crate) fn read(&self, uri: &str) -> Result<String, String> {
        let result = self.ask("resources/read", json!({"uri": uri}));
        let result = result.map_err(|error| error["message"].as_str().unwrap().to_owned())?;
        Ok(result["contents"][0]["text"].as_str().unwrap().to_owned())
    }

    /// What a completion offers.
    pub(crate) fn complete(
        &self,
        reference: impl Into<Value>,
        argument: &str,
        value: &str,
    ) -> Vec<String> {
        let reference: Value = reference.into();
        let params = json!({"ref": reference, "argument": {"name": argument, "value": value}});
        let result = self.ask("completion/complete", params).unwrap();
        serde_json::from_value(result["completion"]["values"].clone()).unwrap()
    }

    /// The database behind the server.
    pub(crate) fn database(&self) -> &Arc<dyn Sql> {
        self.platform.port::<dyn Sql>().expect("given at the start")
    }

    /// The private causes that went to the log.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.host.0.lock().unwrap().clone()
    }
}

/// Runs a handler without the schema check that stands before it on every server: it has to hold by
/// itself.
pub(crate) fn unchecked<T, Fut>(
    run: impl Fn(Cx) -> Fut + Send + Sync + 'static,
) -> Result<T, String>
where
    T: Send + 'static,
    Fut: Future<Output = Result<T, ToolError>> + Send + 'static,
{
    let found = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&found);
    let probe = Tool::new("probe")
        .description("Runs a handler.")
        .read_only()
        .handler(move |_: NoArguments, cx: Cx| {
            let (work, slot) = (run(cx), Arc::clone(&slot));
            async move {
                let result = work
                    .await
                    .map_err(|error| error.message().unwrap_or("internal").to_owned());
                *slot.lock().unwrap() = Some(result);
            }
        });
    let shop = Client::of_shop();
    let server = Server::builder("probe", "0.0.0")
        .tool(probe)
        .build()
        .unwrap();
    let client = Client { server, ..shop };
    client.ask("tools/call", json!({"name": "probe"})).unwrap();
    found.lock().unwrap().take().expect("the probe ran")
}

/// Prints how long calls take, and fails when one tool's slowest are far from what a person waits
/// for.
pub(crate) fn measure(calls: &[(&str, Value)]) {
    let client = Client::of_shop();
    for (tool, arguments) in calls {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..40 {
            let started = Instant::now();
            client.call(tool, arguments.clone()).unwrap();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let (p50, p95) = (times[20], times[38]);
        println!("{tool} {arguments} p50 {p50:?} p95 {p95:?}");
        assert!(p50 < Duration::from_millis(500), "{tool}: {p50:?}");
    }
}

/// Text that breaks what pastes it into SQL, FTS5, JSON, logs or terminals.
pub(crate) fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "' OR '1'='1",
        "'; DROP TABLE products; --",
        "\"; DROP TABLE products; --",
        "1); DELETE FROM products; --",
        "products UNION SELECT sql FROM sqlite_master",
        "\" OR name MATCH \"x",
        "name : keyboard",
        "NEAR(wireless keyboard, 5)",
        "keyboard NOT wireless",
        "wire* ^mouse -mat + {name brand}: x",
        "((((((((",
        "AND OR NOT",
        "%_%\\",
        "*",
        "\0",
        "key\0board",
        "line\nbreak\u{1b}[31m\u{202e}reversed`",
        "?1 ?999 :a @b $c",
        "\u{fffd}\u{10ffff}\u{301}",
        "-1-1",
    ]
    .map(str::to_owned)
    .into();
    texts.push("\"".repeat(180));
    texts.push("(".repeat(180));
    texts.push("a ".repeat(90));
    texts
}
