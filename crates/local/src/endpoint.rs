//! What is served at an address, whatever it listens on: the endpoint, `/ready` and `/metrics`, and what
//! comes before HTTP. Accepts no connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, Uri};
use mcpfn_core::Principal;
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Readiness, Service, TrustedProxies, readiness};
use mcpfn_native::ProcessShutdown;
use mcpfn_settings::strip_base_path;

use crate::metrics::PrometheusMetrics;
use crate::proxy_header;
use crate::readiness::Dependencies;
use crate::running_tasks::{self, RunningTasks};
use crate::settings::Settings;
use crate::stream::ByteStream;
use crate::tls::CertificateFiles;

/// What `/metrics` and `/tasks` need: names of tools, how often they fail and what they are at are
/// not for everyone.
const METRICS_SCOPE: &str = "metrics:read";

/// What of the process an endpoint tells, and shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    pub(crate) shutdown: ProcessShutdown,
    pub(crate) tasks: RunningTasks,
}

/// What is served at one address.
pub(crate) struct LocalEndpoint {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    /// Also counted, if there are any.
    pub(crate) metrics: Option<PrometheusMetrics>,
    /// Whether they are served beside the endpoint.
    pub(crate) metrics_here: bool,
    /// What requests for them may also name as their host there.
    pub(crate) allowed_hosts: Vec<String>,
    /// Where they have an address of their own.
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) tls: Option<CertificateFiles>,
    /// Whether connections of proxies say first whose they are.
    pub(crate) proxy_protocol: bool,
    /// Whose word about where a request came from is taken.
    pub(crate) proxies: TrustedProxies,
    /// What stands in front of its paths.
    pub(crate) base_path: String,
    /// Whether it was told to stop.
    pub(crate) draining: AtomicBool,
    /// Told once no more requests are taken.
    pub(crate) shutdown: ProcessShutdown,
    /// What `/tasks` shows.
    pub(crate) tasks: RunningTasks,
    /// What `/ready` asks.
    pub(crate) dependencies: Dependencies,
    told_of_proxy: AtomicBool,
}

impl LocalEndpoint {
    /// For callers of this machine's loopback address.
    pub(crate) fn local(service: Service, platform: Arc<Platform>) -> Self {
        Self {
            service: service.assume_local_user(),
            dependencies: Dependencies::of(&platform),
            platform,
            metrics: None,
            metrics_here: false,
            allowed_hosts: Vec::new(),
            metrics_listen: None,
            tls: None,
            proxy_protocol: false,
            proxies: TrustedProxies::default(),
            base_path: String::new(),
            draining: AtomicBool::default(),
            shutdown: ProcessShutdown::default(),
            tasks: RunningTasks::default(),
            told_of_proxy: AtomicBool::default(),
        }
    }

    pub(crate) fn new(
        service: Service,
        platform: Arc<Platform>,
        metrics: Option<PrometheusMetrics>,
        beside: &Beside,
        settings: &Settings,
    ) -> Self {
        Self {
            service: service.started_at(platform.now_ms()),
            dependencies: Dependencies::of(&platform),
            platform,
            metrics,
            metrics_here: settings.metrics,
            allowed_hosts: settings.names(),
            metrics_listen: settings.metrics_listen,
            tls: settings.tls.clone(),
            proxy_protocol: settings.proxy_protocol,
            proxies: settings.trusted_proxies.clone(),
            base_path: settings.base_path.clone(),
            draining: AtomicBool::default(),
            shutdown: beside.shutdown.clone(),
            tasks: beside.tasks.clone(),
            told_of_proxy: AtomicBool::default(),
        }
    }

    /// What stands in front of HTTP: whom a proxy speaks for, and encryption.
    pub(crate) async fn opened(
        &self,
        mut stream: ByteStream,
        mut peer: IpAddr,
    ) -> io::Result<(ByteStream, IpAddr)> {
        if self.proxy_protocol && self.proxies.trusts(peer) {
            match proxy_header::read(&mut stream).await {
                Ok(client) => peer = client.unwrap_or(peer),
                Err(error) => {
                    // said once: it is a mistake in the operator's settings, and comes with each
                    // connection
                    if !self.told_of_proxy.swap(true, Ordering::Relaxed) {
                        tracing::warn!(event = "proxy_header_missing", %error, "{error}");
                    }
                    return Err(error);
                }
            }
        }
        let stream = match &self.tls {
            Some(tls) => tls.accept(stream).await?,
            None => stream,
        };
        Ok((stream, peer))
    }
}

/// The answer to a request of an address that may be called.
pub(crate) async fn respond<B>(
    endpoint: &LocalEndpoint,
    mut request: Request<B>,
    peer: IpAddr,
) -> Response<Body>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // the PROXY header is a proxy's word about the whole connection; where it has no address, the
    // headers of requests are still the client's
    let client = match endpoint.proxy_protocol {
        true => Some(peer),
        false => endpoint.proxies.client(peer, request.headers()),
    };
    let caller = match client {
        Some(address) => Principal::anonymous().at(address),
        None => Principal::anonymous(),
    };
    request.extensions_mut().insert(caller);
    let LocalEndpoint {
        service,
        platform,
        metrics,
        base_path,
        ..
    } = endpoint;
    if !base_path.is_empty() {
        let below = strip_base_path(request.uri().path(), base_path);
        *request.uri_mut() = Uri::try_from(below).unwrap_or(Uri::from_static("/unreadable"));
    }
    if request.uri().path() == "/ready" {
        return ready(endpoint, request.method()).await;
    }
    if request.uri().path() == running_tasks::PATH && request.method() == Method::GET {
        let (mut parts, _) = request.into_parts();
        return match service.admit(&mut parts, METRICS_SCOPE, platform).await {
            Ok(()) => endpoint.tasks.document(platform.now_ms()),
            Err(refused) => refused,
        };
    }
    match metrics.as_ref().filter(|_| endpoint.metrics_here) {
        Some(metrics) if request.uri().path() == "/metrics" && request.method() == Method::GET => {
            let (mut parts, _) = request.into_parts();
            match service.admit(&mut parts, METRICS_SCOPE, platform).await {
                Ok(()) => document(metrics),
                Err(refused) => refused,
            }
        }
        _ => service.call(request, platform).await,
    }
}

pub(crate) async fn ready(endpoint: &LocalEndpoint, method: &Method) -> Response<Body> {
    if endpoint.draining.load(Ordering::Relaxed) {
        return readiness(method, Readiness::Draining);
    }
    // who asks in another way is told so, and asks nobody
    let missing = match *method {
        Method::GET | Method::HEAD => endpoint.dependencies.missing(&endpoint.platform).await,
        _ => Arc::default(),
    };
    match &*missing {
        [] => readiness(method, Readiness::Ready),
        names => readiness(method, Readiness::Missing(names)),
    }
}

pub(crate) fn document(metrics: &PrometheusMetrics) -> Response<Body> {
    let mut response = Response::new(Body::full(metrics.text().into()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4"),
    );
    response
}
