//! Another server that this one fronts: what it must be able to do, and its lists as this server
//! shows them. Not a client of one: that is in `mcpfn-toolkits`, over the port `HttpClient`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::context::Cx;
use crate::error::ToolError;
use crate::jsonrpc::to_json;
use crate::model::content::ResourceContents;
use crate::model::list_kind::ListKind;
use crate::model::name::is_name;
use crate::model::prompt::{GetPromptResult, PromptDefinition};
use crate::model::resource::ResourceDefinition;
use crate::model::tool::{CallToolResult, ToolDefinition};
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::tool::schema;
pub use crate::tool::schema::HeaderParameter;
use crate::version::Revision;

/// How long a call of an upstream's tool may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Another server. Its tools and prompts are listed as `name__tool`, its resources under URIs
/// `name+uri`, and calls of these come here with what stands behind the prefix.
///
/// Scopes, rate limits, records, limits of time and size are the same as for this server's own
/// tools. Arguments are checked by the upstream alone.
pub trait Upstream: MaybeSend + MaybeSync {
    /// The prefix: 1 to 32 of `a-z 0-9 -`, a letter first.
    fn name(&self) -> &str;

    /// The scope that a caller must have to see and call it, if any.
    fn scope(&self) -> Option<&str>;

    /// One of its lists. Never fails: an upstream that is down has its last known list, or none.
    fn list(&self, kind: ListKind, cx: Cx) -> BoxFuture<'static, ListOutcome>;

    /// Whether the last known list has this tool or prompt, so that only such names come into
    /// records and metrics.
    fn knows(&self, kind: ListKind, name: &str) -> bool;

    /// Calls a tool. [`ToolError::not_found`] is answered as an unknown tool.
    fn call_tool(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> BoxFuture<'static, Result<CallToolResult, ToolError>>;

    /// Gets a prompt.
    fn get_prompt(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> BoxFuture<'static, Result<GetPromptResult, ToolError>>;

    /// Reads a resource.
    fn read_resource(
        &self,
        uri: &str,
        cx: Cx,
    ) -> BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>>;

    /// Values for an argument of a prompt, or for a variable of a resource template.
    fn complete(
        &self,
        of: CompletionRequest,
        cx: Cx,
    ) -> BoxFuture<'static, Result<Vec<String>, ToolError>>;
}

/// What a person is filling in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CompletionRequest {
    /// A prompt's argument, or a template's variable.
    pub kind: ListKind,
    /// The prompt's name or the template.
    pub name: String,
    /// The argument or variable.
    pub argument: String,
    /// What was typed so far.
    pub value: String,
    /// What was arguments into other arguments already.
    pub arguments: BTreeMap<String, String>,
}

/// What an upstream gives when it is asked for a list.
#[derive(Debug, Clone, Default)]
pub struct ListOutcome {
    /// The list, or the last one known; `None` when nothing is known.
    pub listing: Option<Arc<UpstreamList>>,
    /// What went wrong, for the log.
    pub trouble: Option<String>,
}

/// A list of an upstream, under this server's names.
pub struct UpstreamList {
    definitions: Definitions,
    names: HashMap<String, usize>,
    headers: Vec<Vec<HeaderParameter>>,
    rendered: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
    fresh_until_ms: u64,
}

enum Definitions {
    Tools(Vec<ToolDefinition>),
    Prompts(Vec<PromptDefinition>),
    Resources(Vec<ResourceDefinition>),
}

impl UpstreamList {
    /// Reads the entries of a list. What this server could not list by its own rules is left out,
    /// each with a sentence for the log: names with other characters, names that come twice,
    /// schemas that no client takes. `_meta` is not passed on.
    #[must_use]
    pub fn read(
        kind: ListKind,
        upstream: &str,
        entries: Vec<Value>,
        fresh_until_ms: u64,
    ) -> (Self, Vec<String>) {
        let mut listing = Self {
            definitions: match kind {
                ListKind::Tools => Definitions::Tools(Vec::new()),
                ListKind::Prompts => Definitions::Prompts(Vec::new()),
                ListKind::Resources | ListKind::Templates => Definitions::Resources(Vec::new()),
            },
            names: HashMap::new(),
            headers: Vec::new(),
            rendered: Default::default(),
            fresh_until_ms,
        };
        let mut left_out = Vec::new();
        for entry in entries {
            if let Err(reason) = listing.add(kind, upstream, entry) {
                left_out.push(reason);
            }
        }
        (listing, left_out)
    }

    fn add(&mut self, kind: ListKind, upstream: &str, entry: Value) -> Result<(), String> {
        let position = self.names.len();
        let name = match &mut self.definitions {
            Definitions::Tools(tools) => {
                let mut tool: ToolDefinition = read(entry)?;
                tool.name = shown_name(upstream, &tool.name)?;
                let mut mistakes = Vec::new();
                let headers = schema::check_input(&tool.input_schema, false, &mut mistakes);
                if let Some(mistake) = mistakes.first() {
                    return Err(format!("`{}`: {mistake}", tool.name));
                }
                // the calls that repeat these arguments in headers are those of this server
                headers.iter().for_each(|parameter| {
                    schema::remove_header(&mut tool.input_schema, &parameter.path);
                });
                // a client that looks elsewhere for a schema would be led there by a stranger
                tool.output_schema = tool.output_schema.filter(|output| {
                    let mut mistakes = Vec::new();
                    schema::check_references(output, false, &mut mistakes);
                    mistakes.is_empty()
                });
                tool.meta.clear();
                self.headers.push(headers);
                (!self.names.contains_key(&tool.name)).then(|| tools.push(tool.clone()));
                tool.name
            }
            Definitions::Prompts(prompts) => {
                let mut prompt: PromptDefinition = read(entry)?;
                prompt.name = shown_name(upstream, &prompt.name)?;
                prompt.meta.clear();
                (!self.names.contains_key(&prompt.name)).then(|| prompts.push(prompt.clone()));
                prompt.name
            }
            Definitions::Resources(resources) => {
                let mut resource: ResourceDefinition = read(entry)?;
                let uri = namespace(&mut resource, kind, upstream)?;
                resource.meta.clear();
                (!self.names.contains_key(&uri)).then(|| resources.push(resource));
                uri
            }
        };
        // the first one counts: which of the two the upstream would call is not known here
        if self.names.contains_key(&name) {
            self.headers.truncate(position);
            return Err(format!("`{name}` comes twice"));
        }
        self.names.insert(name, position);
        Ok(())
    }

    /// Whether the list has a name or URI, with its prefix.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The arguments of a tool that its calls must repeat in headers.
    #[must_use]
    pub fn header_parameters(&self, name: &str) -> &[HeaderParameter] {
        self.names
            .get(name)
            .and_then(|position| self.headers.get(*position))
            .map_or(&[], Vec::as_slice)
    }

    /// Until when the list needs not be asked for again, in milliseconds since 1970.
    #[must_use]
    pub fn fresh_until_ms(&self) -> u64 {
        self.fresh_until_ms
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names or URIs in the order of the list.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names: Box<dyn Iterator<Item = &str>> = match &self.definitions {
            Definitions::Tools(tools) => Box::new(tools.iter().map(|tool| tool.name.as_str())),
            Definitions::Prompts(prompts) => {
                Box::new(prompts.iter().map(|prompt| prompt.name.as_str()))
            }
            Definitions::Resources(resources) => {
                Box::new(resources.iter().filter_map(|resource| {
                    resource.uri.as_deref().or(resource.uri_template.as_deref())
                }))
            }
        };
        names
    }

    /// The entries as a revision has them, written once.
    pub(crate) fn entries(&self, revision: Revision) -> &[Vec<u8>] {
        self.rendered[revision.index()].get_or_init(|| match &self.definitions {
            Definitions::Tools(tools) => tools
                .iter()
                .map(|tool| to_json(&tool.clone().down_level(revision)))
                .collect(),
            Definitions::Prompts(prompts) => prompts
                .iter()
                .map(|prompt| to_json(&prompt.clone().down_level(revision)))
                .collect(),
            Definitions::Resources(resources) => resources
                .iter()
                .map(|resource| to_json(&resource.clone().down_level(revision)))
                .collect(),
        })
    }
}

impl fmt::Debug for UpstreamList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpstreamList({} entries)", self.len())
    }
}

fn read<T: for<'de> Deserialize<'de>>(entry: Value) -> Result<T, String> {
    T::deserialize(entry)
        .map_err(|_| "an entry has not the members that the specification asks for".to_owned())
}

/// Puts the upstream's prefix before the URI or the template of its resource, and gives what came
/// of it.
fn namespace(
    resource: &mut ResourceDefinition,
    kind: ListKind,
    upstream: &str,
) -> Result<String, String> {
    let template = kind == ListKind::Templates;
    let uri = if template {
        resource.uri_template.take()
    } else {
        resource.uri.take()
    };
    let uri =
        namespaced_uri(upstream, &uri.unwrap_or_default()).ok_or("a resource has no usable URI")?;
    // one of the two, whatever the upstream sent in the other list's member
    (resource.uri, resource.uri_template) = if template {
        (None, Some(uri.clone()))
    } else {
        (Some(uri.clone()), None)
    };
    Ok(uri)
}

fn shown_name(upstream: &str, name: &str) -> Result<String, String> {
    // underscores, because a name may have no colon and no slash
    let shown = format!("{upstream}__{name}");
    if is_name(&shown) && !name.is_empty() {
        return Ok(shown);
    }
    Err(format!(
        "{}: a name has 1 to 128 of the characters A-Z a-z 0-9 _ - ., with its prefix",
        crate::text::quoted(name)
    ))
}

/// The URI under which a resource of an upstream is read through this server; `None` when it is
/// none.
#[must_use]
pub fn namespaced_uri(upstream: &str, uri: &str) -> Option<String> {
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme)?;
    let legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    let usable = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(legal)
        && uri.len() <= 2048
        && !uri.contains(|character: char| character.is_whitespace() || character.is_control());
    // a plus is legal in a scheme (RFC 3986, section 3.1), so that the whole is still a URI
    usable.then(|| format!("{upstream}+{uri}"))
}
