//! From an HTTP response to what Lambda takes: one JSON document, or a stream. It does not look into the body.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Response};
use http_body::Body as _;
use lambda_runtime::{MetadataPrelude, StreamResponse};
use mcpfn_http::Body;
use serde::Serialize;
use tracing::Span;

/// A body as pieces. Reading it runs the handler, under the span of its invocation; dropping it cancels the handler.
pub(crate) struct Chunks {
    first: Option<Bytes>,
    rest: Option<Body>,
    span: Span,
}

impl Chunks {
    pub(crate) fn of(body: Body) -> Self {
        Self { first: None, rest: Some(body), span: Span::current() }
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { first: Some(bytes), rest: None, span: Span::none() }
    }

    fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { first, rest, span } = &mut *self;
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(body) = rest else { return Poll::Ready(None) };
        let _entered = span.enter();
        let frame = ready!(Pin::new(body).poll_frame(cx));
        // our bodies have no trailers, which would end them
        Poll::Ready(frame.and_then(|frame| frame.map(|frame| frame.into_data().ok()).transpose()))
    }
}

/// The streaming form.
pub(crate) fn streamed(response: Response<Chunks>) -> StreamResponse<Chunks> {
    let (parts, mut chunks) = response.into_parts();
    if chunks.is_empty() {
        // front doors wait for the first byte of a stream before they send the head on
        chunks.first = Some(Bytes::from_static(b"\n"));
    }
    let metadata_prelude = MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies: Vec::new() };
    StreamResponse { metadata_prelude, stream: chunks }
}

/// The buffered form, as every HTTP trigger reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Buffered {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    body: String,
    is_base64_encoded: bool,
}

/// How the trigger of an event wants its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) multi_value_headers: bool,
    pub(crate) status_description: bool,
}

/// Reads the body to its end and makes the buffered form of it.
pub(crate) async fn buffered(response: Response<Chunks>, shape: Shape) -> Buffered {
    let (parts, mut chunks) = response.into_parts();
    let mut body = Vec::new();
    while let Some(Ok(chunk)) = std::future::poll_fn(|cx| Pin::new(&mut chunks).poll_next(cx)).await {
        body.extend_from_slice(&chunk);
    }
    let values = values(&parts.headers);
    let (headers, multi_value_headers) = if shape.multi_value_headers {
        (None, Some(values))
    } else {
        (Some(values.into_iter().map(|(name, values)| (name, values.join(", "))).collect()), None)
    };
    Buffered {
        status_code: parts.status.as_u16(),
        status_description: shape.status_description.then(|| parts.status.to_string()),
        headers,
        multi_value_headers,
        // JSON and event streams are UTF-8
        body: String::from_utf8_lossy(&body).into_owned(),
        is_base64_encoded: false,
    }
}

fn values(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        values.entry(name.to_string()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    values
}
