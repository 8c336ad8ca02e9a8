//! `tools/call`. The steps of a call stand here in their one order; scope and rate limits before
//! them and the audit log after them are in `start`, for every kind of call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ask;
use super::ended::{self, bounded, did_you_mean, failed, failure, may_have_acted, returned};
use super::parts::ServeTasks;
use super::start::start;
use super::tasks::begin;
use crate::active_call::ActiveCall;
use crate::active_call::end::{CallEnd, CallResult};
use crate::active_call::result::{HandlerResult, Retain};
use crate::call::Call;
use crate::canonical::canonical;
use crate::jsonrpc::Error;
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
    let task = tool.task;
    let task = task.and_then(|options| Some((ServeTasks::of(&call.server)?.begin, options)));
    let result = match task {
        // boxed: few tools are tasks
        Some((begin, options)) => {
            let (call, tool) = (Arc::clone(&call), Arc::clone(&tool));
            begin(call, tool, options, arguments, limit).await
        }
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
    match ended::run(call, tool, arguments, cx, limit).await {
        Ok(result) => Ok(returned(call, tool, result)),
        Err(failure) => failed(call, tool, limit, failure),
    }
}
