//! Other tools of the same server, called by a handler: by the same way as a client's call, with its
//! caller's scopes, rate limits, checks and an entry of its own in the audit log.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::Cx;
use crate::error::ToolError;
use crate::model::meta::CallMeta;
use crate::model::tool::CallToolResult;
use crate::sibling::{SiblingCall, SiblingTool, Siblings};

/// A tool of the server, as a handler sees it before it calls it ([`Cx::known_tool`]).
#[derive(Clone)]
pub struct KnownTool {
    name: String,
    tool: Arc<SiblingTool>,
    allowed: bool,
    siblings: Arc<dyn Siblings>,
}

impl KnownTool {
    /// Whether it says of itself that it changes nothing. Of an upstream's tools that is not known,
    /// and counts as no.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.tool.read_only
    }

    /// Whether the caller has the scopes that it needs.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The scopes that it needs.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.tool.scopes
    }

    /// Whether arguments fit its schema. Those of an upstream's tools are checked there.
    ///
    /// # Errors
    /// What does not fit, a line for each.
    pub fn check(&self, arguments: &Value) -> Result<(), String> {
        self.siblings.check(&self.name, arguments)
    }
}

impl std::fmt::Debug for KnownTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownTool")
            .field("name", &self.name)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct CalledAnswer {
    result: Option<CallToolResult>,
    error: Option<CallRefusal>,
}

#[derive(Deserialize)]
struct CallRefusal {
    message: String,
}

impl Cx {
    /// A tool of this server, or what stands for those of an upstream; nothing for a name that there
    /// is none of.
    #[must_use]
    pub fn known_tool(&self, name: &str) -> Option<KnownTool> {
        let siblings = Arc::clone(self.0.siblings.as_ref()?);
        let tool = siblings.known(name)?;
        Some(KnownTool {
            name: name.to_owned(),
            allowed: self.0.principal.scopes.contains_all(&tool.scopes),
            tool: Arc::new(tool),
            siblings,
        })
    }

    /// Calls another tool of this server, as this call's caller: what the caller may not call, or
    /// has called too often, is refused here too. The tool can't ask the client anything, and runs
    /// within this call's time. With an idempotency key a repeat of a write gets the first result,
    /// where the caller is known and the platform remembers writes.
    ///
    /// ```
    /// use mcpfn_core::{Cx, NoArguments, Server, Tool, ToolError};
    /// use mcpfn_testing::TestClient;
    /// use serde_json::json;
    ///
    /// let one = Tool::new("one").description("One.").handler(|_: NoArguments| async { "1" });
    /// let two = Tool::new("two").description("Two.").handler(|_: NoArguments, cx: Cx| async move {
    ///     let one = cx.call_tool("one", &json!({}), None).await?;
    ///     Ok::<_, ToolError>(one)
    /// });
    /// let client = TestClient::new(Server::builder("numbers", "1.0.0").tool(one).tool(two));
    /// assert_eq!(client.call("two", json!({})).wait().unwrap().text(), "1");
    /// ```
    ///
    /// # Errors
    /// What the caller would have been told: the tool does not exist, is not allowed, or has to ask
    /// something. A tool that fails by itself gives a result that says so.
    pub async fn call_tool(
        &self,
        tool: &str,
        arguments: &Value,
        idempotency_key: Option<&str>,
    ) -> Result<CallToolResult, ToolError> {
        let Some(siblings) = &self.0.siblings else {
            return Err(ToolError::internal("a handler without a server around it"));
        };
        let remembers = self.0.platform.writes.is_some() && self.0.principal.is_known();
        let key = idempotency_key.filter(|_| remembers);
        let call = SiblingCall {
            tool: tool.to_owned(),
            arguments: arguments.clone(),
            meta: CallMeta {
                trace: self.0.meta.trace.clone(),
                hops: self.0.meta.hops.saturating_add(1),
                idempotency_key: key.map(Into::into),
                ..CallMeta::default()
            },
            principal: Arc::clone(&self.0.principal),
            deadline_ms: self.0.deadline_ms,
        };
        let platform = Arc::clone(&self.0.platform);
        let message = Arc::clone(siblings).call(call, platform).await;
        match serde_json::from_slice(&message)? {
            CalledAnswer {
                result: Some(result),
                ..
            } => Ok(result),
            CalledAnswer { error, .. } => Err(ToolError::new(
                error.map_or_else(|| "no result".to_owned(), |refused| refused.message),
            )),
        }
    }
}
