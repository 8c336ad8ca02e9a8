//! A GET of a client with a session, where the operator has subscriptions: what changed, and when to
//! ask again, as a stream of events that ends at once. Held open it would hold an instance.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use mcpfn_core::host::{RpcResponse, Session, Updates, unsupported};
use mcpfn_core::jsonrpc::Error;
use mcpfn_core::{Principal, Revision, port::Platform};

use super::{Head, Service};
use crate::body::Body;
use crate::guard::{self, Refusal};
use crate::refusals::Reason;
use crate::{headers, respond};

impl Service {
    /// Says what changed.
    pub(super) async fn updates(
        &self,
        head: &Head<'_>,
        caller: &Arc<Principal>,
        platform: &Arc<Platform>,
    ) -> Response<Body> {
        let session = head.fields.session_id.text().unwrap_or_default();
        let seen = head.fields.last_event_id.text();
        let updates = self.server.updates(session, seen, caller, platform).await;
        respond::events(written(&updates))
    }
}

/// The refusal of a GET that names no session, has a revision without these, or takes no events.
pub(super) fn refused(head: &Head<'_>) -> Option<Response<Body>> {
    let declared = headers::literal(head.fields.protocol_version, &headers::PROTOCOL_VERSION);
    let declared = match declared {
        Ok(declared) => declared.map(|version| (version, Revision::parse(version))),
        Err(error) => return Some(malformed(&error)),
    };
    let modern = match declared {
        Some((unknown, None)) => return Some(malformed(&unsupported(unknown))),
        Some((_, Some(revision))) => revision.is_modern(),
        None => false,
    };
    let session = head.fields.session_id.text().and_then(Session::read);
    if !modern && session.is_some() && guard::accepts_stream(head.headers) {
        return None;
    }
    let mut refused = respond::refusal(Refusal::new(
        Reason::Method,
        StatusCode::METHOD_NOT_ALLOWED,
        "send each JSON-RPC message in a POST; a GET asks for changes of what a session subscribed \
         to: send `Mcp-Session-Id` as `initialize` gave it, and `Accept: text/event-stream`",
    ));
    let allowed = HeaderValue::from_static("GET, POST, OPTIONS");
    refused.headers_mut().insert(header::ALLOW, allowed);
    Some(refused)
}

fn malformed(error: &Error) -> Response<Body> {
    respond::rpc(RpcResponse::malformed(None, error), true)
}

/// The events. `retry` comes first and the id last: a client that loses the rest comes again neither
/// at once nor without hearing of it. Without notifications there is one event without data, as
/// clients know it from streams that begin (2025-11-25, basic/transports).
fn written(updates: &Updates) -> Bytes {
    let mut out = format!("retry: {}\n", updates.retry.as_millis()).into_bytes();
    for (place, notification) in updates.notifications.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\n\n");
        }
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(notification);
    }
    if let Some(id) = &updates.id {
        if updates.notifications.is_empty() {
            out.extend_from_slice(b"data:");
        }
        out.extend_from_slice(b"\nid: ");
        out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(b"\n\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn events_have_a_retry_whatever_there_is_to_tell() {
        let updates = |notifications: &[&'static str], id: Option<&str>| Updates {
            notifications: notifications
                .iter()
                .map(|text| Bytes::from_static(text.as_bytes()))
                .collect(),
            id: id.map(str::to_owned),
            retry: Duration::from_secs(30),
        };
        for (updates, expected) in [
            (updates(&[], None), "retry: 30000\n\n\n"),
            (updates(&[], Some("x")), "retry: 30000\ndata:\nid: x\n\n"),
            (
                updates(&["1", "2"], Some("x")),
                "retry: 30000\ndata: 1\n\ndata: 2\nid: x\n\n",
            ),
        ] {
            assert_eq!(written(&updates), expected);
        }
    }
}
