//! Calls that run the handler of a prompt or a resource: `prompts/get`, `resources/read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::active_call::{ActiveCall, Target};
use super::call::{did_you_mean, unreadable};
use super::deadline::{self, HandlerEnd};
use crate::call::Call;
use crate::error::{ErrorKind, ToolError};
use crate::jsonrpc::{Error, to_json};
use crate::policy::audit;
use crate::port::Platform;
use crate::running::Execution;
use crate::server::Server;
use crate::text;
use crate::tool::TIMEOUT;
use crate::version::Revision;

pub(super) fn prompt(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let name = call.params.name()?;
    let position = server.find_prompt(&name).ok_or_else(|| {
        let hint = text::nearest(
            &name,
            server
                .prompts()
                .iter()
                .map(|prompt| prompt.definition.name.as_str()),
        );
        Error::invalid_params(format!(
            "unknown prompt {}{}",
            text::quoted(&name),
            did_you_mean(hint)
        ))
    })?;
    let work = ActiveCall::new(
        "prompts/get",
        Target::Prompt(position),
        &name,
        server,
        call,
        platform,
    )?;
    Ok(work.start(None, async move |work| get_prompt(&work, position).await))
}

async fn get_prompt(work: &Arc<ActiveCall>, position: usize) -> audit::CallResult {
    let server = work.server.clone();
    let (prompt, name) = (server.prompt(position), work.name());
    let arguments = work.arguments()?;
    if let Err(refusal) = prompt.validator.check(&arguments) {
        // a protocol error, unlike for tools: a prompt's result has no member that could say so
        return Err(Error::invalid_params(format!(
            "the arguments of prompt `{name}` do not fit:\n{refusal}"
        ))
        .into());
    }
    let limit = work.limit(TIMEOUT);
    let cx = work.cx(&arguments, limit)?;
    let handler = {
        let work = Arc::clone(work);
        Box::pin(async move {
            let handler = work
                .server
                .prompt(position)
                .run
                .start(&work.target, arguments, cx);
            handler.map_err(|error| unreadable(&error))?.await
        })
    };
    match deadline::run(handler, limit, &work.platform.timer).await {
        HandlerEnd::Returned(Ok(result)) => {
            work.bounded(name, &to_json(&result.down_level(work.revision)), "")
        }
        HandlerEnd::Returned(Err(error)) => work.failed(name, error.into_kind()),
        HandlerEnd::TimedOut => Err(work.timed_out(name, limit)),
        HandlerEnd::Panicked(cause) => Err(Error::internal(work.internal(name, &cause)).into()),
    }
}

pub(super) fn resource(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let uri = call.params.uri()?;
    let (position, values) = server
        .find_resource(&uri)
        .ok_or_else(|| not_found(call.revision, &uri, None))?;
    let work = ActiveCall::new(
        "resources/read",
        Target::Resource(position),
        &uri,
        server,
        call,
        platform,
    )?;
    Ok(work.start(None, async move |work| {
        read_resource(&work, position, values).await
    }))
}

async fn read_resource(
    work: &ActiveCall,
    position: usize,
    values: BTreeMap<String, String>,
) -> audit::CallResult {
    let server = work.server.clone();
    let resource = server.resource(position);
    let name = &resource.definition.name;
    let limit = work.limit(TIMEOUT);
    let cx = work.cx(&Value::Null, limit)?;
    let handler = {
        let (server, uri) = (server.clone(), work.target.clone());
        Box::pin(async move {
            let resource = server.resource(position);
            let handler =
                resource
                    .run
                    .start(values, uri, resource.definition.mime_type.clone(), cx);
            handler
                .map_err(|_| ToolError::not_found("the URI's variables do not fit"))?
                .await
        })
    };
    match deadline::run(handler, limit, &work.platform.timer).await {
        HandlerEnd::Returned(Ok(contents)) if contents.is_empty() => {
            Err(not_found(work.revision, &work.target, None).into())
        }
        HandlerEnd::Returned(Ok(mut contents)) => {
            if !work.revision.has_titles() {
                contents
                    .iter_mut()
                    .for_each(|contents| contents.meta.clear());
            }
            let mut written = b"{\"contents\":".to_vec();
            written.extend_from_slice(&to_json(&contents));
            written.push(b'}');
            // an answer to a retry belongs to that retry
            let (fresh_ms, public) = if work.answers.is_some() {
                (0, false)
            } else {
                (resource.fresh_ms, resource.public)
            };
            let scope = if public { "public" } else { "private" };
            let extra = format!(",\"ttlMs\":{fresh_ms},\"cacheScope\":\"{scope}\"");
            work.bounded(name, &written, &extra)
        }
        HandlerEnd::Returned(Err(error)) => match error.into_kind() {
            ErrorKind::NotFound { message } => {
                Err(not_found(work.revision, &work.target, Some(message)).into())
            }
            kind => work.failed(name, kind),
        },
        HandlerEnd::TimedOut => Err(work.timed_out(name, limit)),
        HandlerEnd::Panicked(cause) => Err(Error::internal(work.internal(name, &cause)).into()),
    }
}

fn not_found(revision: Revision, uri: &str, message: Option<String>) -> Error {
    let message =
        message.unwrap_or_else(|| format!("resource {} does not exist", text::quoted(uri)));
    // the client's own words, but not megabytes of them
    let shown: String = uri.chars().take(2048).collect();
    Error::new(revision.resource_not_found(), message)
        .with_data(serde_json::json!({ "uri": shown }))
}
