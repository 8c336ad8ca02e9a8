//! What a client is asked in the middle of a call and what it answers, as a test writes and reads
//! it.

use mcpfn_core::__private::testing;
use mcpfn_core::{ToolError, round_trip::InputResponse};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An answer to one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(Value);

impl Answer {
    /// The user filled in the form: an object of its fields. For a page to open, an empty object.
    #[must_use]
    pub fn accept(fields: impl Into<Value>) -> Self {
        Self(json!({"action": "accept", "content": fields.into()}))
    }

    /// The user said no.
    #[must_use]
    pub fn decline() -> Self {
        Self(json!({"action": "decline"}))
    }

    /// The user closed the form without an answer.
    #[must_use]
    pub fn cancel() -> Self {
        Self(json!({"action": "cancel"}))
    }

    /// The client's model said this.
    #[must_use]
    pub fn sampled(text: impl Into<String>) -> Self {
        let content = json!({"type": "text", "text": text.into()});
        Self(json!({"role": "assistant", "content": content, "model": "test-model"}))
    }

    /// The client works in these folders, `file://` URIs.
    #[must_use]
    pub fn roots<'a>(uris: impl IntoIterator<Item = &'a str>) -> Self {
        let roots: Vec<Value> = uris.into_iter().map(|uri| json!({"uri": uri})).collect();
        Self(json!({ "roots": roots }))
    }

    /// Any JSON, such as an answer that breaks the rules.
    #[must_use]
    pub fn raw(answer: impl Into<Value>) -> Self {
        Self(answer.into())
    }

    pub(crate) fn into_value(self) -> Value {
        self.0
    }

    /// As a handler gets it.
    ///
    /// # Panics
    /// When it is no answer by the specification: a server refuses such a call before its handler.
    pub(crate) fn into_response(self) -> InputResponse {
        InputResponse::deserialize(&self.0)
            .unwrap_or_else(|_| panic!("no server gives a handler this answer: {}", self.0))
    }
}

/// One question of a server.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Question {
    /// The key under which it is asked.
    pub key: String,
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: String,
    /// Its parameters, as the wire has them.
    pub params: Value,
}

impl Question {
    pub(crate) fn new(key: String, mut request: Value) -> Self {
        Self {
            key,
            method: request["method"].as_str().unwrap_or_default().to_owned(),
            params: request["params"].take(),
        }
    }

    /// The sentence that a form or a page comes with; of a question to the model its last message.
    #[must_use]
    pub fn message(&self) -> &str {
        let sampled = self.params["messages"]
            .as_array()
            .and_then(|all| all.last());
        let message = sampled.map_or(&self.params["message"], |last| &last["content"]["text"]);
        message.as_str().unwrap_or_default()
    }

    /// Whether it is a form for the user.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.method == "elicitation/create" && self.url().is_none()
    }

    /// The page to open, where it is one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.params["url"].as_str()
    }

    /// Whether it is for the client's model.
    #[must_use]
    pub fn is_sampling(&self) -> bool {
        self.method == "sampling/createMessage"
    }

    /// Whether it asks for the client's roots.
    #[must_use]
    pub fn is_roots(&self) -> bool {
        self.method == "roots/list"
    }
}

/// What a handler asks, where its error is a question; by key. Empty for a failure.
#[must_use]
pub fn questions(error: &ToolError) -> Vec<Question> {
    let asked = testing::questions(error);
    let question = |(key, request)| Question::new(key, request);
    asked.into_iter().map(question).collect()
}

/// The state that a handler's question carries to the next round; `None` where there is none or it
/// is of another type.
#[must_use]
pub fn carried_state<T: DeserializeOwned>(error: &ToolError) -> Option<T> {
    serde_json::from_value(testing::carried_state(error)?).ok()
}

/// What a handler's error has for the log and no client sees.
#[must_use]
pub fn private_cause(error: ToolError) -> Option<String> {
    testing::private_cause(error)
}
