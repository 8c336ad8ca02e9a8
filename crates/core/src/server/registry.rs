//! What a server has, by name and by URI. Not how it is listed: that is `lists`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::registered::{RegisteredPrompt, RegisteredResource, RegisteredTool, RegisteredUpstream};
use crate::page::PAGE_MIME;
use crate::skill::{self, Shelf};

/// The server's own tools, prompts and resources in the order of their registration, and what
/// stands for those of upstreams.
///
/// Each is shared: a call takes a reference to its target out of here and never looks it up again.
pub(crate) struct Registry {
    tools: Vec<Arc<RegisteredTool>>,
    tool_index: HashMap<String, Arc<RegisteredTool>>,
    prompts: Vec<Arc<RegisteredPrompt>>,
    prompt_index: HashMap<String, Arc<RegisteredPrompt>>,
    resources: Vec<Arc<RegisteredResource>>,
    resource_index: HashMap<String, Arc<RegisteredResource>>,
    upstreams: Vec<RegisteredUpstream>,
    skills: Option<Shelf>,
    writes_end_reads: bool,
}

impl Registry {
    pub(crate) fn new(
        tools: Vec<RegisteredTool>,
        prompts: Vec<RegisteredPrompt>,
        resources: Vec<RegisteredResource>,
        upstreams: Vec<RegisteredUpstream>,
        skills: Option<Shelf>,
    ) -> Self {
        let kept = |tool: &RegisteredTool| tool.reads_own_data && tool.cache.is_some();
        let writes_end_reads = tools.iter().any(kept) && tools.iter().any(|tool| tool.writes);
        let tools: Vec<_> = tools.into_iter().map(Arc::new).collect();
        let prompts: Vec<_> = prompts.into_iter().map(Arc::new).collect();
        let resources: Vec<_> = resources.into_iter().map(Arc::new).collect();
        Self {
            tool_index: index(&tools, RegisteredTool::names),
            tools,
            prompt_index: index(&prompts, RegisteredPrompt::names),
            prompts,
            resource_index: index(&resources, |resource| [resource.uri()]),
            resources,
            upstreams,
            skills,
            writes_end_reads,
        }
    }

    pub(crate) fn tools(&self) -> &[Arc<RegisteredTool>] {
        &self.tools
    }

    /// Whether results are kept that are to be dropped once one of the tools wrote.
    pub(crate) fn writes_end_reads(&self) -> bool {
        self.writes_end_reads
    }

    pub(crate) fn prompts(&self) -> &[Arc<RegisteredPrompt>] {
        &self.prompts
    }

    pub(crate) fn resources(&self) -> &[Arc<RegisteredResource>] {
        &self.resources
    }

    pub(crate) fn upstreams(&self) -> &[RegisteredUpstream] {
        &self.upstreams
    }

    /// Whether hosts have anything to show, or tools for what they show.
    pub(crate) fn has_pages(&self) -> bool {
        let is_page = |resource: &Arc<RegisteredResource>| {
            resource.definition.mime_type.as_deref() == Some(PAGE_MIME)
        };
        cfg!(feature = "pages") && self.resources.iter().any(is_page)
    }

    /// Its skills, if it has any, or a place where some may be. Known to be none without the
    /// feature, so that nothing of what serves them is in such a program.
    pub(crate) fn skills(&self) -> Option<&Shelf> {
        if cfg!(feature = "skills") {
            self.skills.as_ref()
        } else {
            None
        }
    }

    /// An own tool, or what stands for those of the upstream whose prefix the name has.
    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<RegisteredTool>> {
        self.tool_index
            .get(name)
            .or_else(|| Some(&self.upstream(name, "__")?.tool))
    }

    /// An own prompt, or what stands for those of the upstream whose prefix the name has.
    pub(crate) fn prompt(&self, name: &str) -> Option<&Arc<RegisteredPrompt>> {
        self.prompt_index
            .get(name)
            .or_else(|| Some(&self.upstream(name, "__")?.prompt))
    }

    /// The resource at a URI, with the variables that its template found there: a file of a skill or
    /// a fixed one first, then the first template that matches, then what stands for those of the upstream whose
    /// prefix the URI has.
    pub(crate) fn resource(
        &self,
        uri: &str,
    ) -> Option<(&Arc<RegisteredResource>, BTreeMap<String, String>)> {
        // every URI of theirs is one resource, which knows what may be read there
        if let Some(shelf) = self.skills().filter(|_| skill::is_uri(uri)) {
            return Some((&shelf.resource, BTreeMap::new()));
        }
        // a fixed URI is more specific than any template that would match it
        if let Some(resource) = self.resource_index.get(uri) {
            return Some((resource, BTreeMap::new()));
        }
        let mut own = self.resources.iter();
        own.find_map(|resource| Some((resource, resource.template.as_ref()?.matches(uri)?)))
            .or_else(|| Some((&self.upstream(uri, "+")?.resource, BTreeMap::new())))
    }

    /// The upstream whose prefix, up to `separator`, a name or URI has.
    pub(crate) fn upstream(&self, name: &str, separator: &str) -> Option<&RegisteredUpstream> {
        // most servers have none: they need not look for a separator
        if self.upstreams.is_empty() {
            return None;
        }
        let (prefix, rest) = name.split_once(separator)?;
        self.upstreams
            .iter()
            .find(|upstream| !rest.is_empty() && upstream.upstream.name() == prefix)
    }
}

fn index<'a, T, Names>(
    registered: &'a [Arc<T>],
    names: impl Fn(&'a T) -> Names,
) -> HashMap<String, Arc<T>>
where
    Names: IntoIterator<Item = &'a str>,
{
    let mut index = HashMap::with_capacity(registered.len());
    for thing in registered {
        let names = names(thing).into_iter();
        index.extend(names.map(|name| (name.to_owned(), Arc::clone(thing))));
    }
    index
}
