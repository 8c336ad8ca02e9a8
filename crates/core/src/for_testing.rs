//! What the crate `mcpfn-testing` needs from this one: a `Cx` without a call around it, and the
//! private side of a handler's error. Hidden, no part of the public interface, and called by
//! nothing in this crate.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use bytes::Bytes;
use serde_json::Value;

use crate::context::{Cx, CxParts};
use crate::error::{ErrorKind, ToolError};
use crate::model::capabilities::ClientCapabilities;
use crate::model::implementation::Implementation;
use crate::model::input::InputResponse;
use crate::model::meta::{CallMeta, LogLevel, TraceContext};
use crate::outbox::Outbox;
use crate::port::{Platform, TypeMap};
use crate::principal::Principal;
use crate::send::{MaybeSend, MaybeSync};
use crate::version::Revision;

/// What a call would have given the `Cx`.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is what the method of `Cx` with its name gives"
)]
pub struct TestParts {
    pub revision: Revision,
    pub principal: Principal,
    pub client: ClientCapabilities,
    pub client_info: Option<Implementation>,
    pub log_level: Option<LogLevel>,
    pub wants_progress: bool,
    pub trace: TraceContext,
    pub hops: u8,
    pub answers: BTreeMap<String, InputResponse>,
    pub request_state: Option<Value>,
    pub completion_arguments: BTreeMap<String, String>,
    pub deadline_ms: u64,
    pub platform: Arc<Platform>,
}

/// Values that handlers read by their type.
#[derive(Clone, Debug, Default)]
pub struct TestState(TypeMap);

impl TestState {
    /// Returns whether a value of the type was there already.
    pub fn insert<T: Any + MaybeSend + MaybeSync>(&mut self, value: T) -> bool {
        self.0.insert(value)
    }
}

/// Where a `Cx` puts progress and log messages.
#[derive(Clone, Default)]
pub struct TestOutbox(Outbox);

impl TestOutbox {
    /// The next notification, as JSON.
    pub fn take(&self) -> Option<Bytes> {
        self.0.take(Waker::noop())
    }
}

impl fmt::Debug for TestOutbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestOutbox")
    }
}

/// A `Cx` of these parts.
pub fn cx(parts: TestParts, state: &TestState, outbox: &TestOutbox) -> Cx {
    let can_ask = parts.revision.is_modern() || parts.client != ClientCapabilities::default();
    let meta = CallMeta {
        client: parts.client,
        client_info: parts.client_info,
        log_level: parts.log_level,
        progress_token: parts.wants_progress.then(|| "\"test\"".into()),
        trace: parts.trace,
        hops: parts.hops,
        ..CallMeta::default()
    };
    Cx::new(CxParts {
        revision: parts.revision,
        principal: Arc::new(parts.principal),
        meta: Arc::new(meta),
        can_ask,
        answers: parts.answers,
        opened: parts.request_state,
        completion_arguments: parts.completion_arguments,
        deadline_ms: parts.deadline_ms,
        platform: parts.platform,
        state: Arc::new(state.0.clone()),
        siblings: None,
        outbox: outbox.0.clone(),
        task: OnceLock::new(),
    })
}

/// What an error has for the log alone.
pub fn private_cause(error: ToolError) -> Option<String> {
    match error.into_kind() {
        ErrorKind::Failed { cause, .. } => cause,
        ErrorKind::Internal { cause } => Some(cause),
        _ => None,
    }
}

/// What an error asks, each question under its key as the wire has it.
pub fn questions(error: &ToolError) -> BTreeMap<String, Value> {
    let asked = error.ask().map(|ask| &ask.requests);
    let written = |(key, request)| Some((String::clone(key), serde_json::to_value(request).ok()?));
    asked.into_iter().flatten().filter_map(written).collect()
}

/// The state that an error carries to the next round.
pub fn carried_state(error: &ToolError) -> Option<Value> {
    error.ask()?.state.clone()
}
