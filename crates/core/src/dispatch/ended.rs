//! A tool's handler, and what becomes of its end: its result checked and bounded, or what is said in
//! the place of one. Where the handler runs, in a call or in a task, does not matter.

use std::time::Duration;

use serde_json::Value;

use super::handler::{self, HandlerFailure};
use crate::active_call::ActiveCall;
use crate::active_call::failure::{
    OUTCOME_UNKNOWN, missing_capabilities, too_slow, too_slow_to_know,
};
use crate::active_call::result::{HandlerResult, Retain};
use crate::context::Cx;
use crate::error::{ErrorKind, ToolError};
use crate::jsonrpc::Error;
use crate::model::tool::CallToolResult;
use crate::port::audit_log::Outcome;
use crate::server::registered::RegisteredTool;
use crate::text;

/// Runs a tool's handler to its end, for at most `limit`.
pub(super) async fn run(
    call: &ActiveCall,
    tool: &RegisteredTool,
    arguments: Value,
    cx: Cx,
    limit: Duration,
) -> Result<CallToolResult, HandlerFailure> {
    let start = || {
        let handling = tool.run.start(&call.requested, arguments, cx);
        handling.map_err(|error| unreadable(&error))
    };
    handler::run(start, limit, &call.platform.timer).await
}

/// A result that the handler returned, checked against the schema that is published for it.
pub(super) fn returned(
    call: &ActiveCall,
    tool: &RegisteredTool,
    result: CallToolResult,
) -> HandlerResult {
    match tool.check_output(&result) {
        Ok(()) if result.is_error => call.tool_result(result, Outcome::Failed, Retain::Nothing),
        Ok(()) => call.tool_result(result, Outcome::Ok, Retain::Result),
        // a write may have happened: only what it gave can't be sent
        Err(cause) => failure(
            call,
            may_have_written(tool, call.internal(call.name(), &cause)),
            Outcome::Internal,
            Retain::Write,
        ),
    }
}

/// Whether a write may have happened: also one whose handler says that what it asked failed.
pub(super) fn may_have_acted(result: &HandlerResult) -> bool {
    let unknown = matches!(result.outcome, Outcome::Service(_) | Outcome::Internal);
    result.retain != Retain::Nothing || unknown
}

/// A failure's sentence, of a tool whose repeat could write again.
fn may_have_written(tool: &RegisteredTool, sentence: String) -> String {
    if tool.repeats_write() {
        format!("{sentence}. {OUTCOME_UNKNOWN}")
    } else {
        sentence
    }
}

/// A handler without a result: what the model reads in its place, or a protocol error where the
/// specification wants one.
pub(super) fn failed(
    call: &ActiveCall,
    tool: &RegisteredTool,
    limit: Duration,
    failure_of: HandlerFailure,
) -> Result<HandlerResult, Error> {
    let name = call.name();
    let (text, outcome, retain) = match failure_of {
        // whether it acted before that is not known, so it is not repeated blindly
        HandlerFailure::TimedOut if tool.repeats_write() => (
            too_slow_to_know(name, limit),
            Outcome::TimedOut,
            Retain::Write,
        ),
        HandlerFailure::TimedOut => (too_slow(name, limit), Outcome::TimedOut, Retain::Write),
        HandlerFailure::Panicked(cause) => (
            may_have_written(tool, call.internal(name, &cause)),
            Outcome::Internal,
            Retain::Write,
        ),
        // the handler says itself that it failed, so a repeat may act again
        HandlerFailure::Returned(kind) => match kind {
            ErrorKind::Failed {
                message,
                cause,
                fault,
            } => (
                call.public(name, message, cause),
                fault.map_or(Outcome::Failed, Outcome::Service),
                Retain::Nothing,
            ),
            // only an upstream says of a tool that it does not exist
            ErrorKind::NotFound { message } if tool.upstream.is_some() => {
                return Err(Error::invalid_params(message));
            }
            ErrorKind::NotFound { message } => (message, Outcome::Failed, Retain::Nothing),
            ErrorKind::Internal { cause } => (
                call.internal(name, &cause),
                Outcome::Internal,
                Retain::Nothing,
            ),
            ErrorKind::InputRequired(ask) => match call.cannot_ask(name, &ask) {
                Some(text) => (text, Outcome::Failed, Retain::Nothing),
                None => return call.question(name, &ask),
            },
            ErrorKind::MissingCapability(capability) => {
                return Err(missing_capabilities(&[capability]));
            }
            ErrorKind::BecomesTask | ErrorKind::Later(_) | ErrorKind::Stopped => {
                let cause = "the handler wants to be a task: declare it with `Tool::task`";
                (
                    call.internal(name, cause),
                    Outcome::Internal,
                    Retain::Nothing,
                )
            }
        },
    };
    Ok(failure(call, text, outcome, retain))
}

/// The result, unless it is larger than a response may be.
pub(super) fn bounded(
    call: &ActiveCall,
    tool: &RegisteredTool,
    result: HandlerResult,
) -> HandlerResult {
    let (size, most) = (result.size(), call.server.max_result_bytes());
    // a question is bounded where it is made: its state has a limit of its own
    if size <= most || result.outcome == Outcome::InputRequired {
        return result;
    }
    let advice = if tool.repeats_write() {
        "The call was made: read what it wrote, and do not repeat it."
    } else {
        "Ask for less: fewer items, fewer columns, a narrower search."
    };
    let text = format!(
        "The result of `{}` has {size} bytes, more than the {most} that one answer may have. \
         {advice}",
        call.name()
    );
    failure(call, text, Outcome::TooLarge, Retain::Write)
}

pub(super) fn failure(
    call: &ActiveCall,
    text: String,
    outcome: Outcome,
    retain: Retain,
) -> HandlerResult {
    call.tool_result(CallToolResult::error(text), outcome, retain)
}

/// Arguments that the schema lets through and the handler's type does not.
pub(super) fn unreadable(error: &serde_json::Error) -> ToolError {
    // serde's words have backticks around a client's: both are cleaned, and neither is lost
    let said = error.to_string().replace('`', "'");
    ToolError::new(format!(
        "the arguments can't be read: {}",
        text::shown(&said, 300)
    ))
}

pub(super) fn did_you_mean(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; did you mean `{hint}`?"))
        .unwrap_or_default()
}
