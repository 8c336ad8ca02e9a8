//! The server as a value: immutable after `build()`, cheap to clone, without locks or memory
//! between calls. What a call does with it is `dispatch`.

pub(crate) mod greetings;
mod list_page;
pub(crate) mod lists;
pub(crate) mod registered;
pub(crate) mod registry;
pub(crate) mod result_writer;
pub(crate) mod target;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::jsonrpc::Error;
use crate::model::capabilities::ServerCapabilities;
use crate::model::implementation::Implementation;
use crate::model::list_kind::ListKind;
use crate::port::TypeMap;
use crate::port::store::Rate;
use crate::scope::Scopes;
use crate::sibling::Siblings;
use crate::skill::Shelf;
use crate::text::in_order;
use crate::tool::portable;
use crate::tool::schema::HeaderParameter;
use crate::upstream::UpstreamList;
use greetings::{GreetingSource, Greetings};
use list_page::PageSource;
use lists::{PageRequest, ServerLists};
use registered::RegisteredTool;
use registry::Registry;
use result_writer::ResultWriter;

/// A Model Context Protocol server: what it offers, and the functions behind it.
#[derive(Clone)]
pub struct Server(Arc<ServerInner>);

pub(crate) struct ServerInner {
    pub(crate) info: Implementation,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) registry: Registry,
    pub(crate) header_names: Vec<String>,
    pub(crate) lists: ServerLists,
    pub(crate) list_ttl_ms: u64,
    pub(crate) max_result_bytes: usize,
    pub(crate) state: Arc<TypeMap>,
    pub(crate) results: ResultWriter,
    pub(crate) greetings: Greetings,
}

impl Server {
    pub(crate) fn from_inner(inner: ServerInner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn from_shared(inner: Arc<ServerInner>) -> Self {
        Self(inner)
    }

    /// Its tools, as its own handlers reach them.
    pub(crate) fn siblings(&self) -> Arc<dyn Siblings> {
        Arc::<ServerInner>::clone(&self.0)
    }

    /// The server's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.info.name
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.info.version
    }

    /// What it says that it is: to clients, and to directories of servers.
    #[must_use]
    pub fn info(&self) -> &Implementation {
        &self.0.info
    }

    /// Names and descriptions of the tools, in the order of the list.
    pub fn tool_summaries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.registry.tools().iter().map(|tool| {
            (
                tool.name.as_str(),
                tool.definition.description.as_deref().unwrap_or_default(),
            )
        })
    }

    /// How many tools, resources with templates, and prompts there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let registry = &self.0.registry;
        (
            registry.tools().len(),
            registry.resources().len(),
            registry.prompts().len(),
        )
    }

    /// What clients are known to refuse of the tools, in sentences that name the tool and what to
    /// change: a name, or a shape of its arguments. For a host that has a log.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for tool in self.0.registry.tools() {
            let name = &tool.name;
            if !portable::is_portable_name(name) {
                warnings.push(format!(
                    "tool `{name}`: clients refuse names with other characters than \
                     `A-Z a-z 0-9 _ -`, or more than 64: rename it"
                ));
            }
            let shapes = portable::refused_shapes(&tool.definition.input_schema);
            warnings.extend(
                shapes
                    .iter()
                    .map(|shape| format!("tool `{name}`: clients refuse its arguments at {shape}")),
            );
        }
        warnings
    }

    /// The rate limits that tools have themselves, by the tools' names: for a host that has to find a
    /// limiter for each before it serves.
    pub fn rate_limits(&self) -> impl Iterator<Item = (&str, Rate)> {
        let tools = self.0.registry.tools().iter();
        tools.filter_map(|tool| Some((tool.name.as_str(), tool.rate_limit?)))
    }

    /// The arguments of a tool that its clients repeat in headers.
    #[must_use]
    pub fn header_parameters(&self, tool: &str) -> &[HeaderParameter] {
        self.0
            .registry
            .tool(tool)
            .map_or(&[], |tool| tool.headers.as_slice())
    }

    /// Every header that some tool asks for, lower case, for a browser's preflight.
    #[must_use]
    pub fn header_names(&self) -> &[String] {
        &self.0.header_names
    }

    /// The scopes that everything needs together that only reads (tools that say so, prompts,
    /// resources), sorted: what a client should ask for first.
    #[must_use]
    pub fn reading_scopes(&self) -> Vec<String> {
        let reads = |tool: &RegisteredTool| {
            let hints = tool.definition.annotations.as_ref();
            hints.is_some_and(|hints| hints.read_only_hint == Some(true))
        };
        // no more than needed: scopes of writes are requested when a call is refused for lack of
        // one. What an upstream's tools do is not known here: its resources only read
        self.scopes_of(reads)
    }

    /// Every scope that anything of this server needs, sorted.
    #[must_use]
    pub fn all_scopes(&self) -> Vec<String> {
        self.scopes_of(|_| true)
    }

    fn scopes_of(&self, tools: impl Fn(&RegisteredTool) -> bool) -> Vec<String> {
        let registry = &self.0.registry;
        let tools = registry.tools().iter().filter(|tool| tools(tool));
        let upstreams = registry.upstreams().iter();
        let scopes = in_order(
            tools
                .map(|tool| &tool.scopes)
                .chain(registry.prompts().iter().map(|prompt| &prompt.scopes))
                .chain(registry.resources().iter().map(|resource| &resource.scopes))
                .chain(registry.skills().into_iter().flat_map(Shelf::scopes))
                .chain(upstreams.map(|upstream| &upstream.resource.scopes))
                .flatten()
                .map(String::as_str),
        );
        scopes.into_iter().map(str::to_owned).collect()
    }

    /// The longest time that a call of one of its tools may take; zero without tools.
    #[must_use]
    pub fn longest_timeout(&self) -> Duration {
        let tools = self.0.registry.tools().iter();
        tools.map(|tool| tool.timeout).max().unwrap_or_default()
    }

    /// What a JSON-RPC answer of this server may have at most.
    #[must_use]
    pub fn max_result_bytes(&self) -> usize {
        self.0.max_result_bytes
    }

    pub(crate) fn capabilities(&self) -> &ServerCapabilities {
        &self.0.capabilities
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn results(&self) -> &ResultWriter {
        &self.0.results
    }

    pub(crate) fn list_ttl_ms(&self) -> u64 {
        self.0.list_ttl_ms
    }

    pub(crate) fn state(&self) -> &Arc<TypeMap> {
        &self.0.state
    }

    /// The result that holds a page of a list of the server's own.
    pub(crate) fn list_page(
        &self,
        kind: ListKind,
        request: &PageRequest<'_>,
    ) -> Result<Cow<'_, [u8]>, Error> {
        let source = self.page_source(self.0.list_ttl_ms);
        self.0.lists.of(kind).page(&source, request)
    }

    /// The result that holds a page of skills or of a directory: entries by their names.
    pub(crate) fn page_of(
        &self,
        member: &str,
        entries: &[(&str, &[u8])],
        cache_scope: &'static str,
        request: &PageRequest<'_>,
    ) -> Result<Vec<u8>, Error> {
        let source = self.page_source(self.0.list_ttl_ms);
        let list = &self.0.lists.resources;
        list.page_of(member, entries, cache_scope, &source, request)
    }

    /// The result that holds a page of a list together with those of upstreams, which holds for
    /// `ttl_ms`.
    pub(crate) fn merged_list_page(
        &self,
        kind: ListKind,
        request: &PageRequest<'_>,
        upstream_lists: &[Arc<UpstreamList>],
        ttl_ms: u64,
    ) -> Result<Vec<u8>, Error> {
        let source = self.page_source(ttl_ms);
        let list = self.0.lists.of(kind);
        list.merged_page(&source, request, upstream_lists)
    }

    fn page_source(&self, ttl_ms: u64) -> PageSource<'_> {
        PageSource {
            registry: &self.0.registry,
            results: &self.0.results,
            ttl_ms,
        }
    }
}

impl Server {
    /// The result of `server/discover` for a caller to whom tools are listed with these scopes.
    pub(crate) fn discovery(&self, scopes: &Scopes) -> Cow<'_, [u8]> {
        let source = self.greeting_source();
        self.0.greetings.discovery(&source, scopes)
    }

    /// The result of `initialize`, likewise.
    pub(crate) fn initialization(&self, requested: &str, scopes: &Scopes) -> Cow<'_, [u8]> {
        let source = self.greeting_source();
        let greetings = &self.0.greetings;
        greetings.initialization(&source, requested, scopes)
    }

    fn greeting_source(&self) -> GreetingSource<'_> {
        GreetingSource {
            info: &self.0.info,
            capabilities: &self.0.capabilities,
            results: &self.0.results,
            ttl_ms: self.0.list_ttl_ms,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tools, resources, prompts) = self.counts();
        write!(
            f,
            "Server({} {}: {tools} tools, {resources} resources, {prompts} prompts)",
            self.name(),
            self.version()
        )
    }
}
