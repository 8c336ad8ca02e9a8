//! The endpoint inside another HTTP server: axum with a route or a nest at some path, or hyper alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use mcpfn::Builder;
use mcpfn::policy::FailureMode;
use mcpfn::port::Platform;
use mcpfn_http::{Config, Endpoint, Service};
use mcpfn_native::Tasks;
use mcpfn_native::memory::MemoryStores;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Host, Request, Response, socket, time};

/// How the endpoint is mounted, and at which path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mount {
    /// `route_service`, which leaves the path as it is.
    Route(&'static str),
    /// `nest_service`, which takes its own path off.
    Nest(&'static str),
    /// hyper's own service, without a router.
    Hyper,
}

impl Mount {
    /// Every kind, at paths of every kind.
    pub(crate) const ALL: [Self; 6] = [
        Self::Route("/mcp"),
        Self::Route("/tools/v1/mcp"),
        Self::Route("/assistant/mcp-1"),
        Self::Nest("/tools"),
        Self::Nest("/mcp"),
        Self::Hyper,
    ];

    /// Where a path of the server is found.
    pub(crate) fn path(self, path: &str) -> String {
        let (path, query) = match path.find('?') {
            Some(start) => path.split_at(start),
            None => (path, ""),
        };
        match (self, path) {
            (Self::Route(own), "/mcp") => format!("{own}{query}"),
            (Self::Route(own), "/mcp/") => format!("{own}/{query}"),
            (Self::Hyper, _) | (Self::Route(_), "/") => format!("{path}{query}"),
            (Self::Route(own), _) => {
                let prefix = own.strip_suffix("/mcp").unwrap_or(own);
                format!("{prefix}{path}{query}")
            }
            (Self::Nest(prefix), _) => format!("{prefix}{path}{query}"),
        }
    }

    fn router(self, endpoint: Endpoint) -> Option<Router> {
        match self {
            Self::Route(path) => Some(
                Router::new()
                    .route_service(path, endpoint.clone())
                    .fallback_service(endpoint),
            ),
            Self::Nest(prefix) => Some(Router::new().nest_service(prefix, endpoint)),
            Self::Hyper => None,
        }
    }
}

/// A running server; stops when it is dropped.
pub(crate) struct Mounted {
    pub(crate) address: SocketAddr,
    mount: Mount,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Mounted {
    /// For callers of this machine, as the local host.
    pub(crate) fn start(server: impl FnOnce() -> Builder, mount: Mount) -> Self {
        let server = server().build().unwrap_or_else(|error| panic!("{error}"));
        let service = Service::new(server, Config::loopback()).assume_local_user();
        let service = match mount {
            Mount::Route(path) => service.at(path),
            Mount::Nest(_) | Mount::Hyper => service,
        };
        let endpoint = Endpoint::new(service, platform()).expect("somebody is admitted");
        match mount.router(endpoint.clone()) {
            Some(router) => Self::serve(router, mount),
            None => Self::run(mount, move |listener| hyper(listener, endpoint)),
        }
    }

    /// Any router, whose endpoint is mounted so.
    pub(crate) fn serve(router: Router, mount: Mount) -> Self {
        Self::run(mount, async move |listener| {
            axum::serve(listener, router).await
        })
    }

    fn run<F>(mount: Mount, serve: impl FnOnce(TcpListener) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>>,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    served = serve(listener) => served.unwrap(),
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let address = address
            .recv_timeout(Duration::from_secs(10))
            .expect("the server starts");
        Self {
            address,
            mount,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

/// What a program that embeds the endpoint gives it.
pub(crate) fn platform() -> Arc<Platform> {
    let stores = Arc::new(MemoryStores::default());
    let platform = mcpfn_local::platform(time::keys())
        .with_background(Arc::new(Tasks::default()))
        .with_cache(Arc::clone(&stores) as _)
        .with_idempotency(stores, FailureMode::Open);
    Arc::new(platform)
}

async fn hyper(listener: TcpListener, endpoint: Endpoint) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(endpoint.clone());
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self
            .thread
            .take()
            .is_none_or(|thread| thread.join().is_ok());
        assert!(
            ended || std::thread::panicking(),
            "the server ends without a panic"
        );
    }
}

impl Host for Mounted {
    fn name(&self) -> &'static str {
        match self.mount {
            Mount::Route(_) => "axum, a route",
            Mount::Nest(_) => "axum, a nest",
            Mount::Hyper => "hyper",
        }
    }

    fn send(&self, request: &Request) -> Response {
        let mut request = request.clone();
        request.path = self.mount.path(&request.path);
        socket::send(self.address, &request)
    }
}
