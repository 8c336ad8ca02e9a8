//! One upstream as the core asks for it: its lists, and calls of what is in them.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::content::{CallToolResult, GetPromptResult, ResourceContents};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::ListKind;
use mcpfn_core::jsonrpc::ErrorCode;
use mcpfn_core::upstream::{CompletionRequest, ListOutcome, Upstream, UpstreamList};
use mcpfn_core::{Completions, Cx, ToolError, text};
use serde_json::{Map, Value, json};

use super::client::UpstreamClient;
use super::failure::{MAX_HOPS, UpstreamFailure};
use super::foreign::Foreign;
use super::forms;
use super::lists::{ListAccess, ListCache};
use super::request::{UpstreamRequest, header_text};
use super::say::{self, Source};

/// Bytes of one result. It has to fit into an answer of this server.
const MAX: usize = 4 * 1024 * 1024;
/// Bytes of a URI. It is repeated in a header.
const MAX_URI_LENGTH: usize = 2048;
/// The call's own limit ends it before.
const WITHIN: Duration = Duration::from_secs(60);

pub(super) struct Remote(Arc<RemoteState>);

struct RemoteState {
    scope: Option<String>,
    client: Arc<UpstreamClient>,
    lists: Arc<ListCache>,
}

impl Remote {
    /// An upstream whose lists may take so many bytes together.
    pub(super) fn new(scope: Option<String>, client: UpstreamClient, share: usize) -> Self {
        Self(Arc::new(RemoteState {
            scope,
            client: Arc::new(client),
            lists: Arc::new(ListCache::new(share)),
        }))
    }
}

impl RemoteState {
    fn name(&self) -> &str {
        &self.client.name
    }

    fn source(&self) -> Source<'_> {
        Source {
            upstream: &self.client.name,
            cleaner: &self.client.cleaner,
        }
    }

    fn list(&self, kind: ListKind) -> ListAccess {
        ListAccess {
            client: Arc::clone(&self.client),
            lists: Arc::clone(&self.lists),
            kind,
        }
    }

    fn request<'a>(
        &self,
        method: &'static str,
        target: Option<&'a str>,
        params: Map<String, Value>,
    ) -> UpstreamRequest<'a> {
        UpstreamRequest {
            method,
            target,
            params,
            headers: Vec::new(),
            within: WITHIN,
            max_body: MAX,
        }
    }

    /// The list that has a name.
    async fn listing(
        &self,
        kind: ListKind,
        name: &str,
        cx: &Cx,
    ) -> Result<Arc<UpstreamList>, ToolError> {
        if cx.hops() >= MAX_HOPS {
            return Err(say::failed(
                self.name(),
                UpstreamFailure::TooManyHops,
                false,
            ));
        }
        let shown = format!("{}__{name}", self.name());
        match self.list(kind).with(&shown, cx).await.listing {
            Some(listing) if listing.contains(&shown) => Ok(listing),
            Some(_) => {
                let what = if kind == ListKind::Tools {
                    "tool"
                } else {
                    "prompt"
                };
                Err(ToolError::not_found(format!(
                    "unknown {what} {}",
                    text::quoted(&shown)
                )))
            }
            None => {
                let (outage, cause) = self.lists.trouble(kind);
                let failure = UpstreamFailure::unsent(outage, cause);
                Err(say::failed(self.name(), failure, false))
            }
        }
    }

    async fn call_tool(
        &self,
        name: &str,
        arguments: Value,
        cx: &Cx,
    ) -> Result<CallToolResult, ToolError> {
        let (mut listing, mut result) = self.send_call(name, &arguments, cx).await?;
        if matches!(&result, Err(UpstreamFailure::Error(error)) if error.is(ErrorCode::HEADER_MISMATCH))
        {
            // its tools have changed: they say which arguments headers repeat
            self.list(ListKind::Tools).newer(cx).await;
            (listing, result) = self.send_call(name, &arguments, cx).await?;
        }
        let result = result.map_err(|failure| say::failed(self.name(), failure, true))?;
        let shown = format!("{}__{name}", self.name());
        self.source()
            .tool(result, cx, |content| listing.check_output(&shown, content))
    }

    async fn send_call(
        &self,
        name: &str,
        arguments: &Value,
        cx: &Cx,
    ) -> Result<(Arc<UpstreamList>, Result<Foreign, UpstreamFailure>), ToolError> {
        let listing = self.listing(ListKind::Tools, name, cx).await?;
        let shown = format!("{}__{name}", self.name());
        // as the upstream knows it
        let name = listing.original(&shown).unwrap_or(name);
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        params.insert("arguments".to_owned(), arguments.clone());
        forms::add_answers(&mut params, cx);
        let mut request = self.request("tools/call", Some(name), params);
        for parameter in listing.header_parameters(&shown) {
            let argument = parameter
                .path
                .iter()
                .try_fold(arguments, |value, member| value.get(member));
            let text = match argument {
                Some(Value::String(text)) => header_text(text),
                Some(Value::Bool(value)) => value.to_string(),
                Some(Value::Number(number)) => number.to_string(),
                _ => continue,
            };
            request.headers.push((parameter.header.clone(), text));
        }
        let result = self.client.ask(cx, request).await;
        Ok((listing, result))
    }

    async fn get_prompt(
        &self,
        name: &str,
        arguments: Value,
        cx: &Cx,
    ) -> Result<GetPromptResult, ToolError> {
        self.listing(ListKind::Prompts, name, cx).await?;
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        params.insert("arguments".to_owned(), arguments);
        forms::add_answers(&mut params, cx);
        let result = self
            .client
            .ask(cx, self.request("prompts/get", Some(name), params))
            .await;
        let result = result.map_err(|failure| say::not_there(self.name(), failure))?;
        self.source().prompt(result, cx)
    }

    async fn read_resource(&self, uri: &str, cx: &Cx) -> Result<Vec<ResourceContents>, ToolError> {
        // every URI that this server listed is shorter
        if uri.len() > MAX_URI_LENGTH {
            return Err(ToolError::not_found(format!(
                "a URI has {MAX_URI_LENGTH} bytes at most"
            )));
        }
        let mut params = Map::new();
        params.insert("uri".to_owned(), uri.into());
        forms::add_answers(&mut params, cx);
        let result = self
            .client
            .ask(cx, self.request("resources/read", Some(uri), params))
            .await;
        let result = result.map_err(|failure| say::not_there(self.name(), failure))?;
        self.source().resource(result, cx)
    }

    async fn complete(&self, of: CompletionRequest, cx: &Cx) -> Result<Completions, ToolError> {
        let reference = match of.kind {
            ListKind::Prompts => json!({"type": "ref/prompt", "name": of.name}),
            _ => json!({"type": "ref/resource", "uri": of.name}),
        };
        let mut params = Map::new();
        params.insert("ref".to_owned(), reference);
        params.insert(
            "argument".to_owned(),
            json!({"name": of.argument, "value": of.value}),
        );
        if !of.arguments.is_empty() {
            params.insert("context".to_owned(), json!({"arguments": of.arguments}));
        }
        let result = self
            .client
            .ask(cx, self.request("completion/complete", None, params))
            .await;
        result
            .map(|result| self.source().completion(result))
            .map_err(|failure| say::failed(self.name(), failure, false))
    }
}

impl Upstream for Remote {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    fn list(&self, kind: ListKind, cx: Cx) -> BoxFuture<'static, ListOutcome> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.list(kind).shown(&cx).await })
    }

    fn knows(&self, kind: ListKind, name: &str) -> bool {
        self.0.lists.knows(kind, name)
    }

    fn call_tool(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> BoxFuture<'static, Result<CallToolResult, ToolError>> {
        let (inner, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move { inner.call_tool(&name, arguments, &cx).await })
    }

    fn get_prompt(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> BoxFuture<'static, Result<GetPromptResult, ToolError>> {
        let (inner, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move { inner.get_prompt(&name, arguments, &cx).await })
    }

    fn read_resource(
        &self,
        uri: &str,
        cx: Cx,
    ) -> BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>> {
        let (inner, uri) = (Arc::clone(&self.0), uri.to_owned());
        Box::pin(async move { inner.read_resource(&uri, &cx).await })
    }

    fn complete(
        &self,
        of: CompletionRequest,
        cx: Cx,
    ) -> BoxFuture<'static, Result<Completions, ToolError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.complete(of, &cx).await })
    }
}
