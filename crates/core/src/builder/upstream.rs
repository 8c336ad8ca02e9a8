//! What a server registers for an upstream: one thing of each kind, which stands for all that the
//! upstream has.
//!
//! One tool, prompt and resource for each upstream, found by the name's prefix, so that scopes,
//! rate limits, timeouts and the audit log apply to upstreams without code of their own. A call
//! through a front costs 45 µs more on loopback, of which 30 are the second exchange.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::register;
use crate::context::Cx;
use crate::error::ToolError;
use crate::model::content::ResourceContents;
use crate::model::prompt::GetPromptResult;
use crate::model::tool::CallToolResult;
use crate::prompt::{ErasedPrompt, Prompt};
use crate::resource::{ErasedResource, Resource};
use crate::send::BoxFuture;
use crate::server::registered::RegisteredUpstream;
use crate::tool::{ErasedTool, Tool};
use crate::upstream::{TIMEOUT, Upstream};

/// Upstreams with their mistakes. `own` are the names and URIs of what the server has itself: an
/// upstream shadows none of it.
pub(super) fn upstreams(
    given: Vec<Arc<dyn Upstream>>,
    own: &[&str],
    mistakes: &mut Vec<String>,
) -> Vec<RegisteredUpstream> {
    let mut seen = HashSet::new();
    let mut registered = Vec::new();
    for upstream in given {
        let name = upstream.name().to_owned();
        if !is_prefix(&name) {
            mistakes.push(format!(
                "upstream `{name}`: a name has 1 to 32 of the characters a-z 0-9 -, a letter first"
            ));
        }
        if !seen.insert(name.clone()) {
            mistakes.push(format!("upstream `{name}` is registered twice"));
        }
        let (tools, uris) = (format!("{name}__"), format!("{name}+"));
        // a name can mean one thing only, and the own one would win without a word
        for clash in own
            .iter()
            .filter(|own| own.starts_with(&tools) || own.starts_with(&uris))
        {
            mistakes.push(format!(
                "upstream `{name}`: `{clash}` of this server has its prefix; rename one of them"
            ));
        }
        registered.extend(register_one(upstream, &name, mistakes));
    }
    registered
}

fn is_prefix(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(legal)
}

fn register_one(
    upstream: Arc<dyn Upstream>,
    name: &str,
    mistakes: &mut Vec<String>,
) -> Option<RegisteredUpstream> {
    let about = "Whatever the upstream has.";
    let passing = || Passing(Arc::clone(&upstream));
    // any object fits: the upstream checks its own arguments, and its schemas may change at any
    // time
    let mut tool = Tool::new(name)
        .description(about)
        .timeout(TIMEOUT)
        .input_schema(json!({"type": "object"}));
    tool.run = Some(Box::new(passing()));
    let mut prompt = Prompt::new(name).description(about);
    prompt.run = Some(Box::new(passing()));
    let mut resource = Resource::new(format!("{name}+x:"), name).description(about);
    resource.run = Some(Box::new(passing()));
    if let Some(scope) = upstream.scope() {
        (tool, prompt, resource) = (
            tool.scope(scope),
            prompt.scope(scope),
            resource.scope(scope),
        );
    }
    // a mistake in the scope is one mistake, not three
    let (mut tool, mut prompt, mut resource) = (
        register::tool(tool, true, true, mistakes)?,
        register::prompt(prompt, &mut Vec::new())?,
        register::resource(resource, &mut Vec::new())?,
    );
    tool.upstream = Some(Arc::clone(&upstream));
    prompt.upstream = Some(Arc::clone(&upstream));
    resource.upstream = Some(Arc::clone(&upstream));
    Some(RegisteredUpstream {
        tool: tool.into(),
        prompt: prompt.into(),
        resource: resource.into(),
        upstream,
    })
}

/// Hands calls on, without the prefix.
struct Passing(Arc<dyn Upstream>);

impl Passing {
    fn inner<'a>(&self, name: &'a str, separator: &str) -> &'a str {
        name.strip_prefix(self.0.name())
            .and_then(|name| name.strip_prefix(separator))
            .unwrap_or(name)
    }
}

impl ErasedTool for Passing {
    fn start(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<CallToolResult, ToolError>>, serde_json::Error> {
        Ok(self.0.call_tool(self.inner(name, "__"), arguments, cx))
    }
}

impl ErasedPrompt for Passing {
    fn start(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<GetPromptResult, ToolError>>, serde_json::Error> {
        Ok(self.0.get_prompt(self.inner(name, "__"), arguments, cx))
    }
}

impl ErasedResource for Passing {
    fn start(
        &self,
        _: BTreeMap<String, String>,
        uri: String,
        _: Option<String>,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>>, serde_json::Error>
    {
        Ok(self.0.read_resource(self.inner(&uri, "+"), cx))
    }
}
