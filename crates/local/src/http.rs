//! HTTP on the loopback address: hyper in front of the service. Dropped connections drop their
//! calls; SIGTERM lets calls end.
//!
//! No HTTP/2 and no TLS: it serves loopback only.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mcpfn_core::Principal;
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Service, TrustedProxies};
use tokio::net::{TcpListener, TcpStream};

use crate::connections::{Activity, Connection, Connections, Reported, Reporting};
use crate::metrics::PrometheusMetrics;
use crate::socket::{Left, Socket};

/// Connections at the same time. For one more, the one is closed that has waited longest for its
/// client; if none waits, more wait in the operating system's queue.
const CONNECTIONS: usize = 1024;
/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(30);
/// How long calls in flight may take once the process was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What is served at one address.
pub(crate) struct LocalEndpoint {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    /// Also served, if there are any.
    pub(crate) metrics: Option<PrometheusMetrics>,
    /// Whose word about where a request came from is taken.
    pub(crate) proxies: TrustedProxies,
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
            platform,
            metrics: None,
            proxies: TrustedProxies::default(),
        },
        port,
        ready,
        stop,
    )
    .await
}

pub(crate) async fn serve_endpoint(
    endpoint: LocalEndpoint,
    port: u16,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let refused = |error| ServeError { port, error };
    let listeners = Listeners::bind(port).await.map_err(refused)?;
    ready(listeners.first.local_addr().map_err(refused)?);
    let endpoint = Arc::new(endpoint);
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(CONNECTIONS);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut stop = std::pin::pin!(stop);
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
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            event = "calls_stopped",
            "calls still running after {} s were stopped",
            GRACE.as_secs()
        );
    }
    Ok(())
}

/// Both loopback addresses: `localhost` is either.
struct Listeners {
    first: TcpListener,
    /// Not on a machine without IPv6.
    second: Option<TcpListener>,
}

impl Listeners {
    async fn bind(port: u16) -> io::Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = first.local_addr()?.port();
        let second = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(second) => Some(second),
            Err(error) => {
                if error.kind() == io::ErrorKind::AddrInUse {
                    tracing::warn!(
                        event = "address_taken",
                        "port {port} of [::1] is taken by another program, which clients of \
                         `localhost` may reach instead of this one: use 127.0.0.1, or another port"
                    );
                }
                None
            }
        };
        Ok(Self { first, second })
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Some(second) = &self.second else {
            return self.first.accept().await;
        };
        tokio::select! {
            accepted = self.first.accept() => accepted,
            accepted = second.accept() => accepted,
        }
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
    let mut response = respond(endpoint, request, peer).await;
    if !reports.has_whole_request() {
        // its next request would be sent into the rest of this one
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
        ..
    } = &*endpoint;
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

fn document(metrics: &PrometheusMetrics) -> Response<Body> {
    let mut response = Response::new(Body::full(metrics.text().into()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4"),
    );
    response
}

/// Why the server could not start.
#[derive(Debug)]
pub struct ServeError {
    port: u16,
    error: io::Error,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match self.error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "port {port} is taken: another program, maybe another mcpfn, listens there. Stop \
                 it, or choose another port with `--port N` or MCPFN_PORT (0 takes any free one)"
            ),
            io::ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "port {port} needs more rights than this process has. Choose one above 1023 \
                     with `--port N` or MCPFN_PORT"
                )
            }
            _ => write!(
                f,
                "port {port} of 127.0.0.1 can't be opened: {}",
                self.error
            ),
        }
    }
}

impl std::error::Error for ServeError {}
