//! What a client and a server can do (basic, "capabilities").

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::jsonrpc::Object;
use crate::model::subscription::Subscriptions;

/// The id of the extension for events.
pub(crate) const EVENTS: &str = "io.modelcontextprotocol/events";

/// What the client declared on this request. Never remembered from an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCapabilities {
    /// Can show a form (`elicitation: {}` or `elicitation.form`).
    pub elicitation_form: bool,
    /// Can send a person to a URL.
    pub elicitation_url: bool,
    /// Can ask its model.
    pub sampling: bool,
    /// Its model can be given tools.
    pub sampling_tools: bool,
    /// Can list its roots.
    pub roots: bool,
    /// Extensions by id, with their settings as the client wrote them. Of clients with a handshake
    /// nothing is known: they are sent whatever has an extension in it.
    pub extensions: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    elicitation: Option<Object<Elicitation>>,
    #[serde(default)]
    sampling: Option<Object<Sampling>>,
    #[serde(default)]
    roots: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default)]
    extensions: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct Elicitation {
    form: Option<IgnoredAny>,
    url: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Sampling {
    tools: Option<IgnoredAny>,
}

impl<'de> Deserialize<'de> for ClientCapabilities {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let declared = Declared::deserialize(deserializer)?;
        let (form, url) = declared
            .elicitation
            .map_or((false, false), |Object(elicitation)| {
                // an empty object means forms, for clients older than the split into two modes
                (
                    elicitation.form.is_some() || elicitation.url.is_none(),
                    elicitation.url.is_some(),
                )
            });
        Ok(Self {
            elicitation_form: form,
            elicitation_url: url,
            sampling: declared.sampling.is_some(),
            sampling_tools: declared
                .sampling
                .is_some_and(|Object(sampling)| sampling.tools.is_some()),
            roots: declared.roots.is_some(),
            extensions: declared.extensions.unwrap_or_default(),
        })
    }
}

/// A client capability that a call can't do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// A form shown to the person.
    ElicitationForm,
    /// A URL opened by the person.
    ElicitationUrl,
    /// A question to the client's model.
    Sampling,
    /// The same, with tools.
    SamplingTools,
    /// The client's list of roots.
    Roots,
}

impl Capability {
    pub(crate) fn is_in(self, client: &ClientCapabilities) -> bool {
        match self {
            Self::ElicitationForm => client.elicitation_form,
            Self::ElicitationUrl => client.elicitation_url,
            Self::Sampling => client.sampling,
            Self::SamplingTools => client.sampling_tools,
            Self::Roots => client.roots,
        }
    }

    /// As `data.requiredCapabilities` of error -32021 names it.
    pub(crate) fn as_required(self) -> Value {
        match self {
            Self::ElicitationForm => json!({"elicitation": {"form": {}}}),
            Self::ElicitationUrl => json!({"elicitation": {"url": {}}}),
            Self::Sampling => json!({"sampling": {}}),
            Self::SamplingTools => json!({"sampling": {"tools": {}}}),
            Self::Roots => json!({"roots": {}}),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ElicitationForm => "elicitation",
            Self::ElicitationUrl => "elicitation.url",
            Self::Sampling => "sampling",
            Self::SamplingTools => "sampling.tools",
            Self::Roots => "roots",
        }
    }
}

/// What this server offers; nothing is declared that is not served.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ServerCapabilities {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<Offered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Offered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompts: Option<Offered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completions: Option<Offered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logging: Option<Offered>,
    /// Also by their extension's id; clients that were made for its first sketch look here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Offered>,
    /// Settings of extensions by id. Said on every revision: their capabilities are open objects.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) extensions: BTreeMap<String, Value>,
    /// What is said of it differs between revisions.
    #[serde(skip)]
    pub(crate) subscriptions: Subscriptions,
}

impl ServerCapabilities {
    /// As a client reads them that can be told of changes of resources, or that can't.
    pub(crate) fn declared(&self, subscribes: bool) -> Value {
        let mut declared = json!(self);
        if let (true, Some(Value::Object(resources))) = (subscribes, declared.get_mut("resources"))
        {
            resources.insert("subscribe".to_owned(), true.into());
        }
        declared
    }
}

/// `{}`: offered, without the parts that need a stream between calls.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Offered {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClientCapabilities {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn elicitation_modes() {
        assert!(read(r#"{"elicitation":{}}"#).elicitation_form);
        let url_only = read(r#"{"elicitation":{"url":{}}}"#);
        assert!(url_only.elicitation_url && !url_only.elicitation_form);
        let both = read(r#"{"elicitation":{"url":{},"form":{}}}"#);
        assert!(both.elicitation_url && both.elicitation_form);
    }

    #[test]
    fn unknown_members_are_ignored() {
        let read = read(r#"{"roots":{"listChanged":true},"tomorrow":1}"#);
        assert!(read.roots && !read.sampling && read.extensions.is_empty());
    }

    #[test]
    fn settings_of_extensions_are_kept_as_they_are() {
        let settings = json!({"a.example/b": {"enabled": false, "limit": 0, "values": ["a", null]}, "c/d": {}});
        let read = read(&json!({"extensions": settings}).to_string());
        assert_eq!(json!(read.extensions), settings);
    }
}
