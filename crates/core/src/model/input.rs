//! What a server may ask in the middle of a call, and what the client answers (basic/patterns/mrtr,
//! client/*).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::JsonObject;
use super::capabilities::Capability;
use crate::arguments::with_integers;
use crate::jsonrpc::Object;
use crate::text;

/// One question inside an `InputRequiredResult`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "method", content = "params")]
#[non_exhaustive]
pub enum InputRequest {
    /// A form for the person. Never for secrets.
    #[serde(rename = "elicitation/create")]
    Form(Form),
    /// A page for the person to open.
    #[serde(rename = "elicitation/create")]
    Url(UrlElicitation),
    /// A question to the client's model (deprecated by 2026-07-28, still served).
    #[serde(rename = "sampling/createMessage")]
    Sampling(Sampling),
    /// The client's roots (deprecated by 2026-07-28, still served).
    #[serde(rename = "roots/list")]
    Roots {},
}

impl InputRequest {
    /// What the client must have declared to be asked this.
    pub(crate) fn needs(&self) -> Capability {
        match self {
            Self::Form(_) => Capability::ElicitationForm,
            Self::Url(_) => Capability::ElicitationUrl,
            Self::Sampling(sampling) if sampling.tools.is_empty() => Capability::Sampling,
            Self::Sampling(_) => Capability::SamplingTools,
            Self::Roots {} => Capability::Roots,
        }
    }
}

/// A flat form shown to the person. Fields are required unless made optional.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    mode: &'static str,
    message: String,
    requested_schema: Value,
}

impl Form {
    /// A form without fields yet, under one sentence that says why it is asked.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let requested_schema = json!({"type": "object", "properties": {}, "required": []});
        Self {
            mode: "form",
            message: message.into(),
            requested_schema,
        }
    }

    /// A line of text.
    #[must_use]
    pub fn text(self, name: &str, description: &str) -> Self {
        self.field(name, json!({"type": "string", "description": description}))
    }

    /// A number.
    #[must_use]
    pub fn number(self, name: &str, description: &str) -> Self {
        self.field(name, json!({"type": "number", "description": description}))
    }

    /// A whole number.
    #[must_use]
    pub fn integer(self, name: &str, description: &str) -> Self {
        self.field(name, json!({"type": "integer", "description": description}))
    }

    /// Yes or no.
    #[must_use]
    pub fn boolean(self, name: &str, description: &str) -> Self {
        self.field(name, json!({"type": "boolean", "description": description}))
    }

    /// One of a few words.
    #[must_use]
    pub fn choice(self, name: &str, description: &str, values: &[&str]) -> Self {
        self.field(
            name,
            json!({"type": "string", "description": description, "enum": values}),
        )
    }

    /// Any primitive schema that the specification allows in a form: string, number, integer,
    /// boolean or an enum, with bounds, a format or a default.
    #[must_use]
    pub fn field(mut self, name: &str, schema: Value) -> Self {
        self.requested_schema["properties"][name] = schema;
        if let Some(required) = self.requested_schema["required"].as_array_mut() {
            required.push(name.into());
        }
        self
    }

    /// Lets the person leave a field empty.
    #[must_use]
    pub fn optional(mut self, name: &str) -> Self {
        if let Some(required) = self.requested_schema["required"].as_array_mut() {
            required.retain(|required| required != name);
        }
        self
    }

    pub(crate) fn schema(&self) -> &Value {
        &self.requested_schema
    }
}

/// A page for the person to open, for what must not pass through the client (secrets, payments,
/// consent).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UrlElicitation {
    mode: &'static str,
    message: String,
    url: String,
}

impl UrlElicitation {
    /// A sentence that says why, and an HTTPS address that carries no secret and signs no one in.
    #[must_use]
    pub fn new(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            mode: "url",
            message: message.into(),
            url: url.into(),
        }
    }
}

/// A question to the client's model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sampling {
    messages: Vec<Value>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_preferences: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
}

impl Sampling {
    /// One message from the user's side, and the most tokens to answer with.
    #[must_use]
    pub fn new(text: impl Into<String>, max_tokens: u32) -> Self {
        Self {
            messages: vec![
                json!({"role": "user", "content": {"type": "text", "text": text.into()}}),
            ],
            max_tokens,
            system_prompt: None,
            temperature: None,
            stop_sequences: Vec::new(),
            model_preferences: None,
            tools: Vec::new(),
        }
    }

    /// Adds a message: `{"role": ..., "content": ...}`.
    #[must_use]
    pub fn message(mut self, message: Value) -> Self {
        self.messages.push(message);
        self
    }

    /// Sets the system prompt.
    #[must_use]
    pub fn system(mut self, prompt: impl Into<String>) -> Self {
        self.system_prompt = Some(prompt.into());
        self
    }

    /// Sets the temperature.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Adds a text to stop at.
    #[must_use]
    pub fn stop(mut self, sequence: impl Into<String>) -> Self {
        self.stop_sequences.push(sequence.into());
        self
    }

    /// Sets `modelPreferences`.
    #[must_use]
    pub fn prefer(mut self, preferences: Value) -> Self {
        self.model_preferences = Some(preferences);
        self
    }

    /// Gives the model a tool definition; the client must have declared `sampling.tools`.
    #[must_use]
    pub fn tool(mut self, definition: Value) -> Self {
        self.tools.push(definition);
        self
    }
}

/// What the client answered to one question.
#[derive(Debug, Clone, PartialEq, Deserialize)]
// untagged, as on the wire: an answer does not name its kind, only the key of its question
#[serde(untagged)]
#[non_exhaustive]
pub enum InputResponse {
    /// To a form or a URL.
    Elicitation(Elicited),
    /// From the client's model.
    Sampling(Sampled),
    /// The client's roots.
    Roots {
        /// The roots.
        #[serde(deserialize_with = "roots")]
        roots: Vec<Root>,
    },
}

/// The person's answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Elicited {
    /// What the person did.
    pub action: ElicitAction,
    /// The form's fields, if accepted.
    #[serde(default)]
    pub content: JsonObject,
}

impl Elicited {
    /// A text field of an accepted form.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.accepted()?.get(field)?.as_str()
    }

    /// The fields, if the person accepted.
    #[must_use]
    pub fn accepted(&self) -> Option<&JsonObject> {
        (self.action == ElicitAction::Accept).then_some(&self.content)
    }
}

/// What a person can do with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitAction {
    /// Answered.
    Accept,
    /// Said no.
    Decline,
    /// Closed it without saying anything.
    Cancel,
}

/// The model's answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sampled {
    /// Always the assistant's side.
    pub role: super::content::Role,
    /// One content block or an array of them.
    pub content: Value,
    /// Which model answered.
    pub model: String,
    /// Why it stopped.
    #[serde(default)]
    pub stop_reason: Option<String>,
}

impl Sampled {
    /// The words of the answer, if it has any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let block = self
            .content
            .as_array()
            .map_or(Some(&self.content), |blocks| {
                blocks.iter().find(|block| block["type"] == "text")
            })?;
        block.get("text")?.as_str()
    }
}

/// A folder that the client works in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file://` URI.
    pub uri: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
}

fn roots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Root>, D::Error> {
    let roots = Vec::<Object<Root>>::deserialize(deserializer)?;
    Ok(roots.into_iter().map(|root| root.0).collect())
}

/// Answers by the key under which they were asked.
pub(crate) type InputResponses = BTreeMap<String, InputResponse>;

/// Reads `inputResponses`: an object of objects.
///
/// # Errors
/// What must be changed, with the name of the answer that is at fault.
pub(crate) fn read_responses(raw: &RawValue) -> Result<InputResponses, String> {
    let answers: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())
        .map_err(|_| "`params.inputResponses` must be an object".to_owned())?;
    let mut responses = InputResponses::new();
    let read = |(key, answer): (String, &RawValue)| {
        // as an object first: serde would read a struct from an array of its fields, too
        let object = serde_json::from_str::<Object<JsonObject>>(answer.get());
        let read = object.map(|answer| {
            let mut answer = Value::Object(answer.0);
            with_integers(&mut answer);
            InputResponse::deserialize(answer)
        });
        match read {
            Ok(Ok(response)) => Ok((key, response)),
            _ => Err(format!(
                "the answer {} in `params.inputResponses` must be what was asked for: an \
                 elicitation (`action`), a sampling (`role`, `content`, `model`) or `roots`",
                text::quoted(&key)
            )),
        }
    };
    for answer in answers {
        let (key, response) = read(answer)?;
        responses.insert(key, response);
    }
    Ok(responses)
}
