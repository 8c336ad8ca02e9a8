//! What middleware knows about the caller, as the principal of the request.

use std::fmt;
use std::task::{Context, Poll};

use http::Request;
use http::request::Parts;
use mcpfn_core::Principal;
use tower_layer::Layer;
use tower_service::Service;

/// Names the caller of each request by what is in front: an extension that middleware has put into
/// the request, or the address of the connection. It believes nothing else: a principal that is
/// there already is replaced, and whom the function does not name is anonymous, so that the
/// endpoint asks for a credential or refuses.
///
/// ```
/// use mcpfn_core::{Principal, PrincipalKind, Scopes};
/// use mcpfn_http::CallerLayer;
///
/// /// What a middleware for logins puts into each request.
/// #[derive(Clone)]
/// struct User {
///     name: String,
///     admin: bool,
/// }
///
/// let layer = CallerLayer::extension(|user: &User| {
///     let scopes = if user.admin { "notes" } else { "notes:read" };
///     let caller = Principal::new(PrincipalKind::Authorizer, &user.name);
///     Some(caller.with_scopes(Scopes::parse(scopes)))
/// });
/// // and by anything else of a request's head
/// let anonymous = CallerLayer::new(|parts| {
///     let address: &std::net::SocketAddr = parts.extensions.get()?;
///     Some(Principal::anonymous().at(address.ip()))
/// });
/// # let _ = (layer, anonymous);
/// ```
///
/// Do not name callers by a header, unless a proxy that you run sets it and takes it away from what
/// clients send.
#[derive(Clone, Copy)]
pub struct CallerLayer<F>(F);

impl<F> CallerLayer<F>
where
    F: Fn(&Parts) -> Option<Principal>,
{
    /// By a request's head; `None` is a caller whom nobody recognised.
    pub fn new(caller: F) -> Self {
        Self(caller)
    }
}

impl CallerLayer<()> {
    /// By an extension of the request. Without it, or where the function gives `None`, nobody
    /// recognised the caller.
    pub fn extension<T: Send + Sync + 'static>(
        caller: impl Fn(&T) -> Option<Principal> + Clone,
    ) -> CallerLayer<impl Fn(&Parts) -> Option<Principal> + Clone> {
        CallerLayer(move |parts: &Parts| parts.extensions.get::<T>().and_then(&caller))
    }
}

impl<F: Clone, S> Layer<S> for CallerLayer<F> {
    type Service = Authenticated<F, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticated {
            caller: self.0.clone(),
            inner,
        }
    }
}

/// A service whose requests have the principal that a [`CallerLayer`] names.
#[derive(Clone, Copy)]
pub struct Authenticated<F, S> {
    caller: F,
    inner: S,
}

impl<F, S, B> Service<Request<B>> for Authenticated<F, S>
where
    F: Fn(&Parts) -> Option<Principal>,
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let (mut parts, body) = request.into_parts();
        let caller = (self.caller)(&parts).unwrap_or_else(Principal::anonymous);
        parts.extensions.insert(caller);
        self.inner.call(Request::from_parts(parts, body))
    }
}

impl<F> fmt::Debug for CallerLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerLayer(..)")
    }
}

impl<F, S: fmt::Debug> fmt::Debug for Authenticated<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
