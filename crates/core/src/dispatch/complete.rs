//! `completion/complete`: values for a prompt's argument or a template's variable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::handler::{self, HandlerFailure};
use super::start::start;
use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::call::{Call, REFERENCE};
use crate::complete::{Completer, Completions, among};
use crate::error::ToolError;
use crate::jsonrpc::{Error, Object, to_json};
use crate::model::JsonObject;
use crate::model::completion::{Argument, CompleteContext, Completion, Reference};
use crate::model::list_kind::ListKind;
use crate::policy::scope;
use crate::port::Platform;
use crate::port::audit_log::Outcome;
use crate::running::{Execution, RpcResponse};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::server::target::Target;
use crate::text;
use crate::tool::TIMEOUT;
use crate::upstream::{CompletionRequest, Upstream};
use crate::version::Revision;

const METHOD: &str = "completion/complete";

pub(super) fn complete(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let (Object(reference), Object(typed)) = call
        .params
        .completion::<Object<Reference<'_>>, Object<Argument<'_>>>()?;
    let target = find(server, &reference)?;
    // before anything is told of it: which arguments it has, values that are there without a call
    scope::admit(&target, &call.principal)?;
    let source = source(&target, &reference, &typed)?;
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
    let (name, value) = (typed.name, typed.value.into_owned());
    match source {
        Source::Values(values) => {
            let result = written(server, call.revision, among(values, &value).into());
            Ok(Execution::Done(RpcResponse::result(
                call.id.as_json(),
                &result,
            )))
        }
        Source::Completer(completer) => {
            let active = ActiveCall::new(METHOD, target, &name, server, call, platform)?;
            Ok(start(active, async move |call| {
                let cx = call.completion_cx(context.arguments)?;
                let start = || -> Completing {
                    let values = completer.complete(value, cx);
                    Box::pin(async move { Ok(values.await) })
                };
                respond(&call, start).await
            }))
        }
        Source::Upstream(upstream, mut request) => {
            let active = ActiveCall::new(METHOD, target, &name, server, call, platform)?;
            request.arguments = context.arguments;
            Ok(start(active, async move |call| {
                let cx = call.completion_cx(BTreeMap::new())?;
                respond(&call, || upstream.complete(request, cx)).await
            }))
        }
    }
}

type Completing = BoxFuture<'static, Result<Completions, ToolError>>;

/// Runs what completes, and responds with its values. A person is typing: no values now are better
/// than an error.
async fn respond(call: &ActiveCall, start: impl FnOnce() -> Completing) -> CallResult {
    let completed = handler::run(|| Ok(start()), TIMEOUT, &call.platform.timer).await;
    let (values, outcome) = match completed {
        Ok(values) => (values, Outcome::Ok),
        Err(HandlerFailure::Returned(_)) => (Completions::default(), Outcome::Failed),
        Err(HandlerFailure::TimedOut) => (Completions::default(), Outcome::TimedOut),
        Err(HandlerFailure::Panicked(cause)) => {
            // the log gets the cause; there is nobody to tell its id
            call.internal(call.name(), &cause);
            (Completions::default(), Outcome::Internal)
        }
    };
    Ok((written(&call.server, call.revision, values), outcome.into()))
}

/// Where values come from.
enum Source<'a> {
    /// The values of an enum, or none.
    Values(&'a [String]),
    /// What the author registered for this argument or variable.
    Completer(Arc<dyn Completer>),
    /// The server that has the prompt or template, and what it is asked; still without the other
    /// arguments.
    Upstream(Arc<dyn Upstream>, CompletionRequest),
}

/// The prompt or template that a reference names.
fn find(server: &Server, reference: &Reference<'_>) -> Result<Target, Error> {
    let registry = server.registry();
    let unknown = |what: &str, name: &str| {
        Error::invalid_params(format!("unknown {what} {}", text::quoted(name)))
    };
    match (reference.kind.as_ref(), &reference.name, &reference.uri) {
        ("ref/prompt", Some(name), _) => registry
            .prompt(name)
            .map(|prompt| Target::Prompt(Arc::clone(prompt)))
            .ok_or_else(|| unknown("prompt", name)),
        ("ref/resource", _, Some(uri)) => {
            if let Some(upstream) = registry.upstream(uri, "+") {
                return Ok(Target::Resource(Arc::clone(&upstream.resource)));
            }
            // a client may name the template itself, which is no URI that it matches
            registry
                .resources()
                .iter()
                .find(|resource| resource.is_named(uri))
                .map(|resource| Target::Resource(Arc::clone(resource)))
                .ok_or_else(|| unknown("resource", uri))
        }
        _ => Err(Error::invalid_params(REFERENCE)),
    }
}

/// What completes an argument of a prompt, or a variable of a template.
fn source<'a>(
    target: &'a Target,
    reference: &Reference<'_>,
    typed: &Argument<'_>,
) -> Result<Source<'a>, Error> {
    let (kind, named, separator) = match target {
        Target::Prompt(_) => (ListKind::Prompts, &reference.name, "__"),
        _ => (ListKind::Templates, &reference.uri, "+"),
    };
    if let Some(name) = named
        && let Some(source) = of_upstream(target, kind, name, separator, typed)
    {
        return Ok(source);
    }
    let missing =
        |what: &str| Error::invalid_params(format!("the {what} {}", text::quoted(&typed.name)));
    match target {
        Target::Prompt(prompt) => {
            let arguments = &prompt.definition.arguments;
            let argument = arguments
                .iter()
                .find(|argument| argument.name == typed.name);
            let argument = argument.ok_or_else(|| missing("prompt has no argument"))?;
            Ok(own(target, typed, &argument.values))
        }
        Target::Resource(resource) if resource.has_variable(&typed.name) => {
            Ok(own(target, typed, &[]))
        }
        _ => Err(missing("template has no variable")),
    }
}

fn own<'a>(target: &Target, typed: &Argument<'_>, values: &'a [String]) -> Source<'a> {
    let name = match target {
        Target::Prompt(prompt) => prompt.deprecations.current(&typed.name),
        _ => &typed.name,
    };
    let completer = target
        .completers()
        .and_then(|completers| completers.get(name));
    completer.map_or(Source::Values(values), |completer| {
        Source::Completer(Arc::clone(completer))
    })
}

/// What an upstream is asked, if the target is one's.
fn of_upstream(
    target: &Target,
    kind: ListKind,
    name: &str,
    separator: &str,
    typed: &Argument<'_>,
) -> Option<Source<'static>> {
    let (upstream, _) = target.upstream()?;
    let (_, inner) = name.split_once(separator)?;
    Some(Source::Upstream(
        Arc::clone(upstream),
        CompletionRequest {
            kind,
            name: inner.to_owned(),
            argument: typed.name.to_string(),
            value: typed.value.to_string(),
            arguments: BTreeMap::new(),
        },
    ))
}

fn written(server: &Server, revision: Revision, values: Completions) -> Vec<u8> {
    server.results().complete(
        revision,
        &to_json(&json!({ "completion": Completion::of(values) })),
        &JsonObject::new(),
        "",
    )
}
