//! `completion/complete`: values for a prompt's argument or a template's variable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::active_call::{ActiveCall, Target};
use super::deadline::{self, HandlerEnd};
use crate::call::{Call, REFERENCE};
use crate::complete::{Completers, among};
use crate::jsonrpc::{Error, Object, to_json};
use crate::model::JsonObject;
use crate::model::completion::{Argument, CompleteContext, Completion, Reference};
use crate::policy::scope;
use crate::port::Platform;
use crate::port::audit_log::Outcome;
use crate::running::{Execution, RpcResponse};
use crate::server::Server;
use crate::text;
use crate::tool::TIMEOUT;
use crate::upstream::{CompletionRequest, ListKind};
use crate::version::Revision;

pub(super) fn complete(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let (Object(reference), Object(typed)) = call
        .params
        .completion::<Object<Reference<'_>>, Object<Argument<'_>>>()?;
    let context = match call.params.context() {
        None => CompleteContext::default(),
        Some(raw) => serde_json::from_str::<Object<_>>(raw.get())
            .map(|object| object.0)
            .map_err(|_| {
                Error::invalid_params(
                    "`params.context` must be `{arguments}`, an object of strings",
                )
            })?,
    };
    // before the own ones, because the prefix is theirs alone
    if let Some((place, of)) = upstream(server, &reference, &typed) {
        return passed_on(place, of, server, call, context, platform);
    }
    let (target, values) = find(server, &reference, &typed.name)?;
    scope::admit(server, target, &call.principal)?;
    let revision = call.revision;
    if !completers(target, server)
        .is_some_and(|completers| completers.contains_key(typed.name.as_ref()))
    {
        let result = written(server, revision, among(values, &typed.value));
        return Ok(Execution::Done(RpcResponse::result(
            call.id.as_json(),
            &result,
        )));
    }
    let (name, value) = (typed.name.into_owned(), typed.value.into_owned());
    let work = ActiveCall::new("completion/complete", target, &name, server, call, platform)?;
    Ok(work.start(None, async move |work| {
        let cx = work.completion_cx(context.arguments)?;
        let server = work.server.clone();
        let values = Box::pin(async move {
            match completers(target, &server).and_then(|completers| completers.get(&name)) {
                Some(completer) => Ok(completer.complete(value, cx).await),
                None => Ok(Vec::new()),
            }
        });
        let (values, outcome) = match deadline::run(values, TIMEOUT, &work.platform.timer).await {
            HandlerEnd::Returned(values) => (values.unwrap_or_default(), Outcome::Ok),
            // a person is typing: no values now are better than an error
            HandlerEnd::TimedOut => (Vec::new(), Outcome::TimedOut),
            HandlerEnd::Panicked(cause) => {
                work.internal(work.name(), &cause);
                (Vec::new(), Outcome::Internal)
            }
        };
        Ok((written(&work.server, revision, values), outcome.into()))
    }))
}

/// The upstream that completes it, and what it is asked.
fn upstream(
    server: &Server,
    reference: &Reference<'_>,
    typed: &Argument<'_>,
) -> Option<(Target, CompletionRequest)> {
    let (kind, name, separator, own) =
        match (reference.kind.as_ref(), &reference.name, &reference.uri) {
            ("ref/prompt", Some(name), _) => {
                (ListKind::Prompts, name, "__", server.prompts().len())
            }
            ("ref/resource", _, Some(uri)) => {
                (ListKind::Templates, uri, "+", server.resources().len())
            }
            _ => return None,
        };
    let position = own + server.upstream_at(name, separator)?;
    let inner = name.split_once(separator).map(|(_, inner)| inner)?;
    let place = if kind == ListKind::Prompts {
        Target::Prompt(position)
    } else {
        Target::Resource(position)
    };
    let (argument, value) = (typed.name.to_string(), typed.value.to_string());
    Some((
        place,
        CompletionRequest {
            kind,
            name: inner.to_owned(),
            argument,
            value,
            arguments: BTreeMap::new(),
        },
    ))
}

fn passed_on(
    place: Target,
    mut of: CompletionRequest,
    server: &Server,
    call: &mut Call<'_>,
    context: CompleteContext,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    scope::admit(server, place, &call.principal)?;
    let revision = call.revision;
    let work = ActiveCall::new(
        "completion/complete",
        place,
        &of.argument,
        server,
        call,
        platform,
    )?;
    of.arguments = context.arguments;
    Ok(work.start(None, async move |work| {
        let cx = work.completion_cx(BTreeMap::new())?;
        let Some((upstream, _)) = place.upstream(&work.server) else {
            return Ok((
                written(&work.server, revision, Vec::new()),
                Outcome::Ok.into(),
            ));
        };
        // a person is typing: no values now are better than an error
        let (values, outcome) =
            match deadline::run(upstream.complete(of, cx), TIMEOUT, &work.platform.timer).await {
                HandlerEnd::Returned(Ok(values)) => (values, Outcome::Ok),
                HandlerEnd::Returned(Err(_)) => (Vec::new(), Outcome::Failed),
                HandlerEnd::TimedOut => (Vec::new(), Outcome::TimedOut),
                HandlerEnd::Panicked(cause) => {
                    work.internal(work.name(), &cause);
                    (Vec::new(), Outcome::Internal)
                }
            };
        Ok((written(&work.server, revision, values), outcome.into()))
    }))
}

fn written(server: &Server, revision: Revision, values: Vec<String>) -> Vec<u8> {
    server.complete(
        revision,
        &to_json(&json!({ "completion": Completion::of(values) })),
        &JsonObject::new(),
        "",
    )
}

/// What completes the arguments of a prompt or the variables of a template.
fn completers(place: Target, server: &Server) -> Option<&Completers> {
    match place {
        Target::Prompt(position) => Some(&server.prompt(position).completers),
        Target::Resource(position) => Some(&server.resource(position).completers),
        Target::Tool(_) => None,
    }
}

/// The prompt or template that a reference names, and the values that an enum gives its argument.
fn find<'a>(
    server: &'a Server,
    reference: &Reference<'_>,
    name: &str,
) -> Result<(Target, &'a [String]), Error> {
    match (reference.kind.as_ref(), &reference.name, &reference.uri) {
        ("ref/prompt", Some(prompt), _) => {
            let unknown =
                || Error::invalid_params(format!("unknown prompt {}", text::quoted(prompt)));
            let position = server.find_prompt(prompt).ok_or_else(unknown)?;
            let argument = server.prompts()[position]
                .definition
                .arguments
                .iter()
                .find(|argument| argument.name == name);
            let argument = argument.ok_or_else(|| {
                Error::invalid_params(format!("the prompt has no argument {}", text::quoted(name)))
            })?;
            Ok((Target::Prompt(position), &argument.values))
        }
        ("ref/resource", _, Some(uri)) => {
            let unknown =
                || Error::invalid_params(format!("unknown resource {}", text::quoted(uri)));
            let position = server
                .resources()
                .iter()
                .position(|resource| resource.is_named(uri))
                .ok_or_else(unknown)?;
            if !server.resources()[position].has_variable(name) {
                return Err(Error::invalid_params(format!(
                    "the template has no variable {}",
                    text::quoted(name)
                )));
            }
            Ok((Target::Resource(position), &[]))
        }
        _ => Err(Error::invalid_params(REFERENCE)),
    }
}
