//! Who calls: what the host knows, what credentials prove, and what needs neither.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri, header};
use mcpfn_core::host::RpcResponse;
use mcpfn_core::jsonrpc::Error;
use mcpfn_core::port::Platform;
use mcpfn_core::{Principal, PrincipalKind};

use super::{Head, Service, updates};
use crate::body::Body;
use crate::fields::{Field, Fields};
use crate::guard::{self, FromHost, Refusal};
use crate::{cors, respond};

impl Service {
    /// Who calls as far as the host knows: the person at this machine, where reaching the address
    /// is enough and nothing says that the request came another way.
    pub(super) fn known_caller(
        &self,
        head: &Head<'_>,
        uri: &Uri,
        named: Option<Principal>,
    ) -> Result<FromHost, Refusal> {
        let named = named.unwrap_or_else(Principal::anonymous);
        let (principal, may_be_anonymous) = match &self.assume_local_user {
            Some(local) if named.kind == PrincipalKind::Anonymous => {
                match guard::indirect(head.headers, uri, head.fields.host) {
                    None => (Arc::clone(local), false),
                    Some(sign) if self.config.auth.authenticators.is_empty() => {
                        return Err(guard::through_a_proxy(sign));
                    }
                    Some(_) => (named.into(), false),
                }
            }
            _ => (named.into(), self.config.anonymous),
        };
        Ok(FromHost {
            principal,
            may_be_anonymous,
        })
    }

    /// The refusal of a request at an address that has documents for the operator alone, without
    /// credentials; `None` for one that names an address, a name without a dot, a host of this
    /// endpoint, or one of `allowed`, of which `*` is any.
    pub fn refuse_probe<B>(
        &self,
        request: &Request<B>,
        allowed: &[String],
    ) -> Option<Response<Body>> {
        let named = Field::of(request.headers(), &header::HOST);
        let judged = guard::host_of_probes(&self.config, request.uri(), named, allowed);
        judged.err().map(respond::refusal)
    }

    /// Whether a request for another document of the host's own may be answered, such as its
    /// metrics: the checks of the endpoint before its body, and a scope.
    ///
    /// # Errors
    /// The response that refuses it.
    pub async fn admit(
        &self,
        parts: &mut Parts,
        scope: &str,
        platform: &Platform,
    ) -> Result<(), Response<Body>> {
        let from_host = parts.extensions.remove::<Principal>();
        let head = Head {
            fields: Fields::find(&parts.headers),
            method: &parts.method,
            headers: &parts.headers,
            deadline: None,
            streams: false,
        };
        guard::host(&self.config, &parts.uri, head.fields.host)
            .and_then(|()| guard::origin(&self.config, &parts.uri, &head.fields))
            .map_err(respond::refusal)?;
        let from_host = self
            .known_caller(&head, &parts.uri, from_host)
            .map_err(respond::refusal)?;
        let caller = self.authenticate(&head, from_host, platform).await?;
        if caller.scopes.contains(scope) {
            return Ok(());
        }
        let sentence = format!("`{}` needs the scope {scope}", parts.uri.path());
        let scopes = [scope.to_owned()];
        let error = Error::forbidden(sentence, &scopes);
        let mut response = respond::rpc(RpcResponse::error(None, &error), true);
        respond::step_up(&mut response, &self.config.auth, self.server.name());
        Err(response)
    }

    async fn authenticate(
        &self,
        head: &Head<'_>,
        from_host: FromHost,
        platform: &Platform,
    ) -> Result<Arc<Principal>, Response<Body>> {
        let realm = self.server.name();
        guard::caller(&self.config, head.headers, from_host, realm, platform)
            .await
            .map_err(respond::refusal)
    }

    /// Who calls, or what can be answered without the body.
    pub(super) async fn caller(
        &self,
        head: &Head<'_>,
        from_host: Result<FromHost, Refusal>,
        platform: &Platform,
    ) -> Result<Arc<Principal>, Response<Body>> {
        // before authentication: a preflight carries no credential (Fetch standard)
        if head.method == Method::OPTIONS {
            let mut response = respond::empty(StatusCode::NO_CONTENT);
            cors::preflight(&self.allowed_headers, response.headers_mut());
            return Err(response);
        }
        let from_host = from_host.map_err(respond::refusal)?;
        let caller = self.authenticate(head, from_host, platform).await?;
        if head.method == Method::GET && self.server.polls() {
            return match updates::refused(head) {
                Some(response) => Err(response),
                None => Ok(caller),
            };
        }
        guard::method(head.method)
            .and_then(|()| guard::content_type(head.fields.content_type))
            .and_then(|()| guard::content_encoding(head.fields.content_encoding))
            .and_then(|()| guard::declared_size(&self.config, head.fields.content_length))
            .map_err(respond::refusal)?;
        Ok(caller)
    }
}
