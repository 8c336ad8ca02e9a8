//! What a client is told of a call that failed, and what only the log is told. The two are joined
//! by an id alone.

use std::time::Duration;

use serde_json::Value;

use super::ActiveCall;
use super::end::{CallError, CallResult};
use crate::error::ErrorKind;
use crate::jsonrpc::{Error, ErrorCode};
use crate::model::JsonObject;
use crate::model::capabilities::Capability;
use crate::port::audit_log::{CacheStatus, Failure, Outcome};
use crate::round_trip::InputRequired;
use crate::server::target::Target;
use crate::version::Revision;

impl ActiveCall {
    /// The error of a prompt's or a resource's handler: always a protocol error, because their
    /// results have no `isError`. (A question is none of these: see `question_response`.)
    pub(crate) fn protocol_error(&self, name: &str, kind: ErrorKind) -> CallResult {
        Err(CallError::from(match kind {
            ErrorKind::InputRequired(ask) => match self.cannot_ask(name, &ask) {
                Some(sentence) => Error::invalid_request(sentence),
                None => return self.question_response(name, &ask),
            },
            ErrorKind::NotFound { message } => Error::invalid_params(message),
            ErrorKind::Failed {
                message,
                cause,
                fault,
            } => {
                let error = Error::internal(self.public(name, message, cause));
                return Err(match fault {
                    Some(fault) => CallError {
                        error,
                        outcome: Outcome::Service(fault),
                    },
                    None => error.into(),
                });
            }
            ErrorKind::Internal { cause } => Error::internal(self.internal(name, &cause)),
            ErrorKind::MissingCapability(capability) => missing_capabilities(&[capability]),
            ErrorKind::BecomesTask | ErrorKind::Later(_) | ErrorKind::Stopped => {
                let cause = "only tools can be tasks";
                Error::internal(self.internal(name, cause))
            }
        }))
    }

    /// Why a client of a revision with a handshake can't be asked this; `None` if it can. (One of a
    /// later revision is told by an error which capability it lacks.)
    pub(crate) fn cannot_ask(&self, name: &str, ask: &InputRequired) -> Option<String> {
        if self.revision.is_modern() {
            return None;
        }
        let undeclared = self.undeclared(ask);
        if self.asks_on_stream() && undeclared.is_empty() {
            return None;
        }
        Some(format!(
            "`{name}` needs to ask the client something ({}). With protocol revision {} that takes a \
             client that declares so in `initialize`, accepts `text/event-stream` and sends the \
             `Mcp-Session-Id` that it was given, and a server that can stream; or use a client that \
             speaks {}",
            names_of(&undeclared),
            self.revision,
            Revision::LATEST
        ))
    }

    /// The end of a call whose question has no answer.
    pub(crate) fn unanswered(&self, sentence: String, outcome: Outcome) -> CallResult {
        if matches!(self.target, Target::Tool(_)) {
            let result = self.tool_error(&sentence);
            return Ok((self.write(&result, CacheStatus::Off), outcome.into()));
        }
        let error = Error::internal(sentence);
        Err(CallError { error, outcome })
    }

    /// A prompt or a resource whose time was over.
    pub(crate) fn timed_out(&self, name: &str, limit: Duration) -> CallError {
        CallError {
            error: Error::internal(too_slow(name, limit)),
            outcome: Outcome::TimedOut,
        }
    }

    /// A handler's own sentence; with the id under which the log has the cause, if it gave one.
    pub(crate) fn public(&self, name: &str, message: String, cause: Option<String>) -> String {
        match cause {
            None => message,
            Some(cause) => format!("{message} (error id {})", self.log_cause(name, &cause)),
        }
    }

    /// A safe sentence in the place of a private cause, which the log gets.
    pub(crate) fn internal(&self, name: &str, cause: &str) -> String {
        format!(
            "internal error of `{name}` (error id {}); the cause is in the server's log under this \
             id",
            self.log_cause(name, cause)
        )
    }

    /// Hands the private cause to the log, and gives the id that the client is told.
    fn log_cause(&self, name: &str, cause: &str) -> String {
        // random and not counted, because instances share no counter; 48 bits find one line in a
        // log
        let mut bytes = [0; 6];
        self.platform.random.fill(&mut bytes);
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.platform
            .audit_log
            .failure(&Failure::new(&id, self.method, name, cause));
        // a second cause has a line of its own
        let _ = self.error_id.set(id.clone());
        id
    }
}

pub(crate) fn too_slow(name: &str, limit: Duration) -> String {
    format!(
        "`{name}` did not finish within {} and was stopped. Try a narrower request, or the same \
         one later.",
        seconds(limit)
    )
}

/// As well, of a tool that writes: the same call again could write again.
pub(crate) fn too_slow_to_know(name: &str, limit: Duration) -> String {
    format!(
        "`{name}` did not finish within {} and was stopped. {OUTCOME_UNKNOWN}",
        seconds(limit)
    )
}

/// What a caller is told of a write that may have happened.
pub(crate) const OUTCOME_UNKNOWN: &str =
    "The outcome is unknown: look whether it wrote before you repeat it.";

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

/// Each name once: two questions of one kind need one capability.
fn names_of(capabilities: &[Capability]) -> String {
    let mut names: Vec<&str> = capabilities.iter().map(|one| one.name()).collect();
    names.dedup();
    names.join(", ")
}

/// Error -32021.
pub(crate) fn missing_capabilities(capabilities: &[Capability]) -> Error {
    let mut required = JsonObject::new();
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
    }
    Error::new(
        ErrorCode::MISSING_CAPABILITY,
        format!(
            "this call needs client capabilities that were not declared: {}",
            names_of(capabilities)
        ),
    )
    .with_data(serde_json::json!({ "requiredCapabilities": required }))
}
