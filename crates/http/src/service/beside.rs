//! What is beside the endpoint, and answered before any message is read: documents that are the same
//! for every caller.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};

use mcpfn_core::port::Platform;

use super::Service;
use crate::body::Body;
use crate::card::{CARD_TYPE, CardDocuments};
use crate::guard::Refusal;
use crate::paths::PathTarget;
use crate::refusals::Reason;
use crate::{cors, respond};
#[cfg(feature = "page")]
use crate::{fields::Field, guard, page};

impl Service {
    /// What other paths than the endpoint's have: documents, or nothing.
    pub(super) fn beside_the_endpoint(
        &self,
        parts: &Parts,
        platform: &Platform,
    ) -> Option<Response<Body>> {
        match (self.paths.find(parts.uri.path()), &self.metadata) {
            (Some(PathTarget::Endpoint), _) => self.page_for(parts),
            // before any check: probes have no credential
            (Some(PathTarget::Health), _) => Some(document(parts, &self.health.document(platform))),
            (Some(PathTarget::RegistryProof), _) => Some(self.registry_proof(parts)),
            (Some(PathTarget::Metadata), Some(metadata)) => {
                let mut response = document(parts, metadata);
                // a client in a browser reads it before it has any permission here
                cors::allow_any(&self.allowed_headers, response.headers_mut());
                Some(response)
            }
            (Some(PathTarget::ServerCard), _) => {
                Some(self.card(parts, CARD_TYPE, |card| &card.card))
            }
            (Some(PathTarget::Catalog), _) => {
                Some(self.card(parts, "application/json", |card| &card.catalog))
            }
            // where clients of the transport of 2024-11-05 begin
            _ if parts.uri.path().ends_with("/sse") => Some(self.no_sse()),
            _ => Some(self.nothing_here()),
        }
    }

    fn no_sse(&self) -> Response<Body> {
        respond::refusal(Refusal::new(
            Reason::Path,
            StatusCode::NOT_FOUND,
            format!(
                "the transport HTTP+SSE of 2024-11-05 is not served: set the client to Streamable \
                 HTTP, at {}; one that speaks SSE alone connects through `cargo mcpfn connect`, over \
                 stdio",
                self.paths.endpoint()
            ),
        ))
    }

    fn nothing_here(&self) -> Response<Body> {
        respond::refusal(Refusal::new(
            Reason::Path,
            StatusCode::NOT_FOUND,
            format!(
                "nothing here; the MCP endpoint is {}",
                self.paths.endpoint()
            ),
        ))
    }

    /// For the registry, which has no credential, and for everybody else.
    fn registry_proof(&self, parts: &Parts) -> Response<Body> {
        let Some(proof) = &self.config.registry_proof else {
            return self.nothing_here();
        };
        let mut response = document(parts, &proof.bytes());
        if parts.method == Method::GET {
            let text = HeaderValue::from_static("text/plain");
            response.headers_mut().insert(header::CONTENT_TYPE, text);
        }
        response
    }

    /// One of the documents for directories of servers, which any page may read and any cache keep.
    fn card(
        &self,
        parts: &Parts,
        media_type: &'static str,
        which: impl Fn(&CardDocuments) -> &Bytes,
    ) -> Response<Body> {
        let Some(card) = &self.card else {
            return self.nothing_here();
        };
        let mut response = document(parts, which(card));
        let headers = response.headers_mut();
        cors::allow_any(&HeaderValue::from_static("Content-Type"), headers);
        let get = HeaderValue::from_static("GET");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, get);
        if parts.method == Method::GET {
            let kept = HeaderValue::from_static("public, max-age=3600");
            headers.insert(header::CACHE_CONTROL, kept);
            let media_type = HeaderValue::from_static(media_type);
            headers.insert(header::CONTENT_TYPE, media_type);
        }
        response
    }

    /// The page, where there is one and this is a browser that asks for it under a name of this
    /// server.
    #[cfg(feature = "page")]
    fn page_for(&self, parts: &Parts) -> Option<Response<Body>> {
        let page = self.page.as_ref().filter(|_| page::wanted(parts))?;
        let host = Field::of(&parts.headers, &header::HOST);
        Some(match guard::host(&self.config, &parts.uri, host) {
            Ok(()) => page.respond(&parts.method),
            Err(refusal) => respond::refusal(refusal),
        })
    }

    #[cfg(not(feature = "page"))]
    fn page_for(&self, _: &Parts) -> Option<Response<Body>> {
        None
    }
}

/// A document that is the same for every caller.
fn document(parts: &Parts, document: &Bytes) -> Response<Body> {
    match parts.method {
        Method::GET => respond::json(StatusCode::OK, document.clone()),
        Method::HEAD => respond::empty(StatusCode::OK),
        Method::OPTIONS => respond::empty(StatusCode::NO_CONTENT),
        _ => {
            let mut response = respond::empty(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(
                header::ALLOW,
                HeaderValue::from_static("GET, HEAD, OPTIONS"),
            );
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::{BodyExt as _, Full};
    use mcpfn_core::Server;
    use mcpfn_testing::{TestClient, block_on};

    use super::*;
    use crate::{Config, RegistryProof};

    const PROOF: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    /// As the registry asks, and as others do.
    #[test]
    fn the_registry_reads_its_proof_without_any_credential() {
        let client = TestClient::new(Server::builder("shop", "1.0.0"));
        // nobody is let in, and no name is this server's
        let closed = Config {
            hosts: Some(Vec::new()),
            ..Config::default()
        };
        let proved = Config {
            registry_proof: RegistryProof::parse(PROOF).ok(),
            ..closed.clone()
        };
        for (config, path, method, status) in [
            (&proved, "", "GET", 200),
            (&proved, "", "HEAD", 200),
            (&proved, "", "OPTIONS", 204),
            (&proved, "", "POST", 405),
            (&proved, "/", "GET", 404),
            (&proved, "/mcp", "GET", 404),
            (&closed, "", "GET", 404),
        ] {
            let service = Service::new(client.server().clone(), config.clone());
            let request = Request::builder()
                .method(method)
                .uri(format!("/.well-known/mcp-registry-auth{path}"))
                .header("accept", "text/plain")
                .header("host", "mcp.example.com")
                .header("origin", "https://evil.example")
                .body(Full::new(Bytes::new()))
                .unwrap();
            let response = block_on(service.call(request, client.platform()));
            assert_eq!(response.status(), status, "{method} {path}");
            let kind = response.headers().get("content-type").cloned();
            let body = block_on(response.into_body().collect()).unwrap().to_bytes();
            if (status, method) == (200, "GET") {
                assert_eq!(kind.unwrap(), "text/plain");
                assert_eq!(body, PROOF);
            } else {
                assert!(!body.starts_with(b"v="), "{method} {path}");
            }
        }
    }
}
