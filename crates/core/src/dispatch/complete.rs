//! `completion/complete`: values for a prompt's argument or a template's variable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::handler::{self, HandlerFailure};
use super::start::start;
use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::call::{Call, REFERENCE};
use crate::complete::{Completer, among};
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
    let (target, source) = find(server, &reference, &typed)?;
    // before anything is told of it, also values that are there without a call
    scope::admit(&target, &call.principal)?;
    let (name, value) = (typed.name, typed.value.into_owned());
    match source {
        Source::Values(values) => {
            let result = written(server, call.revision, among(values, &value));
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

type Completing = BoxFuture<'static, Result<Vec<String>, ToolError>>;

/// Runs what completes, and responds with its values. A person is typing: no values now are better
/// than an error.
async fn respond(call: &ActiveCall, start: impl FnOnce() -> Completing) -> CallResult {
    let completed = handler::run(|| Ok(start()), TIMEOUT, &call.platform.timer).await;
    let (values, outcome) = match completed {
        Ok(values) => (values, Outcome::Ok),
        Err(HandlerFailure::Returned(_)) => (Vec::new(), Outcome::Failed),
        Err(HandlerFailure::TimedOut) => (Vec::new(), Outcome::TimedOut),
        Err(HandlerFailure::Panicked(cause)) => {
            // the log gets the cause; there is nobody to tell its id
            call.internal(call.name(), &cause);
            (Vec::new(), Outcome::Internal)
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

/// The prompt or template that a reference names, and what completes its argument or variable.
fn find<'a>(
    server: &'a Server,
    reference: &Reference<'_>,
    typed: &Argument<'_>,
) -> Result<(Target, Source<'a>), Error> {
    match (reference.kind.as_ref(), &reference.name, &reference.uri) {
        ("ref/prompt", Some(prompt), _) => of_prompt(server, prompt, typed),
        ("ref/resource", _, Some(uri)) => of_template(server, uri, typed),
        _ => Err(Error::invalid_params(REFERENCE)),
    }
}

fn of_prompt<'a>(
    server: &'a Server,
    name: &str,
    typed: &Argument<'_>,
) -> Result<(Target, Source<'a>), Error> {
    let prompt = server
        .registry()
        .prompt(name)
        .ok_or_else(|| Error::invalid_params(format!("unknown prompt {}", text::quoted(name))))?;
    let target = Target::Prompt(Arc::clone(prompt));
    if let Some(source) = of_upstream(&target, ListKind::Prompts, name, "__", typed) {
        return Ok((target, source));
    }
    let argument = prompt
        .definition
        .arguments
        .iter()
        .find(|argument| argument.name == typed.name)
        .ok_or_else(|| {
            Error::invalid_params(format!(
                "the prompt has no argument {}",
                text::quoted(&typed.name)
            ))
        })?;
    let source = own(&target, typed, &argument.values);
    Ok((target, source))
}

fn of_template<'a>(
    server: &'a Server,
    uri: &str,
    typed: &Argument<'_>,
) -> Result<(Target, Source<'a>), Error> {
    let registry = server.registry();
    if let Some(upstream) = registry.upstream(uri, "+") {
        let target = Target::Resource(Arc::clone(&upstream.resource));
        if let Some(source) = of_upstream(&target, ListKind::Templates, uri, "+", typed) {
            return Ok((target, source));
        }
    }
    // a client may name the template itself, which is no URI that it matches
    let resource = registry
        .resources()
        .iter()
        .find(|resource| resource.is_named(uri))
        .ok_or_else(|| Error::invalid_params(format!("unknown resource {}", text::quoted(uri))))?;
    if !resource.has_variable(&typed.name) {
        return Err(Error::invalid_params(format!(
            "the template has no variable {}",
            text::quoted(&typed.name)
        )));
    }
    let target = Target::Resource(Arc::clone(resource));
    let source = own(&target, typed, &[]);
    Ok((target, source))
}

fn own<'a>(target: &Target, typed: &Argument<'_>, values: &'a [String]) -> Source<'a> {
    let completer = target
        .completers()
        .and_then(|completers| completers.get(typed.name.as_ref()));
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

fn written(server: &Server, revision: Revision, values: Vec<String>) -> Vec<u8> {
    server.results().complete(
        revision,
        &to_json(&json!({ "completion": Completion::of(values) })),
        &JsonObject::new(),
        "",
    )
}
