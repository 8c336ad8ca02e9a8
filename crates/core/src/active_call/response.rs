//! From what a handler gave to the result of the response: written for the call's revision, bounded,
//! or a question with its sealed state.

use serde_json::Value;

use super::ActiveCall;
use super::end::{CallError, CallResult};
use super::failure::missing_capabilities;
use super::result::{HandlerResult, Retain};
use crate::deprecated::META as DEPRECATED;
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::capabilities::Capability;
use crate::model::input::InputRequest;
use crate::model::meta::CACHE;
use crate::model::tool::CallToolResult;
use crate::port::audit_log::{CacheStatus, Outcome};
use crate::port::milliseconds;
use crate::round_trip::InputRequired;

impl ActiveCall {
    /// A tool's result, written for this revision.
    pub(crate) fn tool_result(
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
        self.tool_result(
            CallToolResult::error(text),
            Outcome::Failed,
            Retain::Nothing,
        )
    }

    /// A tool's question, as a result that is not stored.
    pub(crate) fn question(&self, name: &str, ask: &InputRequired) -> Result<HandlerResult, Error> {
        let body = self.question_members(name, ask)?.into();
        Ok(HandlerResult {
            body,
            meta: JsonObject::new(),
            outcome: Outcome::InputRequired,
            retain: Retain::Nothing,
        })
    }

    /// A prompt's or a resource's question.
    pub(crate) fn question_response(&self, name: &str, ask: &InputRequired) -> CallResult {
        let members = self.question_members(name, ask)?;
        Ok((
            self.server.results().input_required(&members),
            Outcome::InputRequired.into(),
        ))
    }

    /// What the client did not declare of what a question needs.
    pub(crate) fn undeclared(&self, ask: &InputRequired) -> Vec<Capability> {
        let needed = ask.requests.values().map(InputRequest::needs);
        needed
            .filter(|needed| !needed.is_in(&self.meta.client))
            .collect()
    }

    /// The members of a result that asks the client something.
    fn question_members(&self, name: &str, ask: &InputRequired) -> Result<Vec<u8>, Error> {
        // the specification forbids to ask for what the client did not declare on this request
        let undeclared = self.undeclared(ask);
        if !undeclared.is_empty() {
            return Err(missing_capabilities(&undeclared));
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
            if !ask.requests.is_empty() {
                written.push(b',');
            }
            written.extend_from_slice(b"\"requestState\":");
            written.extend_from_slice(&to_json(&self.seal(state, milliseconds(ask.expires_in))?));
        }
        written.push(b'}');
        Ok(written)
    }

    /// Seals a handler's state for the retry of this very call.
    fn seal(&self, state: &Value, expires_in_ms: u64) -> Result<String, Error> {
        // a resource has no arguments, and its retry is opened without any
        let arguments = if self.method == "resources/read" {
            Value::Null
        } else {
            // as the retry's are when it is opened
            let mut arguments = self.arguments()?;
            self.target.fit(&mut arguments);
            arguments
        };
        let expires_ms = self.platform.clock.now_ms().saturating_add(expires_in_ms);
        self.platform.keys.seal(
            state,
            expires_ms,
            &self.binding(&arguments),
            &*self.platform.random,
        )
    }

    /// The response's result, with what the client asked to hear of `cache`.
    pub(crate) fn write(&self, result: &HandlerResult, cache: CacheStatus) -> Vec<u8> {
        let results = self.server.results();
        if result.outcome == Outcome::InputRequired {
            return results.input_required(&result.body);
        }
        if result.outcome == Outcome::Task {
            return results.task(&result.body);
        }
        // not unless it is asked for: other clients have no use for the bytes
        if !self.meta.tells_cache && self.deprecated().is_empty() {
            return results.complete(self.revision, &result.body, &result.meta, "");
        }
        // a kept result is shared by calls: what is told about this one goes into a copy
        let mut meta = result.meta.clone();
        if self.meta.tells_cache {
            meta.insert(CACHE.to_owned(), cache.as_str().into());
        }
        self.tell_deprecated(&mut meta);
        results.complete(self.revision, &result.body, &meta, "")
    }

    fn tell_deprecated(&self, meta: &mut JsonObject) {
        let notes = self.deprecated();
        if !notes.is_empty() {
            meta.insert(DEPRECATED.to_owned(), notes.into());
        }
    }

    /// The response of a prompt or a resource, unless it is larger than a response may be.
    pub(crate) fn bounded(&self, name: &str, body: &[u8], extra: &str) -> CallResult {
        // checked here and not by the host, because a platform that cuts a response sends the
        // client no JSON
        let most = self.server.max_result_bytes();
        if body.len() > most {
            let text = format!(
                "`{name}` has {} bytes, more than the {most} that one answer may have",
                body.len()
            );
            return Err(CallError {
                error: Error::internal(text),
                outcome: Outcome::TooLarge,
            });
        }
        let mut meta = JsonObject::new();
        self.tell_deprecated(&mut meta);
        let results = self.server.results();
        let written = results.complete(self.revision, body, &meta, extra);
        Ok((written, Outcome::Ok.into()))
    }
}
