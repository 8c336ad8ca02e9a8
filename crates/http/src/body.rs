//! The body of a response: whole, or a stream of events that drives the call while it is read.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::SizeHint;
use mcpfn_core::host::{Frame, Running};

use crate::heartbeat::{Beat, Pulse};

/// The body of a response. Reading it runs the handler; dropping it cancels the handler. It is
/// `Sync`, as servers on several threads want it, though handlers are not.
pub struct Body(BodyKind);

enum BodyKind {
    Full(Bytes),
    /// Never locked: only who has the body alone reads it.
    Stream(Box<Mutex<Events>>),
}

struct Events {
    /// Already taken from the call: it decided that this is a stream.
    first: Option<Beat>,
    running: Running,
    pulse: Pulse,
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self(BodyKind::Full(Bytes::new()))
    }

    /// These bytes and nothing more.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        Self(BodyKind::Full(bytes))
    }

    pub(crate) fn stream(first: Beat, running: Running, pulse: Pulse) -> Self {
        Self(BodyKind::Stream(Box::new(Mutex::new(Events {
            first: Some(first),
            running,
            pulse,
        }))))
    }

    /// The whole body, where it is not a stream. A host that can send fixed bytes cheaper asks this
    /// first.
    #[must_use]
    pub fn as_full(&self) -> Option<&Bytes> {
        match &self.0 {
            BodyKind::Full(bytes) => Some(bytes),
            BodyKind::Stream(_) => None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let events = match &mut self.0 {
            BodyKind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                return Poll::Ready((!bytes.is_empty()).then(|| Ok(http_body::Frame::data(bytes))));
            }
            BodyKind::Stream(events) => events.get_mut().unwrap_or_else(PoisonError::into_inner),
        };
        let beat = match events.first.take() {
            Some(first) => first,
            None => std::task::ready!(events.pulse.poll_frame(&mut events.running, cx)),
        };
        let bytes = match beat {
            Beat::Frame(Some(Frame::Notification(message))) => event(&message),
            Beat::Frame(Some(Frame::Response(response))) => event(&response.message),
            // a comment: clients skip it
            Beat::Silence => Bytes::from_static(b": still working\n\n"),
            Beat::Frame(None) => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(http_body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, BodyKind::Full(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            BodyKind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            BodyKind::Stream(_) => SizeHint::default(),
        }
    }
}

/// One server-sent event. Our JSON has no line breaks, so one `data` line holds it.
fn event(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 8);
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(message);
    out.extend_from_slice(b"\n\n");
    out.into()
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BodyKind::Full(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            BodyKind::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}
