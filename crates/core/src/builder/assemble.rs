//! From everything that was declared to the parts of a server: what it has, what it can do, how it
//! is listed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::kinds::Kinds;
use super::{register, skills};
use crate::model::capabilities::{Offered, ServerCapabilities};
use crate::model::list_kind::ListKind;
use crate::model::subscription::Subscriptions;
use crate::page::{self, Page};
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::server::lists::{ListEntry, RenderedList, ServerLists};
use crate::server::registered::{RegisteredPrompt, RegisteredResource, RegisteredTool};
use crate::server::registry::Registry;
use crate::skill::{self, Shelf, Skills};
use crate::task::EXTENSION;
use crate::text::{self, in_order};
use crate::tool::Tool;
use crate::upstream::Upstream;

/// What an author declared, not yet checked.
pub(super) struct Declared {
    pub(super) tools: Vec<Tool>,
    pub(super) kinds: Kinds,
    pub(super) prompts: Vec<Prompt>,
    pub(super) resources: Vec<Resource>,
    pub(super) upstreams: Vec<Arc<dyn Upstream>>,
    pub(super) skills: Vec<Skills>,
    pub(super) pages: Vec<Page>,
    pub(super) most_result: usize,
    pub(super) list_ttl: Duration,
    pub(super) idempotency_keys: bool,
    pub(super) tasks: bool,
}

impl Declared {
    /// Checks each thing alone, then all of them together. With a mistake, what is left out here is
    /// no server: only the mistakes count.
    pub(super) fn register(mut self, mistakes: &mut Vec<String>) -> Registry {
        // without the feature there are none, and nothing of them is in the program
        if cfg!(feature = "pages") {
            self.check_pages(mistakes);
            let pages = self.pages.drain(..);
            let pages = pages.map(|page| page.into_resource(self.list_ttl, mistakes));
            self.resources.extend(pages);
        }
        // names are compared before anything is left out for another mistake
        let twice = self.registered_twice();
        let tools: Vec<RegisteredTool> = self
            .tools
            .into_iter()
            .filter_map(|tool| register::tool(tool, self.idempotency_keys, self.tasks, mistakes))
            .collect();
        let prompts: Vec<RegisteredPrompt> = self
            .prompts
            .into_iter()
            .filter_map(|prompt| self.kinds.prompt?(prompt, mistakes))
            .collect();
        let resources: Vec<RegisteredResource> = self
            .resources
            .into_iter()
            .filter_map(|resource| self.kinds.resource?(resource, mistakes))
            .collect();
        mistakes.extend(twice);
        let names: Vec<&str> = tools
            .iter()
            .flat_map(RegisteredTool::names)
            .chain(prompts.iter().flat_map(RegisteredPrompt::names))
            .chain(resources.iter().map(RegisteredResource::uri))
            .collect();
        let shelf = skills::shelf(
            self.skills,
            &names,
            self.most_result,
            self.list_ttl,
            mistakes,
        );
        let upstreams = self
            .kinds
            .upstreams
            .map(|upstreams| upstreams(self.upstreams, &names, mistakes));
        Registry::new(
            tools,
            prompts,
            resources,
            upstreams.unwrap_or_default(),
            shelf,
        )
    }

    /// Each page that a tool names is one of this server.
    fn check_pages(&self, mistakes: &mut Vec<String>) {
        let pages = self.pages.iter().map(Page::uri);
        let resources = self.resources.iter().map(|resource| resource.uri.as_str());
        let known: Vec<&str> = pages.chain(resources).collect();
        for tool in &self.tools {
            if let Some(page) = tool.page.as_deref().filter(|page| !known.contains(page)) {
                mistakes.push(format!(
                    "tool `{}`: there is no page {}: give it to `Builder::page`",
                    tool.name,
                    text::quoted(page)
                ));
            }
        }
    }

    fn registered_twice(&self) -> Vec<String> {
        let mut twice = Vec::new();
        let tools = self.tools.iter();
        let tools = tools.flat_map(|tool| std::iter::once(&tool.name).chain(&tool.old_names));
        register::unique("tool", tools, &mut twice);
        let prompts = self.prompts.iter();
        let prompts =
            prompts.flat_map(|prompt| std::iter::once(&prompt.name).chain(&prompt.old_names));
        register::unique("prompt", prompts, &mut twice);
        let resources = self.resources.iter().map(|resource| &resource.uri);
        register::unique("resource", resources, &mut twice);
        twice
    }
}

pub(super) fn capabilities(
    registry: &Registry,
    logging: bool,
    mut extensions: BTreeMap<String, Value>,
) -> ServerCapabilities {
    if registry.tools().iter().any(|tool| tool.task.is_some()) {
        extensions.insert(EXTENSION.to_owned(), json!({}));
    }
    if registry.has_pages() {
        extensions
            .entry(page::EXTENSION.to_owned())
            .or_insert_with(|| json!({}));
    }
    let shelf = registry.skills();
    if shelf.is_some() {
        extensions.insert(skill::EXTENSION.to_owned(), json!({"directoryRead": true}));
    }
    // what an upstream has is not known before it was asked
    let fronts = !registry.upstreams().is_empty();
    let offered = |offered: bool| (offered || fronts).then_some(Offered {});
    let completes = registry.prompts().iter().any(|prompt| {
        let mut arguments = prompt.definition.arguments.iter();
        !prompt.completers.is_empty() || arguments.any(|argument| !argument.values.is_empty())
    }) || registry
        .resources()
        .iter()
        .any(|resource| !resource.completers.is_empty());
    ServerCapabilities {
        tools: offered(!registry.tools().is_empty()),
        prompts: offered(!registry.prompts().is_empty()),
        resources: offered(!registry.resources().is_empty() || shelf.is_some()),
        completions: offered(completes),
        logging: logging.then_some(Offered {}),
        events: None,
        extensions,
        subscriptions: Subscriptions::default(),
    }
}

/// The four lists, of which nothing is written before a client asks.
pub(super) fn lists(registry: &Registry, per_page: usize) -> ServerLists {
    let tools = registry.tools().iter().flat_map(|tool| {
        let scopes = &*tool.scopes;
        tool.names().map(move |name| ListEntry { name, scopes })
    });
    let prompts = registry.prompts().iter().flat_map(|prompt| {
        let scopes = &*prompt.scopes;
        prompt.names().map(move |name| ListEntry { name, scopes })
    });
    let located = |templates: bool| {
        let resources = registry.resources().iter();
        resources
            .filter(move |resource| resource.template.is_some() == templates)
            .map(|resource| ListEntry {
                name: resource.uri(),
                scopes: &resource.scopes,
            })
    };
    let skills = registry.skills().into_iter();
    let skills = skills.flat_map(Shelf::own_listed);
    let skills = skills.map(|(definition, scopes)| ListEntry {
        name: definition.uri.as_deref().unwrap_or_default(),
        scopes,
    });
    ServerLists {
        tools: RenderedList::new(ListKind::Tools, per_page, tools),
        prompts: RenderedList::new(ListKind::Prompts, per_page, prompts),
        resources: RenderedList::new(ListKind::Resources, per_page, located(false).chain(skills)),
        templates: RenderedList::new(ListKind::Templates, per_page, located(true)),
    }
}

pub(super) fn header_names(registry: &Registry) -> Vec<String> {
    let headers = registry.tools().iter().flat_map(|tool| &tool.headers);
    in_order(headers.map(|parameter| parameter.header.as_str()))
        .into_iter()
        .map(str::to_owned)
        .collect()
}
