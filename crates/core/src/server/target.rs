//! What a call is about, found once when the call is dispatched and held until it has ended.

use std::sync::Arc;

use serde_json::Value;

use super::registered::{RegisteredPrompt, RegisteredResource, RegisteredTool};
use crate::complete::Completers;
use crate::model::list_kind::ListKind;
use crate::port::store::Rate;
use crate::upstream::Upstream;

/// A registered tool, prompt or resource. One that stands for everything of an upstream is no kind
/// of its own: policies treat it like any other, and what differs asks [`Target::upstream`].
#[derive(Clone)]
pub(crate) enum Target {
    Tool(Arc<RegisteredTool>),
    Prompt(Arc<RegisteredPrompt>),
    Resource(Arc<RegisteredResource>),
}

impl Target {
    /// The registered name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Tool(tool) => &tool.name,
            Self::Prompt(prompt) => &prompt.definition.name,
            Self::Resource(resource) => &resource.definition.name,
        }
    }

    /// The scopes that a caller needs.
    pub(crate) fn scopes(&self) -> &[String] {
        match self {
            Self::Tool(tool) => &tool.scopes,
            Self::Prompt(prompt) => &prompt.scopes,
            Self::Resource(resource) => &resource.scopes,
        }
    }

    /// The rate limit of its own, beside that of the caller.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match self {
            Self::Tool(tool) => tool.rate_limit,
            Self::Prompt(_) | Self::Resource(_) => None,
        }
    }

    /// Writes arguments as the handler gets them, as far as they fit.
    pub(crate) fn fit(&self, arguments: &mut Value) {
        // what does not fit was refused before
        let _ = match self {
            Self::Tool(tool) => tool.fit(arguments),
            Self::Prompt(prompt) => prompt.deprecations.rename(arguments),
            Self::Resource(_) => Ok(()),
        };
    }

    /// Names of arguments that are never shown.
    pub(crate) fn hidden(&self) -> &[String] {
        match self {
            Self::Tool(tool) => &tool.hidden,
            Self::Prompt(_) | Self::Resource(_) => &[],
        }
    }

    /// What completes the arguments of a prompt or the variables of a template.
    pub(crate) fn completers(&self) -> Option<&Completers> {
        match self {
            Self::Tool(_) => None,
            Self::Prompt(prompt) => Some(&prompt.completers),
            Self::Resource(resource) => Some(&resource.completers),
        }
    }

    /// The upstream behind it and the list that has it, if it is not the server's own.
    pub(crate) fn upstream(&self) -> Option<(&Arc<dyn Upstream>, ListKind)> {
        let (upstream, kind) = match self {
            Self::Tool(tool) => (&tool.upstream, ListKind::Tools),
            Self::Prompt(prompt) => (&prompt.upstream, ListKind::Prompts),
            Self::Resource(resource) => (&resource.upstream, ListKind::Resources),
        };
        Some((upstream.as_ref()?, kind))
    }
}
