//! Results as a test reads them: typed where every test wants it, JSON for the rest.

use std::collections::BTreeMap;

use mcpfn_core::content::{Content, ResourceBody, ResourceContents};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a tool gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct ToolResult(Value);

impl ToolResult {
    /// Whether the tool failed in a way that the model can act on.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.0["isError"] == true
    }

    /// What the model reads: the texts of all blocks, one after another.
    #[must_use]
    pub fn text(&self) -> String {
        let blocks = self.0["content"].as_array().into_iter().flatten();
        let texts: Vec<&str> = blocks.filter_map(|block| block["text"].as_str()).collect();
        texts.join("\n")
    }

    /// The blocks.
    ///
    /// # Panics
    /// When there are none, or one is of a kind that no server sends.
    #[must_use]
    #[track_caller]
    pub fn content(&self) -> Vec<Content> {
        Vec::deserialize(&self.0["content"])
            .unwrap_or_else(|error| panic!("no content blocks: {error}\n{:#}", self.0))
    }

    /// The structured content, as a type of the test. A value that is no object stands under
    /// `result` in it, as on the wire.
    ///
    /// # Panics
    /// When there is none, or it is of another type.
    #[must_use]
    #[track_caller]
    pub fn structured<T: DeserializeOwned>(&self) -> T {
        T::deserialize(&self.0["structuredContent"])
            .unwrap_or_else(|error| panic!("no such structured content: {error}\n{:#}", self.0))
    }

    /// A fact for programs out of the result's `_meta`.
    #[must_use]
    pub fn meta(&self, key: &str) -> Option<&Value> {
        self.0["_meta"].get(key)
    }

    /// The whole result.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// What reading a resource gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceResult {
    /// The contents.
    pub contents: Vec<ResourceContents>,
    /// How long a client may keep them, in milliseconds.
    #[serde(default)]
    pub ttl_ms: Option<u64>,
    /// `public` or `private`.
    #[serde(default)]
    pub cache_scope: Option<String>,
}

impl ResourceResult {
    /// The text of the first contents, if they are text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.contents.first()?.body {
            ResourceBody::Text(text) => Some(text),
            ResourceBody::Blob(_) => None,
        }
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Value")]
#[non_exhaustive]
pub struct Discovery {
    /// The server's name.
    pub name: String,
    /// The server's version.
    pub version: String,
    /// The revisions that it serves to clients of this one's kind.
    pub versions: Vec<String>,
    /// What it offers, as the wire has it.
    pub capabilities: Value,
    /// What a model should know before it uses the tools.
    pub instructions: Option<String>,
}

impl From<Value> for Discovery {
    fn from(mut result: Value) -> Self {
        let modern = result["_meta"]["io.modelcontextprotocol/serverInfo"].take();
        let info = if modern.is_null() {
            result["serverInfo"].take()
        } else {
            modern
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let versions = result["supportedVersions"].as_array().into_iter().flatten();
        let versions = versions.chain([&result["protocolVersion"]]);
        Self {
            name: text(&info["name"]).unwrap_or_default(),
            version: text(&info["version"]).unwrap_or_default(),
            versions: versions.filter_map(text).collect(),
            instructions: text(&result["instructions"]),
            capabilities: result["capabilities"].take(),
        }
    }
}

/// A tool in a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolEntry {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// JSON Schema of its structured content.
    #[serde(default)]
    pub output_schema: Option<Value>,
    /// Hints such as `readOnlyHint`.
    #[serde(default)]
    pub annotations: BTreeMap<String, Value>,
}

impl ToolEntry {
    /// Whether it says of itself that it changes nothing.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.annotations.get("readOnlyHint") == Some(&Value::Bool(true))
    }
}

/// A resource or a template of resources in a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceEntry {
    /// The URI, or the template of URIs.
    #[serde(alias = "uriTemplate")]
    pub uri: String,
    /// Name for programs.
    pub name: String,
    /// Name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it holds.
    #[serde(default)]
    pub description: Option<String>,
    /// Its media type.
    #[serde(default)]
    pub mime_type: Option<String>,
}

/// A prompt in a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PromptEntry {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<PromptEntryArgument>,
}

/// An argument of a prompt in a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PromptEntryArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether a client must give it.
    #[serde(default)]
    pub required: bool,
}

/// What is completed: a prompt's argument or a template's variable.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletionTarget(Value);

impl CompletionTarget {
    /// An argument of this prompt.
    #[must_use]
    pub fn prompt(name: &str) -> Self {
        Self(json!({"type": "ref/prompt", "name": name}))
    }

    /// A variable of this template of URIs, as the list has it.
    #[must_use]
    pub fn resource(template: &str) -> Self {
        Self(json!({"type": "ref/resource", "uri": template}))
    }

    pub(crate) fn into_value(self) -> Value {
        self.0
    }
}

/// Values that a completion offers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Completed")]
#[non_exhaustive]
pub struct CompletedValues {
    /// The values, at most a hundred.
    pub values: Vec<String>,
    /// How many there are in all.
    pub total: Option<u64>,
    /// Whether there are more.
    pub has_more: bool,
}

#[derive(Deserialize)]
struct Completed {
    completion: CompletedMembers,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompletedMembers {
    values: Vec<String>,
    total: Option<u64>,
    #[serde(default)]
    has_more: bool,
}

impl From<Completed> for CompletedValues {
    fn from(Completed { completion }: Completed) -> Self {
        Self {
            values: completion.values,
            total: completion.total,
            has_more: completion.has_more,
        }
    }
}
