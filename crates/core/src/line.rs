//! The stdio transport as a function: one line in, what to do with it out (basic/transports/stdio).
//! Reads and writes nothing.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::call::{Envelope, Params};
use crate::jsonrpc::{self, Error, Id, Incoming, MAX_VALUES, Message, Notification, Request};
use crate::port::Platform;
use crate::post::Delivery;
use crate::principal::Principal;
use crate::running::{Execution, RpcResponse, Running};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::session::Session;
use crate::version::Revision;

/// One client at the other end of a pipe.
///
/// The pipe, unlike HTTP, has no header to say the revision of a client with a handshake: what the
/// handshake agreed on is kept here, with the pipe, and what the client declared there. Clients of
/// 2026-07-28 need nothing kept.
#[derive(Debug)]
pub struct Connection {
    server: Server,
    principal: Arc<Principal>,
    session: Option<Session>,
    max_values: usize,
}

/// What to do about a line.
#[derive(Debug)]
pub enum Received {
    /// Nothing.
    Nothing,
    /// Write this line.
    Send(Bytes),
    /// Run this call and write its frames as lines, unless it is cancelled first.
    Run {
        /// JSON text of the request's id, by which it may be cancelled.
        id: Box<str>,
        /// The call.
        call: Running,
    },
    /// Wait for this and write it as one line.
    Batch(Batch),
    /// Wait for this, and write nothing: an answer is put where its call waits for it.
    Keep(Letter),
    /// Drop the call with this id, and write nothing more of it.
    Cancel(Box<str>),
}

/// A client's answer on its way to the call that asked.
pub struct Letter(pub BoxFuture<'static, ()>);

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter")
    }
}

/// The answers of a batch, once they are all there.
pub struct Batch(pub BoxFuture<'static, Bytes>);

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batch")
    }
}

impl Connection {
    /// A client that has said nothing yet, known to the host as `principal`.
    #[must_use]
    pub fn new(server: Server, principal: Principal) -> Self {
        Self {
            server,
            principal: principal.into(),
            session: None,
            max_values: MAX_VALUES,
        }
    }

    /// Values that one line may hold, counted as [`jsonrpc::read`] does;
    /// [`MAX_VALUES`](jsonrpc::MAX_VALUES) by default.
    #[must_use]
    pub fn max_values(mut self, values: usize) -> Self {
        self.max_values = values;
        self
    }

    /// Takes one line, without its line break. An empty line is nothing.
    pub fn receive(&mut self, line: &[u8], platform: &Arc<Platform>) -> Received {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Received::Nothing;
        }
        match jsonrpc::read(line, self.max_values) {
            Err(malformed) => refuse(malformed.id, &malformed.error),
            Ok(Incoming::Batch(items)) => self.batch(&items, platform),
            Ok(Incoming::Single(Message::Request(request))) => self.request(request, platform),
            Ok(Incoming::Single(Message::Notification(notification))) => {
                cancelled(&notification).map_or(Received::Nothing, Received::Cancel)
            }
            Ok(Incoming::Single(Message::Response(answer))) => {
                match self.server.receive(&answer, &self.principal, platform) {
                    // the log has why; the call goes on without an answer when its time is over
                    Delivery::Keep(kept) => Received::Keep(Letter(Box::pin(async move {
                        kept.await;
                    }))),
                    Delivery::Nothing | Delivery::TooLarge => Received::Nothing,
                }
            }
        }
    }

    fn request<'a>(
        &mut self,
        request: Request<'a, Params<'a>>,
        platform: &Arc<Platform>,
    ) -> Received {
        let id = request.id;
        let agreed = self.session.as_ref().map(|session| session.revision);
        let declared = agreed.map(Revision::as_str);
        let envelope = Envelope::new(request);
        let era = match envelope.era(declared) {
            Ok(era) => era,
            Err(error) => return refuse(Some(id), &error),
        };
        if let Some(session) = envelope.opens_session(&era) {
            // the pipe has one client, so this is no state between clients
            self.session = Some(session);
        }
        match envelope.into_call(era, Arc::clone(&self.principal)) {
            Err(error) => refuse(Some(id), &error),
            Ok(call) => match self.server.reply(
                call.in_session(self.session.as_ref()).on_stream(true),
                platform,
            ) {
                Execution::Done(response) => Received::Send(response.message),
                Execution::Running(running) => Received::Run {
                    id: id.as_json().into(),
                    call: running,
                },
            },
        }
    }

    fn batch(&self, items: &[&RawValue], platform: &Arc<Platform>) -> Received {
        if !self
            .session
            .as_ref()
            .is_some_and(|session| session.revision.has_batches())
        {
            return refuse(
                None,
                &Error::invalid_request(
                    "send one message per line: only protocol revision 2025-03-26 has batches",
                ),
            );
        }
        // no deadline: a pipe has no platform that ends a call
        match self.server.batch(items, &self.principal, None, platform) {
            Ok(Some(responses)) => Received::Batch(Batch(responses)),
            Ok(None) => Received::Nothing,
            Err(error) => refuse(None, &error),
        }
    }
}

fn refuse(id: Option<Id<'_>>, error: &Error) -> Received {
    Received::Send(RpcResponse::malformed(id.map(Id::as_json), error).message)
}

/// The id that `notifications/cancelled` names.
fn cancelled(notification: &Notification<'_, Params<'_>>) -> Option<Box<str>> {
    let params = notification
        .params
        .as_ref()
        .filter(|_| notification.method == "notifications/cancelled")?;
    params.request_id().map(|id| id.get().into())
}
