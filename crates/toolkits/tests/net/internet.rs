//! The hosts' own client, on a small internet: names ending in `.example` lead to services on
//! loopback, everything else to where it leads really, through all checks. Time runs faster, as for
//! the server.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use mcpfn_native::{Client, Resolve};

use crate::host::FASTER;

pub(crate) struct Internet {
    client: Client,
    /// `http://name.example` and the service behind it.
    names: Vec<(String, String)>,
    resolved: Arc<Addresses>,
}

/// The addresses that a name has, one after the other each time that it is asked for.
#[derive(Default)]
pub(crate) struct Addresses {
    next: Mutex<Vec<IpAddr>>,
    pub(crate) asked: Mutex<usize>,
}

impl Resolve for Addresses {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        *self.asked.lock().unwrap() += 1;
        let mut next = self.next.lock().unwrap();
        let found = if next.is_empty() {
            Err(io::Error::other("no such name"))
        } else {
            Ok(vec![next.remove(0)])
        };
        Box::pin(async move { found })
    }
}

impl Internet {
    pub(crate) fn new() -> Self {
        Self::resolving(&[])
    }

    /// With one more name, of any spelling, whose addresses change.
    pub(crate) fn resolving(addresses: &[&str]) -> Self {
        let next = Mutex::new(
            addresses
                .iter()
                .map(|address| address.parse().unwrap())
                .collect(),
        );
        let resolved = Arc::new(Addresses {
            next,
            ..Addresses::default()
        });
        Self {
            client: Client::new().with_resolver(resolved.clone()),
            names: Vec::new(),
            resolved,
        }
    }

    /// A service that is reached as `http://{name}.example`, as if it were public.
    pub(crate) fn site(mut self, name: &str, url: &str) -> Self {
        self.names
            .push((format!("http://{name}.example"), url.to_owned()));
        self
    }

    pub(crate) fn resolved(&self) -> Arc<Addresses> {
        Arc::clone(&self.resolved)
    }
}

impl HttpClient for Internet {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        request.timeout /= FASTER;
        assert!(
            request.max_body <= 4 * 1024 * 1024
                && (!request.public_only || request.max_body <= 2 * 1024 * 1024),
            "memory is bounded"
        );
        for (name, url) in &self.names {
            if let Some(path) = request.url.strip_prefix(name.as_str()) {
                assert!(request.public_only, "pages are asked for with the check");
                request.url = format!("{url}{path}");
                request.public_only = false;
                break;
            }
        }
        self.client.send(request)
    }
}
