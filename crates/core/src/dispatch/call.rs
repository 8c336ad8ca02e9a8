//! `tools/call`. The steps of a call stand here in their one order; scope and rate limits before
//! them and the audit log after them are in `start`, for every kind of call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ask;
use super::handler::{self, HandlerFailure};
use super::start::start;
use super::tasks::begin;
use crate::active_call::ActiveCall;
use crate::active_call::end::{CallEnd, CallResult};
use crate::active_call::failure::{
    OUTCOME_UNKNOWN, missing_capabilities, too_slow, too_slow_to_know,
};
use crate::active_call::result::{HandlerResult, Retain};
use crate::call::Call;
use crate::canonical::canonical;
use crate::error::{ErrorKind, ToolError};
use crate::jsonrpc::Error;
use crate::model::tool::CallToolResult;
use crate::policy::generation::WriteGuard;
use crate::policy::{cache, idempotency};
use crate::port::Platform;
use crate::port::audit_log::{CacheStatus, Outcome};
use crate::running::Execution;
use crate::server::Server;
use crate::server::registered::RegisteredTool;
use crate::server::target::Target;
use crate::text;

/// An anonymous caller could otherwise have another one's result, or keep it from writing, by its
/// key. To ignore the key would break the promise that a repeat writes once.
const NOT_FOR_STRANGERS: &str = "an idempotency key is for callers that this server can tell apart, \
    and this caller is anonymous, so the write was not made: call again without the key, or with a \
    credential";

pub(super) fn tool(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let name = call.params.name()?;
    let tool = server.registry().tool(&name).ok_or_else(|| {
        let tools = server.registry().tools().iter();
        let hint = text::nearest(&name, tools.map(|tool| tool.name.as_str()));
        Error::invalid_params(format!(
            "unknown tool {}{}",
            text::quoted(&name),
            did_you_mean(hint)
        ))
    })?;
    let tool = Arc::clone(tool);
    let target = Target::Tool(Arc::clone(&tool));
    // limits, kept results and keys of writes are the same under every name of an own tool
    let requested = match tool.upstream {
        None => tool.name.as_str(),
        Some(_) => &*name,
    };
    let old_name = (requested != name).then(|| name.to_string());
    let active = ActiveCall::new("tools/call", target, requested, server, call, platform)?;
    let steps = move |call| call_tool(call, Arc::clone(&tool), old_name.clone());
    Ok(start(active, |call| ask::through(call, steps)))
}

async fn call_tool(
    call: Arc<ActiveCall>,
    tool: Arc<RegisteredTool>,
    old_name: Option<String>,
) -> CallResult {
    let call = &call;
    if let Some(sentence) = begin::admit(call, &tool)? {
        let result = call.tool_error(&sentence);
        return Ok((
            call.write(&result, CacheStatus::Off),
            CallEnd::of(&result, CacheStatus::Off),
        ));
    }
    // 1. arguments against the published schema
    let mut arguments = call.arguments()?;
    let called = ("tool", tool.name.as_str());
    call.note_deprecated(
        tool.deprecations
            .used(called, old_name.as_deref(), &arguments),
    );
    if let Err(refusal) = tool.fit(&mut arguments) {
        let text = format!(
            "The arguments of `{}` do not fit its schema. Correct them and call again:\n{refusal}",
            tool.name
        );
        // a result with `isError` and no protocol error (SEP-1303): models read results, and can
        // correct their arguments
        return not_run(call, text);
    }
    let limit = call.limit(tool.timeout);
    // 2. an earlier result; without one 3. the handler under its deadline, 4. its result checked
    //    and bounded, 5. kept (the first two are boxed: the future of every call would be as large
    //    as theirs, and too large for an allocator's fast lists)
    let (result, cache) = if let Some(cache) = tool.cache {
        // written before the handler has them: a second tree would be most of a call's memory
        let canonical = canonical(&arguments);
        let ends = tool.reads_own_data && call.server.registry().writes_end_reads();
        let run = Box::pin(run(Arc::clone(call), tool, arguments, limit));
        Box::pin(cache::through(call, cache, ends, &canonical, run)).await
    } else if let Some(key) = idempotency_key(call, &tool, &arguments)? {
        if !call.principal.is_known() {
            return not_run(call, NOT_FOR_STRANGERS.to_owned());
        }
        let canonical = canonical(&arguments);
        let run = Box::pin(run(Arc::clone(call), tool, arguments, limit));
        Box::pin(idempotency::through(call, &key, limit, &canonical, run)).await
    } else {
        (
            run(Arc::clone(call), tool, arguments, limit).await,
            CacheStatus::Off,
        )
    };
    let result = result?;
    begin::repeated(call, &result)?;
    Ok((call.write(&result, cache), CallEnd::of(&result, cache)))
}

/// A call that its client has to correct before anything runs.
fn not_run(call: &ActiveCall, text: String) -> CallResult {
    let result = failure(call, text, Outcome::InvalidArguments, Retain::Nothing);
    Ok((
        call.write(&result, CacheStatus::Off),
        Outcome::InvalidArguments.into(),
    ))
}

/// The key by which a repeat of this write is known.
fn idempotency_key(
    call: &ActiveCall,
    tool: &RegisteredTool,
    arguments: &Value,
) -> Result<Option<String>, Error> {
    if !tool.writes {
        return Ok(None);
    }
    let argument = tool
        .key_argument
        .as_ref()
        .and_then(|name| arguments.get(name))
        .and_then(Value::as_str);
    match (argument, call.idempotency_key()) {
        // neither of two keys can be preferred: the write would be protected under the wrong one
        (Some(one), Some(other)) if one != other => Err(Error::invalid_params(
            "the call has two different idempotency keys, in its arguments and in \
             `params._meta.idempotencyKey`: send one",
        )),
        (one, other) => Ok(one.or(other).map(str::to_owned)),
    }
}

/// Runs the handler and makes of its end what is sent and kept. Owns all it needs: a policy may run
/// it after the call is gone.
async fn run(
    call: Arc<ActiveCall>,
    tool: Arc<RegisteredTool>,
    arguments: Value,
    limit: Duration,
) -> Result<HandlerResult, Error> {
    let ends_reads = call.server.registry().writes_end_reads();
    let writes = tool.writes && tool.upstream.is_none() && ends_reads;
    let guard = writes.then(|| WriteGuard::new(&call));
    let result = match tool.task {
        // boxed: few tools are tasks
        Some(options) => Box::pin(begin::through(&call, &tool, options, arguments, limit)).await,
        None => handled(&call, &tool, arguments, limit).await,
    };
    if let Some(guard) = guard {
        // boxed: few calls have one
        Box::pin(guard.ended(result.as_ref().is_ok_and(may_have_acted))).await;
    }
    Ok(bounded(&call, &tool, result?))
}

async fn handled(
    call: &ActiveCall,
    tool: &RegisteredTool,
    arguments: Value,
    limit: Duration,
) -> Result<HandlerResult, Error> {
    let cx = call.cx(&arguments, limit)?;
    let start = || {
        let handling = tool.run.start(&call.requested, arguments, cx);
        handling.map_err(|error| unreadable(&error))
    };
    match handler::run(start, limit, &call.platform.timer).await {
        Ok(result) => Ok(returned(call, tool, result)),
        Err(failure) => failed(call, tool, limit, failure),
    }
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
fn may_have_acted(result: &HandlerResult) -> bool {
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
fn bounded(call: &ActiveCall, tool: &RegisteredTool, result: HandlerResult) -> HandlerResult {
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

fn failure(call: &ActiveCall, text: String, outcome: Outcome, retain: Retain) -> HandlerResult {
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
