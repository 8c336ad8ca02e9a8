//! The server as a value: immutable after `build()`, cheap to clone, without locks or memory
//! between calls.

pub(crate) mod lists;
pub(crate) mod registered;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::json;

use crate::builder::Builder;
use crate::call::{Call, Envelope, modern_versions};
use crate::dispatch::{Method, dispatch, refuse};
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::capabilities::ServerCapabilities;
use crate::model::implementation::Implementation;
use crate::model::meta::SERVER_INFO;
use crate::port::{Platform, TypeMap};
use crate::principal::Principal;
use crate::running::{Execution, RpcResponse};
use crate::text::in_order;
use crate::tool::schema::HeaderParameter;
use crate::version::Revision;
use lists::ServerLists;
use registered::{RegisteredPrompt, RegisteredResource, RegisteredTool, RegisteredUpstream};

/// How a finished result begins, and one that asks the client something.
const COMPLETE: &str = r#""resultType":"complete""#;
const INPUT_REQUIRED: &str = r#""resultType":"input_required""#;

/// A Model Context Protocol server: what it offers, and the functions behind it.
#[derive(Clone)]
pub struct Server(Arc<ServerInner>);

pub(crate) struct ServerInner {
    pub(crate) info: Implementation,
    pub(crate) instructions: Option<String>,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) tools: Vec<RegisteredTool>,
    pub(crate) tool_index: HashMap<String, usize>,
    pub(crate) prompts: Vec<RegisteredPrompt>,
    pub(crate) prompt_index: HashMap<String, usize>,
    pub(crate) resources: Vec<RegisteredResource>,
    pub(crate) resource_index: HashMap<String, usize>,
    /// Positions beyond the own tools, prompts and resources are theirs.
    pub(crate) upstreams: Vec<RegisteredUpstream>,
    pub(crate) header_names: Vec<String>,
    pub(crate) lists: ServerLists,
    pub(crate) list_ttl_ms: u64,
    pub(crate) max_result_bytes: usize,
    pub(crate) state: Arc<TypeMap>,
    pub(crate) rendered: Rendered,
}

// Written when they are first asked for and not in `build()`: a function that starts for one call
// pays for what that call needs.
/// Bytes that every answer repeats, written once.
#[derive(Default)]
pub(crate) struct Rendered {
    /// `"io.modelcontextprotocol/serverInfo":{...}`
    server_info: OnceLock<Vec<u8>>,
    discovery: OnceLock<Vec<u8>>,
    initialization: [OnceLock<Vec<u8>>; Revision::ALL.len()],
}

impl Server {
    /// Starts a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder::new(name.into(), version.into())
    }

    pub(crate) fn from_inner(inner: ServerInner) -> Self {
        Self(Arc::new(inner))
    }

    /// Answers one call. Nothing runs before the reply is polled, and nothing is left of it after
    /// it is dropped.
    #[must_use]
    pub fn reply(&self, call: Call<'_>, platform: &Arc<Platform>) -> Execution {
        dispatch(self, call, platform)
    }

    /// Answers a request that its transport refuses before it is a call, and records that.
    #[must_use]
    pub fn refuse(
        &self,
        envelope: &Envelope<'_>,
        revision: Revision,
        principal: &Principal,
        error: &Error,
        platform: &Platform,
    ) -> RpcResponse {
        refuse(self, envelope, revision, principal, error, platform)
    }

    /// Whether a method is served under a revision.
    #[must_use]
    pub fn serves(&self, method: &str, revision: Revision) -> bool {
        Method::find(method, revision, self.capabilities()).is_some()
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

    /// Names and descriptions of the tools, in the order of the list.
    pub fn tool_summaries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.tools.iter().map(|tool| {
            (
                tool.name.as_str(),
                tool.definition.description.as_deref().unwrap_or_default(),
            )
        })
    }

    /// How many tools, resources with templates, and prompts there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (
            self.0.tools.len(),
            self.0.resources.len(),
            self.0.prompts.len(),
        )
    }

    /// The arguments of a tool that its clients repeat in headers.
    #[must_use]
    pub fn header_parameters(&self, tool: &str) -> &[HeaderParameter] {
        self.find_tool(tool)
            .map_or(&[], |position| &self.tool(position).headers)
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
        // no more than needed: scopes of writes are requested when a call is refused for lack of
        // one
        let reads = |tool: &&RegisteredTool| {
            tool.definition
                .annotations
                .as_ref()
                .is_some_and(|hints| hints.read_only_hint == Some(true))
        };
        let tools = self.0.tools.iter().filter(reads).map(|tool| &tool.scopes);
        let prompts = self.0.prompts.iter().map(|prompt| &prompt.scopes);
        let resources = self.0.resources.iter().map(|resource| &resource.scopes);
        let upstreams = self
            .0
            .upstreams
            .iter()
            .map(|upstream| &upstream.resource.scopes);
        let scopes = in_order(
            tools
                .chain(prompts)
                .chain(resources)
                .chain(upstreams)
                .flatten()
                .map(String::as_str),
        );
        scopes.into_iter().map(str::to_owned).collect()
    }

    /// What a JSON-RPC answer of this server may have at most.
    #[must_use]
    pub fn max_result_bytes(&self) -> usize {
        self.0.max_result_bytes
    }

    pub(crate) fn capabilities(&self) -> &ServerCapabilities {
        &self.0.capabilities
    }

    pub(crate) fn tools(&self) -> &[RegisteredTool] {
        &self.0.tools
    }

    pub(crate) fn prompts(&self) -> &[RegisteredPrompt] {
        &self.0.prompts
    }

    pub(crate) fn resources(&self) -> &[RegisteredResource] {
        &self.0.resources
    }

    pub(crate) fn lists(&self) -> &ServerLists {
        &self.0.lists
    }

    pub(crate) fn list_ttl_ms(&self) -> u64 {
        self.0.list_ttl_ms
    }

    pub(crate) fn state(&self) -> &Arc<TypeMap> {
        &self.0.state
    }

    pub(crate) fn upstreams(&self) -> &[RegisteredUpstream] {
        &self.0.upstreams
    }

    pub(crate) fn tool(&self, position: usize) -> &RegisteredTool {
        let own = &self.0.tools;
        own.get(position)
            .unwrap_or_else(|| &self.0.upstreams[position - own.len()].tool)
    }

    pub(crate) fn prompt(&self, position: usize) -> &RegisteredPrompt {
        let own = &self.0.prompts;
        own.get(position)
            .unwrap_or_else(|| &self.0.upstreams[position - own.len()].prompt)
    }

    pub(crate) fn resource(&self, position: usize) -> &RegisteredResource {
        let own = &self.0.resources;
        own.get(position)
            .unwrap_or_else(|| &self.0.upstreams[position - own.len()].resource)
    }

    /// An own tool, or the upstream whose prefix the name has.
    pub(crate) fn find_tool(&self, name: &str) -> Option<usize> {
        self.0
            .tool_index
            .get(name)
            .copied()
            .or_else(|| Some(self.0.tools.len() + self.upstream_at(name, "__")?))
    }

    /// An own prompt, or the upstream whose prefix the name has.
    pub(crate) fn find_prompt(&self, name: &str) -> Option<usize> {
        self.0
            .prompt_index
            .get(name)
            .copied()
            .or_else(|| Some(self.0.prompts.len() + self.upstream_at(name, "__")?))
    }

    /// The upstream whose prefix, up to `separator`, a name or URI has.
    pub(crate) fn upstream_at(&self, name: &str, separator: &str) -> Option<usize> {
        if self.0.upstreams.is_empty() {
            return None;
        }
        let (prefix, rest) = name.split_once(separator)?;
        self.0
            .upstreams
            .iter()
            .position(|upstream| !rest.is_empty() && upstream.upstream.name() == prefix)
    }

    /// The resource at a URI: a fixed one first, then the first template that matches, then the
    /// upstream whose prefix it has.
    pub(crate) fn find_resource(&self, uri: &str) -> Option<(usize, BTreeMap<String, String>)> {
        // a fixed URI is more specific than any template that would match it
        if let Some(position) = self.0.resource_index.get(uri) {
            return Some((*position, BTreeMap::new()));
        }
        let mut own = self.0.resources.iter().enumerate();
        let matching = own.find_map(|(position, resource)| {
            Some((position, resource.template.as_ref()?.matches(uri)?))
        });
        matching.or_else(|| {
            Some((
                self.0.resources.len() + self.upstream_at(uri, "+")?,
                BTreeMap::new(),
            ))
        })
    }

    /// The result of `server/discover`.
    pub(crate) fn discovery(&self) -> &[u8] {
        self.0.rendered.discovery.get_or_init(|| {
            let mut body = JsonObject::new();
            body.insert("supportedVersions".into(), modern_versions().collect());
            body.insert("capabilities".into(), json!(self.0.capabilities));
            if let Some(instructions) = &self.0.instructions {
                body.insert("instructions".into(), instructions.as_str().into());
            }
            // public: it depends on no caller
            let extra = format!(
                ",\"ttlMs\":{},\"cacheScope\":\"public\"",
                self.0.list_ttl_ms
            );
            self.complete(
                Revision::LATEST,
                &to_json(&body),
                &JsonObject::new(),
                &extra,
            )
        })
    }

    /// The result of `initialize`: the version asked for if it has a handshake and is served, else
    /// our latest that has.
    pub(crate) fn initialization(&self, requested: &str) -> &[u8] {
        let revision = negotiate(requested);
        self.0.rendered.initialization[revision.index()].get_or_init(|| {
            let mut capabilities = self.0.capabilities.clone();
            if !revision.has_annotations() {
                // the capability came with 2025-03-26
                capabilities.completions = None;
            }
            let mut body = JsonObject::new();
            body.insert("protocolVersion".into(), revision.as_str().into());
            body.insert("capabilities".into(), json!(capabilities));
            body.insert(
                "serverInfo".into(),
                json!(self.0.info.clone().down_level(revision)),
            );
            if let Some(instructions) = &self.0.instructions {
                body.insert("instructions".into(), instructions.as_str().into());
            }
            to_json(&body)
        })
    }

    /// A finished result from its own members: adds `resultType`, what `extra` says, and `_meta`
    /// with the server's identity.
    pub(crate) fn complete(
        &self,
        revision: Revision,
        body: &[u8],
        meta: &JsonObject,
        extra: &str,
    ) -> Vec<u8> {
        if revision.is_modern() {
            return self.splice(COMPLETE, body, meta, extra);
        }
        if meta.is_empty() {
            return body.to_vec();
        }
        let mut out = open(body, body.len() + 64, "");
        out.extend_from_slice(b",\"_meta\":");
        out.extend_from_slice(&to_json(meta));
        out.push(b'}');
        out
    }

    /// A result that asks the client something.
    pub(crate) fn input_required(&self, body: &[u8]) -> Vec<u8> {
        self.splice(INPUT_REQUIRED, body, &JsonObject::new(), "")
    }

    fn splice(&self, result_type: &str, body: &[u8], meta: &JsonObject, extra: &str) -> Vec<u8> {
        let info = self.server_info();
        let mut out = open(
            body,
            body.len() + info.len() + extra.len() + 64,
            result_type,
        );
        out.extend_from_slice(extra.as_bytes());
        out.extend_from_slice(b",\"_meta\":{");
        out.extend_from_slice(info);
        if !meta.is_empty() {
            let meta = to_json(meta);
            out.push(b',');
            out.extend_from_slice(&meta[1..meta.len() - 1]);
        }
        out.extend_from_slice(b"}}");
        out
    }

    fn server_info(&self) -> &[u8] {
        self.0.rendered.server_info.get_or_init(|| {
            let mut member = to_json(SERVER_INFO);
            member.push(b':');
            member.extend_from_slice(&to_json(&self.0.info));
            member
        })
    }
}

/// Which revision a handshake settles on.
pub(crate) fn negotiate(requested: &str) -> Revision {
    // an unknown version is answered with one of ours, and the client decides whether it goes on
    Revision::parse(requested)
        .filter(|revision| !revision.is_modern())
        .unwrap_or(Revision::LATEST_LEGACY)
}

/// `{` + first + the members of `body`, without the closing brace.
fn open(body: &[u8], capacity: usize, first: &str) -> Vec<u8> {
    // spliced, not parsed: a result was written as JSON once, and may have megabytes
    let members = body
        .strip_prefix(b"{")
        .and_then(|body| body.strip_suffix(b"}"))
        .unwrap_or_default();
    let mut out = Vec::with_capacity(capacity);
    out.push(b'{');
    out.extend_from_slice(first.as_bytes());
    if !first.is_empty() && !members.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(members);
    out
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
