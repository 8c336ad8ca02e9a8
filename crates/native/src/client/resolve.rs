//! From names to addresses, and which of those may be used. Opens no connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use mcpfn_core::handler::BoxFuture;
use tower_service::Service;

use super::address::is_public;

/// From a name to its addresses.
pub trait Resolve: Send + Sync {
    /// Every address that the name has now. None is a failure, too.
    ///
    /// # Errors
    /// When the name has no address, or the resolver does not respond.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

/// What a connector asks: the addresses that it gets are the ones it connects to, so nothing can
/// change between check and use.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) public_only: bool,
}

impl Checked {
    async fn addresses(self, name: Name) -> io::Result<vec::IntoIter<SocketAddr>> {
        let addresses = self.resolver.resolve(name.as_str()).await?;
        // one private address among public ones is refused, too: which one is connected to is a
        // matter of luck
        if self.public_only && !addresses.iter().all(|address| is_public(*address)) {
            return Err(io::Error::other(NotPublic(name.as_str().to_owned())));
        }
        let addresses: Vec<SocketAddr> = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, 0))
            .collect();
        Ok(addresses.into_iter())
    }
}

impl Service<Name> for Checked {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().addresses(name))
    }
}

/// The name has an address that is not public.
#[derive(Debug)]
pub(crate) struct NotPublic(pub(crate) String);

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` has an address that is not of the public internet",
            self.0
        )
    }
}

impl std::error::Error for NotPublic {}
