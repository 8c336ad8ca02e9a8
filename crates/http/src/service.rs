//! The endpoint: reads as the order of its checks.

mod begin;
mod beside;
mod caller;
mod read;
mod updates;

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use mcpfn_core::{Principal, Server, port::Platform};

use crate::body::Body;
use crate::card::CardDocuments;
use crate::config::Config;
use crate::fields::Fields;
use crate::guard;
use crate::health::Health;
#[cfg(feature = "page")]
use crate::page::{BrowserPage, RenderedPage, own_origin};
use crate::paths::Paths;
use crate::refusals::{Refusals, method_name};
use crate::{cors, respond};
use read::Unread;

/// When the host must have the answer, in milliseconds since 1970. A host puts it into a request's
/// extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub u64);

/// The host sends answers whole, where it can't stream them: nothing is asked in the middle of a call.
/// A host puts it into a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeAnswer;

/// A server behind HTTP. A host also puts the verified [`Principal`] into a request's extensions;
/// without one the caller is anonymous.
#[derive(Debug, Clone)]
pub struct Service {
    server: Server,
    config: Config,
    paths: Paths,
    allowed_headers: HeaderValue,
    health: Health,
    /// What an OAuth client reads first, if there is an issuer.
    metadata: Option<Bytes>,
    /// What directories of servers read, where that is switched on.
    card: Option<CardDocuments>,
    /// The caller, where reaching the address is enough.
    assume_local_user: Option<Arc<Principal>>,
    refusals: Arc<Refusals>,
    #[cfg(feature = "page")]
    page: Option<RenderedPage>,
}

/// What a request says beside its body.
struct Head<'a> {
    fields: Fields<'a>,
    method: &'a Method,
    headers: &'a HeaderMap,
    deadline: Option<u64>,
    /// The client may be asked on the answer's stream.
    streams: bool,
}

impl Service {
    /// Puts a server behind HTTP.
    #[must_use]
    pub fn new(server: Server, mut config: Config) -> Self {
        let allowed_headers = cors::allowed_headers(&server);
        let health = Health::of(&server);
        if let Some(resource) = &mut config.auth.resource {
            match &resource.scopes[..] {
                [] => resource.scopes = server.reading_scopes(),
                [all] if all == "*" => resource.scopes = server.all_scopes(),
                _ => {}
            }
        }
        let metadata = config
            .auth
            .resource
            .as_ref()
            .map(|resource| resource.metadata(server.name()));
        let card = config.server_card.as_ref();
        let card = card.map(|card| card.documents(&server));
        Self {
            server,
            paths: Paths::of(config.auth.resource.as_ref()),
            config,
            allowed_headers,
            health,
            metadata,
            card,
            assume_local_user: None,
            refusals: Arc::default(),
            #[cfg(feature = "page")]
            page: None,
        }
    }

    /// Sets the endpoint's path, such as `/tools/mcp`, for a router that leaves it as it is; when not
    /// set, it is that of the public URL in [`AuthConfig::resource`](crate::AuthConfig::resource).
    /// `/` and `/mcp` are the endpoint in any case. `/health` and the metadata of OAuth are found
    /// beside each.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.paths = Paths::at(path);
        #[cfg(feature = "page")]
        if let Some(page) = self.page.take() {
            let resource = self.config.auth.resource.as_ref();
            self.page = Some(page.page.render(self.paths.endpoint(), resource));
        }
        self
    }

    /// Says when the process started, in milliseconds since 1970: `/health` then has the time and
    /// how long the process has run, by the platform's clock.
    #[must_use]
    pub fn started_at(mut self, started_ms: u64) -> Self {
        self.health = self.health.since(started_ms);
        self
    }

    /// For an address that only the person at this machine can reach: every caller is that person,
    /// unless the host says otherwise. Whoever comes through a proxy is somebody else: a request
    /// with a header that proxies add, or under a name that is not this machine's, needs one of the
    /// configured authentication methods.
    #[must_use]
    pub fn assume_local_user(mut self) -> Self {
        self.assume_local_user = Some(Principal::local().into());
        self
    }

    /// Also answers browsers that ask the endpoint for HTML, with a page. It may call from the origin
    /// of the public URL, and from the host that a request names unless the configuration lets
    /// anonymous callers in. For others the endpoint stays what it is: a GET is 405.
    #[cfg(feature = "page")]
    #[must_use]
    pub fn with_page(mut self, page: BrowserPage) -> Self {
        let resource = self.config.auth.resource.as_ref();
        let origins = &mut self.config.origins;
        origins.own = true;
        origins.listed.extend(own_origin(resource));
        self.page = Some(page.render(self.paths.endpoint(), resource));
        self
    }

    /// Whether there is a way to be let in that needs no host: a method that checks credentials, or
    /// none that is wanted.
    #[cfg(feature = "tower")]
    pub(crate) fn admits_somebody(&self) -> bool {
        self.config.anonymous
            || self.assume_local_user.is_some()
            || !self.config.auth.authenticators.is_empty()
    }

    /// The server behind it.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Answers one HTTP request. Dropping the future, or the response's body, cancels the call.
    pub async fn call<B>(&self, request: Request<B>, platform: &Arc<Platform>) -> Response<Body>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let method = method_name(request.method());
        let principal = request.extensions().get::<Principal>();
        let address = principal.and_then(|principal| principal.address);
        let (parts, body) = request.into_parts();
        // a client that waits for a go-ahead sends nothing that would have to be dropped
        let waits = parts.headers.contains_key(header::EXPECT);
        let body = pin!(body);
        let mut body = Unread::new(body);
        let mut response = self.answer(parts, &mut body, platform).await;
        self.refusals.tell(&mut response, method, address, platform);
        if !waits {
            body.discard(platform).await;
        }
        response
    }

    async fn answer<B>(
        &self,
        mut parts: Parts,
        body: &mut Unread<'_, B>,
        platform: &Arc<Platform>,
    ) -> Response<Body>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(response) = self.beside_the_endpoint(&parts, platform) {
            return response;
        }
        let from_host = parts.extensions.remove::<Principal>();
        let deadline = parts
            .extensions
            .get::<Deadline>()
            .map(|deadline| deadline.0);
        let head = Head {
            fields: Fields::find(&parts.headers),
            method: &parts.method,
            headers: &parts.headers,
            deadline,
            streams: parts.extensions.get::<WholeAnswer>().is_none(),
        };
        let origin = match guard::host(&self.config, &parts.uri, head.fields.host)
            .and_then(|()| guard::origin(&self.config, &parts.uri, &head.fields))
        {
            Ok(origin) => origin,
            Err(refusal) => return respond::refusal(refusal),
        };
        let from_host = self.known_caller(&head, &parts.uri, from_host);
        let mut response = match self.caller(&head, from_host, platform).await {
            Err(response) => response,
            Ok(caller) if head.method == Method::GET => {
                self.updates(&head, &caller, platform).await
            }
            Ok(caller) => match body.read(&self.config, platform).await {
                Ok(bytes) => self.message(&head, caller, &bytes, platform).await,
                Err(refusal) => respond::refusal(refusal),
            },
        };
        respond::step_up(&mut response, &self.config.auth, self.server.name());
        // on refusals, too: a page must be able to read why
        if let Some(origin) = origin {
            cors::allow(origin, response.headers_mut());
        }
        response
    }
}
