//! From a body to its response: a message is read, its era told, its headers compared, its call
//! begun, all before anything is waited for.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use mcpfn_core::jsonrpc::{self, Error, Incoming, Malformed, Message};
use mcpfn_core::{
    Principal, Revision,
    handler::BoxFuture,
    host::{Delivery, Envelope, Era, Execution, Params, RpcResponse, Session, unsupported},
    port::Platform,
};

use super::{Head, Service};
use crate::body::Body;
use crate::heartbeat::Heartbeat;
use crate::{guard, headers, respond};

impl Service {
    /// One body: a message, or a batch.
    pub(super) async fn message(
        &self,
        head: &Head<'_>,
        caller: Arc<Principal>,
        body: &[u8],
        platform: &Arc<Platform>,
    ) -> Response<Body> {
        match self.begin(head, caller, body, platform) {
            Dispatched::Response(response) => response,
            Dispatched::Letter(kept) => match kept.await {
                true => respond::empty(StatusCode::ACCEPTED),
                false => respond::not_kept(),
            },
            Dispatched::Call {
                execution,
                modern,
                session,
            } => {
                let heartbeat = Heartbeat {
                    every: self.config.heartbeat,
                    platform: Arc::clone(platform),
                };
                let mut response = respond::execution(
                    execution,
                    modern,
                    || guard::accepts_stream(head.headers),
                    heartbeat,
                )
                .await;
                if let Some(session) = session {
                    response.headers_mut().insert(headers::SESSION_ID, session);
                }
                response
            }
            Dispatched::Batch(responses) => respond::json(StatusCode::OK, responses.await),
        }
    }

    /// Everything that needs no waiting. (What it reads of the body never has to move into a
    /// future.)
    fn begin(
        &self,
        head: &Head<'_>,
        caller: Arc<Principal>,
        body: &[u8],
        platform: &Arc<Platform>,
    ) -> Dispatched {
        let declared =
            match headers::literal(head.fields.protocol_version, &headers::PROTOCOL_VERSION) {
                Ok(declared) => declared,
                Err(error) => return Dispatched::malformed(None, &error),
            };
        match jsonrpc::read(body, self.config.max_values) {
            Ok(Incoming::Single(Message::Request(request))) => {
                self.request(head, declared, caller, request, platform)
            }
            Ok(Incoming::Single(Message::Notification(_))) => {
                Dispatched::Response(accept(declared))
            }
            Ok(Incoming::Single(Message::Response(_))) if declares_modern(declared) => {
                Dispatched::malformed(
                    None,
                    &Error::invalid_request(
                        "a client of this revision sends no JSON-RPC responses",
                    ),
                )
            }
            Ok(Incoming::Single(Message::Response(answer))) => {
                match self.server.receive(&answer, &caller, platform) {
                    Delivery::Keep(kept) => Dispatched::Letter(kept),
                    Delivery::TooLarge => {
                        Dispatched::Response(respond::refusal(guard::answer_too_large()))
                    }
                    Delivery::Nothing => Dispatched::Response(accept(declared)),
                }
            }
            Ok(Incoming::Batch(items)) => self.batch(head, declared, &caller, &items, platform),
            Err(Malformed { id, error }) => Dispatched::malformed(id, &error),
        }
    }

    fn request(
        &self,
        head: &Head<'_>,
        declared: Option<&str>,
        caller: Arc<Principal>,
        request: jsonrpc::Request<'_, Params<'_>>,
        platform: &Arc<Platform>,
    ) -> Dispatched {
        let id = request.id;
        let envelope = Envelope::new(request);
        let session = head.fields.session_id.text().and_then(Session::read);
        let known = session.is_some();
        // clients of the revisions before the header name theirs in the handshake alone
        let agreed = session.as_ref().map(|session| session.revision.as_str());
        let era = match envelope.era(declared.or(agreed)) {
            Ok(era) => era,
            Err(error) => return Dispatched::malformed(Some(id), &error),
        };
        let modern = matches!(era, Era::Modern(_));
        if let Era::Modern(meta) = &era
            && let Err(error) =
                headers::check(head.headers, &head.fields, meta, &envelope, &self.server)
        {
            let revision = meta.revision().unwrap_or(Revision::LATEST);
            return Dispatched::Response(respond::rpc(
                self.server
                    .refuse(&envelope, revision, &caller, &error, platform),
                true,
            ));
        }
        let opened = envelope
            .opens_session(&era)
            .and_then(|session| HeaderValue::try_from(session.token(platform)).ok());
        match envelope.into_call(era, caller) {
            Ok(call) => {
                let streams =
                    session.filter(|_| head.streams && guard::accepts_stream(head.headers));
                let token = head.fields.session_id.text();
                let call = call
                    .in_session(streams.as_ref())
                    .of_session(token.filter(|_| known))
                    .on_stream(head.streams && guard::accepts_stream(head.headers));
                let call = call.deadline_ms(head.deadline).traced(
                    head.fields.traceparent.text(),
                    head.fields.tracestate.text(),
                );
                Dispatched::Call {
                    execution: self.server.reply(call, platform),
                    modern,
                    session: opened,
                }
            }
            Err(error) => Dispatched::malformed(Some(id), &error),
        }
    }

    fn batch(
        &self,
        head: &Head<'_>,
        declared: Option<&str>,
        caller: &Arc<Principal>,
        items: &[&serde_json::value::RawValue],
        platform: &Arc<Platform>,
    ) -> Dispatched {
        let revision = declared.map_or(Some(Revision::ASSUMED), Revision::parse);
        if !revision.is_some_and(Revision::has_batches) {
            let error = Error::invalid_request(
                "send one message per request: only protocol revision 2025-03-26 has batches",
            );
            return Dispatched::malformed(None, &error);
        }
        match self.server.batch(items, caller, head.deadline, platform) {
            Ok(Some(responses)) => Dispatched::Batch(responses),
            Ok(None) => Dispatched::Response(respond::empty(StatusCode::ACCEPTED)),
            Err(error) => {
                Dispatched::Response(respond::rpc(RpcResponse::malformed(None, &error), false))
            }
        }
    }
}

/// What became of a body before anything was waited for.
enum Dispatched {
    Response(Response<Body>),
    Call {
        execution: Execution,
        modern: bool,
        /// The token of the session that this call opens.
        session: Option<HeaderValue>,
    },
    /// An answer to a question of another call; whether it was kept.
    Letter(BoxFuture<'static, bool>),
    Batch(BoxFuture<'static, Bytes>),
}

impl Dispatched {
    /// An error that lies in the request as such.
    fn malformed(id: Option<jsonrpc::Id<'_>>, error: &Error) -> Self {
        Self::Response(respond::rpc(
            RpcResponse::malformed(id.map(jsonrpc::Id::as_json), error),
            true,
        ))
    }
}

/// Takes note of a message that wants no answer; one for a version that is not served is refused.
fn accept(declared: Option<&str>) -> Response<Body> {
    match declared.filter(|declared| Revision::parse(declared).is_none()) {
        None => respond::empty(StatusCode::ACCEPTED),
        Some(unknown) => respond::rpc(RpcResponse::malformed(None, &unsupported(unknown)), true),
    }
}

fn declares_modern(declared: Option<&str>) -> bool {
    declared
        .and_then(Revision::parse)
        .is_some_and(Revision::is_modern)
}
