//! What an upstream asks in the middle of a call, as a question of this server: forms alone, of the
//! fields that the protocol has, under the name of who asks.

use mcpfn_core::host::Capability;
use mcpfn_core::round_trip::{ElicitAction, Form, InputResponse};
use mcpfn_core::text::is_visible;
use mcpfn_core::{Cx, ToolError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::say::Source;

/// The most forms of one question, and fields of one form.
const MAX_FORMS: usize = 4;
const MAX_FIELDS: usize = 32;
/// The most choices of a field, and the longest name of a form or a field, in bytes.
const MAX_CHOICES: usize = 200;
const MAX_NAME_LENGTH: usize = 128;
/// The longest state, in bytes of JSON. It travels through the client, sealed.
const MAX_STATE_BYTES: usize = 64 * 1024;
/// The formats of texts in forms. Not `password`: a form is never for secrets.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// Which members a result has beside its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outline {
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

/// The upstream's question, if it is one that may be passed on. Its state travels inside this
/// server's own.
pub(super) fn question(source: &Source<'_>, outline: Outline, cx: &Cx) -> ToolError {
    let upstream = source.upstream;
    let Outline {
        input_requests,
        request_state,
        ..
    } = outline;
    let refused = |why: &str| {
        ToolError::new(format!(
            "`{upstream}` asks for something that this server does not pass on: only forms are, \
             without fields for passwords, and only to clients that show them{why}. Use that \
             server directly."
        ))
    };
    let written = Value::from(request_state.as_deref().unwrap_or_default()).to_string();
    if written.len() > MAX_STATE_BYTES {
        return ToolError::new(format!(
            "`{upstream}` asks with a `requestState` of {} bytes, more than the {MAX_STATE_BYTES} \
             that may travel through clients. Use that server directly.",
            written.len()
        ));
    }
    // without a question the client has only to call again, which older ones are not told to
    let only_state = input_requests.is_empty() && cx.revision().is_modern();
    if !(only_state || cx.can_ask(Capability::ElicitationForm))
        || input_requests.len() > MAX_FORMS
        || !input_requests.keys().all(|key| source.is_name(key))
    {
        return refused("");
    }
    let keys: Vec<String> = input_requests.keys().cloned().collect();
    let mut ask = cx.ask();
    for (key, request) in input_requests {
        match form(source, &request) {
            Ok(form) => ask = ask.form(key, form),
            Err(why) => return refused(&why),
        }
    }
    let state = request_state;
    ask.state(Carried { keys, state }).into()
}

impl Source<'_> {
    /// What is repeated letter by letter has nothing in it that would have to be taken out.
    fn is_exact(&self, value: &Value) -> bool {
        let exact = |text| is_visible(text) && !self.cleaner.finds(text);
        value.as_str().is_some_and(exact)
    }

    fn is_name(&self, name: &str) -> bool {
        !name.is_empty()
            && name.len() <= MAX_NAME_LENGTH
            && is_visible(name)
            && !self.cleaner.finds(name)
    }
}

/// A form under the name of who asks, so that a stranger's question is not taken for this server's.
fn form(source: &Source<'_>, request: &Value) -> Result<Form, String> {
    let params = &request["params"];
    if request["method"] != "elicitation/create"
        || params.get("mode").is_some_and(|mode| mode != "form")
    {
        return Err(String::new());
    }
    let schema = &params["requestedSchema"];
    let fields = schema["properties"]
        .as_object()
        .filter(|fields| fields.len() <= MAX_FIELDS)
        .ok_or_else(|| format!(" (a form has at most {MAX_FIELDS} fields)"))?;
    let required: Vec<&str> = texts(&schema["required"]).collect();
    let message = params["message"].as_str().unwrap_or_default();
    let (upstream, message) = (source.upstream, source.sentence(message));
    let mut form = Form::new(format!("The server `{upstream}` asks: {message}"));
    for (name, schema) in fields {
        let field = field(source, schema)
            .filter(|_| source.is_name(name))
            .ok_or_else(|| format!(" (the field {} is none of those)", source.quoted(name)))?;
        form = form.field(name, field);
        if !required.contains(&name.as_str()) {
            form = form.optional(name);
        }
    }
    Ok(form)
}

fn texts(items: &Value) -> impl Iterator<Item = &str> {
    items
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// A field with what the protocol has for it, written anew; `None` for any other schema.
fn field(source: &Source<'_>, schema: &Value) -> Option<Value> {
    let given = schema.as_object()?;
    // a value that nobody may read back is a secret
    if given.get("writeOnly") == Some(&true.into()) {
        return None;
    }
    let mut field = Map::new();
    let kind = given.get("type").and_then(Value::as_str)?;
    field.insert("type".to_owned(), kind.into());
    for key in ["title", "description"] {
        let text = given.get(key).and_then(Value::as_str);
        let text = text.map(|text| source.sentence(text));
        field.extend(text.map(|text| (key.to_owned(), text.into())));
    }
    let keeps = |keys: &[&str], fits: &dyn Fn(&Value) -> bool| -> Vec<(String, Value)> {
        let found = keys.iter().filter_map(|key| given.get_key_value(*key));
        let found = found.filter(|(_, value)| fits(value));
        found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let is_exact = |value: &Value| source.is_exact(value);
    match kind {
        "boolean" => field.extend(keeps(&["default"], &Value::is_boolean)),
        "integer" | "number" => {
            field.extend(keeps(&["minimum", "maximum", "default"], &Value::is_number));
        }
        "string" => {
            field.extend(keeps(&["minLength", "maxLength"], &Value::is_u64));
            field.extend(keeps(&["default"], &is_exact));
            field.extend(format(given.get("format"))?);
            field.extend(choices(source, given, "oneOf")?);
        }
        "array" => {
            field.extend(keeps(&["minItems", "maxItems"], &Value::is_u64));
            field.extend(keeps(&["default"], &|value| {
                value
                    .as_array()
                    .is_some_and(|items| items.iter().all(is_exact))
            }));
            let items = given.get("items")?.as_object()?;
            let choices = choices(source, items, "anyOf")?;
            if choices.is_empty() {
                return None;
            }
            let kind = items.get_key_value("type");
            let kind = kind.map(|(key, kind)| (key.clone(), kind.clone()));
            if kind.as_ref().is_some_and(|(_, kind)| kind != "string") {
                return None;
            }
            field.insert(
                "items".to_owned(),
                kind.into_iter().chain(choices).collect(),
            );
        }
        _ => return None,
    }
    Some(field.into())
}

fn format(format: Option<&Value>) -> Option<Map<String, Value>> {
    let Some(format) = format else {
        return Some(Map::new());
    };
    let known = FORMATS.iter().find(|known| format == **known)?;
    Some(Map::from_iter([("format".to_owned(), (*known).into())]))
}

/// The choices of a field, if it has any: texts alone, with a title each where there are titles.
fn choices(
    source: &Source<'_>,
    given: &Map<String, Value>,
    titled: &str,
) -> Option<Map<String, Value>> {
    let mut choices = Map::new();
    if let Some(values) = given.get("enum") {
        let values = values
            .as_array()
            .filter(|values| values.len() <= MAX_CHOICES)?;
        if !values.iter().all(|value| source.is_exact(value)) {
            return None;
        }
        choices.insert("enum".to_owned(), values.clone().into());
        let names: Vec<Value> = texts(given.get("enumNames").unwrap_or(&Value::Null))
            .map(|name| source.sentence(name).into())
            .collect();
        if names.len() == values.len() {
            choices.insert("enumNames".to_owned(), names.into());
        }
    }
    if let Some(values) = given.get(titled) {
        let values = values
            .as_array()
            .filter(|values| values.len() <= MAX_CHOICES)?;
        let choice = |value: &Value| {
            let constant = value.get("const").filter(|value| source.is_exact(value))?;
            let title = value.get("title").and_then(Value::as_str)?;
            Some(json!({"const": constant, "title": source.sentence(title)}))
        };
        let values: Option<Vec<Value>> = values.iter().map(choice).collect();
        choices.insert(titled.to_owned(), values?.into());
    }
    Some(choices)
}
