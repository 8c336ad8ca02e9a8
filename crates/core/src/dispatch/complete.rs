//! `completion/complete`: values for a prompt's argument or a template's variable.

use std::sync::Arc;

use serde_json::json;

use super::call::Work;
use super::deadline::{self, Ended};
use crate::call::Call;
use crate::complete::among;
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::completion::{CompleteContext, CompleteParams, Completion};
use crate::port::Platform;
use crate::running::{Answer, Reply};
use crate::server::Server;
use crate::text;
use crate::tool::TIMEOUT;

pub(super) fn complete(server: &Server, call: Call<'_>, platform: &Arc<Platform>) -> Result<Reply, Error> {
    let shape = || {
        Error::invalid_params(
            "`params` needs `ref` (`{type: \"ref/prompt\", name}` or `{type: \"ref/resource\", uri}`) and `argument` (`{name, value}`)",
        )
    };
    let raw = call.request.params.ok_or_else(shape)?;
    let params: CompleteParams<'_> = serde_json::from_str(raw.get()).map_err(|_| shape())?;
    let context = match call.params.context {
        None => CompleteContext::default(),
        Some(raw) => {
            serde_json::from_str(raw.get()).map_err(|_| Error::invalid_params("`params.context.arguments` must be an object of strings"))?
        }
    };
    let (completers, values) = match (params.reference.kind.as_ref(), &params.reference.name, &params.reference.uri) {
        ("ref/prompt", Some(name), _) => {
            let position =
                server.find_prompt(name).ok_or_else(|| Error::invalid_params(format!("unknown prompt {}", text::quoted(name))))?;
            let prompt = &server.prompts()[position];
            let argument = prompt.definition.arguments.iter().find(|argument| argument.name == params.argument.name);
            let argument = argument
                .ok_or_else(|| Error::invalid_params(format!("the prompt has no argument {}", text::quoted(&params.argument.name))))?;
            (&prompt.completers, argument.values.as_slice())
        }
        ("ref/resource", _, Some(uri)) => {
            let resource = server.resources().iter().find(|resource| resource.is_named(uri));
            let resource = resource.ok_or_else(|| Error::invalid_params(format!("unknown resource {}", text::quoted(uri))))?;
            if !resource.has_variable(&params.argument.name) {
                return Err(Error::invalid_params(format!("the template has no variable {}", text::quoted(&params.argument.name))));
            }
            (&resource.completers, [].as_slice())
        }
        _ => return Err(shape()),
    };
    let revision = call.revision;
    let Some(completer) = completers.get(params.argument.name.as_ref()) else {
        let written = to_json(&json!({ "completion": Completion::of(among(values, &params.argument.value)) }));
        let result = server.complete(revision, &written, &JsonObject::new(), "");
        return Ok(Reply::Answer(Answer::result(call.request.id.as_json(), &result)));
    };
    let work = Work::new("completion/complete", &params.argument.name, server, call, platform)?;
    let cx = work.completion_cx(context.arguments)?;
    let handler = completer.complete(params.argument.value.into_owned(), cx);
    Ok(work.start(move |work| {
        Box::pin(async move {
            let values = match deadline::run(Box::pin(async move { Ok(handler.await) }), TIMEOUT, &work.platform.timer).await {
                Ended::Returned(values) => values.unwrap_or_default(),
                // a person is typing: no values now are better than an error
                Ended::TimedOut => Vec::new(),
            };
            let written = to_json(&json!({ "completion": Completion::of(values) }));
            Ok(work.server.complete(revision, &written, &JsonObject::new(), ""))
        })
    }))
}
