//! The port to other HTTP services, and the values that cross it. Not a client: hyper and `fetch`
//! implement it elsewhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// A client for other HTTP services. It follows no redirects, keeps no cookies, retries nothing.
///
/// ```
/// use mcpfn_core::{handler::BoxFuture, port::{HttpClient, HttpError, HttpRequest, HttpResponse}};
///
/// /// A client for a machine without a network.
/// struct Offline;
///
/// impl HttpClient for Offline {
///     fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
///         Box::pin(async move { Err(HttpError::Unreachable(format!("{request:?}"))) })
///     }
/// }
///
/// let request = HttpRequest::get("https://example.com/a?key=secret");
/// let error = mcpfn_testing::block_on(Offline.send(request)).unwrap_err();
/// assert_eq!(error.to_string(), "unreachable: GET https://example.com/a"); // without its query
/// ```
pub trait HttpClient: MaybeSend + MaybeSync {
    /// Sends one request and reads the answer, up to the request's limits. Any status is an answer.
    ///
    /// # Errors
    /// See [`HttpError`].
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}

/// Hears the body of an answer while it comes, for what reports before its end. Clients that can't
/// do this call it never.
pub trait Listen: MaybeSend + MaybeSync {
    /// A piece of a body that is not compressed, after the status and headers in `response`, whose
    /// body is empty so far. `false` ends the exchange: what was read is the body, and it counts as
    /// truncated.
    fn hear(&self, response: &HttpResponse, piece: &[u8]) -> bool;

    /// Whether the pieces are for the listener alone: then the client keeps none of them, so that
    /// [`HttpRequest::max_body`] does not count what was heard, and the body stays empty. The
    /// listener bounds what it hears.
    fn takes(&self, _response: &HttpResponse) -> bool {
        false
    }
}

/// One request.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Such as `GET`.
    pub method: &'static str,
    /// An absolute `http` or `https` URL without credentials in it.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Bytes,
    /// From the first step to the last byte of the answer; ten seconds by default.
    pub timeout: Duration,
    /// Bytes of the answer's body, after decompression, that are read; one MiB by default.
    pub max_body: usize,
    /// Only addresses of the public internet may be reached. The address that was checked is the
    /// one that is used.
    pub public_only: bool,
    /// Receives the response while it arrives, in addition to the caller that waits for its end.
    pub listener: Option<Arc<dyn Listen>>,
}

impl HttpRequest {
    /// A GET.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            max_body: 1024 * 1024,
            public_only: false,
            listener: None,
        }
    }

    /// A POST of a body of this content type.
    #[must_use]
    pub fn post(url: impl Into<String>, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            method: "POST",
            body: body.into(),
            ..Self::get(url)
        }
        .header("content-type", content_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the limit of time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the limit of the answer's body, in bytes.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Forbids addresses that are not of the public internet.
    #[must_use]
    pub fn public_only(mut self) -> Self {
        self.public_only = true;
        self
    }
}

/// Without headers, body and query: they may carry credentials.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            self.method,
            self.url.split('?').next().unwrap_or_default()
        )
    }
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
    /// The body was longer than the request's limit, and the rest is missing.
    pub truncated: bool,
}

impl HttpResponse {
    /// The first header of a name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer. The causes are for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// The URL can't be used: another scheme, no host, credentials in it.
    BadUrl(String),
    /// The host has an address that is not of the public internet, and only those are allowed.
    NotPublic(String),
    /// The time was over.
    TimedOut,
    /// No connection.
    Unreachable(String),
    /// No connection that can be trusted: the other side's certificate is not valid for its name, say.
    Untrusted(String),
    /// The connection broke before the answer was whole: what was asked may have been done.
    Interrupted(String),
    /// An answer that can't be read: compressed in a way that was not asked for, or not validly.
    Undecodable(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(cause) => write!(f, "the URL can't be used: {cause}"),
            Self::NotPublic(cause) => write!(f, "the address is not public: {cause}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable(cause) => write!(f, "unreachable: {cause}"),
            Self::Untrusted(cause) => write!(f, "not trusted: {cause}"),
            Self::Interrupted(cause) => write!(f, "interrupted: {cause}"),
            Self::Undecodable(cause) => write!(f, "the answer can't be decoded: {cause}"),
        }
    }
}

impl std::error::Error for HttpError {}
