//! The port to other HTTP services (`mcpfn_core::port::HttpClient`) where there are sockets: hyper,
//! rustls with ring, the roots of the web compiled in. HTTP/1.1 only; no redirects, cookies,
//! proxies or retries. Bodies are decompressed, except parts of them (status 206). A request goes
//! from its values to its answer here, in the order of the checks.

mod address;
mod connect;
mod content;
mod resolve;
mod target;

pub use self::resolve::{Resolve, SystemResolver};

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderName,
    HeaderValue, TRANSFER_ENCODING,
};
use http::response::Parts;
use http::{Method, Request};
use http_body_util::Full;
use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use self::address::is_public;
use self::connect::Pools;
use self::resolve::NotPublic;
use self::target::target;

/// The status of an answer that has a part of something.
const PART: u16 = 206;

/// The client. It makes nothing before its first request; it has to live in a tokio runtime with
/// time and sockets.
pub struct Client {
    resolver: Arc<dyn Resolve>,
    /// Roots besides those of the web.
    own_roots: RootCertStore,
    pools: OnceLock<Pools>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client that resolves names as the operating system does, and trusts the roots of the web.
    #[must_use]
    pub fn new() -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            own_roots: RootCertStore::empty(),
            pools: OnceLock::new(),
        }
    }

    /// Resolves names in another way.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts one more root, given as the DER of its certificate: that of a company, say.
    ///
    /// # Errors
    /// When that is no certificate; the sentence says so.
    pub fn with_root(mut self, certificate: &[u8]) -> Result<Self, String> {
        let added = self.own_roots.add(CertificateDer::from(certificate));
        added.map_err(|error| format!("the certificate can't be trusted as a root: {error}"))?;
        Ok(self)
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (uri, address) = target(&request.url)?;
        if request.public_only {
            // the connector resolves no addresses, so its check does not see them
            refuse_private(address)?;
        }
        let pools = self.pools.get_or_init(|| {
            let mut roots = self.own_roots.clone();
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            Pools::new(&self.resolver, roots)
        });
        let pool = if request.public_only {
            &pools.public
        } else {
            &pools.any
        };

        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| unreachable("the HTTP method is invalid"))?;
        let mut sent = Request::new(Full::new(request.body));
        *sent.method_mut() = method;
        *sent.uri_mut() = uri;
        *sent.headers_mut() = headers(&request.headers)?;

        let response = pool.request(sent).await.map_err(|error| failure(&error))?;
        let (mut head, body) = response.into_parts();
        // what is compressed can't be heard before its end
        let listener = request
            .listener
            .filter(|_| !head.headers.contains_key(CONTENT_ENCODING));
        let before = listener.map(|listener| (listener, answer(&head, Bytes::new(), false)));
        let taken = before
            .as_ref()
            .is_some_and(|(listener, answer)| listener.takes(answer));
        let hear = |piece: &[u8]| {
            before
                .as_ref()
                .is_none_or(|(listener, answer)| listener.hear(answer, piece))
        };
        let limit = (!taken).then(|| content::on_the_wire(request.max_body));
        let read = content::read(body, limit, hear);
        let interrupted = |error| HttpError::Interrupted(chain(&error));
        let (body, cut) = read.await.map_err(interrupted)?;
        // a part of something compressed can't be decompressed: a caller that asks for parts gets
        // them as they are
        let (body, truncated) = if head.status.as_u16() == PART {
            content::bounded(body, cut, request.max_body)
        } else {
            content::decode(&mut head.headers, body, cut, request.max_body)
                .map_err(HttpError::Undecodable)?
        };
        Ok(answer(&head, body, truncated))
    }
}

impl HttpClient for Client {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let timeout = request.timeout;
        Box::pin(async move {
            tokio::time::timeout(timeout, self.answer(request))
                .await
                .unwrap_or(Err(HttpError::TimedOut))
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("own_roots", &self.own_roots.len())
            .field("used", &self.pools.get().is_some())
            .finish()
    }
}

fn answer(head: &Parts, body: Bytes, truncated: bool) -> HttpResponse {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    HttpResponse {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(text).collect(),
        body,
        truncated,
    }
}

fn refuse_private(address: Option<IpAddr>) -> Result<(), HttpError> {
    match address {
        Some(address) if !is_public(address) => Err(HttpError::NotPublic(format!(
            "{address} is not of the public internet"
        ))),
        _ => Ok(()),
    }
}

/// The request's headers, without those that are about the connection: a caller that could set them
/// could send two requests.
fn headers(given: &[(String, String)]) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(content::ACCEPTED));
    for (name, value) in given {
        // values may be secrets, and names may be anything: neither is repeated
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(unreachable("a header's name can't be sent"));
        };
        let Ok(value) = HeaderValue::from_str(value) else {
            return Err(unreachable(format!(
                "the value of the header `{name}` can't be sent"
            )));
        };
        if [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err(unreachable(format!(
                "the header `{name}` is the client's own"
            )));
        }
        if name == ACCEPT_ENCODING {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn unreachable(cause: impl Into<String>) -> HttpError {
    HttpError::Unreachable(cause.into())
}

/// Why there was no answer. That a name is not public, or a certificate not valid, is known by the
/// connector, far below.
fn failure(failed: &hyper_util::client::legacy::Error) -> HttpError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(failed);
    while let Some(error) = cause {
        let wrapped = innermost(error);
        if let Some(NotPublic(name)) = wrapped.downcast_ref() {
            return HttpError::NotPublic(NotPublic(name.clone()).to_string());
        }
        if wrapped.is::<rustls::Error>() {
            return HttpError::Untrusted(chain(failed));
        }
        cause = error.source();
    }
    let said = chain(failed);
    if failed.is_connect() {
        unreachable(said)
    } else {
        HttpError::Interrupted(said)
    }
}

/// What errors of I/O are wrapped around: each gives the source of that, and not that itself.
fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(wrapped) = error
        .downcast_ref::<std::io::Error>()
        .and_then(|error| error.get_ref())
    {
        error = wrapped;
    }
    error
}

/// An error and what is below it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
