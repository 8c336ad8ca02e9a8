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

/// Most lists of one batch: there are four, and each is hundreds of times as long as its request.
const MAX_LISTS: usize = 8;

impl Server {
    /// Answers a batch with one JSON array; `None` when it holds nothing to answer. All answers
    /// together have at most [`Server::max_result_bytes`] bytes: those that do not fit become
    /// errors, and so does each list from the ninth on.
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
        let mut lists = 0;
        let executions: Vec<BoxFuture<'static, Bytes>> = items
            .iter()
            .filter_map(|item| {
                one(
                    self,
                    item.get(),
                    &mut lists,
                    principal,
                    deadline_ms,
                    platform,
                )
            })
            // an array of responses has no place for reports
            .map(|execution| {
                Box::pin(async move { execution.into_response().await.message })
                    as BoxFuture<'static, Bytes>
            })
            .collect();
        if executions.is_empty() {
            return Ok(None);
        }
        let most = self.max_result_bytes();
        Ok(Some(Box::pin(async move {
            write(join_all(executions).await, most)
        })))
    }
}

fn one(
    server: &Server,
    text: &str,
    lists: &mut usize,
    principal: &Arc<Principal>,
    deadline_ms: Option<u64>,
    platform: &Arc<Platform>,
) -> Option<Execution> {
    let refused =
        |id: Option<&str>, error: &Error| Some(Execution::Done(RpcResponse::malformed(id, error)));
    let request = match jsonrpc::read_message(text) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification(_) | Message::Response(_)) => return None,
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
    *lists += usize::from(request.method.ends_with("/list"));
    if *lists > MAX_LISTS {
        return refused(
            Some(id.as_json()),
            &Error::invalid_request(format!(
                "a batch may ask for at most {MAX_LISTS} lists: send this message in another"
            )),
        );
    }
    let call =
        Envelope::new(request).into_call(Era::Legacy(Revision::V2025_03_26), Arc::clone(principal));
    match call {
        Ok(call) => Some(server.reply(call.deadline_ms(deadline_ms), platform)),
        Err(error) => refused(Some(id.as_json()), &error),
    }
}

/// The array of answers, with errors in place of those over `most` bytes together.
fn write(responses: Vec<Bytes>, most: usize) -> Bytes {
    let error = Error::internal(format!(
        "the answers of this batch have more than {most} bytes together: send this message in \
         another"
    ));
    let mut left = most;
    let mut out = Vec::new();
    for response in responses {
        out.push(if out.is_empty() { b'[' } else { b',' });
        if response.len() <= left {
            left -= response.len();
            out.extend_from_slice(&response);
            continue;
        }
        // our own message, and an answer to a request
        let text = std::str::from_utf8(&response).unwrap_or_default();
        let id = jsonrpc::answered(text).first().map(|id| id.as_json());
        out.extend_from_slice(&jsonrpc::write_error(id, &error));
    }
    out.push(b']');
    out.into()
}
