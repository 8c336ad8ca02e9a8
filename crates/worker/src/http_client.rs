//! Other HTTP services by `fetch`, behind the `HttpClient` port.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http::Uri;
use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use worker::js_sys::{Array, Function, Reflect, Uint8Array, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect, Response,
    WorkerGlobalScope,
};

use crate::address;
use crate::ports::Timeout;
use crate::request::{header_pairs, piece};
use crate::zone::OwnZones;

/// `fetch`. A Worker reaches the public internet only; for calls that must not leave it, a host
/// that is written as an address is refused too, which Cloudflare would do by itself and `workerd`
/// on another machine does not. So is a name of the Worker's own zones, which would be asked past
/// Access and the firewall if `global_fetch_strictly_public` was missing.
#[derive(Debug)]
pub(crate) struct Fetch(pub(crate) Rc<OwnZones>);

impl HttpClient for Fetch {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            check(&mut request, &self.0)?;
            let controller = AbortController::new().map_err(|error| unreachable(&error))?;
            // dropped, also by a call that is dropped, it ends the exchange
            let _end = End(controller.clone());
            let mut time = Timeout::new(request.timeout);
            let mut answer = pin!(exchange(&request, &controller));
            poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Pending => Pin::new(&mut time)
                    .poll(cx)
                    .map(|()| Err(HttpError::TimedOut)),
                ready => ready,
            })
            .await
        })
    }
}

/// `http::Uri` and not the `url` crate, whose tables for international names are a tenth of a small
/// server.
fn check(request: &mut HttpRequest, own: &OwnZones) -> Result<(), HttpError> {
    let bad = |cause: &str| Err(HttpError::BadUrl(cause.to_owned()));
    if has_other_alphabet(&request.url) {
        let Some(url) = with_ascii_host(&request.url) else {
            return bad("its host is not a name in any alphabet");
        };
        request.url = url;
    }
    let Ok(url) = request.url.parse::<Uri>() else {
        return bad("not an absolute URL in ASCII");
    };
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return bad("neither http nor https");
    }
    let Some(authority) = url.authority() else {
        return bad("no host");
    };
    if authority.as_str().contains('@') {
        return bad("credentials in it");
    }
    if request.public_only && !address::is_name(authority.host()) {
        return Err(HttpError::NotPublic(
            "an address instead of a name, or a name of this machine".to_owned(),
        ));
    }
    if request.public_only && own.has(authority.host()) {
        return Err(HttpError::NotPublic(
            "a name of the zone that this Worker is served in".to_owned(),
        ));
    }
    Ok(())
}

/// Whether a host has percent-encoded letters, which the runtime would read as a name in `xn--`: what
/// is checked has to be what is asked.
fn has_other_alphabet(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains('%') || !authority.is_ascii()
}

/// A URL as the runtime itself reads it, by its class `URL`.
fn with_ascii_host(url: &str) -> Option<String> {
    let class: Function = Reflect::get(&global(), &"URL".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let url = Reflect::construct(&class, &Array::of1(&url.into())).ok()?;
    Reflect::get(&url, &"href".into()).ok()?.as_string()
}

async fn exchange(
    request: &HttpRequest,
    controller: &AbortController,
) -> Result<HttpResponse, HttpError> {
    let headers = Headers::new().map_err(|error| unreachable(&error))?;
    for (name, value) in &request.headers {
        headers
            .append(name, value)
            .map_err(|error| unreachable(&error))?;
    }
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&controller.signal()));
    if !request.body.is_empty() {
        init.set_body(&Uint8Array::from(request.body.as_ref()));
    }
    let scope: WorkerGlobalScope = global().unchecked_into();
    let answered = JsFuture::from(scope.fetch_with_str_and_init(&request.url, &init))
        .await
        .map_err(|error| unreachable(&error))?;
    let response: Response = answered.unchecked_into();
    let mut answer = HttpResponse {
        status: response.status(),
        headers: header_pairs(&response.headers()),
        ..HttpResponse::default()
    };
    let hear = |piece: &[u8]| {
        request
            .listener
            .as_ref()
            .is_none_or(|listener| listener.hear(&answer, piece))
    };
    let taken = request
        .listener
        .as_ref()
        .is_some_and(|listener| listener.takes(&answer));
    let limit = (!taken).then_some(request.max_body);
    let (body, truncated) = read(&response, limit, hear).await?;
    (answer.body, answer.truncated) = (body, truncated);
    Ok(answer)
}

/// The body up to the limit, or until `hear` has heard enough; and whether there is more. Without a
/// limit it is for `hear` alone, and nothing is kept.
async fn read(
    response: &Response,
    limit: Option<usize>,
    hear: impl Fn(&[u8]) -> bool,
) -> Result<(Bytes, bool), HttpError> {
    let Some(stream) = response.body() else {
        return Ok((Bytes::new(), false));
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let interrupted = |error| HttpError::Interrupted(crate::error::message(&error));
        let read = JsFuture::from(reader.read()).await.map_err(interrupted)?;
        let Some(more) = piece(&read).map_err(|error| unreachable(&error))? else {
            return Ok((body.into(), false));
        };
        if let Some(limit) = limit {
            body.extend_from_slice(&more);
            if body.len() > limit {
                body.truncate(limit);
                return Ok((body.into(), true));
            }
        }
        if !hear(&more) {
            return Ok((body.into(), true));
        }
    }
}

struct End(AbortController);

impl Drop for End {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn unreachable(error: &JsValue) -> HttpError {
    HttpError::Unreachable(crate::error::message(error))
}
