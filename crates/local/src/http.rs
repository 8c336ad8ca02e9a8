//! HTTP: hyper in front of the service. Dropped connections drop their calls. A server that is told
//! to stop says so at `/ready` first, then takes no more connections, and lets calls end.
//!
//! No HTTP/2 and no TLS: whoever serves others has a proxy in front.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mcpfn_core::Principal;
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Readiness, Service, TrustedProxies, readiness};
use mcpfn_settings::strip_base_path;
use tokio::net::TcpStream;

use crate::connections::{Activity, Connection, Connections, Reported, Reporting};
use crate::listen::{ListenAddress, Listeners, ServeError};
use crate::metrics::PrometheusMetrics;
use crate::readiness::Dependencies;
use crate::settings::{Bounds, Settings};
use crate::socket::{Left, Socket};

/// What is served at one address.
pub(crate) struct LocalEndpoint {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    /// Also served, if there are any.
    pub(crate) metrics: Option<PrometheusMetrics>,
    /// Whose word about where a request came from is taken.
    pub(crate) proxies: TrustedProxies,
    /// What stands in front of its paths.
    pub(crate) base_path: String,
    /// Whether it was told to stop.
    pub(crate) draining: AtomicBool,
    /// What `/ready` asks.
    pub(crate) dependencies: Dependencies,
}

impl LocalEndpoint {
    pub(crate) fn new(
        service: Service,
        platform: Arc<Platform>,
        metrics: Option<PrometheusMetrics>,
        settings: &Settings,
    ) -> Self {
        Self {
            service: service.started_at(platform.now_ms()),
            dependencies: Dependencies::of(&platform),
            platform,
            metrics,
            proxies: settings.trusted_proxies.clone(),
            base_path: settings.base_path.clone(),
            draining: AtomicBool::new(false),
        }
    }
}

/// What `/metrics` needs: names of tools and how often they fail are not for everyone.
const METRICS_SCOPE: &str = "metrics:read";

/// Serves callers of this machine's loopback address, until `stop` ends. `ready` is told the
/// address, of which the port is new when `port` is 0.
///
/// # Errors
/// When the port can't be had.
pub async fn serve(
    service: Service,
    platform: Arc<Platform>,
    port: u16,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    serve_endpoint(
        LocalEndpoint {
            service: service.assume_local_user(),
            dependencies: Dependencies::of(&platform),
            platform,
            metrics: None,
            proxies: TrustedProxies::default(),
            base_path: String::new(),
            draining: AtomicBool::new(false),
        },
        ListenAddress::Loopback(port),
        Bounds::default(),
        ready,
        stop,
    )
    .await
}

pub(crate) async fn serve_endpoint(
    endpoint: LocalEndpoint,
    listen: ListenAddress,
    bounds: Bounds,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let listeners = Listeners::bind(listen).await?;
    let address = listeners.address();
    ready(address.map_err(|error| ServeError::new(listen, error))?);
    let endpoint = Arc::new(endpoint);
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(bounds.connections);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle);
    let told = Arc::clone(&endpoint);
    let mut stop = std::pin::pin!(until_balancers_know(stop, &told.draining, bounds));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listeners, &connections) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, connection) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file handles, say: an idle connection has one to give, and a busy loop
                // would help nobody
                tracing::warn!(event = "connection_refused", %error, "a connection was not accepted");
                connections.close_idlest();
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let endpoint = Arc::clone(&endpoint);
        let reports = connection.activity();
        let (socket, left) = Socket::new(stream, reports.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            reported(Arc::clone(&endpoint), request, peer, reports.clone())
        });
        let served = graceful.watch(builder.serve_connection(TokioIo::new(socket), answer));
        tokio::spawn(until_told_to_close(served, left, connection));
    }
    drop(listeners);
    end_calls(graceful, bounds).await;
    Ok(())
}

/// Ends some time after the process was told to stop: until then, requests come that were sent by
/// who had not heard of it.
async fn until_balancers_know(
    stop: impl Future<Output = ()>,
    draining: &AtomicBool,
    bounds: Bounds,
) {
    stop.await;
    draining.store(true, Ordering::Relaxed);
    tracing::info!(
        event = "draining",
        "told to stop: /ready says 503, and new requests are taken for {} s more",
        bounds.drain_delay.as_secs()
    );
    tokio::time::sleep(bounds.drain_delay).await;
}

/// Waits for calls in flight, within bounds.
async fn end_calls(graceful: GracefulShutdown, bounds: Bounds) {
    let seconds = bounds.drain_timeout.as_secs();
    tracing::info!(
        event = "closing",
        "no more connections are taken; calls have {seconds} s to end"
    );
    let ended = tokio::time::timeout(bounds.drain_timeout, graceful.shutdown()).await;
    match ended {
        Ok(()) => tracing::info!(event = "stopped", "all calls have ended"),
        Err(_) => tracing::warn!(
            event = "calls_stopped",
            "calls still running after {seconds} s were stopped"
        ),
    }
}

async fn accept(
    listeners: &Listeners,
    connections: &Connections,
) -> io::Result<(TcpStream, IpAddr, Connection)> {
    let (stream, peer) = listeners.accept().await?;
    // an answer is one small write: waiting for more to send would only delay it
    stream.set_nodelay(true)?;
    let connection = connections.enter().await;
    Ok((stream, peer.ip(), connection))
}

/// Serves a connection to its end, or until another one needs its place.
async fn until_told_to_close(
    served: impl Future<Output = Result<(), hyper::Error>>,
    left: Left,
    connection: Connection,
) {
    let served = async {
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended early");
        }
        left.linger().await;
    };
    tokio::select! {
        () = served => {}
        () = connection.told_to_close() => {
            tracing::debug!("a connection that waited for its client made room for another");
        }
    }
}

/// Answers, and tells the list of connections what this one does.
async fn reported(
    endpoint: Arc<LocalEndpoint>,
    request: Request<Incoming>,
    peer: IpAddr,
    reports: Activity,
) -> Result<Response<Reporting<Body>>, Infallible> {
    let busy = reports.busy();
    let request = request.map(|body| Reported::new(body, reports.clone()));
    let told = Arc::clone(&endpoint);
    let mut response = respond(endpoint, request, peer).await;
    if !reports.has_whole_request() || told.draining.load(Ordering::Relaxed) {
        // its next request would be sent into the rest of this one, or into the end
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response.map(|body| Reporting { body, _busy: busy }))
}

async fn respond(
    endpoint: Arc<LocalEndpoint>,
    mut request: Request<Reported<Incoming>>,
    peer: IpAddr,
) -> Response<Body> {
    let caller = match endpoint.proxies.client(peer, request.headers()) {
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
    } = &*endpoint;
    if !base_path.is_empty() {
        let below = strip_base_path(request.uri().path(), base_path);
        *request.uri_mut() = Uri::try_from(below).unwrap_or(Uri::from_static("/unreadable"));
    }
    if request.uri().path() == "/ready" {
        return ready(&endpoint, request.method()).await;
    }
    match metrics {
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

async fn ready(endpoint: &LocalEndpoint, method: &Method) -> Response<Body> {
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

fn document(metrics: &PrometheusMetrics) -> Response<Body> {
    let mut response = Response::new(Body::full(metrics.text().into()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4"),
    );
    response
}
