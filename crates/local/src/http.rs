//! HTTP: hyper in front of the service. Dropped connections drop their calls. A server that is told
//! to stop says so at `/ready` first, then takes no more connections, and lets calls end.
//! Which versions of HTTP there are is `protocol.rs`.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use mcpfn_core::port::Platform;
use mcpfn_http::{Body, Service};
use tokio::task::JoinSet;

use crate::connections::{Activity, Connection, Connections, Reporting};
use crate::endpoint::{LocalEndpoint, respond};
use crate::listen::{BoundAddress, ListenAddress, ServeError};
use crate::listeners::Listeners;
use crate::own_port::OwnPort;
use crate::protocol::{HttpBuilder, builder};
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
        builder: builder(bounds.head, bounds.idle),
        graceful: GracefulShutdown::new(),
        connections: Connections::new(bounds.connections),
        idle: bounds.idle,
    };
    server.serve(listeners, stop, bounds).await;
    Ok(())
}

struct HttpServer {
    endpoint: Arc<LocalEndpoint>,
    builder: HttpBuilder,
    graceful: GracefulShutdown,
    connections: Connections,
    /// How long a connection may wait for its client.
    idle: Duration,
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
        tokio::spawn(until_told_to_close(served, connection, self.idle));
    }

    /// Serves the last connections, and waits for calls in flight, within bounds.
    async fn end(self, last: Vec<(ByteStream, IpAddr)>, bounds: Bounds) {
        let seconds = bounds.drain_timeout.as_secs();
        // streams of changes end, and tasks are another instance's
        self.endpoint.shutdown.begin();
        tracing::info!(
            event = "closing",
            connections = self.graceful.count(),
            "no more connections are taken; calls on those that are open have {seconds} s to end"
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
    async fn serve(self, builder: HttpBuilder) {
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

/// Serves a connection to its end, or until another one needs its place, or it is idle for too long.
async fn until_told_to_close(
    served: impl Future<Output = ()>,
    connection: Connection,
    idle: Duration,
) {
    tokio::select! {
        () = served => {}
        () = connection.told_to_close() => {
            tracing::debug!("a connection that waited for its client made room for another");
        }
        () = idle_too_long(&connection, idle) => {
            tracing::debug!("a connection that waited for its client was closed");
        }
    }
}

/// hyper has such a limit for HTTP/1 and none for what may be either, or HTTP/2.
#[cfg(feature = "http2")]
async fn idle_too_long(connection: &Connection, idle: Duration) {
    connection.is_idle_for(idle).await;
}

/// hyper's own limit is enough.
#[cfg(not(feature = "http2"))]
async fn idle_too_long(_: &Connection, _: Duration) {
    std::future::pending::<()>().await;
}

/// Answers, and tells the list of connections what this one does.
async fn reported(
    endpoint: Arc<LocalEndpoint>,
    request: Request<Incoming>,
    peer: IpAddr,
    reports: Activity,
) -> Result<Response<Reporting<Body>>, Infallible> {
    let busy = reports.busy();
    let request = request.map(|body| busy.reading(body));
    // several requests at a time, of which none ends the connection: that says so by itself
    let is_http2 = request.version() == Version::HTTP_2;
    let mut response = respond(&endpoint, request, peer).await;
    if is_http2 {
        return Ok(response.map(|body| Reporting { body, _busy: busy }));
    }
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

    /// Frames as bytes: what hyper makes of them is its business, what the server does is ours.
    #[cfg(feature = "http2")]
    mod http2 {
        use super::*;

        const SETTINGS: u8 = 4;
        const HEADERS: u8 = 1;
        const GOAWAY: u8 = 7;

        fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
            let length = u8::try_from(payload.len()).unwrap();
            [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
        }

        /// GET of a path, whole: method and scheme by their numbers, path and authority as text.
        fn get(stream: u8, path: &str, host: &str) -> Vec<u8> {
            let length = |text: &str| u8::try_from(text.len()).unwrap();
            let (path_length, host_length) = ([0x04, length(path)], [0x01, length(host)]);
            let block = [
                &[0x82, 0x86],
                &path_length[..],
                path.as_bytes(),
                &host_length[..],
                host.as_bytes(),
            ];
            // END_HEADERS and END_STREAM
            frame(HEADERS, 0x05, stream, &block.concat())
        }

        /// Kind, stream, and payload of the next frame.
        fn next(stream: &mut TcpStream) -> (u8, u8, Vec<u8>) {
            let mut head = [0; 9];
            stream.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).unwrap();
            (head[3], head[8], payload)
        }

        fn answers(address: SocketAddr) {
            let mut stream = TcpStream::connect(address).unwrap();
            let requests = [
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
                frame(SETTINGS, 0, 0, &[]),
                get(1, "/health", "localhost"),
                get(3, "/ready", "localhost"),
            ];
            stream.write_all(&requests.concat()).unwrap();
            let mut statuses = Vec::new();
            while statuses.len() < 2 {
                if let (HEADERS, number, block) = next(&mut stream) {
                    // :status by its number, or as text
                    let is_200 = block[0] == 0x88;
                    statuses.push((number, is_200));
                }
            }
            statuses.sort_unstable();
            assert_eq!(statuses, [(1, true), (3, true)]);
            // HTTP/1.1 is spoken as before
            let mut other = TcpStream::connect(address).unwrap();
            let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            other.write_all(request).unwrap();
            let mut answer = String::new();
            other.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            STOPPED.notify_one();
            // it is told that there is an end, and not cut
            while next(&mut stream).0 != GOAWAY {}
        }

        static STOPPED: tokio::sync::Notify = tokio::sync::Notify::const_new();

        #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn several_requests_at_a_time_and_a_goodbye() {
            let server = Server::builder("clock", "1.0.0").build().unwrap();
            let service = Service::new(server, Config::loopback());
            let platform = Arc::new(mcpfn_native::platform(Keyring::new([1; 32])));
            let mut client = None;
            let ready = |address| {
                client = Some(tokio::task::spawn_blocking(move || answers(address)));
            };
            serve(service, platform, 0, ready, STOPPED.notified())
                .await
                .unwrap();
            client.expect("it was told the address").await.unwrap();
        }
    }
}
