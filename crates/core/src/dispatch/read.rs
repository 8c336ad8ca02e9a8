//! Calls that run the handler of a prompt or a resource: `prompts/get`, `resources/read`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ask;
use super::ended::{did_you_mean, unreadable};
use super::handler::{self, HandlerFailure};
use super::start::start;
use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::call::Call;
use crate::error::{ErrorKind, ToolError};
use crate::jsonrpc::{Error, to_json};
use crate::model::content::ResourceContents;
use crate::port::Platform;
use crate::running::Execution;
use crate::server::Server;
use crate::server::registered::{RegisteredPrompt, RegisteredResource};
use crate::server::target::Target;
use crate::text;
use crate::tool::TIMEOUT;
use crate::version::Revision;

pub(super) fn prompt(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let name = call.params.name()?;
    let prompt = server.registry().prompt(&name).ok_or_else(|| {
        let prompts = server.registry().prompts().iter();
        let hint = text::nearest(&name, prompts.map(|prompt| prompt.definition.name.as_str()));
        Error::invalid_params(format!(
            "unknown prompt {}{}",
            text::quoted(&name),
            did_you_mean(hint)
        ))
    })?;
    let prompt = Arc::clone(prompt);
    let target = Target::Prompt(Arc::clone(&prompt));
    let old_name =
        (prompt.upstream.is_none() && prompt.definition.name != name).then(|| name.to_string());
    let active = ActiveCall::new("prompts/get", target, &name, server, call, platform)?;
    let steps = move |call| get_prompt(call, Arc::clone(&prompt), old_name.clone());
    Ok(start(active, |call| ask::through(call, steps)))
}

async fn get_prompt(
    call: Arc<ActiveCall>,
    prompt: Arc<RegisteredPrompt>,
    old_name: Option<String>,
) -> CallResult {
    let name = call.name();
    let mut arguments = call.arguments()?;
    let notes = prompt
        .deprecations
        .used(("prompt", name), old_name.as_deref(), &arguments);
    call.note_deprecated(notes);
    let renamed = prompt.deprecations.rename(&mut arguments);
    let checked = renamed.and_then(|()| {
        let checked = prompt.validator.check(&arguments);
        checked.map_err(|violations| violations.to_string())
    });
    if let Err(refusal) = checked {
        // a protocol error, unlike for tools: a prompt's result has no member that could say so
        return Err(Error::invalid_params(format!(
            "the arguments of prompt `{name}` do not fit:\n{refusal}"
        ))
        .into());
    }
    let limit = call.limit(TIMEOUT);
    let cx = call.cx(&arguments, limit)?;
    let start = || {
        let handling = prompt.run.start(&call.requested, arguments, cx);
        handling.map_err(|error| unreadable(&error))
    };
    match handler::run(start, limit, &call.platform.timer).await {
        Ok(result) => call.bounded(name, &to_json(&result.down_level(call.revision)), ""),
        Err(failure) => failed(&call, name, limit, failure),
    }
}

pub(super) fn resource(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let uri = call.params.uri()?;
    let (resource, variables) = server
        .registry()
        .resource(&uri)
        .ok_or_else(|| not_found(call.revision, &uri, None))?;
    let resource = Arc::clone(resource);
    let target = Target::Resource(Arc::clone(&resource));
    let active = ActiveCall::new("resources/read", target, &uri, server, call, platform)?;
    let steps = move |call| read_resource(call, Arc::clone(&resource), variables.clone());
    Ok(start(active, |call| ask::through(call, steps)))
}

async fn read_resource(
    call: Arc<ActiveCall>,
    resource: Arc<RegisteredResource>,
    variables: BTreeMap<String, String>,
) -> CallResult {
    let definition = &resource.definition;
    let limit = call.limit(TIMEOUT);
    let cx = call.cx(&Value::Null, limit)?;
    let start = || {
        let (uri, mime_type) = (call.requested.clone(), definition.mime_type.clone());
        let handling = resource.run.start(variables, uri, mime_type, cx);
        handling.map_err(|_| ToolError::not_found("the URI's variables do not fit"))
    };
    let not_found = |message| Err(not_found(call.revision, &call.requested, message).into());
    match handler::run(start, limit, &call.platform.timer).await {
        Ok(contents) if contents.is_empty() => not_found(None),
        Ok(contents) => read(&call, &resource, contents),
        // the protocol has an error of its own for this
        Err(HandlerFailure::Returned(ErrorKind::NotFound { message })) => not_found(Some(message)),
        // a URI is all that a handler is given: what it refuses without a cause lies there
        Err(HandlerFailure::Returned(ErrorKind::Failed {
            message,
            cause: None,
            fault: None,
        })) if resource.upstream.is_none() => Err(refused(&call.requested, message).into()),
        Err(failure) => failed(&call, &definition.name, limit, failure),
    }
}

/// The response with what was read, and how long it may be kept by whom.
fn read(
    call: &ActiveCall,
    resource: &RegisteredResource,
    mut contents: Vec<ResourceContents>,
) -> CallResult {
    if !call.revision.has_titles() {
        contents
            .iter_mut()
            .for_each(|contents| contents.meta.clear());
    }
    let mut body = b"{\"contents\":".to_vec();
    body.extend_from_slice(&to_json(&contents));
    body.push(b'}');
    // the response to a retry belongs to that retry
    let (fresh_ms, public) = if call.has_input_responses() {
        (0, false)
    } else {
        (resource.fresh_ms, resource.public)
    };
    let scope = if public { "public" } else { "private" };
    let extra = format!(",\"ttlMs\":{fresh_ms},\"cacheScope\":\"{scope}\"");
    call.bounded(&resource.definition.name, &body, &extra)
}

/// A prompt or a resource whose handler gave nothing: always a protocol error, because these
/// results can't carry a failure.
fn failed(call: &ActiveCall, name: &str, limit: Duration, failure: HandlerFailure) -> CallResult {
    match failure {
        HandlerFailure::Returned(kind) => call.protocol_error(name, kind),
        HandlerFailure::TimedOut => Err(call.timed_out(name, limit)),
        HandlerFailure::Panicked(cause) => Err(Error::internal(call.internal(name, &cause)).into()),
    }
}

fn not_found(revision: Revision, uri: &str, message: Option<String>) -> Error {
    let message =
        message.unwrap_or_else(|| format!("resource {} does not exist", text::quoted(uri)));
    let error = Error::new(revision.resource_not_found(), message);
    about(error, uri)
}

/// A URI that its handler does not take.
fn refused(uri: &str, message: String) -> Error {
    about(Error::invalid_params(message), uri)
}

fn about(error: Error, uri: &str) -> Error {
    // the client's own words, but not megabytes of them
    let shown: String = uri.chars().take(2048).collect();
    error.with_data(serde_json::json!({ "uri": shown }))
}
