//! From an HTTP response to a fetch event's response: fixed bodies whole, event streams as a
//! `ReadableStream` that drives the call.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;
use http::{HeaderMap, Response};
use http_body::Body as _;
use mcpfn_http::Body;
use worker::{Error, Headers, ResponseBuilder, web_sys};

use crate::hangup::Hangup;
use crate::request_id::RequestId;
use crate::uncaught::guarded;

/// The response, and the task that waits for it.
pub(crate) fn convert(
    response: Response<Body>,
    client: Hangup,
    request: &Rc<RequestId>,
) -> Result<web_sys::Response, Error> {
    let (parts, body) = response.into_parts();
    let builder = ResponseBuilder::new()
        .with_status(parts.status.as_u16())
        .with_headers(headers(&parts.headers)?);
    let response = match body.as_full() {
        // some statuses may have no body, not even an empty one
        Some(bytes) if bytes.is_empty() => builder.empty(),
        Some(bytes) => builder.fixed(bytes.to_vec()),
        None => builder.from_stream(EventStream {
            body: Some(body),
            client,
            request: Rc::clone(request),
        })?,
    };
    Ok(response.into())
}

/// A fixed response of the host's own.
pub(crate) fn whole(response: Response<Body>) -> web_sys::Response {
    let (parts, body) = response.into_parts();
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16());
    let builder = match headers(&parts.headers) {
        Ok(headers) => builder.with_headers(headers),
        // without them the body still says what it says
        Err(_) => builder,
    };
    let bytes = body.as_full().cloned().unwrap_or_default();
    if bytes.is_empty() {
        builder.empty().into()
    } else {
        builder.fixed(bytes.to_vec()).into()
    }
}

fn headers(from: &HeaderMap) -> Result<Headers, Error> {
    let headers = Headers::new();
    for (name, value) in from {
        headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    Ok(headers)
}

/// Reading it runs the handler. It ends when the handler does or the client goes away, which drops
/// the handler.
struct EventStream {
    body: Option<Body>,
    client: Hangup,
    request: Rc<RequestId>,
}

impl Stream for EventStream {
    type Item = Result<Vec<u8>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let request = &this.request;
        let item = match guarded(|| request.during(|| Pin::new(body).poll_frame(cx))) {
            Poll::Ready(Ok(Some(Ok(frame)))) => {
                return Poll::Ready(Some(Ok(frame.into_data().unwrap_or_default().into())));
            }
            Poll::Ready(Ok(None)) => None,
            // the client sees a stream that breaks off: the call has no answer
            Poll::Ready(Err(panicked)) => Some(Err(Error::RustError(panicked.to_string()))),
            Poll::Pending if this.client.poll(cx).is_pending() => return Poll::Pending,
            Poll::Pending => None,
        };
        // a handler that is dropped may log, too
        request.during(|| this.body = None);
        Poll::Ready(item)
    }
}
