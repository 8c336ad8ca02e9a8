//! One call at work: what it needs once its request is gone, and the answers that any of the three
//! kinds of call may give.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::canonical::canonical;
use crate::context::{Cx, CxParts};
use crate::error::ErrorKind;
use crate::jsonrpc::{Error, ErrorCode, to_json};
use crate::model::JsonObject;
use crate::model::capabilities::Capability;
use crate::model::input::{InputRequest, InputResponses, read_responses};
use crate::model::meta::{CACHE, CallMeta, LogLevel, TraceContext};
use crate::model::tool::CallToolResult;
use crate::outbox::Outbox;
use crate::policy::audit::{self, AuditGuard};
use crate::policy::stored_result::{HandlerResult, Retain};
use crate::policy::{rate_limit, scope};
use crate::port::audit_log::{CacheStatus, Failure, Outcome};
use crate::port::store::{Rate, StoreError};
use crate::port::{Platform, milliseconds};
use crate::principal::Principal;
use crate::round_trip::{Binding, InputRequired};
use crate::running::{Execution, Running};
use crate::send::MaybeSend;
use crate::server::Server;
use crate::tool::TIMEOUT;
use crate::upstream::{ListKind, Upstream};
use crate::version::Revision;

/// What a call is about, by its position in the server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Tool(usize),
    Prompt(usize),
    Resource(usize),
}

impl Target {
    /// The registered name.
    pub(crate) fn name(self, server: &Server) -> &str {
        match self {
            Self::Tool(position) => &server.tool(position).name,
            Self::Prompt(position) => &server.prompt(position).definition.name,
            Self::Resource(position) => &server.resource(position).definition.name,
        }
    }

    /// The upstream behind it, if it is not the server's own.
    pub(crate) fn upstream(self, server: &Server) -> Option<(&Arc<dyn Upstream>, ListKind)> {
        let (position, own, kind) = match self {
            Self::Tool(position) => (position, server.tools().len(), ListKind::Tools),
            Self::Prompt(position) => (position, server.prompts().len(), ListKind::Prompts),
            Self::Resource(position) => (position, server.resources().len(), ListKind::Resources),
        };
        Some((
            &server.upstreams().get(position.checked_sub(own)?)?.upstream,
            kind,
        ))
    }

    /// The scopes that a caller needs.
    pub(crate) fn scopes(self, server: &Server) -> &[String] {
        match self {
            Self::Tool(position) => &server.tool(position).scopes,
            Self::Prompt(position) => &server.prompt(position).scopes,
            Self::Resource(position) => &server.resource(position).scopes,
        }
    }
}

/// Everything a call needs after its request is gone.
pub(crate) struct ActiveCall {
    pub(crate) server: Server,
    pub(crate) platform: Arc<Platform>,
    /// JSON text of the request's id.
    id: Box<str>,
    pub(crate) method: &'static str,
    place: Target,
    /// The tool's or prompt's name, or the URI, as the client wrote it.
    pub(crate) target: String,
    pub(crate) revision: Revision,
    pub(crate) principal: Arc<Principal>,
    meta: Arc<CallMeta>,
    arguments: Option<Box<RawValue>>,
    pub(super) answers: Option<Box<RawValue>>,
    state: Option<String>,
    deadline_ms: Option<u64>,
    outbox: Outbox,
}

impl ActiveCall {
    pub(super) fn new(
        method: &'static str,
        place: Target,
        target: &str,
        server: &Server,
        call: &mut Call<'_>,
        platform: &Arc<Platform>,
    ) -> Result<Self, Error> {
        let state = call.params.request_state()?.map(Into::into);
        let (mut meta, params, revision) =
            (std::mem::take(&mut call.meta), &call.params, call.revision);
        if server.capabilities().logging.is_none() {
            meta.log_level = None;
        } else if !revision.is_modern() {
            // a legacy client sets its level for a session, which nobody here remembers
            meta.log_level = Some(LogLevel::Info);
        }
        // owned: the request borrows from the body, which is gone before the handler ends
        Ok(Self {
            server: server.clone(),
            platform: Arc::clone(platform),
            id: call.id.as_json().into(),
            method,
            place,
            target: target.to_owned(),
            revision,
            principal: Arc::clone(&call.principal),
            meta: meta.into(),
            arguments: params.arguments().map(ToOwned::to_owned),
            answers: params.input_responses().map(ToOwned::to_owned),
            state,
            deadline_ms: call.deadline_ms,
            outbox: Outbox::default(),
        })
    }

    /// Starts the call: its scope first, then its rate limit (`own` is the tool's), its record last.
    pub(super) fn start<F, R>(self, own: Option<Rate>, run: F) -> Execution
    where
        F: FnOnce(Arc<Self>) -> R + MaybeSend + 'static,
        R: Future<Output = audit::CallResult> + MaybeSend,
    {
        let (id, wants_progress, outbox) = (
            self.id.clone(),
            self.meta.progress_token.is_some(),
            self.outbox.clone(),
        );
        let work = Arc::new(self);
        let call = async move {
            // Before anything can fail: it writes its record when it is dropped, too, so that a
            // call whose client went away has one.
            let recorder = AuditGuard::start(Arc::clone(&work));
            let admitted = async {
                // the scope first: a call that is not allowed anyway costs neither its caller's
                // rate limit nor a request to the store
                scope::admit(&work.server, work.place, &work.principal)?;
                rate_limit::admit(&work, own).await
            };
            let ended = match admitted.await {
                Ok(()) => run(work).await,
                Err(error) => Err(error.into()),
            };
            recorder.end(ended)
        };
        Execution::Running(Running::new(id, wants_progress, outbox, Box::pin(call)))
    }

    /// The registered name of what the call is about, or the name by which an upstream's list has
    /// it.
    pub(crate) fn name(&self) -> &str {
        // what the client wrote is a name only if the upstream's list has it: records and metrics
        // hold no other text of clients
        match self.place.upstream(&self.server) {
            Some((upstream, kind)) if upstream.knows(kind, &self.target) => &self.target,
            _ => self.place.name(&self.server),
        }
    }

    /// The arguments as they came, for their size and fingerprint.
    pub(crate) fn input(&self) -> &str {
        self.arguments.as_ref().map_or("", |raw| raw.get())
    }

    /// Names of arguments that are never shown.
    pub(crate) fn hidden(&self) -> &[String] {
        match self.place {
            Target::Tool(position) => &self.server.tool(position).hidden,
            Target::Prompt(_) | Target::Resource(_) => &[],
        }
    }

    /// JSON text of the request's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn trace(&self) -> &TraceContext {
        &self.meta.trace
    }

    pub(super) fn idempotency_key(&self) -> Option<&str> {
        self.meta.idempotency_key.as_deref()
    }

    /// Whether the call answers a question of an earlier one.
    pub(crate) fn is_retry(&self) -> bool {
        self.answers.is_some() || self.state.is_some()
    }

    pub(super) fn arguments(&self) -> Result<Value, Error> {
        // clients of tools without arguments send none
        let Some(raw) = &self.arguments else {
            return Ok(Value::Object(JsonObject::new()));
        };
        match serde_json::from_str(raw.get()) {
            Ok(arguments @ Value::Object(_)) => Ok(arguments),
            Ok(_) => Err(Error::invalid_params(
                "`params.arguments` must be an object",
            )),
            Err(_) => Err(Error::invalid_params(
                "`params.arguments` nests deeper than 127 levels or holds a number out of range",
            )),
        }
    }

    /// The tool's own limit, cut to what the host has left.
    pub(super) fn limit(&self, own: Duration) -> Duration {
        match self.deadline_ms {
            Some(deadline_ms) => own.min(Duration::from_millis(
                deadline_ms.saturating_sub(self.platform.clock.now_ms()),
            )),
            None => own,
        }
    }

    pub(super) fn completion_cx(
        &self,
        completion_arguments: BTreeMap<String, String>,
    ) -> Result<Cx, Error> {
        self.cx_with(&Value::Null, TIMEOUT, completion_arguments)
    }

    pub(super) fn cx(&self, arguments: &Value, limit: Duration) -> Result<Cx, Error> {
        self.cx_with(arguments, limit, BTreeMap::new())
    }

    fn cx_with(
        &self,
        arguments: &Value,
        limit: Duration,
        completion_arguments: BTreeMap<String, String>,
    ) -> Result<Cx, Error> {
        let now_ms = self.platform.clock.now_ms();
        // before the handler starts: a state that was changed, or that belongs to another call,
        // refuses the call
        let opened = match &self.state {
            Some(token) => Some(self.platform.keys.open(
                token,
                now_ms,
                &self.binding(arguments),
            )?),
            None => None,
        };
        Ok(Cx::new(CxParts {
            revision: self.revision,
            principal: Arc::clone(&self.principal),
            meta: Arc::clone(&self.meta),
            answers: self.answers()?,
            opened,
            completion_arguments,
            deadline_ms: now_ms.saturating_add(milliseconds(limit)),
            platform: Arc::clone(&self.platform),
            state: Arc::clone(self.server.state()),
            outbox: self.outbox.clone(),
        }))
    }

    fn answers(&self) -> Result<InputResponses, Error> {
        let Some(raw) = &self.answers else {
            return Ok(InputResponses::new());
        };
        read_responses(raw).map_err(Error::invalid_params)
    }

    fn binding(&self, arguments: &Value) -> Binding {
        Binding::new(
            self.server.name(),
            &self.principal.key(),
            self.method,
            &self.target,
            &canonical(arguments),
        )
    }

    /// The members of an answer that asks the client something.
    fn question_members(&self, name: &str, ask: &InputRequired) -> Result<Vec<u8>, Error> {
        // the specification forbids to ask for what the client did not declare on this request
        let undeclared: Vec<_> = ask
            .requests
            .values()
            .map(InputRequest::needs)
            .filter(|needed| !needed.is_in(&self.meta.client))
            .collect();
        if !undeclared.is_empty() {
            return Err(missing(&undeclared));
        }
        if ask.state_failed || (ask.requests.is_empty() && ask.state.is_none()) {
            return Err(Error::internal(self.internal(
                name,
                "the handler asked for nothing, or its state can't be written as JSON",
            )));
        }
        let mut written = Vec::from("{");
        if !ask.requests.is_empty() {
            written.extend_from_slice(b"\"inputRequests\":");
            written.extend_from_slice(&to_json(&ask.requests));
        }
        if let Some(state) = &ask.state {
            let within = milliseconds(ask.expires_in);
            // bound to the same arguments as when it is opened: reading a resource has none
            let arguments = if self.method == "resources/read" {
                Value::Null
            } else {
                self.arguments()?
            };
            let expires_ms = self.platform.clock.now_ms().saturating_add(within);
            let token = self.platform.keys.seal(
                state,
                expires_ms,
                &self.binding(&arguments),
                &*self.platform.random,
            )?;
            if !ask.requests.is_empty() {
                written.push(b',');
            }
            written.extend_from_slice(b"\"requestState\":");
            written.extend_from_slice(&to_json(&token));
        }
        written.push(b'}');
        Ok(written)
    }

    /// A tool's question, as a result that nobody keeps.
    pub(super) fn question(&self, name: &str, ask: &InputRequired) -> Result<HandlerResult, Error> {
        let body = self.question_members(name, ask)?.into();
        Ok(HandlerResult {
            body,
            meta: JsonObject::new(),
            outcome: Outcome::InputRequired,
            retain: Retain::Nothing,
        })
    }

    /// A tool's result, written for this revision.
    pub(super) fn made(
        &self,
        result: CallToolResult,
        outcome: Outcome,
        retain: Retain,
    ) -> HandlerResult {
        let mut result = result.down_level(self.revision);
        let meta = std::mem::take(&mut result.meta);
        HandlerResult {
            body: to_json(&result).into(),
            meta,
            outcome,
            retain,
        }
    }

    /// A failure that a policy reports in the tool's place.
    pub(crate) fn tool_error(&self, text: &str) -> HandlerResult {
        self.made(
            CallToolResult::error(text),
            Outcome::Failed,
            Retain::Nothing,
        )
    }

    /// The answer's result, with what the client asked to hear of `cache`.
    pub(super) fn write(&self, made: &HandlerResult, cache: CacheStatus) -> Vec<u8> {
        if made.outcome == Outcome::InputRequired {
            return self.server.input_required(&made.body);
        }
        // not unless it is asked for: other clients have no use for the bytes
        if !self.meta.tells_cache {
            return self
                .server
                .complete(self.revision, &made.body, &made.meta, "");
        }
        let mut meta = made.meta.clone();
        meta.insert(CACHE.to_owned(), cache.as_str().into());
        self.server.complete(self.revision, &made.body, &meta, "")
    }

    /// A failure of a prompt or a resource: always a protocol error.
    pub(super) fn failed(&self, name: &str, kind: ErrorKind) -> audit::CallResult {
        // unlike a tool's, their results have no `isError`
        Err(audit::CallError::from(match kind {
            ErrorKind::InputRequired(ask) if self.revision.is_modern() => {
                let written = self
                    .server
                    .input_required(&self.question_members(name, &ask)?);
                return Ok((written, Outcome::InputRequired.into()));
            }
            ErrorKind::InputRequired(_) => Error::invalid_request(self.cannot_ask(name)),
            ErrorKind::NotFound { message } => Error::invalid_params(message),
            ErrorKind::Failed { message, cause } => {
                Error::internal(self.public(name, message, cause))
            }
            ErrorKind::Internal { cause } => Error::internal(self.internal(name, &cause)),
            ErrorKind::MissingCapability(capability) => missing(&[capability]),
        }))
    }

    pub(super) fn cannot_ask(&self, name: &str) -> String {
        format!(
            "`{name}` needs to ask the client something, which protocol revision {} can't carry \
             without a session; use a client that speaks {}",
            self.revision,
            Revision::LATEST
        )
    }

    /// A prompt or a resource whose time was over.
    pub(super) fn timed_out(&self, name: &str, limit: Duration) -> audit::CallError {
        audit::CallError {
            error: Error::internal(self.too_slow(name, limit)),
            outcome: Outcome::TimedOut,
        }
    }

    /// The answer of a prompt or a resource, unless it is larger than an answer may be.
    pub(super) fn bounded(&self, name: &str, body: &[u8], extra: &str) -> audit::CallResult {
        // checked here and not by the host, because a platform that cuts a response sends the
        // client no JSON
        let most = self.server.max_result_bytes();
        if body.len() > most {
            let text = format!(
                "`{name}` has {} bytes, more than the {most} that one answer may have",
                body.len()
            );
            return Err(audit::CallError {
                error: Error::internal(text),
                outcome: Outcome::TooLarge,
            });
        }
        Ok((
            self.server
                .complete(self.revision, body, &JsonObject::new(), extra),
            Outcome::Ok.into(),
        ))
    }

    pub(super) fn too_slow(&self, name: &str, limit: Duration) -> String {
        format!(
            "`{name}` did not finish within {} and was stopped. Try a narrower request, or the \
             same one later.",
            seconds(limit)
        )
    }

    /// A handler's own sentence; with the id under which the log has the cause, if it gave one.
    pub(super) fn public(&self, name: &str, message: String, cause: Option<String>) -> String {
        match cause {
            None => message,
            Some(cause) => format!("{message} (error id {})", self.record(name, &cause)),
        }
    }

    pub(super) fn internal(&self, name: &str, cause: &str) -> String {
        format!(
            "internal error of `{name}` (error id {}); the cause is in the server's log under this \
             id",
            self.record(name, cause)
        )
    }

    /// Hands the private cause to the log, and gives the id that the client is told.
    fn record(&self, name: &str, cause: &str) -> String {
        // random and not counted, because instances share no counter; 48 bits find one line in a
        // log
        let mut bytes = [0; 6];
        self.platform.random.fill(&mut bytes);
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.platform
            .audit_log
            .failure(&Failure::new(&id, self.method, name, cause));
        id
    }

    /// Tells the log that a store gave no answer.
    pub(crate) fn store_failed(&self, store: &str, error: &StoreError) {
        self.platform
            .audit_log
            .store_failure(store, &error.to_string());
    }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

/// Error -32021.
pub(super) fn missing(capabilities: &[Capability]) -> Error {
    let mut required = JsonObject::new();
    let mut names = Vec::new();
    for capability in capabilities {
        let Value::Object(members) = capability.as_required() else {
            continue;
        };
        for (name, modes) in members {
            // two modes of one capability stand side by side
            match (required.get_mut(&name), modes) {
                (Some(Value::Object(known)), Value::Object(modes)) => known.extend(modes),
                (_, modes) => drop(required.insert(name, modes)),
            }
        }
        names.push(capability.name());
    }
    Error::new(
        ErrorCode::MISSING_CAPABILITY,
        format!(
            "this call needs client capabilities that were not declared: {}",
            names.join(", ")
        ),
    )
    .with_data(serde_json::json!({ "requiredCapabilities": required }))
}
