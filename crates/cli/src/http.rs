//! A client for HTTP whose answers are read while they arrive. Redirects are shown and not followed:
//! what a request carries is for one server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use crate::output::CliError;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read in one piece.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Sends requests. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why there was no answer.
#[derive(Debug)]
pub(crate) struct LostAnswer {
    /// Nothing of the request was sent.
    pub(crate) unsent: bool,
    /// It could not even be made, which the next attempt does not change.
    pub(crate) unmade: bool,
    /// In words.
    pub(crate) cause: String,
}

impl Http {
    pub(crate) fn new() -> Self {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                // ring has suites for every version that rustls knows
                .expect("ring serves the default versions of TLS")
                .with_root_certificates(roots)
                .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(https),
        )
    }

    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, LostAnswer> {
        self.0.request(request).await.map_err(|error| LostAnswer {
            unsent: error.is_connect(),
            unmade: false,
            cause: told(&error),
        })
    }
}

/// An error with its causes: the first alone says "client error".
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// The whole body of an answer.
pub(crate) async fn whole(body: Incoming) -> Result<Bytes, String> {
    at_most(MAX_ANSWER, body).await
}

/// A body of at most so many bytes.
pub(crate) async fn at_most(bytes: usize, body: Incoming) -> Result<Bytes, String> {
    let read = Limited::new(body, bytes).collect().await;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                format!("the answer is larger than {bytes} bytes")
            } else {
                format!("the connection was cut in the middle of the answer: {error}")
            }
        })
}

/// An address of a server, to which credentials may be sent: `https`, or this machine.
pub(crate) fn endpoint(text: &str) -> Result<Uri, CliError> {
    let wrong = |why: &str| {
        CliError(format!(
            "`{}` can't be asked: {why}; give a URL such as https://mcp.example.com/mcp",
            text.escape_debug()
        ))
    };
    // a terminal obeys some of the other characters, and shows some as what they are not
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "it has characters that are percent-encoded in URLs, or punycode in names",
        ));
    }
    let url: Uri = text.parse().map_err(|_| wrong("it is no URL"))?;
    if url.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err(CliError(
            "the URL has a password in it, which others can see: take it out, and give credentials \
             with --header"
                .to_owned(),
        ));
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if url.host().is_some_and(is_here) => Ok(url),
        Some("http") => Err(wrong("everybody on the way can read what http:// carries")),
        _ => Err(wrong("it does not begin with https://")),
    }
}

/// Whether a host is this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether a host is this machine or one of its own network, by what the name itself says.
pub(crate) fn is_near(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let near = |address: Ipv4Addr| {
        address.is_loopback()
            || address.is_private()
            || address.is_link_local()
            || address.octets()[0] == 0
    };
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => near(address),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some_and(near)
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_keeps_secrets_is_asked() {
        for good in [
            "https://mcp.example.com/mcp",
            "http://127.0.0.1:8787/mcp",
            "http://localhost/mcp",
            "http://[::1]:1/mcp",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://mcp.example.com/mcp", "everybody on the way"),
            ("http://localhost.example.com/mcp", "everybody on the way"),
            ("mcp.example.com", "does not begin with https://"),
            ("ftp://a/b", "does not begin with https://"),
            ("", "no URL"),
            ("https://a.example/\u{9b}2J", "percent-encoded"),
            ("https://a.example/\u{202e}", "percent-encoded"),
            ("https://a.example/\u{7f}", "percent-encoded"),
            ("https://a.example/\u{1b}[2J", "percent-encoded"),
            ("https://\u{430}.example/", "punycode"),
        ] {
            let error = endpoint(bad).unwrap_err();
            assert!(error.0.contains(why), "{bad}: {error}");
        }
        for near in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.2",
            "10.1.2.3",
            "169.254.169.254",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:192.168.0.1]",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "8.8.8.8",
            "[2606:4700::1]",
            "localhost.example.com",
            "a.example",
        ] {
            assert!(!is_near(far), "{far}");
        }
        let error = endpoint("https://me:hunter2@example.com/mcp").unwrap_err();
        assert!(!error.0.contains("hunter2"), "{error}");
    }
}
