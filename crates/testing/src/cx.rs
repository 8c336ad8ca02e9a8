//! A `Cx` for a handler that a test calls as the function that it is. Nothing stands before such a
//! call: no schema, no scope, no rate limit. For these see `client.rs`.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::__private::testing::{self, TestOutbox, TestParts, TestState};
use mcpfn_core::{
    Cx, LogLevel, Principal, Revision,
    content::Implementation,
    handler::{MaybeSend, MaybeSync},
    host::{ClientCapabilities, TraceContext},
    port::Platform,
};
use serde::Serialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::audit::TestAudit;
use crate::clock::TestClock;
use crate::events::TestEvents;
use crate::notification::{Heard, LoggedMessage, ReportedProgress};
use crate::ports;
use crate::stores::TestStores;
use crate::tasks::TestTasks;

/// How long the call may take unless the test says otherwise: a tool's own default.
const DEADLINE: Duration = Duration::from_secs(5);

/// Puts a [`Cx`] together, and keeps what handlers report through it.
///
/// Without further words: the local user with every scope, revision 2026-07-28, a client that can
/// do everything and wants progress and logs of every level, five seconds until the deadline, a
/// clock that stands still.
///
/// ```
/// use mcpfn_core::{Cx, Principal, Scopes, ToolError};
/// use mcpfn_testing::{TestCx, block_on};
///
/// struct Greeting(&'static str);
///
/// async fn hello(name: &str, cx: &Cx) -> Result<String, ToolError> {
///     cx.progress(1.0, Some(1.0), None);
///     let Greeting(word) = cx.state()?;
///     Ok(format!("{word}, {name}! You are {}.", cx.principal().subject))
/// }
///
/// let test = TestCx::new()
///     .principal(Principal::local().with_scopes(Scopes::none()))
///     .state(Greeting("Hello"));
/// let text = block_on(hello("Ada", &test.build())).unwrap();
/// assert_eq!(text, "Hello, Ada! You are local.");
/// assert_eq!(test.progress()[0].progress, 1.0);
/// ```
#[must_use = "call `build()`"]
pub struct TestCx {
    revision: Revision,
    principal: Principal,
    client: ClientCapabilities,
    client_info: Option<Implementation>,
    log_level: Option<LogLevel>,
    wants_progress: bool,
    trace: TraceContext,
    hops: u8,
    answers: BTreeMap<String, Answer>,
    request_state: Option<Value>,
    completion_arguments: BTreeMap<String, String>,
    deadline: Duration,
    platform: Platform,
    clock: TestClock,
    audit: TestAudit,
    state: TestState,
    outbox: TestOutbox,
    heard: Mutex<Heard>,
}

impl Default for TestCx {
    fn default() -> Self {
        Self::new()
    }
}

impl TestCx {
    /// As above.
    pub fn new() -> Self {
        Self::with_clock(TestClock::manual())
    }

    /// With this clock.
    pub fn with_clock(clock: TestClock) -> Self {
        let audit = TestAudit::default();
        let mut client = ClientCapabilities::default();
        client.elicitation_form = true;
        client.elicitation_url = true;
        client.sampling = true;
        client.sampling_tools = true;
        client.roots = true;
        Self {
            revision: Revision::LATEST,
            principal: Principal::local(),
            client,
            client_info: None,
            log_level: Some(LogLevel::Debug),
            wants_progress: true,
            trace: TraceContext::default(),
            hops: 0,
            answers: BTreeMap::new(),
            request_state: None,
            completion_arguments: BTreeMap::new(),
            deadline: DEADLINE,
            platform: ports::platform(
                &clock,
                &audit,
                &TestStores::default(),
                &TestTasks::default(),
                &TestEvents::default(),
            ),
            clock,
            audit,
            state: TestState::default(),
            outbox: TestOutbox::default(),
            heard: Mutex::default(),
        }
    }

    /// Who calls.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = principal;
        self
    }

    /// The protocol revision of the call.
    pub fn revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// Adds a value that the handler reads by its type, as `Builder::state` does.
    ///
    /// # Panics
    /// When a value of the type was given before.
    pub fn state<T: Any + MaybeSend + MaybeSync>(mut self, value: T) -> Self {
        let twice = self.state.insert(value);
        assert!(
            !twice,
            "state of type {} was given twice",
            std::any::type_name::<T>()
        );
        self
    }

    /// Adds a port by its trait, e.g. `with_port::<dyn Sql>(database)`.
    pub fn with_port<P: ?Sized + Any + MaybeSend + MaybeSync>(mut self, port: Arc<P>) -> Self
    where
        Arc<P>: Any + MaybeSend + MaybeSync,
    {
        self.platform = self.platform.with_port(port);
        self
    }

    /// Changes the platform, e.g. `|platform| platform.with_blocking(threads)`.
    pub fn map_platform(mut self, change: impl FnOnce(Platform) -> Platform) -> Self {
        self.platform = change(self.platform);
        self
    }

    /// What the client answered under `key` to a question of an earlier round.
    pub fn answer(mut self, key: impl Into<String>, answer: Answer) -> Self {
        self.answers.insert(key.into(), answer);
        self
    }

    /// What an earlier round carried in `InputRequired::state`.
    ///
    /// # Panics
    /// When the value can't be written as JSON.
    pub fn request_state(mut self, state: impl Serialize) -> Self {
        let state = serde_json::to_value(state);
        self.request_state = Some(state.expect("request state is written as JSON"));
        self
    }

    /// While an argument is completed: the value of another one.
    pub fn completion_argument(
        mut self,
        argument: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let (argument, value) = (argument.into(), value.into());
        self.completion_arguments.insert(argument, value);
        self
    }

    /// What the client can do.
    pub fn client(mut self, capabilities: ClientCapabilities) -> Self {
        self.client = capabilities;
        self
    }

    /// What the client calls itself.
    pub fn client_info(mut self, info: Implementation) -> Self {
        self.client_info = Some(info);
        self
    }

    /// The lowest level of log messages that the client wants; `None` for no messages.
    pub fn log_level(mut self, level: Option<LogLevel>) -> Self {
        self.log_level = level;
        self
    }

    /// The client does not want to hear of progress.
    pub fn without_progress(mut self) -> Self {
        self.wants_progress = false;
        self
    }

    /// The client's trace context.
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = trace;
        self
    }

    /// Through how many servers that front others the call came.
    pub fn hops(mut self, hops: u8) -> Self {
        self.hops = hops;
        self
    }

    /// How long the call may take.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The [`Cx`]. Several are several calls of the same caller, with the same clock and ports.
    #[must_use]
    pub fn build(&self) -> Cx {
        let deadline_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let answers = self.answers.clone().into_iter();
        let parts = TestParts {
            revision: self.revision,
            principal: self.principal.clone(),
            client: self.client.clone(),
            client_info: self.client_info.clone(),
            log_level: self.log_level,
            wants_progress: self.wants_progress,
            trace: self.trace.clone(),
            hops: self.hops,
            answers: answers
                .map(|(key, answer)| (key, answer.into_response()))
                .collect(),
            request_state: self.request_state.clone(),
            completion_arguments: self.completion_arguments.clone(),
            deadline_ms: self.clock.now_ms().saturating_add(deadline_ms),
            platform: Arc::new(self.platform.clone()),
        };
        testing::cx(parts, &self.state, &self.outbox)
    }

    /// The progress that was reported so far.
    #[must_use]
    pub fn progress(&self) -> Vec<ReportedProgress> {
        self.heard().progress
    }

    /// The messages for the client's log so far.
    #[must_use]
    pub fn logs(&self) -> Vec<LoggedMessage> {
        self.heard().logs
    }

    /// What was reported to the operator: see [`TestAudit::degraded`].
    #[must_use]
    pub fn audit(&self) -> &TestAudit {
        &self.audit
    }

    /// The clock, to advance it.
    #[must_use]
    pub fn time(&self) -> &TestClock {
        &self.clock
    }

    fn heard(&self) -> Heard {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(notification) = self.outbox.take() {
            heard.take(&notification);
        }
        heard.clone()
    }
}

impl fmt::Debug for TestCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCx")
            .field("revision", &self.revision)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}
