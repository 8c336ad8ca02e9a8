//! From an HTTP response to what Lambda takes: one JSON document, or a stream behind an envelope.
//! It does not look into the body.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use mcpfn_http::Body;
use serde_json::json;
use tracing::Span;

use crate::event::Trigger;

/// How the trigger of an event wants a buffered answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) multi_value_headers: bool,
    pub(crate) trigger: Trigger,
}

/// Reads the body to its end and makes the document of it that the trigger reads. What is more than
/// it takes becomes an error that says so: the platform would give the client no answer at all.
pub(crate) async fn buffered(response: Response<Body>, shape: Shape) -> Bytes {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    let body = body.to_bytes();
    let most = shape.trigger.max_document();
    let text = document(&parts, &body, shape, false);
    if text.len() <= most {
        return text.into();
    }
    // quotes take two bytes in text, and JSON has many
    let size = text.len();
    drop(text);
    if shape.trigger.decodes_base64() && body.len() / 3 * 4 <= most {
        let encoded = document(&parts, &body, shape, true);
        if encoded.len() <= most {
            return encoded.into();
        }
    }
    tracing::warn!(
        event = "answer_too_large",
        size,
        most,
        "an answer was larger than its trigger takes"
    );
    let (parts, instead) = mcpfn_http::too_large(parts, &body, size, most).into_parts();
    let Ok(instead) = instead.collect().await;
    document(&parts, &instead.to_bytes(), shape, false).into()
}

fn document(parts: &Parts, body: &[u8], shape: Shape, base64: bool) -> String {
    let mut document = json!({
        "statusCode": parts.status.as_u16(),
        "isBase64Encoded": base64,
    });
    let load_balancer = shape.trigger == Trigger::LoadBalancer;
    if shape.multi_value_headers {
        document["multiValueHeaders"] = json!(values(&parts.headers));
    } else {
        document["headers"] = json!(joined(&parts.headers));
    }
    if load_balancer {
        document["statusDescription"] = json!(parts.status.to_string());
    } else if !shape.multi_value_headers {
        // nothing to AWS, but `cargo lambda watch` reads no answer without them
        document["multiValueHeaders"] = json!({});
        document["cookies"] = json!([]);
    }
    let mut document = document.to_string();
    // in place of the bracket at its end, so that a large body is copied once
    document.pop();
    document.push_str(",\"body\":");
    if base64 {
        document.reserve(body.len() / 3 * 4 + 8);
        document.push('"');
        STANDARD.encode_string(body, &mut document);
        document.push('"');
    } else {
        // JSON and event streams are UTF-8, and a text can always be written
        let body = String::from_utf8_lossy(body);
        document.push_str(&serde_json::to_string(&body).unwrap_or_default());
    }
    document.push('}');
    document
}

/// The streaming form: head, eight zero bytes, body. Reading it runs the handler, under the span of
/// its invocation; dropping it cancels the handler.
pub(crate) struct StreamPrelude {
    /// Each in a chunk of its own, because `cargo lambda watch` tells them apart by that. What is
    /// there already leaves with them all the same: a fixed body is one packet.
    start: std::array::IntoIter<Bytes, 2>,
    empty: bool,
    body: Body,
    span: Span,
}

impl StreamPrelude {
    pub(crate) fn new(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let head = json!({"statusCode": parts.status.as_u16(), "headers": joined(&parts.headers), "cookies": []});
        let start = [Bytes::from(head.to_string()), Bytes::from_static(&[0; 8])].into_iter();
        Self {
            start,
            empty: true,
            body,
            span: Span::current(),
        }
    }
}

impl http_body::Body for StreamPrelude {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self {
            start,
            empty,
            body,
            span,
        } = &mut *self;
        if let Some(piece) = start.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let _entered = span.enter();
        let frame = ready!(Pin::new(body).poll_frame(cx));
        // front doors wait for the first byte of a body before they send the head on
        let filler =
            (frame.is_none() && *empty).then(|| Ok(Frame::data(Bytes::from_static(b"\n"))));
        *empty = false;
        Poll::Ready(frame.or(filler))
    }
}

fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined = BTreeMap::new();
    for (name, values) in values(headers) {
        joined.insert(name, values.join(", "));
    }
    joined
}

fn values(headers: &HeaderMap) -> BTreeMap<&str, Vec<String>> {
    let mut values = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        values
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    values
}
