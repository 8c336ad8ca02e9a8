//! The HTTP service called as the function that it is, with time, randomness and records under
//! control.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use mcpfn::{Builder, Principal, port::Platform, round_trip::Keyring};
use mcpfn_http::{Config, Service};

use super::time::{self, Log, Time};
use super::{Host, Request, Response};

/// A service and its platform.
pub(crate) struct InProcess {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    pub(crate) time: Time,
    pub(crate) log: Log,
    principal: Principal,
}

impl InProcess {
    pub(crate) fn new(server: impl FnOnce() -> Builder) -> Self {
        Self::with_config(server, Config::loopback())
    }

    pub(crate) fn with_config(server: impl FnOnce() -> Builder, config: Config) -> Self {
        let server = server().build().unwrap_or_else(|error| panic!("{error}"));
        let (time, log) = (Time::new(), Log::default());
        let platform = time::platform(&time, &log, time::keys());
        Self {
            service: Service::new(server, config),
            platform,
            time,
            log,
            principal: Principal::local(),
        }
    }

    /// The same server, called by another caller.
    pub(crate) fn called_by(mut self, principal: Principal) -> Self {
        self.principal = principal;
        self
    }

    /// The next calls come from another caller.
    pub(crate) fn turn_into(&mut self, principal: Principal) {
        self.principal = principal;
    }

    /// The same server on a platform with more ports.
    pub(crate) fn on(mut self, more: impl FnOnce(Platform) -> Platform) -> Self {
        self.platform = Arc::new(more(Arc::unwrap_or_clone(self.platform)));
        self
    }

    /// The same server with other keys.
    pub(crate) fn with_keys(mut self, keys: Keyring) -> Self {
        self.platform = time::platform(&self.time, &self.log, keys);
        self
    }

    /// As the service takes it.
    pub(crate) fn to_http(&self, request: &Request) -> http::Request<Pieces> {
        let mut built = http::Request::builder()
            .method(request.method.as_str())
            .uri(&request.path);
        for (name, value) in &request.headers {
            built = built.header(
                name,
                http::HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
            );
        }
        if request.find("host").is_none() {
            built = built.header("host", "localhost");
        }
        if !request.chunked && !request.body.is_empty() && request.find("content-length").is_none()
        {
            built = built.header("content-length", request.body.len());
        }
        let mut built = built.body(Pieces::of(&request.body)).expect("a request");
        built.extensions_mut().insert(self.principal.clone());
        built
    }
}

impl Host for InProcess {
    fn name(&self) -> &'static str {
        "in process"
    }

    fn send(&self, request: &Request) -> Response {
        time::block_on(&self.time, async {
            let (parts, body) = self
                .service
                .call(self.to_http(request), &self.platform)
                .await
                .into_parts();
            let text = |value: &http::HeaderValue| {
                value.to_str().expect("our headers are ASCII").to_owned()
            };
            let headers = parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect();
            let body = body
                .collect()
                .await
                .expect("our bodies do not fail")
                .to_bytes()
                .to_vec();
            Response {
                status: parts.status.as_u16(),
                headers,
                body,
            }
        })
    }
}

/// A body that comes in several frames and does not say how long it is.
pub(crate) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(body: &[u8]) -> Self {
        Self(body.chunks(64 * 1024).map(Bytes::copy_from_slice).collect())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
