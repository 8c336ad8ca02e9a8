//! A client and a server in one process: real JSON-RPC through the server's own dispatch. No HTTP:
//! what stands before it there (headers, origins, tokens) is tested through a host.

pub(crate) mod error;
mod events;
mod link;
pub(crate) mod request;
pub(crate) mod results;
mod tasks;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mcpfn_core::{
    Builder, JsonObject, Principal, Revision, Scopes, Server,
    content::GetPromptResult,
    handler::{MaybeSend, MaybeSync},
    port::Platform,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{Answer, Question};
use crate::audit::TestAudit;
use crate::clock::TestClock;
use crate::events::TestEvents;
use crate::notification::{LoggedMessage, ReportedProgress};
use crate::ports;
use crate::stores::TestStores;
use crate::tasks::TestTasks;
use link::ClientLink;
use request::{TestRequest, first, list};
use results::{
    CompletedValues, CompletionTarget, Discovery, PromptEntry, ResourceEntry, ResourceResult,
    ToolEntry, ToolResult,
};

/// Asks a server as clients do.
///
/// Each method gives a [`TestRequest`]: `.await` it under a runtime, or `.wait()` for it in a plain
/// `#[test]`. Without further words the caller is the local user with every scope, the revision is
/// 2026-07-28, caches, rate limits and idempotent writes have stores in memory, and the clock
/// stands still. Clones share ports, stores, clock and log: change the principal of a clone to
/// have a second caller.
///
/// ```
/// use mcpfn::prelude::*;
/// use mcpfn::testing::TestClient;
/// use mcpfn::{Principal, PrincipalKind, Scopes};
/// use serde_json::json;
///
/// /// Counts the books.
/// #[tool(read_only, scope = "books:read")]
/// async fn count() -> Json<u32> {
///     Json(42)
/// }
///
/// let client = TestClient::new(Server::builder("library", "1.0.0").tool(count));
/// let result = client.call("count", json!({})).wait().unwrap();
/// assert_eq!(result.structured::<serde_json::Value>(), json!({"result": 42}));
///
/// let reader = Principal::new(PrincipalKind::Jwt, "reader").with_scopes(Scopes::parse("crm"));
/// let error = client.clone().principal(reader).call("count", json!({})).wait().unwrap_err();
/// assert_eq!(error.code(), Some(403));
/// ```
#[derive(Clone)]
#[must_use = "ask it something"]
pub struct TestClient(ClientLink);

impl TestClient {
    /// A client of this server, which is built if it is not yet.
    ///
    /// # Panics
    /// With every mistake of the registration.
    pub fn new(server: impl IntoServer) -> Self {
        Self::with_clock(server, TestClock::manual())
    }

    /// With this clock.
    ///
    /// # Panics
    /// As [`TestClient::new`].
    pub fn with_clock(server: impl IntoServer, clock: TestClock) -> Self {
        let (audit, stores) = (TestAudit::default(), TestStores::default());
        let (tasks, events) = (TestTasks::default(), TestEvents::default());
        Self(ClientLink {
            server: server.into_server(),
            platform: Arc::new(ports::platform(&clock, &audit, &stores, &tasks, &events)),
            principal: Arc::new(Principal::local()),
            revision: Revision::LATEST,
            capabilities: None,
            does_tasks: false,
            tasks,
            events,
            meta: JsonObject::new(),
            answers: BTreeMap::new(),
            answerer: None,
            clock,
            audit,
            stores,
            heard: Arc::default(),
            next_id: Arc::default(),
        })
    }

    /// Who calls.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.0.principal = Arc::new(principal);
        self
    }

    /// The same caller with these scopes alone, separated by spaces; none for an empty text.
    pub fn scopes(self, scopes: &str) -> Self {
        let principal = Principal::clone(&self.0.principal);
        self.principal(principal.with_scopes(Scopes::parse(scopes)))
    }

    /// The protocol revision that the client speaks. Those before 2026-07-28 can't be asked
    /// anything.
    pub fn revision(mut self, revision: Revision) -> Self {
        self.0.revision = revision;
        self
    }

    /// Adds a port by its trait, e.g. `with_port::<dyn Sql>(database)`.
    pub fn with_port<P: ?Sized + Any + MaybeSend + MaybeSync>(self, port: Arc<P>) -> Self
    where
        Arc<P>: Any + MaybeSend + MaybeSync,
    {
        self.map_platform(|platform| platform.with_port(port))
    }

    /// Changes the platform, e.g. `|platform| platform.with_background(tasks)`. A platform of its
    /// own may take the whole place; then [`TestClient::time`], [`TestClient::audit`] and
    /// [`TestClient::stores`] hear nothing of it.
    pub fn map_platform(mut self, change: impl FnOnce(Platform) -> Platform) -> Self {
        self.0.platform = Arc::new(change(Platform::clone(&self.0.platform)));
        self
    }

    /// The answer to every question with this key. A client with an answer declares that it can
    /// show forms and pages, ask its model, and list its roots.
    pub fn answer(mut self, key: impl Into<String>, answer: Answer) -> Self {
        self.0.answers.insert(key.into(), answer);
        self
    }

    /// Answers what no [`TestClient::answer`] is for; `None` leaves a question open.
    pub fn answers(
        mut self,
        answerer: impl Fn(&Question) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        self.0.answerer = Some(Arc::new(answerer));
        self
    }

    /// What the client declares, as the wire has it: `json!({"elicitation": {}})`.
    pub fn capabilities(mut self, capabilities: Value) -> Self {
        self.0.capabilities = Some(capabilities);
        self
    }

    /// Adds a member to `_meta` of each request.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.meta.insert(key.into(), value.into());
        self
    }

    /// `server/discover`, or the handshake of an older revision.
    pub fn discover(&self) -> TestRequest<'_, Discovery> {
        if self.0.revision.is_modern() {
            return TestRequest::new(&self.0, "server/discover", json!({}));
        }
        let params = json!({
            "protocolVersion": self.0.revision.as_str(),
            "capabilities": self.0.declared(),
            "clientInfo": {"name": "mcpfn-testing", "version": env!("CARGO_PKG_VERSION")},
        });
        TestRequest::new(&self.0, "initialize", params)
    }

    /// The tools that the caller sees, of all pages.
    pub fn list_tools(&self) -> TestRequest<'_, Vec<ToolEntry>> {
        list(&self.0, "tools/list", "tools")
    }

    /// The resources at fixed URIs that the caller sees, of all pages.
    pub fn list_resources(&self) -> TestRequest<'_, Vec<ResourceEntry>> {
        list(&self.0, "resources/list", "resources")
    }

    /// The resource templates that the caller sees, of all pages.
    pub fn list_templates(&self) -> TestRequest<'_, Vec<ResourceEntry>> {
        list(&self.0, "resources/templates/list", "resourceTemplates")
    }

    /// The prompts that the caller sees, of all pages.
    pub fn list_prompts(&self) -> TestRequest<'_, Vec<PromptEntry>> {
        list(&self.0, "prompts/list", "prompts")
    }

    /// Calls a tool. The arguments are anything that is written as a JSON object.
    ///
    /// # Panics
    /// When they can't be written as JSON.
    pub fn call(&self, tool: &str, arguments: impl Serialize) -> TestRequest<'_, ToolResult> {
        let params = json!({"name": tool, "arguments": written(arguments)});
        TestRequest::new(&self.0, "tools/call", params)
    }

    /// Reads a resource.
    pub fn read(&self, uri: &str) -> TestRequest<'_, ResourceResult> {
        TestRequest::new(&self.0, "resources/read", json!({ "uri": uri }))
    }

    /// Gets a prompt.
    ///
    /// # Panics
    /// When the arguments can't be written as JSON.
    pub fn get_prompt(
        &self,
        prompt: &str,
        arguments: impl Serialize,
    ) -> TestRequest<'_, GetPromptResult> {
        let params = json!({"name": prompt, "arguments": written(arguments)});
        TestRequest::new(&self.0, "prompts/get", params)
    }

    /// Completes the value of a prompt's argument or of a template's variable. Values of other
    /// arguments are given with [`TestRequest::with_argument`].
    pub fn complete(
        &self,
        reference: CompletionTarget,
        argument: &str,
        value: &str,
    ) -> TestRequest<'_, CompletedValues> {
        let argument = json!({"name": argument, "value": value});
        let params = json!({"ref": reference.into_value(), "argument": argument});
        TestRequest::new(&self.0, "completion/complete", params)
    }

    /// Any method, and its result as JSON. A question of the server is a result like others and is
    /// not answered.
    pub fn request(&self, method: &str, params: Value) -> TestRequest<'_, Value> {
        first(&self.0, method, params)
    }

    /// The progress that was reported so far, by all calls.
    #[must_use]
    pub fn progress(&self) -> Vec<ReportedProgress> {
        self.0.heard().progress.clone()
    }

    /// The log messages that were sent so far, by all calls.
    #[must_use]
    pub fn logs(&self) -> Vec<LoggedMessage> {
        self.0.heard().logs.clone()
    }

    /// What the operator reads: calls, and private causes of failures.
    #[must_use]
    pub fn audit(&self) -> &TestAudit {
        &self.0.audit
    }

    /// The clock, to advance it.
    #[must_use]
    pub fn time(&self) -> &TestClock {
        &self.0.clock
    }

    /// The stores behind caches, rate limits and idempotent writes.
    #[must_use]
    pub fn stores(&self) -> &TestStores {
        &self.0.stores
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// The platform that the server's calls get.
    #[must_use]
    pub fn platform(&self) -> &Arc<Platform> {
        &self.0.platform
    }
}

fn written(arguments: impl Serialize) -> Value {
    serde_json::to_value(arguments).expect("arguments are written as JSON")
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient")
            .field("server", &self.0.server)
            .field("principal", &self.0.principal)
            .field("revision", &self.0.revision)
            .finish_non_exhaustive()
    }
}

/// What [`TestClient::new`] takes: a server, or what builds one.
pub trait IntoServer {
    /// Gives the server.
    ///
    /// # Panics
    /// With every mistake of the registration.
    fn into_server(self) -> Server;
}

impl IntoServer for Server {
    fn into_server(self) -> Server {
        self
    }
}

impl IntoServer for Builder {
    fn into_server(self) -> Server {
        self.build().unwrap_or_else(|error| panic!("{error}"))
    }
}
