//! A list of an upstream under this server's names: each entry as the bytes that are sent. Entries
//! are read in `entry`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use mcpfn_schema::Schema;

use super::entry::{self, Read};
use crate::jsonrpc::to_json;
use crate::model::list_kind::ListKind;
use crate::model::prompt::PromptDefinition;
use crate::model::resource::ResourceDefinition;
use crate::model::tool::ToolDefinition;
use crate::tool::schema::HeaderParameter;
use crate::version::Revision;

/// A list of an upstream, under this server's names.
///
/// It holds the bytes of its entries once, for the newest revision; an entry that an older revision
/// has otherwise is written anew for each page. A clone shares the bytes.
///
/// ```
/// use mcpfn_core::host::ListKind;
/// use mcpfn_core::upstream::UpstreamList;
/// use serde_json::json;
///
/// let mut list = UpstreamList::new(ListKind::Tools, "crm");
/// list.add(json!({"name": "find", "inputSchema": {"type": "object"}})).unwrap();
/// let refused = list.add(json!({"name": "find it", "inputSchema": {"type": "object"}}));
/// assert!(refused.unwrap_err().contains("`find it`"));
/// assert!(list.contains("crm__find") && list.len() == 1);
/// ```
#[derive(Clone)]
pub struct UpstreamList {
    kind: ListKind,
    upstream: Arc<str>,
    entries: Vec<UpstreamEntry>,
    positions: HashMap<Arc<str>, usize>,
    bytes: usize,
    fresh_until_ms: u64,
}

#[derive(Clone)]
struct UpstreamEntry {
    name: Arc<str>,
    /// The upstream's own name, where it is another one.
    original: Option<Arc<str>>,
    /// As the newest revision has it.
    json: Bytes,
    /// The revisions that have the same bytes.
    same: [bool; Revision::ALL.len()],
    headers: Arc<[HeaderParameter]>,
    has_output_schema: bool,
}

impl UpstreamList {
    /// An empty list of an upstream.
    #[must_use]
    pub fn new(kind: ListKind, upstream: &str) -> Self {
        Self {
            kind,
            upstream: upstream.into(),
            entries: Vec::new(),
            positions: HashMap::new(),
            bytes: 0,
            fresh_until_ms: 0,
        }
    }

    /// Reads the entries of a list; the sentences say what was left out.
    #[must_use]
    pub fn read(
        kind: ListKind,
        upstream: &str,
        entries: Vec<Value>,
        fresh_until_ms: u64,
    ) -> (Self, Vec<String>) {
        let mut list = Self::new(kind, upstream).fresh_until(fresh_until_ms);
        let left_out = entries
            .into_iter()
            .filter_map(|entry| list.add(entry).err())
            .collect();
        (list, left_out)
    }

    /// Resources of this server itself that are not known before they are asked for.
    pub(crate) fn of_resources(resources: impl Iterator<Item = ResourceDefinition>) -> Self {
        let mut list = Self::new(ListKind::Resources, "");
        for resource in resources {
            let Some(uri) = resource.uri.clone() else {
                continue;
            };
            let entry = UpstreamEntry::new(Read {
                name: uri,
                original: None,
                changes: None,
                json: to_json(&resource),
                write: Box::new(move |revision| to_json(&resource.clone().down_level(revision))),
                headers: Vec::new(),
                has_output_schema: false,
            });
            list.bytes += entry.size();
            list.positions
                .insert(Arc::clone(&entry.name), list.entries.len());
            list.entries.push(entry);
        }
        list
    }

    /// Says until when the list needs not be asked for again, in milliseconds since 1970.
    #[must_use]
    pub fn fresh_until(mut self, milliseconds: u64) -> Self {
        self.fresh_until_ms = milliseconds;
        self
    }

    /// Adds an entry. What people would not see of its texts is taken out; icons that do not come
    /// from a public `https` address, and `_meta`, are not passed on. What has not the form of the
    /// protocol, and what clients are known to refuse, is mended; the sentence says what.
    ///
    /// # Errors
    /// A sentence for the log about an entry that this server can't list by its own rules: a name
    /// with other characters or one that came before, hidden characters in what calls repeat letter
    /// by letter, a schema that leads elsewhere or to itself without end, too deep a nesting.
    pub fn add(&mut self, entry: Value) -> Result<Option<String>, String> {
        let read = entry::read(self.kind, &self.upstream, entry)?;
        // the first one counts: which of the two the upstream would call is not known here
        if self.positions.contains_key(read.name.as_str()) {
            return Err(format!("`{}` comes twice", read.name));
        }
        let name = &read.name;
        let changes = read
            .changes
            .as_ref()
            .map(|changes| format!("`{name}` {changes}"));
        let entry = UpstreamEntry::new(read);
        self.bytes += entry.size();
        self.positions
            .insert(Arc::clone(&entry.name), self.entries.len());
        self.entries.push(entry);
        Ok(changes)
    }

    /// Whether the list has a name or URI, with its prefix.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    /// The upstream's own name of what is listed under a name, where it is another one behind the
    /// prefix.
    #[must_use]
    pub fn original(&self, name: &str) -> Option<&str> {
        self.entry(name)?.original.as_deref()
    }

    fn entry(&self, name: &str) -> Option<&UpstreamEntry> {
        self.entries.get(*self.positions.get(name)?)
    }

    /// The arguments of a tool that its calls must repeat in headers.
    #[must_use]
    pub fn header_parameters(&self, name: &str) -> &[HeaderParameter] {
        self.entry(name).map_or(&[], |entry| &entry.headers)
    }

    /// Checks structured content against the output schema that is listed for a tool, if one is.
    ///
    /// # Errors
    /// What contradicts the schema, for the log.
    pub fn check_output(&self, name: &str, content: &Value) -> Result<(), String> {
        let Some(entry) = self.entry(name).filter(|entry| entry.has_output_schema) else {
            return Ok(());
        };
        // compiled for each result, because a compiled schema takes many times the room of its text
        let tool = serde_json::from_slice::<ToolDefinition>(&entry.json);
        let schema = tool.ok().and_then(|tool| tool.output_schema);
        let Some(schema) = schema.and_then(|schema| entry::checkable(&schema)) else {
            return Ok(());
        };
        Schema::check(&schema, content).map_err(|violations| {
            format!("the result does not fit the output schema:\n{violations}")
        })
    }

    /// Until when the list needs not be asked for again, in milliseconds since 1970.
    #[must_use]
    pub fn fresh_until_ms(&self) -> u64 {
        self.fresh_until_ms
    }

    /// How many bytes the entries take in memory, nearly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names or URIs in the order of the list.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// Bytes of the entries, in their order, as the newest revision has them.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> {
        self.entries.iter().map(|entry| entry.json.len())
    }

    /// The entry at a position as a revision has it; nothing beyond the end.
    pub(crate) fn write(&self, position: usize, revision: Revision) -> Cow<'_, [u8]> {
        let Some(entry) = self.entries.get(position) else {
            return Cow::Borrowed(&[]);
        };
        if entry.same[revision.index()] {
            return Cow::Borrowed(&entry.json);
        }
        let written = match self.kind {
            ListKind::Tools => anew(&entry.json, |tool: ToolDefinition| {
                tool.down_level(revision)
            }),
            ListKind::Prompts => anew(&entry.json, |prompt: PromptDefinition| {
                prompt.down_level(revision)
            }),
            ListKind::Resources | ListKind::Templates => {
                anew(&entry.json, |resource: ResourceDefinition| {
                    resource.down_level(revision)
                })
            }
        };
        // it was written here, so it can be read
        written.map_or(Cow::Borrowed(&*entry.json), Cow::Owned)
    }
}

fn anew<T: DeserializeOwned + Serialize>(
    json: &[u8],
    down_level: impl FnOnce(T) -> T,
) -> Option<Vec<u8>> {
    serde_json::from_slice(json)
        .ok()
        .map(|definition| to_json(&down_level(definition)))
}

impl UpstreamEntry {
    fn new(read: Read) -> Self {
        Self {
            name: read.name.into(),
            original: read.original.map(Into::into),
            same: Revision::ALL.map(|revision| (read.write)(revision) == read.json),
            json: read.json.into(),
            headers: read.headers.into(),
            has_output_schema: read.has_output_schema,
        }
    }

    fn size(&self) -> usize {
        let headers = self.headers.iter().map(|parameter| {
            let path = parameter.path.iter().map(|name| name.len() + 24);
            parameter.header.len() + 48 + path.sum::<usize>()
        });
        // the name stands in the index too, with its hash and its share of empty places
        let original = self.original.as_ref().map_or(0, |original| original.len());
        size_of::<Self>()
            + 64
            + self.json.len()
            + self.name.len()
            + original
            + headers.sum::<usize>()
    }
}

impl fmt::Debug for UpstreamList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpstreamList({} entries)", self.len())
    }
}
