//! `tools/call`. The steps of a call stand here in their one order; the rate limit before them and the
//! record after them are in `work`, for every kind of call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::active_call::{ActiveCall, Target, missing};
use super::deadline::{self, HandlerEnd};
use crate::call::Call;
use crate::error::{ErrorKind, ToolError};
use crate::jsonrpc::Error;
use crate::model::tool::CallToolResult;
use crate::policy::audit::{self, CallEnd};
use crate::policy::stored_result::{HandlerResult, Retain};
use crate::policy::{cache, idempotency};
use crate::port::Platform;
use crate::port::audit_log::{CacheStatus, Outcome};
use crate::running::Execution;
use crate::server::Server;
use crate::server::registered::RegisteredTool;
use crate::text;

pub(super) fn tool(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let name = call.params.name()?;
    let position = server.find_tool(&name).ok_or_else(|| {
        let hint = text::nearest(&name, server.tools().iter().map(|tool| tool.name.as_str()));
        Error::invalid_params(format!(
            "unknown tool {}{}",
            text::quoted(&name),
            did_you_mean(hint)
        ))
    })?;
    let work = ActiveCall::new(
        "tools/call",
        Target::Tool(position),
        &name,
        server,
        call,
        platform,
    )?;
    Ok(work.start(server.tool(position).rate, async move |work| {
        call_tool(&work, position).await
    }))
}

async fn call_tool(work: &Arc<ActiveCall>, position: usize) -> audit::CallResult {
    let tool = work.server.tool(position);
    // 1. arguments against the published schema
    let arguments = work.arguments()?;
    // A result with `isError` and no protocol error (SEP-1303): models read results, and can
    // correct their arguments.
    if let Err(refusal) = tool.validator.check(&arguments) {
        let text = format!(
            "The arguments of `{}` do not fit its schema. Correct them and call again:\n{refusal}",
            tool.name
        );
        let made = work.made(
            CallToolResult::error(text),
            Outcome::InvalidArguments,
            Retain::Nothing,
        );
        return Ok((
            work.write(&made, CacheStatus::Off),
            Outcome::InvalidArguments.into(),
        ));
    }
    let limit = work.limit(tool.timeout);
    // 2. an earlier result; without one 3. the handler under its deadline, 4. its result checked
    //    and bounded, 5. kept (the first two are boxed: the future of every call would be as large
    //    as theirs, and too large for an allocator's fast lists)
    let (made, cache) = if let Some(cache) = tool.cache {
        let make = Box::pin(make(Arc::clone(work), position, arguments.clone(), limit));
        Box::pin(cache::through(work, cache, &arguments, make)).await
    } else if let Some(key) = key(work, tool, &arguments)? {
        let make = Box::pin(make(Arc::clone(work), position, arguments.clone(), limit));
        Box::pin(idempotency::through(work, &key, limit, &arguments, make)).await
    } else {
        (
            make(Arc::clone(work), position, arguments, limit).await,
            CacheStatus::Off,
        )
    };
    let made = made?;
    Ok((work.write(&made, cache), CallEnd::of(&made, cache)))
}

/// The key by which a repeat of this write is known.
fn key(
    work: &ActiveCall,
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
    // neither of two keys can be preferred: the write would be protected under the wrong one
    match (argument, work.idempotency_key()) {
        (Some(one), Some(other)) if one != other => Err(Error::invalid_params(
            "the call has two different idempotency keys, in its arguments and in \
             `params._meta.idempotencyKey`: send one",
        )),
        (one, other) => Ok(one.or(other).map(str::to_owned)),
    }
}

/// Runs the handler and makes of its end what is sent and kept.
async fn make(
    work: Arc<ActiveCall>,
    position: usize,
    arguments: Value,
    limit: Duration,
) -> Result<HandlerResult, Error> {
    let (tool, name) = (work.server.tool(position), work.name());
    let cx = work.cx(&arguments, limit)?;
    let handler = {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let handler = work
                .server
                .tool(position)
                .run
                .start(&work.target, arguments, cx);
            handler.map_err(|error| unreadable(&error))?.await
        })
    };
    let failed =
        |text: String, outcome, keep| Ok(work.made(CallToolResult::error(text), outcome, keep));
    let made = match deadline::run(handler, limit, &work.platform.timer).await {
        // whether it acted before that is not known, so it is not repeated blindly
        HandlerEnd::TimedOut => {
            return failed(work.too_slow(name, limit), Outcome::TimedOut, Retain::Write);
        }
        HandlerEnd::Panicked(cause) => {
            return failed(
                work.internal(name, &cause),
                Outcome::Internal,
                Retain::Write,
            );
        }
        HandlerEnd::Returned(Ok(result)) => match tool.check_output(&result) {
            // the handler says itself that it failed, so a repeat may act again
            Ok(()) if result.is_error => work.made(result, Outcome::Failed, Retain::Nothing),
            Ok(()) => work.made(result, Outcome::Ok, Retain::Result),
            Err(cause) => {
                return failed(
                    work.internal(name, &cause),
                    Outcome::Internal,
                    Retain::Write,
                );
            }
        },
        HandlerEnd::Returned(Err(error)) => {
            let (text, outcome) = match error.into_kind() {
                ErrorKind::Failed { message, cause } => {
                    (work.public(name, message, cause), Outcome::Failed)
                }
                // only an upstream says of a tool that it does not exist
                ErrorKind::NotFound { message } if position >= work.server.tools().len() => {
                    return Err(Error::invalid_params(message));
                }
                ErrorKind::NotFound { message } => (message, Outcome::Failed),
                ErrorKind::Internal { cause } => (work.internal(name, &cause), Outcome::Internal),
                ErrorKind::InputRequired(_) if !work.revision.is_modern() => {
                    (work.cannot_ask(name), Outcome::Failed)
                }
                ErrorKind::InputRequired(ask) => return work.question(name, &ask),
                ErrorKind::MissingCapability(capability) => return Err(missing(&[capability])),
            };
            work.made(CallToolResult::error(text), outcome, Retain::Nothing)
        }
    };
    let (size, most) = (made.size(), work.server.max_result_bytes());
    if size <= most {
        return Ok(made);
    }
    let text = format!(
        "The result of `{name}` has {size} bytes, more than the {most} that one answer may have. \
         Ask for less: fewer items, fewer columns, a narrower search."
    );
    // it ran, and only its result can't be sent: a repeat must not act again
    failed(text, Outcome::TooLarge, Retain::Write)
}

/// Arguments that the schema lets through and the handler's type does not.
pub(super) fn unreadable(error: &serde_json::Error) -> ToolError {
    ToolError::new(format!(
        "the arguments can't be read: {}",
        text::quoted(&error.to_string())
    ))
}

pub(super) fn did_you_mean(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; did you mean `{hint}`?"))
        .unwrap_or_default()
}
