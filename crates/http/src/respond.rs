//! From a JSON-RPC response, or a call that will have one, to an HTTP response.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use mcpfn_core::host::{Execution, Frame, RpcResponse, Running};
use mcpfn_core::jsonrpc::{Error, ErrorCode};

use crate::auth::{AuthConfig, Challenge};
use crate::body::Body;
use crate::guard::{self, Refusal};
use crate::heartbeat::{Beat, Heartbeat, Pulse};
use crate::refusals::Refused;
use crate::status;

/// One JSON document.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // the answer to a POST that may carry private data
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// No body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A refusal as a JSON-RPC error without id, so that a client never takes this server for an older
/// one.
pub(crate) fn refusal(refusal: Refusal) -> Response<Body> {
    let refused = Refused {
        reason: refusal.reason,
        message: refusal.message.clone(),
    };
    let mut error = match refusal.retry_after {
        Some(wait) => Error::rate_limited(refusal.message, wait),
        None => Error::new(ErrorCode::INVALID_REQUEST, refusal.message),
    };
    let header = refusal.challenge.map(|challenge| {
        error.data = Some(challenge.data);
        challenge.header
    });
    let mut response = json(refusal.status, RpcResponse::error(None, &error).message);
    response.extensions_mut().insert(refused);
    if let Some(value) = header.and_then(|header| HeaderValue::try_from(header).ok()) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
    if refusal.status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, guard::RETRY_S.into());
    }
    if let Some(wait) = refusal.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    if refusal.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
    }
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    }
    response
}

/// An answer to a question, where the store of answers is down.
pub(crate) fn not_kept() -> Response<Body> {
    let error = Error::internal("the answer could not be kept; send it again");
    let message = RpcResponse::error(None, &error).message;
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, message);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A finished JSON-RPC response.
pub(crate) fn rpc(rpc: RpcResponse, modern: bool) -> Response<Body> {
    let mut response = json(status::of(rpc.error.as_ref(), modern), rpc.message);
    if let Some(wait) = rpc.error.as_ref().and_then(|error| error.retry_after) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    if let Some(error) = rpc.error.filter(|error| !error.scopes.is_empty()) {
        // the service knows how to ask for them
        response.extensions_mut().insert(Lacking(error.scopes));
    }
    response
}

/// The scopes that a refused call needs.
#[derive(Clone)]
pub(crate) struct Lacking(pub(crate) Vec<String>);

/// Tells the caller of a refused call how to get the scopes that it needs.
pub(crate) fn step_up(response: &mut Response<Body>, auth: &AuthConfig, realm: &str) {
    let Some(Lacking(scopes)) = response.extensions_mut().remove::<Lacking>() else {
        return;
    };
    let challenge = auth.challenge(realm, Some("insufficient_scope"), &scopes);
    if let Some(body) = response
        .body()
        .as_full()
        .and_then(|body| repeated(body, &challenge))
    {
        *response.body_mut() = Body::full(body);
    }
    if let Ok(value) = HeaderValue::try_from(challenge.header) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
}

/// A call: JSON if the call ends before it reports anything; an event stream from its first report
/// on, or once a client that gave a progress token has heard nothing for a while. `streams`:
/// whether the client reads these; most calls never ask.
pub(crate) async fn execution(
    execution: Execution,
    modern: bool,
    streams: impl Fn() -> bool,
    heartbeat: Heartbeat,
) -> Response<Body> {
    let mut running = match execution {
        Execution::Done(response) => return rpc(response, modern),
        Execution::Running(running) => running,
    };
    let mut pulse = Pulse::new(heartbeat, running.wants_progress() && streams());
    loop {
        match std::future::poll_fn(|cx| pulse.poll_frame(&mut running, cx)).await {
            Beat::Frame(Some(Frame::Response(response))) => return rpc(response, modern),
            Beat::Frame(Some(Frame::Notification(first))) if streams() => {
                return stream(
                    Beat::Frame(Some(Frame::Notification(first))),
                    running,
                    pulse,
                );
            }
            // a client that reads no streams loses the reports, not the answer
            Beat::Frame(Some(Frame::Notification(_))) => {}
            Beat::Frame(None) => {
                return rpc(
                    RpcResponse::error(
                        None,
                        &Error::internal("internal error: the call ended without a response"),
                    ),
                    modern,
                );
            }
            Beat::Silence => return stream(Beat::Silence, running, pulse),
        }
    }
}

/// An error's body with the challenge in its data.
fn repeated(body: &Bytes, challenge: &Challenge) -> Option<Bytes> {
    let mut message: serde_json::Value = serde_json::from_slice(body).ok()?;
    let data = message.pointer_mut("/error/data")?.as_object_mut()?;
    data.extend(challenge.data.as_object()?.clone());
    Some(message.to_string().into())
}

/// Events that are there already, as a stream that ends with them.
pub(crate) fn events(events: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::full(events));
    describe_stream(&mut response);
    response
}

fn stream(first: Beat, running: Running, mut pulse: Pulse) -> Response<Body> {
    // an open stream is never silent for long, also while a person thinks
    pulse.beats = true;
    let mut response = Response::new(Body::stream(first, running, pulse));
    describe_stream(&mut response);
    response
}

fn describe_stream(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // no proxy may compress events, for which it would hold them back
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    // nginx would hold events back until its buffer is full
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}
