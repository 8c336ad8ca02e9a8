//! What registers and serves kinds of things besides tools: functions that are named only here, by the
//! methods that add such a thing. A server without prompts has none of their code.

use std::sync::Arc;

use super::{register, upstream};
use crate::dispatch::parts;
use crate::port::TypeMap;
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::server::registered::{RegisteredPrompt, RegisteredResource, RegisteredUpstream};
use crate::tool::Tool;
use crate::upstream::Upstream;

type Register<Given, Made> = fn(Given, &mut Vec<String>) -> Option<Made>;
type RegisterUpstreams =
    fn(Vec<Arc<dyn Upstream>>, &[&str], &mut Vec<String>) -> Vec<RegisteredUpstream>;

/// What registers the kinds that a builder was given.
#[derive(Clone, Copy, Default)]
pub(super) struct Kinds {
    pub(super) prompt: Option<Register<Prompt, RegisteredPrompt>>,
    pub(super) resource: Option<Register<Resource, RegisteredResource>>,
    pub(super) upstreams: Option<RegisterUpstreams>,
}

impl Kinds {
    pub(super) fn add_prompts(&mut self, state: &mut TypeMap) {
        if self.prompt.is_none() {
            self.prompt = Some(register::prompt);
            parts::add_prompts(state);
        }
    }

    pub(super) fn add_resources(&mut self, state: &mut TypeMap) {
        if self.resource.is_none() {
            self.resource = Some(register::resource);
            parts::add_resources(state);
        }
    }

    /// Files of skills are resources, and a source adds to what is listed.
    #[cfg(feature = "skills")]
    pub(super) fn add_skills(&mut self, state: &mut TypeMap) {
        self.add_resources(state);
        parts::add_merged_lists(state);
    }

    /// Whatever an upstream has.
    pub(super) fn add_upstreams(&mut self, state: &mut TypeMap) {
        self.upstreams = Some(upstream::upstreams);
        parts::add_merged_lists(state);
        self.add_prompts(state);
        self.add_resources(state);
    }
}

/// What serves tasks, where a tool has any.
pub(super) fn add_tasks(tools: &[Tool], state: &mut TypeMap) {
    if let Some(add) = tools.iter().find_map(|tool| tool.serve_tasks) {
        add(state);
    }
}
