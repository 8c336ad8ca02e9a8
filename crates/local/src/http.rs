//! HTTP: hyper in front of the service. Dropped connections drop their calls. A server that is told
//! to stop says so at `/ready` first, then takes no more connections, and lets calls end.
//!
//! No HTTP/2: whoever wants that has a proxy in front.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Service};
use tokio::task::JoinSet;

use crate::connections::{Activity, Connection, Connections, Reported, Reporting};
use crate::endpoint::{LocalEndpoint, respond};
use crate::listen::{BoundAddress, ListenAddress, ServeError};
use crate::listeners::Listeners;
use crate::own_port::OwnPort;
use crate::settings::Bounds;
use crate::signals::{Reloads, reloads};
use crate::socket::Socket;
use crate::stream::ByteStream;

/// How long a connection that was made before the end may take to send its first request: hyper ends
/// one without a request at once, and who made it may be sending.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

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
        LocalEndpoint::local(service, platform),
        ListenAddress::Loopback(port),
        Bounds::default(),
        |address| {
            if let BoundAddress::Tcp(address) = address {
                ready(*address);
            }
        },
        stop,
    )
    .await
}

pub(crate) async fn serve_endpoint(
    endpoint: LocalEndpoint,
    listen: ListenAddress,
    bounds: Bounds,
    ready: impl FnOnce(&BoundAddress),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let listeners = Listeners::bind(&listen).await?;
    let own_port = match endpoint.metrics_listen {
        Some(address) => Some(OwnPort::bind(address).await?),
        None => None,
    };
    let address = listeners.address();
    // before anybody knows the address: a signal without a handler ends the process
    let told_to_reload = reloads(endpoint.tls.is_some());
    ready(&address.map_err(|error| ServeError::new(listen, error))?);
    let endpoint = Arc::new(endpoint);
    let _beside = beside(&endpoint, own_port, told_to_reload);
    let server = HttpServer {
        endpoint,
        builder: builder(bounds),
        graceful: GracefulShutdown::new(),
        connections: Connections::new(bounds.connections),
    };
    server.serve(listeners, stop, bounds).await;
    Ok(())
}

struct HttpServer {
    endpoint: Arc<LocalEndpoint>,
    builder: Builder,
    graceful: GracefulShutdown,
    connections: Connections,
}

impl HttpServer {
    async fn serve(self, listeners: Listeners, stop: impl Future<Output = ()>, bounds: Bounds) {
        let told = Arc::clone(&self.endpoint);
        let mut stop = std::pin::pin!(until_balancers_know(stop, &told.draining, bounds));
        // one that was accepted and has no place yet
        let mut held = None;
        loop {
            let accepted = tokio::select! {
                accepted = listeners.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // out of file handles, say: an idle connection has one to give, and a busy
                    // loop would help nobody
                    let why = "a connection was not accepted";
                    tracing::warn!(event = "connection_refused", %error, "{why}");
                    self.connections.close_idlest();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            tokio::select! {
                connection = self.connections.enter() => self.spawn(stream, peer, connection),
                () = &mut stop => {
                    held = Some((stream, peer));
                    break;
                }
            }
        }
        let last: Vec<_> = held.into_iter().chain(listeners.close()).collect();
        self.end(last, bounds).await;
    }

    fn spawn(&self, stream: ByteStream, peer: IpAddr, connection: Connection) {
        let accepted = Accepted {
            endpoint: Arc::clone(&self.endpoint),
            stream,
            peer,
            reports: connection.activity(),
            watcher: self.graceful.watcher(),
        };
        let served = accepted.serve(self.builder.clone());
        tokio::spawn(until_told_to_close(served, connection));
    }

    /// Serves the last connections, and waits for calls in flight, within bounds.
    async fn end(self, last: Vec<(ByteStream, IpAddr)>, bounds: Bounds) {
        let seconds = bounds.drain_timeout.as_secs();
        tracing::info!(
            event = "closing",
            "no more connections are taken; calls have {seconds} s to end"
        );
        let ended = tokio::time::timeout(bounds.drain_timeout, async {
            for (stream, peer) in last {
                let connection = self.connections.enter().await;
                self.spawn(stream, peer, connection);
            }
            // whatever comes of it, all are told to end then
            let _ = tokio::time::timeout(FIRST_REQUEST, self.connections.first_requests()).await;
            self.graceful.shutdown().await;
        });
        match ended.await {
            Ok(()) => tracing::info!(event = "stopped", "all calls have ended"),
            Err(_) => tracing::warn!(
                event = "calls_stopped",
                "calls still running after {seconds} s were stopped"
            ),
        }
    }
}

fn builder(bounds: Bounds) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle)
        .max_buf_size(bounds.head);
    builder
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

/// One connection, before anything was read of it.
struct Accepted {
    endpoint: Arc<LocalEndpoint>,
    stream: ByteStream,
    peer: IpAddr,
    reports: Activity,
    watcher: Watcher,
}

impl Accepted {
    async fn serve(self, builder: Builder) {
        let Self {
            endpoint,
            stream,
            peer,
            reports,
            watcher,
        } = self;
        let (stream, peer) = match endpoint.opened(stream, peer).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(%error, "a connection was not opened");
                return;
            }
        };
        let (socket, left) = Socket::new(stream, reports.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            reported(Arc::clone(&endpoint), request, peer, reports.clone())
        });
        let served = watcher.watch(builder.serve_connection(TokioIo::new(socket), answer));
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended early");
        }
        left.linger().await;
    }
}

/// What runs beside the endpoint, and ends with the server.
fn beside(
    endpoint: &Arc<LocalEndpoint>,
    own_port: Option<OwnPort>,
    told_to_reload: Option<Reloads>,
) -> JoinSet<()> {
    let mut beside = JoinSet::new();
    if let Some(own_port) = own_port {
        beside.spawn(own_port.serve(Arc::clone(endpoint)));
    }
    match (endpoint.tls.clone(), told_to_reload) {
        (Some(tls), Some(told)) => drop(beside.spawn(tls.keep_current(told))),
        (None, Some(told)) => drop(beside.spawn(told.ignored())),
        (_, None) => {}
    }
    beside
}

/// Serves a connection to its end, or until another one needs its place.
async fn until_told_to_close(served: impl Future<Output = ()>, connection: Connection) {
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
    let mut response = respond(&endpoint, request, peer).await;
    if !reports.has_whole_request() || endpoint.draining.load(Ordering::Relaxed) {
        // its next request would be sent into the rest of this one, or into the end
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response.map(|body| Reporting { body, _busy: busy }))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _, Write as _};
    use std::net::TcpStream;

    use mcpfn_core::Server;
    use mcpfn_core::round_trip::Keyring;
    use mcpfn_http::Config;

    use super::*;

    /// More than are accepted in one turn of a loop.
    const CALLERS: usize = 100;

    /// The system takes connections and requests while the process does something else; who is told
    /// to stop then finds them in its queue.
    async fn asked_before_the_end(listen: ListenAddress) {
        let server = Server::builder("clock", "1.0.0").build().unwrap();
        let service = Service::new(server, Config::loopback());
        let platform = Arc::new(mcpfn_native::platform(Keyring::new([1; 32])));
        let mut callers: Vec<Box<dyn ReadWrite>> = Vec::new();
        let connect = |address: &BoundAddress| {
            for _ in 0..CALLERS {
                let mut stream: Box<dyn ReadWrite> = match address {
                    BoundAddress::Tcp(address) => Box::new(TcpStream::connect(address).unwrap()),
                    #[cfg(unix)]
                    BoundAddress::Unix(file) => {
                        Box::new(std::os::unix::net::UnixStream::connect(file).unwrap())
                    }
                };
                let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
                stream.write_all(request).unwrap();
                callers.push(stream);
            }
        };
        let endpoint = LocalEndpoint::local(service, platform);
        let stop = std::future::ready(());
        serve_endpoint(endpoint, listen, Bounds::default(), connect, stop)
            .await
            .unwrap();
        for mut caller in callers {
            let mut answer = String::new();
            caller.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.to_ascii_lowercase().contains("connection: close"));
        }
    }

    trait ReadWrite: io::Read + io::Write {}

    impl<T: io::Read + io::Write> ReadWrite for T {}

    #[tokio::test]
    async fn a_request_that_came_before_the_end_is_answered() {
        asked_before_the_end(ListenAddress::Loopback(0)).await;
        #[cfg(unix)]
        {
            let name = format!("mcpfn-end-{}.sock", std::process::id());
            let path = std::env::temp_dir().join(name);
            let file = path.clone();
            asked_before_the_end(ListenAddress::Unix { path, mode: 0o600 }).await;
            assert!(!file.exists(), "nobody finds it any more");
        }
    }
}
