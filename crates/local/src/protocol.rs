//! Which versions of HTTP are spoken. Without the feature `http2` that is HTTP/1.1 alone, and a proxy in
//! front has the other; with it, also HTTP/2: over TLS to clients that ask for it (ALPN), and in the
//! clear to those that begin with it (prior knowledge).

use std::time::Duration;

use hyper_util::rt::TokioTimer;

#[cfg(not(feature = "http2"))]
pub(crate) use hyper::server::conn::http1::Builder as HttpBuilder;
#[cfg(feature = "http2")]
pub(crate) type HttpBuilder =
    hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>;

/// As TLS names them, the best one first.
#[cfg(all(feature = "tls", not(feature = "http2")))]
pub(crate) const NAMES: &[&[u8]] = &[b"http/1.1"];
#[cfg(all(feature = "tls", feature = "http2"))]
pub(crate) const NAMES: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Requests of one HTTP/2 connection at a time: as many as browsers and proxies want at most.
#[cfg(feature = "http2")]
const STREAMS: u32 = 100;

/// What serves a connection: the most bytes of a head, and how long one may take.
#[cfg(not(feature = "http2"))]
pub(crate) fn builder(head: usize, idle: Duration) -> HttpBuilder {
    let mut builder = HttpBuilder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(head);
    builder
}

/// What serves a connection: the most bytes of a head, and how long one may take.
#[cfg(feature = "http2")]
pub(crate) fn builder(head: usize, idle: Duration) -> HttpBuilder {
    let mut builder = HttpBuilder::new(hyper_util::rt::TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        // what clients may send of all their bodies before it is read
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        // a client that is gone without a word has no call
        .keep_alive_interval(idle);
    builder
}
