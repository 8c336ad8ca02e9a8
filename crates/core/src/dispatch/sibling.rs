//! Calls of a server's tools by its own handlers: dispatched like those of clients.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::{Call, Params};
use crate::jsonrpc::{Id, to_json};
use crate::port::Platform;
use crate::send::BoxFuture;
use crate::server::{Server, ServerInner};
use crate::sibling::{SiblingCall, SiblingTool, Siblings};
use crate::version::Revision;

impl Siblings for ServerInner {
    fn known(&self, name: &str) -> Option<SiblingTool> {
        let tool = self.registry.tool(name)?;
        Some(SiblingTool {
            // what an upstream's tools do is not known here
            read_only: !tool.writes && tool.upstream.is_none(),
            scopes: tool.scopes.clone(),
        })
    }

    fn check(&self, name: &str, arguments: &Value) -> Result<(), String> {
        let tool = self.registry.tool(name);
        match tool.filter(|tool| tool.upstream.is_none()) {
            Some(tool) => tool.fit(&mut arguments.clone()),
            None => Ok(()),
        }
    }

    fn call(
        self: Arc<Self>,
        call: SiblingCall,
        platform: Arc<Platform>,
    ) -> BoxFuture<'static, Bytes> {
        Box::pin(async move {
            let server = Server::from_shared(self);
            let params = to_json(&json!({"name": call.tool, "arguments": call.arguments}));
            // what was written a moment ago can be read
            let params: Params<'_> = serde_json::from_slice(&params).unwrap_or_default();
            let call = Call {
                id: Id::OWN,
                method: Cow::Borrowed("tools/call"),
                params,
                revision: Revision::LATEST,
                meta: call.meta,
                principal: call.principal,
                deadline_ms: Some(call.deadline_ms),
                asks_on_stream: false,
                session: None,
                streams: false,
            };
            let execution = server.reply(call, &platform);
            execution.into_response().await.message
        })
    }
}
