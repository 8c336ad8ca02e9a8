//! What a store keeps of a task beside its head, as JSON: the call, and the questions of its runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::capabilities::ClientCapabilities;
use crate::model::implementation::Implementation;
use crate::model::meta::{CallMeta, TraceContext};
use crate::principal::{Principal, PrincipalKind};
use crate::scope::Scopes;
use crate::session;

/// What was called, by whom, and what that client can do: all that later runs know of the call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskCall {
    pub(crate) tool: String,
    pub(crate) arguments: Value,
    caller: RecordedCaller,
    /// As in a session's token.
    client: u8,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_info: Option<Implementation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracestate: Option<String>,
    #[serde(default)]
    hops: u8,
    /// What the client answered before the call became a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Value>,
}

/// Scopes are those of the call: a token that ends does not end what it was good for.
#[derive(Debug, Serialize, Deserialize)]
struct RecordedCaller {
    kind: String,
    subject: String,
    scopes: String,
}

impl TaskCall {
    pub(crate) fn new(
        tool: &str,
        arguments: Value,
        principal: &Principal,
        meta: &CallMeta,
        answers: Option<Box<RawValue>>,
        state: Option<Value>,
    ) -> Self {
        Self {
            tool: tool.to_owned(),
            arguments,
            caller: RecordedCaller {
                kind: principal.kind.name().to_owned(),
                subject: principal.subject.clone(),
                scopes: principal.scopes.iter().collect::<Vec<_>>().join(" "),
            },
            client: session::bits(&meta.client),
            extensions: meta.client.extensions.clone(),
            client_info: meta.client_info.clone(),
            traceparent: meta.trace.traceparent.clone(),
            tracestate: meta.trace.tracestate.clone(),
            hops: meta.hops,
            answers,
            state,
        }
    }

    /// The caller as it was; nothing for a kind that this version does not know.
    pub(crate) fn principal(&self) -> Option<Principal> {
        let kind = PrincipalKind::named(&self.caller.kind)?;
        let scopes = Scopes::parse(&self.caller.scopes);
        Some(Principal::new(kind, &*self.caller.subject).with_scopes(scopes))
    }

    /// What the client said of itself.
    pub(crate) fn meta(&self) -> CallMeta {
        let client = session::client(self.client).unwrap_or_default();
        CallMeta {
            client: ClientCapabilities {
                extensions: self.extensions.clone(),
                ..client
            },
            client_info: self.client_info.clone(),
            trace: TraceContext {
                traceparent: self.traceparent.clone(),
                tracestate: self.tracestate.clone(),
                baggage: None,
            },
            hops: self.hops,
            ..CallMeta::default()
        }
    }
}

/// What runs asked the client, and what it answered.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TaskQuestions {
    /// By the keys that the client has: those of `TaskHead::open` wait for an answer.
    #[serde(default)]
    asked: BTreeMap<String, AskedQuestion>,
    /// How often each of the author's keys was asked.
    #[serde(default)]
    times: BTreeMap<String, u32>,
    /// By the author's keys.
    #[serde(default)]
    pub(crate) answers: BTreeMap<String, Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AskedQuestion {
    /// The author's key.
    key: String,
    /// As the client reads it.
    request: Box<RawValue>,
}

impl TaskQuestions {
    /// Adds questions of a run, and gives the keys that the client has for them. No key is used
    /// twice in a task, because an answer that comes late would be taken for another question's.
    pub(crate) fn ask(
        &mut self,
        requests: impl IntoIterator<Item = (String, Box<RawValue>)>,
    ) -> Vec<String> {
        self.asked.clear();
        let mut open = Vec::new();
        for (key, request) in requests {
            self.answers.remove(&key);
            let times = self.times.entry(key.clone()).or_default();
            *times += 1;
            // no two of an author's keys give the same one
            let wire = match *times {
                1 if !key.contains('~') => key.clone(),
                times => format!("{key}~{times}"),
            };
            open.push(wire.clone());
            self.asked.insert(wire, AskedQuestion { key, request });
        }
        open
    }

    /// Takes answers to what is open; gives the keys that it took.
    pub(crate) fn take<'a>(
        &mut self,
        answers: &'a BTreeMap<String, Box<RawValue>>,
        open: &[String],
    ) -> Vec<&'a str> {
        let mut taken = Vec::new();
        for (wire, answer) in answers.iter().filter(|(wire, _)| open.contains(wire)) {
            if let Some(asked) = self.asked.get(wire) {
                self.answers.insert(asked.key.clone(), answer.clone());
                taken.push(wire.as_str());
            }
        }
        taken
    }

    /// What the client reads of what is open.
    pub(crate) fn open<'a>(&'a self, open: &'a [String]) -> BTreeMap<&'a str, &'a RawValue> {
        let mut found = BTreeMap::new();
        for wire in open {
            if let Some(asked) = self.asked.get(wire) {
                found.insert(wire.as_str(), &*asked.request);
            }
        }
        found
    }
}
