//! From an upstream's results to this server's: URIs get the prefix, `_meta` stays behind, a
//! question becomes a question of this server.

use mcpfn_core::jsonrpc::ErrorCode;
use mcpfn_core::{
    Cx, ToolError,
    content::{CallToolResult, Content, GetPromptResult, ResourceContents},
    round_trip::{ElicitAction, Form, InputResponse},
    upstream::namespaced_uri,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::client::UpstreamFailure;
use crate::untrusted::visible;

/// In the `_meta` of every result of an upstream's tool, with its name.
const MARK: &str = "dev.mcpfn/upstream";
/// The longest sentence of an upstream that is passed on, in characters, and the most fields of a
/// form.
const MAX_LENGTH: usize = 1000;
const MAX_FIELDS: usize = 32;
const MAX_FORMS: usize = 4;

#[derive(Deserialize)]
struct ReadResult {
    contents: Vec<ResourceContents>,
}

/// Which members a result has beside its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    result_type: Option<String>,
    #[serde(default)]
    input_requests: Map<String, Value>,
    #[serde(default)]
    request_state: Option<String>,
}

/// What this server carries through the client between an upstream's question and its answer,
/// sealed.
#[derive(Serialize, Deserialize)]
struct Carried {
    keys: Vec<String>,
    state: Option<String>,
}

/// Adds the answers to an upstream's question, if this call brings them.
pub(super) fn add_answers(params: &mut Map<String, Value>, cx: &Cx) {
    let Some(carried) = cx.request_state::<Carried>() else {
        return;
    };
    let answers: Map<String, Value> = carried
        .keys
        .into_iter()
        .filter_map(|key| match cx.answer(&key)? {
            InputResponse::Elicitation(elicited) => Some((
                key,
                match elicited.action {
                    ElicitAction::Accept => {
                        json!({"action": "accept", "content": elicited.content})
                    }
                    ElicitAction::Decline => json!({"action": "decline"}),
                    ElicitAction::Cancel => json!({"action": "cancel"}),
                },
            )),
            _ => None,
        })
        .collect();
    params.insert("inputResponses".to_owned(), answers.into());
    params.extend(
        carried
            .state
            .map(|state| ("requestState".to_owned(), state.into())),
    );
}

/// A tool's result.
pub(super) fn tool(
    upstream: &str,
    result: &RawValue,
    cx: &Cx,
) -> Result<CallToolResult, ToolError> {
    let mut result: CallToolResult = read(upstream, result, cx)?;
    result.meta.clear();
    for content in &mut result.content {
        rename(upstream, content);
    }
    Ok(result.meta(MARK, upstream.into()))
}

/// A prompt's messages.
pub(super) fn prompt(
    upstream: &str,
    result: &RawValue,
    cx: &Cx,
) -> Result<GetPromptResult, ToolError> {
    let mut result: GetPromptResult = read(upstream, result, cx)?;
    for message in &mut result.messages {
        rename(upstream, &mut message.content);
    }
    Ok(result)
}

/// A resource's contents.
pub(super) fn resource(
    upstream: &str,
    result: &RawValue,
    cx: &Cx,
) -> Result<Vec<ResourceContents>, ToolError> {
    let ReadResult { mut contents } = read(upstream, result, cx)?;
    contents
        .iter_mut()
        .for_each(|contents| rename_contents(upstream, contents));
    Ok(contents)
}

/// Values of a completion.
pub(super) fn completion(result: &RawValue) -> Vec<String> {
    let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
    let values = result["completion"]["values"]
        .as_array()
        .into_iter()
        .flatten();
    values
        .filter_map(Value::as_str)
        .take(100)
        .map(sentence)
        .collect()
}

fn read<T: for<'de> Deserialize<'de>>(
    upstream: &str,
    result: &RawValue,
    cx: &Cx,
) -> Result<T, ToolError> {
    let unreadable = |cause: String| {
        let cause: String = cause.chars().take(200).collect();
        ToolError::unavailable(
            format!(
                "`{upstream}` gave a result that can't be read. Try something else, and tell the \
                 user."
            ),
            cause,
        )
    };
    let outline: Outline =
        serde_json::from_str(result.get()).map_err(|error| unreadable(error.to_string()))?;
    match outline.result_type.as_deref() {
        // servers before 2026-07-28 say no type
        None | Some("complete") => {
            serde_json::from_str(result.get()).map_err(|error| unreadable(error.to_string()))
        }
        Some("input_required") => Err(question(upstream, outline, cx)),
        Some(_) => Err(unreadable(
            "its `resultType` is not one that this server asked for".to_owned(),
        )),
    }
}

/// The upstream's question, if it is one that may be passed on. Its state travels inside this
/// server's own.
fn question(upstream: &str, outline: Outline, cx: &Cx) -> ToolError {
    let refused = || {
        ToolError::new(format!(
            "`{upstream}` asks for something that this server does not pass on: only forms are, \
             and only to clients that show them. Use that server directly."
        ))
    };
    if !cx.revision().is_modern()
        || !(outline.input_requests.is_empty() || cx.client().elicitation_form)
        || outline.input_requests.len() > MAX_FORMS
    {
        return refused();
    }
    let mut ask = cx.ask();
    let keys: Vec<String> = outline.input_requests.keys().cloned().collect();
    for (key, request) in outline.input_requests {
        match form(upstream, &request) {
            Some(form) => ask = ask.form(key, form),
            None => return refused(),
        }
    }
    ask.state(Carried {
        keys,
        state: outline.request_state,
    })
    .into()
}

/// A form under the name of who asks, so that a stranger's question is not taken for this server's.
fn form(upstream: &str, request: &Value) -> Option<Form> {
    let params = &request["params"];
    if request["method"] != "elicitation/create"
        || params.get("mode").is_some_and(|mode| mode != "form")
    {
        return None;
    }
    let schema = &params["requestedSchema"];
    let fields = schema["properties"]
        .as_object()
        .filter(|fields| fields.len() <= MAX_FIELDS)?;
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let form = Form::new(format!(
        "The server `{upstream}` asks: {}",
        sentence(params["message"].as_str()?)
    ));
    Some(fields.iter().fold(form, |form, (name, schema)| {
        let form = form.field(name, schema.clone());
        if required.contains(&name.as_str()) {
            form
        } else {
            form.optional(name)
        }
    }))
}

/// A failure as the model reads it. What is known to be wrong with a request is not an error of the
/// server.
pub(super) fn failed(upstream: &str, failure: UpstreamFailure, writes: bool) -> ToolError {
    match failure {
        UpstreamFailure::Error(error) if error.is(ErrorCode::URL_ELICITATION_REQUIRED) => {
            ToolError::new(format!(
                "`{upstream}` wants a page to be opened, which this server does not pass on. Use that \
             server directly."
            ))
        }
        UpstreamFailure::Error(error) if error.is(ErrorCode::MISSING_CAPABILITY) => {
            ToolError::new(format!(
                "`{upstream}` needs a capability that the client did not declare, or that this server \
             does not pass on (it passes on forms, for clients that speak 2026-07-28 and show \
             them): {}",
                sentence(&error.message)
            ))
        }
        UpstreamFailure::Error(error) => ToolError::new(format!(
            "`{upstream}` refused the call: {}",
            sentence(&error.message)
        ))
        .with_cause(format!(
            "error {}: {}",
            error.code,
            sentence(error.data.as_str().unwrap_or_default())
        )),
        UpstreamFailure::Refused(cause) => ToolError::unavailable(
            format!(
                "`{upstream}` is unavailable: it does not accept this server's credential. Tell \
                 the user, who may ask the operator."
            ),
            cause,
        ),
        UpstreamFailure::Unavailable { cause, sent } => {
            let advice = if writes && sent {
                "It is not known whether the call was carried out: look before you try again."
            } else {
                "Try again in a few minutes."
            };
            ToolError::unavailable(
                format!("`{upstream}` is temporarily unavailable. {advice}"),
                cause,
            )
        }
        UpstreamFailure::Internal(error) => error,
    }
}

/// As [`failed`], where the specification says with an error that something does not exist.
pub(super) fn not_there(upstream: &str, failure: UpstreamFailure) -> ToolError {
    match failure {
        UpstreamFailure::Error(error)
            if error.is(ErrorCode::INVALID_PARAMS) || error.is(ErrorCode::RESOURCE_NOT_FOUND) =>
        {
            ToolError::not_found(format!(
                "`{upstream}` refused it: {}",
                sentence(&error.message)
            ))
        }
        failure => failed(upstream, failure, false),
    }
}

fn rename(upstream: &str, content: &mut Content) {
    match content {
        Content::ResourceLink(link) => rename_uri(upstream, &mut link.uri),
        Content::Resource(embedded) => {
            embedded.meta.clear();
            rename_contents(upstream, &mut embedded.resource);
        }
        Content::Text(text) => text.meta.clear(),
        Content::Image(media) | Content::Audio(media) => media.meta.clear(),
        _ => {}
    }
}

fn rename_contents(upstream: &str, contents: &mut ResourceContents) {
    contents.meta.clear();
    rename_uri(upstream, &mut contents.uri);
}

/// What is no URI leads nowhere, here as there.
fn rename_uri(upstream: &str, uri: &mut String) {
    if let Some(shown) = namespaced_uri(upstream, uri) {
        *uri = shown;
    }
}

/// A sentence of an upstream: what a person would see of it, and not too much.
fn sentence(text: &str) -> String {
    visible(&text.chars().take(MAX_LENGTH).collect::<String>())
}
