//! From an HTTP response to what Lambda takes: one JSON document, or a stream behind an envelope. It does not look into the body.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use mcpfn_http::Body;
use serde_json::json;
use tracing::Span;

/// How the trigger of an event wants a buffered answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) multi_value_headers: bool,
    pub(crate) status_description: bool,
}

/// Reads the body to its end and makes the document of it that the trigger reads.
pub(crate) async fn buffered(response: Response<Body>, shape: Shape) -> Bytes {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    let mut document = json!({
        "statusCode": parts.status.as_u16(),
        // JSON and event streams are UTF-8
        "body": String::from_utf8_lossy(&body.to_bytes()),
        "isBase64Encoded": false,
    });
    if shape.multi_value_headers {
        document["multiValueHeaders"] = json!(values(&parts.headers));
    } else {
        document["headers"] = json!(joined(&parts.headers));
    }
    if shape.status_description {
        document["statusDescription"] = json!(parts.status.to_string());
    }
    document.to_string().into()
}

/// The streaming form: head, eight zero bytes, body. Reading it runs the handler, under the span of its invocation; dropping it
/// cancels the handler.
pub(crate) struct Envelope {
    head: Option<Vec<u8>>,
    body: Body,
    span: Span,
}

impl Envelope {
    pub(crate) fn new(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let head = json!({"statusCode": parts.status.as_u16(), "headers": joined(&parts.headers), "cookies": []});
        let mut head = head.to_string().into_bytes();
        head.extend([0; 8]);
        Self { head: Some(head), body, span: Span::current() }
    }
}

impl http_body::Body for Envelope {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { head, body, span } = &mut *self;
        let _entered = span.enter();
        let frame = Pin::new(body).poll_frame(cx);
        let Some(mut start) = head.take() else { return frame };
        // what is there already leaves with the head: a fixed body is one packet
        match frame {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => start.extend(frame.into_data().unwrap_or_default()),
            // front doors wait for the first byte of a body before they send the head on
            Poll::Ready(None) => start.push(b'\n'),
        }
        Poll::Ready(Some(Ok(Frame::data(start.into()))))
    }
}

fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    values(headers).into_iter().map(|(name, values)| (name, values.join(", "))).collect()
}

fn values(headers: &HeaderMap) -> BTreeMap<&str, Vec<String>> {
    let mut values = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        values.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    values
}
