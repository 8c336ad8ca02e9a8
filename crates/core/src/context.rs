//! `Cx`: what a handler may see and do during one call. Cheap to clone; holds nothing of other
//! calls.

mod ask;
mod call;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::ToolError;
use crate::join::sooner;
use crate::model::capabilities::ClientCapabilities;
use crate::model::implementation::Implementation;
use crate::model::input::InputResponses;
use crate::model::meta::{CallMeta, LogLevel, TraceContext};
use crate::outbox::Outbox;
use crate::port::http_client::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::{Platform, TypeMap, milliseconds};
use crate::principal::Principal;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::sibling::Siblings;
use crate::task::Task;
use crate::task::handle::TaskStage;
use crate::version::Revision;

pub use call::KnownTool;

// One pointer, because handlers take it by value and move it into their futures.
/// One call, as its handler sees it.
///
/// The caller, the time, what the server shares, and what the client hears meanwhile:
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{Cx, LogLevel, ToolError};
/// use mcpfn_testing::{TestCx, block_on};
///
/// struct Prices(u32);
///
/// async fn price(cx: &Cx) -> Result<String, ToolError> {
///     if cx.remaining() < Duration::from_millis(100) {
///         return Err(ToolError::new("too little time is left; call again"));
///     }
///     cx.progress(1.0, Some(2.0), Some("looking it up"));
///     cx.log(LogLevel::Info, "asked for a price");
///     let Prices(cents) = cx.state()?;
///     Ok(format!("{cents} for {}", cx.principal().subject))
/// }
///
/// let test = TestCx::new().state(Prices(250));
/// assert_eq!(block_on(price(&test.build())).unwrap(), "250 for local");
/// assert_eq!(test.progress()[0].message.as_deref(), Some("looking it up"));
/// ```
///
/// A question to the user, whose state travels through the client, and a service that is asked within
/// the time that the call has left:
///
/// ```
/// use mcpfn_core::{Cx, ToolError, round_trip::Form, port::{HttpClient, HttpRequest}};
/// use mcpfn_testing::{Answer, TestCx, TestHttp, block_on};
/// use serde_json::json;
/// use std::sync::Arc;
///
/// async fn pay(cx: &Cx) -> Result<String, ToolError> {
///     let form = Form::new("Pay 2.50?").boolean("yes", "Go on");
///     let answer = cx.elicit("confirm", form)?;
///     if answer.accepted().is_none() {
///         return Ok("not paid".to_owned());
///     }
///     let request = HttpRequest::post("https://bank.example/pay", "application/json", "{}");
///     match cx.fetch(request).await? {
///         Ok(response) if response.is_success() => Ok("paid".to_owned()),
///         other => Err(ToolError::unavailable("the bank is unavailable", format!("{other:?}"))),
///     }
/// }
///
/// let bank = TestHttp::new(|_| Ok(TestHttp::json(200, "{}")));
/// let test = TestCx::new().with_port::<dyn HttpClient>(Arc::new(bank));
/// assert!(block_on(pay(&test.build())).unwrap_err().ask().is_some());
/// let test = test.answer("confirm", Answer::accept(json!({"yes": true})));
/// assert_eq!(block_on(pay(&test.build())).unwrap(), "paid");
/// ```
#[derive(Clone)]
pub struct Cx(Arc<CxParts>);

/// The parts of a `Cx`; the dispatcher fills them in.
pub(crate) struct CxParts {
    pub(crate) revision: Revision,
    pub(crate) principal: Arc<Principal>,
    pub(crate) meta: Arc<CallMeta>,
    /// A question reaches the client.
    pub(crate) can_ask: bool,
    pub(crate) answers: InputResponses,
    pub(crate) opened: Option<Value>,
    pub(crate) completion_arguments: BTreeMap<String, String>,
    pub(crate) deadline_ms: u64,
    pub(crate) platform: Arc<Platform>,
    pub(crate) state: Arc<TypeMap>,
    /// Whose other tools the handler can call.
    pub(crate) siblings: Option<Arc<dyn Siblings>>,
    pub(crate) outbox: Outbox,
    /// Filled where the call is a task or may become one.
    pub(crate) task: OnceLock<Task>,
}

impl Cx {
    pub(crate) fn new(parts: CxParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Tells the client how far the call is. Without a progress token nothing is sent.
    ///
    /// `progress` must grow from call to call (one that does not is left out); `total` is its end,
    /// if known. The first report turns the HTTP answer into an event stream.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(token) = &self.0.meta.progress_token {
            self.0.outbox.progress(
                token,
                progress,
                total,
                // the text of a report came with 2025-03-26
                message.filter(|_| self.0.revision.has_annotations()),
            );
        }
    }

    /// How many servers that front others the call came through (`dev.mcpfn/hops` in its `_meta`),
    /// so that none goes in circles.
    #[must_use]
    pub fn hops(&self) -> u8 {
        self.0.meta.hops
    }

    /// Whether the client wants to hear of progress.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.0.meta.progress_token.is_some()
    }

    /// Sends a log message with this call's answer, if the server declares logging
    /// (`Builder::logging`) and the client asked for this level (modern clients name one per
    /// request; older ones get `info` and above).
    ///
    /// Never put secrets or personal data in it: the client reads it.
    pub fn log(&self, level: LogLevel, data: impl Serialize) {
        if self.0.meta.log_level.is_some_and(|wanted| level >= wanted) {
            self.0
                .outbox
                .log(level, serde_json::to_value(data).unwrap_or(Value::Null));
        }
    }

    /// Tells the server's log, not the client, that something the handler can do without is
    /// unavailable. `what` is a name such as `embeddings`; put no secret into `cause`.
    pub fn report_degraded(&self, what: &str, cause: &str) {
        self.0.platform.audit_log.store_failure(what, cause);
    }

    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// The protocol revision of this call.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.0.revision
    }

    /// What the client can do, as declared on this call.
    #[must_use]
    pub fn client(&self) -> &ClientCapabilities {
        &self.0.meta.client
    }

    /// What the client calls itself. For display only: anyone can write anything here.
    #[must_use]
    pub fn client_info(&self) -> Option<&Implementation> {
        self.0.meta.client_info.as_ref()
    }

    /// W3C trace context from the call's `_meta`, to pass on to what the handler calls.
    #[must_use]
    pub fn trace(&self) -> &TraceContext {
        &self.0.meta.trace
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.platform.clock.now_ms()
    }

    /// How long this call may still run. Give it to whatever the handler waits for.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        Duration::from_millis(self.0.deadline_ms.saturating_sub(self.now_ms()))
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        self.0.platform.timer.sleep(duration).await;
    }

    /// What some work ends in, or nothing once the time of this call is over.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        // the timer is made when it is first needed: most work is done at once
        let end = async { self.sleep(self.remaining()).await };
        sooner(work, end).await.ok()
    }

    /// The same call for work that goes on after its answer ([`Cx::in_background`]), or that serves
    /// other calls too: it has `within` from now on, whatever the call has left, reports nothing to
    /// the client, and knows nothing that the client declared or answered.
    #[must_use]
    pub fn detached(&self, within: Duration) -> Self {
        let meta = CallMeta {
            trace: self.0.meta.trace.clone(),
            hops: self.0.meta.hops,
            ..CallMeta::default()
        };
        Self::new(CxParts {
            revision: self.0.revision,
            principal: Arc::clone(&self.0.principal),
            meta: Arc::new(meta),
            can_ask: false,
            answers: InputResponses::default(),
            opened: None,
            completion_arguments: BTreeMap::new(),
            deadline_ms: self.now_ms().saturating_add(milliseconds(within)),
            platform: Arc::clone(&self.0.platform),
            state: Arc::clone(&self.0.state),
            siblings: self.0.siblings.clone(),
            outbox: Outbox::default(),
            task: OnceLock::new(),
        })
    }

    /// Lets work go on after the answer. It must bound its own time: a host that freezes between
    /// requests waits for it.
    ///
    /// # Errors
    /// The work itself, on a host that has no [`Background`](crate::port::Background).
    pub fn in_background(
        &self,
        work: BoxFuture<'static, ()>,
    ) -> Result<(), BoxFuture<'static, ()>> {
        match &self.0.platform.background {
            Some(background) => {
                background.run(work);
                Ok(())
            }
            None => Err(work),
        }
    }

    /// Application state by its type, as given to `Builder::state`.
    ///
    /// # Errors
    /// An internal error when the server was built without it.
    pub fn state<T: Any + MaybeSend + MaybeSync>(&self) -> Result<&T, ToolError> {
        let missing = || {
            ToolError::internal(format!(
                "no state of type {}: give it to Builder::state",
                std::any::type_name::<T>()
            ))
        };
        self.0.state.find().ok_or_else(missing)
    }

    /// A port of the host by its trait, e.g. `cx.port::<dyn Sql>()?`.
    ///
    /// # Errors
    /// An internal error when the host does not provide it.
    pub fn port<P: ?Sized + Any>(&self) -> Result<&Arc<P>, ToolError> {
        let missing = || {
            ToolError::internal(format!(
                "the host has no port {}: give it to Platform::with_port",
                std::any::type_name::<P>()
            ))
        };
        self.0.platform.port().ok_or_else(missing)
    }

    /// Asks another HTTP service through the host's client: within the time that this call has
    /// left, and as part of its trace (unless the request may go anywhere, `public_only`: strangers
    /// learn no trace).
    ///
    /// # Errors
    /// An internal error when the host has no client; what the model reads of other failures is for
    /// the handler to say.
    pub async fn fetch(
        &self,
        mut request: HttpRequest,
    ) -> Result<Result<HttpResponse, HttpError>, ToolError> {
        let client = Arc::clone(self.port::<dyn HttpClient>()?);
        // an answer that comes after the deadline is of no use
        request.timeout = request.timeout.min(self.remaining());
        let nothing = TraceContext::default();
        let trace = if request.public_only {
            &nothing
        } else {
            self.trace()
        };
        for (name, value) in [
            ("traceparent", &trace.traceparent),
            ("tracestate", &trace.tracestate),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        Ok(client.send(request).await)
    }

    pub(crate) fn server_state(&self) -> &TypeMap {
        &self.0.state
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// While completing an argument: what the person has completion_arguments into another one already.
    #[must_use]
    pub fn completion_argument(&self, argument: &str) -> Option<&str> {
        self.0
            .completion_arguments
            .get(argument)
            .map(String::as_str)
    }

    /// The task that the call is, or could be: see [`Task`].
    #[must_use]
    pub fn task(&self) -> Task {
        let task = || Task::new(TaskStage::Inline, None);
        self.0.task.get_or_init(task).clone()
    }
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("revision", &self.0.revision)
            .field("principal", &self.0.principal)
            .finish_non_exhaustive()
    }
}
