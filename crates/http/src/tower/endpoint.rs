//! One server with its platform, as what axum, hyper-util and lambda_http call.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use mcpfn_core::{
    handler::{BoxFuture, MaybeSend},
    port::Platform,
};
use tower_service::Service as TowerService;

use crate::body::Body;
use crate::service::Service;

/// A server and its ports as a tower `Service`. Copies share both.
///
/// Mount it where clients look for it: axum's `route_service("/mcp", endpoint)`, or
/// `nest_service("/tools", endpoint)`, which brings `/tools/mcp`, `/tools/health` and the metadata of
/// OAuth at once. A route under another path than `/mcp` needs [`Service::at`], because a route
/// leaves the path as it is.
///
/// A [`Principal`](mcpfn_core::Principal) in a request's extensions is believed, as is a
/// [`Deadline`](crate::Deadline): middleware puts them there, and no client can. A panic of a
/// handler is an answer with an error; work that outlives an answer runs where the platform says.
///
/// ```
/// use std::sync::Arc;
/// use bytes::Bytes;
/// use http::Request;
/// use http_body_util::Full;
/// use mcpfn_core::{NoArguments, Server, Tool};
/// use mcpfn_http::{Config, Endpoint, Service};
/// use mcpfn_testing::{TestClient, block_on};
/// use tower_service::Service as _;
///
/// let tick = Tool::new("tick").description("Says tick.").handler(|_: NoArguments| async { "tick" });
/// let client = TestClient::new(Server::builder("clock", "1.0.0").tool(tick));
/// let platform = Arc::clone(client.platform());
/// // nobody could call this one: it knows no method by which callers are recognised
/// let service = Service::new(client.server().clone(), Config::default());
/// assert!(Endpoint::new(service, Arc::clone(&platform)).is_err());
///
/// let mut open = Config::default();
/// open.anonymous = true;
/// let mut endpoint = Endpoint::new(Service::new(client.server().clone(), open), platform)?;
/// let request = Request::get("/health").body(Full::<Bytes>::default()).unwrap();
/// let Ok(response) = block_on(endpoint.call(request));
/// assert_eq!(response.status(), 200);
/// # Ok::<(), mcpfn_http::NobodyAdmitted>(())
/// ```
#[derive(Clone)]
pub struct Endpoint(Arc<Shared>);

struct Shared {
    service: Service,
    platform: Arc<Platform>,
}

impl Endpoint {
    /// An endpoint that recognises its callers itself, or lets anyone call because its operator
    /// said so.
    ///
    /// # Errors
    /// When it does neither: [`Config::auth`](crate::Config::auth) has no method, and
    /// [`Config::anonymous`](crate::Config::anonymous) is not set.
    pub fn new(service: Service, platform: Arc<Platform>) -> Result<Self, NobodyAdmitted> {
        if !service.admits_somebody() {
            return Err(NobodyAdmitted(()));
        }
        Ok(Self::behind_middleware(service, platform))
    }

    /// An endpoint whose callers are recognised in front of it, e.g. by a
    /// [`CallerLayer`](crate::CallerLayer). Whoever comes past that, without a principal, needs one
    /// of the configured methods, and is refused where there is none.
    #[must_use]
    pub fn behind_middleware(service: Service, platform: Arc<Platform>) -> Self {
        Self(Arc::new(Shared { service, platform }))
    }

    /// The server behind it.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.0.service
    }

    /// Its ports.
    #[must_use]
    pub fn platform(&self) -> &Arc<Platform> {
        &self.0.platform
    }
}

impl<B> TowerService<Request<B>> for Endpoint
where
    B: http_body::Body<Data: MaybeSend> + MaybeSend + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    /// Always: limits are the policies' business, and those of connections the server's.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.service.call(request, &shared.platform).await) })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.service.server().name();
        f.debug_tuple("Endpoint").field(&name).finish()
    }
}

/// Why an endpoint is not made: it would refuse every caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NobodyAdmitted(());

impl fmt::Display for NobodyAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the endpoint has no authentication method, so that nobody could call it: add one to \
             `Config::auth`, or use `Endpoint::behind_middleware` where a `CallerLayer` in front \
             names the callers, or set `Config::anonymous` to let anyone call",
        )
    }
}

impl std::error::Error for NobodyAdmitted {}
