//! One call once its request is gone: what was asked for, of what, by whom. Not how it runs: that
//! is `dispatch`, with the policies around it.

pub(crate) mod end;
pub(crate) mod failure;
mod response;
pub(crate) mod result;
mod task;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::canonical::canonical;
use crate::context::{Cx, CxParts};
use crate::jsonrpc::{Error, refused};
use crate::model::JsonObject;
use crate::model::capabilities::ClientCapabilities;
use crate::model::input::{InputResponses, read_responses};
use crate::model::meta::{CallMeta, LogLevel, TraceContext};
use crate::outbox::Outbox;
use crate::port::store_error::StoreError;
use crate::port::{Platform, milliseconds};
use crate::principal::Principal;
use crate::round_trip::Binding;
use crate::server::Server;
use crate::server::target::Target;
use crate::task::Task;
use crate::tool::TIMEOUT;
use crate::version::Revision;

/// Everything a call needs after its request is gone: nothing here borrows from the request's
/// body, so that the call can outlive it.
#[derive(Clone)]
pub(crate) struct ActiveCall {
    pub(crate) server: Server,
    pub(crate) platform: Arc<Platform>,
    /// JSON text of the request's id.
    id: Box<str>,
    pub(crate) method: &'static str,
    /// What the call is about, found once.
    pub(crate) target: Target,
    /// The tool's or prompt's name, or the URI, as the client wrote it. An upstream's stand-in has
    /// another name than what is behind it, so that the target does not tell.
    pub(crate) requested: String,
    pub(crate) revision: Revision,
    pub(crate) principal: Arc<Principal>,
    meta: Arc<CallMeta>,
    arguments: Option<Box<RawValue>>,
    /// The client's answers to questions of an earlier call, not yet read.
    input_responses: Option<Box<RawValue>>,
    /// Sealed state of an earlier call, not yet opened.
    request_state: Option<String>,
    /// State that a task kept: it never left the store, so it is not sealed.
    kept_state: Option<Value>,
    deadline_ms: Option<u64>,
    outbox: Outbox,
    /// The handler's questions go out on the call's own stream.
    asks_on_stream: bool,
    /// What the client was told of the first private cause, if there was one: in any of the runs of
    /// the handler.
    error_id: Arc<OnceLock<String>>,
    /// What the call uses that is deprecated, in sentences.
    deprecated: OnceLock<Vec<String>>,
}

impl ActiveCall {
    pub(crate) fn new(
        method: &'static str,
        target: Target,
        requested: &str,
        server: &Server,
        call: &mut Call<'_>,
        platform: &Arc<Platform>,
    ) -> Result<Self, Error> {
        let request_state = call.params.request_state()?.map(Into::into);
        let (mut meta, params, revision) =
            (std::mem::take(&mut call.meta), &call.params, call.revision);
        if server.capabilities().logging.is_none() {
            meta.log_level = None;
        } else if !revision.is_modern() {
            // a legacy client sets its level for a session, and there are no sessions here
            meta.log_level = Some(LogLevel::Info);
        }
        let asks_on_stream = call.asks_on_stream && platform.mailbox.is_some();
        if !asks_on_stream && !revision.is_modern() {
            // what a handler can't use is not declared to it
            meta.client = ClientCapabilities::default();
        }
        Ok(Self {
            server: server.clone(),
            platform: Arc::clone(platform),
            id: call.id.as_json().into(),
            method,
            target,
            requested: requested.to_owned(),
            revision,
            principal: Arc::clone(&call.principal),
            meta: meta.into(),
            arguments: params.arguments().map(ToOwned::to_owned),
            input_responses: params.input_responses().map(ToOwned::to_owned),
            request_state,
            kept_state: None,
            deadline_ms: call.deadline_ms,
            outbox: Outbox::default(),
            asks_on_stream,
            error_id: Arc::default(),
            deprecated: OnceLock::new(),
        })
    }

    /// The same call with answers to what its handler asked, as a client would send it that calls
    /// again.
    pub(crate) fn again(&self, answers: Box<RawValue>, state: Option<String>) -> Self {
        Self {
            input_responses: Some(answers),
            request_state: state,
            ..self.clone()
        }
    }

    /// The name for logs and for people: the registered one, or the one by which an upstream's list
    /// has it. Never any other text of a client, which could fill a log or a metric with anything.
    pub(crate) fn name(&self) -> &str {
        match self.target.upstream() {
            Some((upstream, kind)) if upstream.knows(kind, &self.requested) => &self.requested,
            _ => self.target.name(),
        }
    }

    /// JSON text of the request's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The id under which the log has why the call failed.
    pub(crate) fn error_id(&self) -> Option<&str> {
        self.error_id.get().map(String::as_str)
    }

    /// Remembers what the call uses that is deprecated, for its result and its entry in the log.
    pub(crate) fn note_deprecated(&self, notes: Vec<String>) {
        // a call is read once
        let _ = self.deprecated.set(notes);
    }

    pub(crate) fn deprecated(&self) -> &[String] {
        self.deprecated.get().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn trace(&self) -> &TraceContext {
        &self.meta.trace
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Whether what the handler asks goes out on the call's own stream, in place of a result that has
    /// the client call again.
    pub(crate) fn asks_on_stream(&self) -> bool {
        self.asks_on_stream
    }

    pub(crate) fn wants_progress(&self) -> bool {
        self.meta.progress_token.is_some()
    }

    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.meta.idempotency_key.as_deref()
    }

    /// Whether the client says something in reply to a question of an earlier call.
    pub(crate) fn has_input_responses(&self) -> bool {
        self.input_responses.is_some()
    }

    /// Whether the call goes on with an earlier one that asked something.
    pub(crate) fn is_retry(&self) -> bool {
        self.input_responses.is_some() || self.request_state.is_some()
    }

    /// The arguments as they came, for their size and fingerprint.
    pub(crate) fn raw_arguments(&self) -> &str {
        self.arguments.as_ref().map_or("", |raw| raw.get())
    }

    pub(crate) fn arguments(&self) -> Result<Value, Error> {
        // clients of tools without arguments send none
        let Some(raw) = &self.arguments else {
            return Ok(Value::Object(JsonObject::new()));
        };
        match serde_json::from_str(raw.get()) {
            Ok(arguments @ Value::Object(_)) => Ok(arguments),
            Ok(_) => Err(Error::invalid_params(
                "`params.arguments` must be an object",
            )),
            // a raw value was checked for syntax only: depth and numbers show up here
            Err(error) if error.to_string().starts_with("number") => Err(Error::invalid_params(
                "`params.arguments` holds a number that no 64-bit number is close to: leave it out, \
                 or send it as text",
            )),
            Err(_) => Err(refused(
                "`params.arguments`",
                raw,
                "`params.arguments` nests deeper than 127 levels: send it flatter",
            )),
        }
    }

    /// Until when the host runs the call, if it says so: milliseconds since 1970.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// The handler's own limit, cut to what the host has left.
    pub(crate) fn limit(&self, own: Duration) -> Duration {
        match self.deadline_ms {
            Some(deadline_ms) => own.min(Duration::from_millis(
                deadline_ms.saturating_sub(self.platform.clock.now_ms()),
            )),
            None => own,
        }
    }

    /// What the completer of one argument sees. Completions are never retries of a question, so the
    /// call's arguments do not matter.
    pub(crate) fn completion_cx(
        &self,
        completion_arguments: BTreeMap<String, String>,
    ) -> Result<Cx, Error> {
        self.cx_with(&Value::Null, TIMEOUT, completion_arguments, OnceLock::new())
    }

    /// What a handler sees. `arguments` are what sealed state is bound to.
    pub(crate) fn cx(&self, arguments: &Value, limit: Duration) -> Result<Cx, Error> {
        self.cx_with(arguments, limit, BTreeMap::new(), OnceLock::new())
    }

    /// The same for a tool whose calls can be tasks.
    pub(crate) fn cx_of_task(
        &self,
        arguments: &Value,
        limit: Duration,
        task: &Task,
    ) -> Result<Cx, Error> {
        self.cx_with(arguments, limit, BTreeMap::new(), task.clone().into())
    }

    fn cx_with(
        &self,
        arguments: &Value,
        limit: Duration,
        completion_arguments: BTreeMap<String, String>,
        task: OnceLock<Task>,
    ) -> Result<Cx, Error> {
        let now_ms = self.platform.clock.now_ms();
        // before the handler starts: a state that was changed, or that belongs to another call,
        // refuses the call
        let opened = self.opened(arguments)?;
        Ok(Cx::new(CxParts {
            revision: self.revision,
            principal: Arc::clone(&self.principal),
            meta: Arc::clone(&self.meta),
            can_ask: self.asks_on_stream || self.revision.is_modern(),
            answers: self.read_input_responses()?,
            opened,
            completion_arguments,
            deadline_ms: now_ms.saturating_add(milliseconds(limit)),
            platform: Arc::clone(&self.platform),
            state: Arc::clone(self.server.state()),
            siblings: Some(self.server.siblings()),
            outbox: self.outbox.clone(),
            task,
        }))
    }

    /// What an earlier round of the call gave its client to carry.
    pub(crate) fn opened(&self, arguments: &Value) -> Result<Option<Value>, Error> {
        if self.kept_state.is_some() {
            return Ok(self.kept_state.clone());
        }
        let now_ms = self.platform.clock.now_ms();
        let open = |token: &String| {
            let binding = self.binding(arguments);
            self.platform.keys.open(token, now_ms, &binding)
        };
        self.request_state.as_ref().map(open).transpose()
    }

    fn read_input_responses(&self) -> Result<InputResponses, Error> {
        let Some(raw) = &self.input_responses else {
            return Ok(InputResponses::new());
        };
        read_responses(raw).map_err(Error::invalid_params)
    }

    /// What sealed state is bound to: a token of another caller, call or target does not open.
    fn binding(&self, arguments: &Value) -> Binding {
        Binding::new(
            self.server.name(),
            &self.principal.key(),
            self.method,
            &self.requested,
            &canonical(arguments),
        )
    }

    /// Tells the log that a store or a service is unavailable. The client is told nothing: the
    /// policy decides whether its call goes on.
    pub(crate) fn store_failed(&self, store: &str, error: &StoreError) {
        self.platform.store_failed(store, error);
    }
}
