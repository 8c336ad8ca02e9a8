//! A server with every toolkit over the demo shop, asked as a client asks: one JSON-RPC line in,
//! one out.

use std::future::{Future, IntoFuture as _};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use mcpfn_core::{Builder, Cx, Principal, Server, ToolError};
use mcpfn_ports::Sql;
use mcpfn_testing::{TestClient, TestCx};
use mcpfn_toolkits::database::AllowedTables;
use mcpfn_toolkits::{MAPPING, defaults, register};
use serde_json::{Value, json};

use crate::databases;
use crate::wait::wait;

/// When tests run, in milliseconds since 1970: the shop's sales end a little before.
const NOW_MS: u64 = 1_793_000_000_000;

/// A server and the database behind it.
pub(crate) struct Client(TestClient);

impl Client {
    /// Every toolkit over the demo shop, which all tests share and none changes.
    pub(crate) fn of_shop() -> Self {
        Self::new(shop())
    }

    /// Every toolkit over a shop of its own, which may be written to.
    pub(crate) fn of_new_shop() -> Self {
        Self::new(databases::writing())
    }

    /// Every toolkit over another database.
    pub(crate) fn new(database: Arc<dyn Sql>) -> Self {
        let builder = Server::builder("toolkits", "0.0.0");
        let all = defaults().chain(["sql"]).collect::<Vec<_>>().join(",");
        Self::with(register(builder, &all, &|_| None).unwrap(), database)
    }

    /// Every toolkit over the demo shop, with the tables and columns of a list.
    pub(crate) fn limited(database: Arc<dyn Sql>, tables: &str) -> Self {
        let builder = Server::builder("toolkits", "0.0.0");
        let all = defaults().collect::<Vec<_>>().join(",");
        let variable = |name: &str| (name == "MCPFN_DATABASE_TABLES").then(|| tables.to_owned());
        Self::with(register(builder, &all, &variable).unwrap(), database)
    }

    /// Some toolkits over somebody's own tables.
    pub(crate) fn mapped(
        database: Arc<dyn Sql>,
        toolkits: &str,
        mapping: &str,
    ) -> Result<Self, String> {
        let builder = Server::builder("toolkits", "0.0.0");
        let variable = |name: &str| (name == MAPPING).then(|| mapping.to_owned());
        let builder = register(builder, toolkits, &variable).map_err(|wrong| wrong.to_string())?;
        Ok(Self::with(builder, database))
    }

    fn with(builder: Builder, database: Arc<dyn Sql>) -> Self {
        let client = TestClient::new(builder);
        client.time().set_ms(NOW_MS);
        Self(client.with_port::<dyn Sql>(database))
    }

    /// The same server, called by another caller.
    pub(crate) fn called_by(self, principal: Principal) -> Self {
        Self(self.0.principal(principal))
    }

    /// The result, or the error as it is.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let asked = wait(self.0.request(method, params).into_future());
        asked.map_err(|error| error.to_json())
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
        let platform = self.0.platform();
        platform.port::<dyn Sql>().expect("given at the start")
    }

    /// The private causes that went to the log.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.0.audit().causes()
    }
}

fn shop() -> Arc<dyn Sql> {
    static SHOP: OnceLock<Arc<dyn Sql>> = OnceLock::new();
    Arc::clone(SHOP.get_or_init(databases::reading))
}

/// Runs a handler without the schema check that stands before it on every server: it has to hold by
/// itself.
pub(crate) fn unchecked<T, Fut>(run: impl FnOnce(Cx) -> Fut) -> Result<T, String>
where
    Fut: Future<Output = Result<T, ToolError>>,
{
    let test = TestCx::new()
        .state(AllowedTables::all())
        .with_port::<dyn Sql>(shop());
    test.time().set_ms(NOW_MS);
    wait(run(test.build())).map_err(|error| error.message().unwrap_or("internal").to_owned())
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
