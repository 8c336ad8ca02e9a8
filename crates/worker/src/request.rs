//! From a fetch event's request to an HTTP request. The body stays in JavaScript until it is read.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body::Frame;
use mcpfn_core::Principal;
use mcpfn_settings::strip_base_path;
use worker::js_sys::{Array, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys;
use worker::web_sys::ReadableStreamDefaultReader;

use crate::zone::OwnZones;

/// The request as the HTTP crate reads it, with the path below `base_path`. `zones` learns under
/// which name it came.
pub(crate) fn convert(
    request: web_sys::Request,
    base_path: &str,
    zones: &OwnZones,
) -> Request<IncomingBody> {
    let mut converted = Request::new(());
    // an invalid method or path can only be answered as one that is not served
    *converted.method_mut() =
        Method::from_bytes(request.method().as_bytes()).unwrap_or(Method::TRACE);
    let uri = Uri::try_from(request.url()).unwrap_or(Uri::from_static("/unreadable"));
    zones.note(uri.host().unwrap_or_default());
    *converted.uri_mut() = if base_path.is_empty() {
        uri
    } else {
        Uri::try_from(strip_base_path(uri.path(), base_path))
            .unwrap_or(Uri::from_static("/unreadable"))
    };
    *converted.headers_mut() = headers(&request.headers());
    let principal = address(converted.headers()).map_or_else(Principal::anonymous, |address| {
        Principal::anonymous().at(address)
    });
    converted.extensions_mut().insert(principal);
    let length = converted.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let at_once = length.is_some_and(|length| length <= AT_ONCE);
    converted.map(|()| {
        if at_once {
            IncomingBody::Declared(request)
        } else {
            IncomingBody::Undeclared(request)
        }
    })
}

/// Where the call came from. Cloudflare sets the header, and every call of a Worker passes it.
fn address(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get("cf-connecting-ip")?.to_str().ok()?.parse().ok()
}

fn headers(from: &web_sys::Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in header_pairs(from) {
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        // an invalid value stays as an empty one: a check that forbids the header must still find
        // it
        headers.append(
            name,
            HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("")),
        );
    }
    headers
}

/// All headers in two steps over the border instead of two for each: `name,value` lines, and
/// neither has a line break.
pub(crate) fn header_pairs(headers: &web_sys::Headers) -> Vec<(String, String)> {
    let lines = String::from(Array::from(headers).join("\n"));
    lines
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Bodies that say that they have at most as many bytes are read whole. What is refused for its
/// size is dropped in pieces, and never in memory as a whole.
const AT_ONCE: u64 = 4 * 1024 * 1024;

/// The body of a request. A small one that says its length is read at once; another is read in
/// pieces, so that a limit can stop it.
pub(crate) enum IncomingBody {
    Declared(web_sys::Request),
    Whole(JsFuture),
    Undeclared(web_sys::Request),
    Pieces(ReadableStreamDefaultReader, JsFuture),
    End,
}

impl http_body::Body for IncomingBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match &mut *self {
                Self::End => return Poll::Ready(None),
                Self::Declared(request) => {
                    *self = Self::Whole(request.array_buffer().map_err(|_| Broken)?.into());
                }
                Self::Whole(buffer) => {
                    let read = ready!(Pin::new(buffer).poll(cx));
                    *self = Self::End;
                    let bytes = Uint8Array::new(&read.map_err(|_| Broken)?).to_vec();
                    return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                }
                Self::Undeclared(request) => {
                    *self = match request.body() {
                        Some(stream) => {
                            let reader: ReadableStreamDefaultReader =
                                stream.get_reader().unchecked_into();
                            let first = reader.read();
                            Self::Pieces(reader, first.into())
                        }
                        None => Self::End,
                    }
                }
                Self::Pieces(reader, next) => {
                    let read = ready!(Pin::new(&mut *next).poll(cx)).map_err(|_| Broken)?;
                    let Some(piece) = piece(&read).map_err(|_| Broken)? else {
                        *self = Self::End;
                        return Poll::Ready(None);
                    };
                    *next = reader.read().into();
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::End)
    }
}

/// What a stream's reader gave: the next bytes, or its end.
pub(crate) fn piece(read: &JsValue) -> Result<Option<Bytes>, JsValue> {
    if Reflect::get(read, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(
        Uint8Array::new(&Reflect::get(read, &"value".into())?)
            .to_vec()
            .into(),
    ))
}

/// The body ended before it was complete.
#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body ended before it was complete")
    }
}

impl std::error::Error for Broken {}
