//! JSON-RPC batches, which only revision 2025-03-26 has: receiving them is a MUST there, and
//! nowhere else.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::call::{Envelope, Era};
use crate::join::join_all;
use crate::jsonrpc::{self, Error, Id, Message};
use crate::port::Platform;
use crate::principal::Principal;
use crate::running::{Execution, RpcResponse};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::version::Revision;

/// Most messages of one batch: they run at the same time.
const MAX: usize = 50;

impl Server {
    /// Answers a batch with one JSON array; `None` when it holds nothing to answer.
    ///
    /// # Errors
    /// -32600 when it is empty or too long.
    pub fn batch(
        &self,
        items: &[&RawValue],
        principal: &Arc<Principal>,
        deadline_ms: Option<u64>,
        platform: &Arc<Platform>,
    ) -> Result<Option<BoxFuture<'static, Bytes>>, Error> {
        if items.is_empty() {
            return Err(Error::invalid_request(
                "a batch must hold at least one message",
            ));
        }
        if items.len() > MAX {
            return Err(Error::invalid_request(format!(
                "a batch may hold at most {MAX} messages"
            )));
        }
        let replies: Vec<BoxFuture<'static, Bytes>> = items
            .iter()
            .filter_map(|item| one(self, item.get(), principal, deadline_ms, platform))
            // an array of answers has no place for reports
            .map(|reply| {
                Box::pin(async move { reply.into_response().await.message })
                    as BoxFuture<'static, Bytes>
            })
            .collect();
        if replies.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::pin(
            async move { write(&join_all(replies).await) },
        )))
    }
}

fn one(
    server: &Server,
    text: &str,
    principal: &Arc<Principal>,
    deadline_ms: Option<u64>,
    platform: &Arc<Platform>,
) -> Option<Execution> {
    let refused =
        |id: Option<&str>, error: &Error| Some(Execution::Done(RpcResponse::malformed(id, error)));
    let request = match jsonrpc::read_message(text) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification(_) | Message::Response) => return None,
        Err(malformed) => return refused(malformed.id.map(Id::as_json), &malformed.error),
    };
    let id = request.id;
    // forbidden by the revision: what else is in the batch would have no agreed version
    if request.method == "initialize" {
        return refused(
            Some(id.as_json()),
            &Error::invalid_request("`initialize` may not be part of a batch"),
        );
    }
    let call =
        Envelope::new(request).into_call(Era::Legacy(Revision::V2025_03_26), Arc::clone(principal));
    match call {
        Ok(call) => Some(server.reply(call.deadline_ms(deadline_ms), platform)),
        Err(error) => refused(Some(id.as_json()), &error),
    }
}

fn write(answers: &[Bytes]) -> Bytes {
    let mut out =
        Vec::with_capacity(answers.iter().map(|answer| answer.len() + 1).sum::<usize>() + 1);
    for answer in answers {
        out.push(if out.is_empty() { b'[' } else { b',' });
        out.extend_from_slice(answer);
    }
    out.push(b']');
    out.into()
}
