//! Kept connections, and how new ones are made. Two pools, because a connection to a private
//! address must never serve a request that allows only public ones.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::resolve::{Checked, Resolve};

/// After this long without use a connection is closed: most servers close theirs after a minute or
/// more.
const IDLE: Duration = Duration::from_secs(30);
/// Most bytes of an answer's head.
const MAX_HEAD: usize = 64 * 1024;

pub(crate) type ConnectionPool = Client<HttpsConnector<HttpConnector<Checked>>, Full<Bytes>>;

pub(crate) struct Pools {
    pub(crate) any: ConnectionPool,
    pub(crate) public: ConnectionPool,
}

impl Pools {
    pub(crate) fn new(resolver: &Arc<dyn Resolve>, roots: RootCertStore) -> Self {
        let tls = tls(roots);
        Self {
            any: pool(resolver, tls.clone(), false),
            public: pool(resolver, tls, true),
        }
    }
}

fn pool(resolver: &Arc<dyn Resolve>, tls: ClientConfig, public_only: bool) -> ConnectionPool {
    let mut tcp = HttpConnector::new_with_resolver(Checked {
        resolver: Arc::clone(resolver),
        public_only,
    });
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_max_buf_size(MAX_HEAD)
        .build(https)
}

/// TLS 1.2 and 1.3.
fn tls(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        // ring has suites for every version that rustls knows
        .expect("ring serves the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
