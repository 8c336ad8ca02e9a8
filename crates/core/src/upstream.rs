//! Another server that this one fronts: what it must be able to do, and its lists as this server
//! shows them. Not a client of one: that is in `mcpfn-toolkits`, over the port `HttpClient`.

mod changes;
mod entry;
mod list;
mod mend;
mod mend_schema;
mod references;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::complete::Completions;
use crate::context::Cx;
use crate::error::ToolError;
use crate::model::content::ResourceContents;
use crate::model::list_kind::ListKind;
use crate::model::prompt::GetPromptResult;
use crate::model::tool::CallToolResult;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::text::is_hidden;
pub use crate::tool::schema::HeaderParameter;
pub use entry::icon_is_public;
pub use list::UpstreamList;
pub use mend::mend_block;

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
    ) -> BoxFuture<'static, Result<Completions, ToolError>>;
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
        && !uri.contains(|character: char| character.is_whitespace() || is_hidden(character));
    // a plus is legal in a scheme (RFC 3986, section 3.1), so that the whole is still a URI
    usable.then(|| format!("{upstream}+{uri}"))
}
