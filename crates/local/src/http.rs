//! HTTP on the loopback address: hyper in front of the service. Dropped connections drop their
//! calls; SIGTERM lets calls end.
//!
//! No HTTP/2 and no TLS: it serves loopback only.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Service};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::metrics::PrometheusMetrics;

/// Connections at the same time; more wait in the operating system's queue.
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
}

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
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(refused)?;
    ready(listener.local_addr().map_err(refused)?);
    let endpoint = Arc::new(endpoint);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file handles, say: the next connection may be luckier, a busy loop would
                // not be
                tracing::warn!(event = "connection_refused", %error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let endpoint = Arc::clone(&endpoint);
        let answer = service_fn(move |request| respond(Arc::clone(&endpoint), request));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
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

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // an answer is one small write: waiting for more to send would only delay it
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

async fn respond(
    endpoint: Arc<LocalEndpoint>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if let Some(metrics) = endpoint
        .metrics
        .as_ref()
        .filter(|_| request.uri().path() == "/metrics" && request.method() == Method::GET)
    {
        let mut response = Response::new(Body::full(metrics.text().into()));
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4"),
        );
        return Ok(response);
    }
    Ok(endpoint.service.call(request, &endpoint.platform).await)
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
