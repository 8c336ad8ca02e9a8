//! The other tools of a server, as a handler reaches them: a trait that the server implements, so that
//! what a handler sees knows no server.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::model::meta::CallMeta;
use crate::port::Platform;
use crate::principal::Principal;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// A call of one tool by another one.
pub(crate) struct SiblingCall {
    pub(crate) tool: String,
    pub(crate) arguments: Value,
    pub(crate) meta: CallMeta,
    pub(crate) principal: Arc<Principal>,
    pub(crate) deadline_ms: u64,
}

/// What is said of a tool before it is called.
pub(crate) struct SiblingTool {
    pub(crate) read_only: bool,
    pub(crate) scopes: Vec<String>,
}

/// The tools of a server.
pub(crate) trait Siblings: MaybeSend + MaybeSync {
    /// What is said of one; nothing for a name that there is none of.
    fn known(&self, name: &str) -> Option<SiblingTool>;

    /// Whether arguments fit its schema, a line for each violation.
    fn check(&self, name: &str, arguments: &Value) -> Result<(), String>;

    /// Calls one as a client would: the JSON-RPC message of the answer.
    fn call(
        self: Arc<Self>,
        call: SiblingCall,
        platform: Arc<Platform>,
    ) -> BoxFuture<'static, Bytes>;
}
