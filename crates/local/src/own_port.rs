//! An address for the operator alone: `/metrics`, `/ready` and `/health` without credentials and without
//! TLS, as monitoring systems ask for them. The endpoint is not there.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mcpfn_http::Body;
use tokio::net::{TcpListener, TcpStream};

use crate::connections::Connections;
use crate::endpoint::{LocalEndpoint, document, ready};
use crate::listen::{ListenAddress, ServeError};

/// How many may ask at the same time; for one more, the one is closed that has waited longest.
const CONNECTIONS: usize = 32;
/// How long one may take to ask.
const IDLE: Duration = Duration::from_secs(75);

/// The socket of that address.
#[derive(Debug)]
pub(crate) struct OwnPort(TcpListener);

impl OwnPort {
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let refused = |error| ServeError::new(ListenAddress::Address(address), error);
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        tracing::info!(
            event = "metrics_listen",
            "/metrics, /ready and /health for everybody at http://{address}"
        );
        Ok(Self(listener))
    }

    /// Answers. It never ends: spawn it.
    pub(crate) async fn serve(self, endpoint: Arc<LocalEndpoint>) {
        let connections = Connections::new(CONNECTIONS);
        loop {
            let Ok((stream, _)) = self.0.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection = connections.enter().await;
            let served = serve(Arc::clone(&endpoint), stream);
            tokio::spawn(async move {
                tokio::select! {
                    () = served => {}
                    () = connection.told_to_close() => {}
                }
            });
        }
    }
}

async fn serve(endpoint: Arc<LocalEndpoint>, stream: TcpStream) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let endpoint = Arc::clone(&endpoint);
        async move { Ok::<_, Infallible>(respond(&endpoint, request).await) }
    });
    let served = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(8192)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection of the metrics' address ended early");
    }
}

async fn respond(endpoint: &LocalEndpoint, mut request: Request<Incoming>) -> Response<Body> {
    // a page that has its own name lead here would read them as its own
    if let Some(refused) = endpoint
        .service
        .refuse_probe(&request, &endpoint.allowed_hosts)
    {
        return refused;
    }
    match (request.uri().path(), &endpoint.metrics) {
        ("/ready", _) => return ready(endpoint, request.method()).await,
        ("/metrics", Some(metrics)) if request.method() == Method::GET => return document(metrics),
        ("/health", _) => {}
        // nothing else of the service is here
        _ => *request.uri_mut() = Uri::from_static("/unreadable"),
    }
    endpoint.service.call(request, &endpoint.platform).await
}
