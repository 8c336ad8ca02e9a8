//! Tools on the wire (server/tools): the definition in a list and the result of a call.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::JsonObject;
use super::content::Content;
use super::implementation::Icon;

/// One entry of `tools/list`. Read where it comes from an upstream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolDefinition {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) icons: Vec<Icon>,
    pub(crate) input_schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<ToolAnnotations>,
    #[serde(
        default,
        rename = "_meta",
        skip_serializing_if = "JsonObject::is_empty"
    )]
    pub(crate) meta: JsonObject,
}

/// Hints on what a tool does. Absent means: writes, may destroy, reaches the outside world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolAnnotations {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_only_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destructive_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotent_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_world_hint: Option<bool>,
}

/// What a tool call gives.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallToolResult {
    /// What the model reads.
    #[serde(default)]
    pub content: Vec<Content>,
    /// The same as JSON, if the tool has an output schema. Kept as it was written: it is sent as it
    /// is, and read only where an output schema given by hand has to be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) structured_content: Option<Box<RawValue>>,
    /// The call failed in a way the model can act on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Facts for programs.
    #[serde(
        default,
        rename = "_meta",
        skip_serializing_if = "JsonObject::is_empty"
    )]
    pub meta: JsonObject,
}

impl CallToolResult {
    /// Any blocks.
    #[must_use]
    pub fn new(content: Vec<Content>) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// One block of words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![Content::text(text)])
    }

    /// A failure in one sentence that the model can act on.
    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::text(text)
        }
    }

    /// Adds the same as JSON.
    #[must_use]
    pub fn structured(mut self, value: impl Into<Value>) -> Self {
        // a `Value` has nothing in it that can't be written
        self.structured_content = to_raw_value(&value.into()).ok();
        self
    }

    /// Adds the same as JSON, as it was written.
    #[must_use]
    pub fn structured_raw(mut self, json: Box<RawValue>) -> Self {
        self.structured_content = Some(json);
        self
    }

    /// The structured content, if there is any.
    #[must_use]
    pub fn structured_content(&self) -> Option<Value> {
        self.structured_content
            .as_ref()
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }
}
