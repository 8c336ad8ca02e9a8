//! From an event to an HTTP request, by `lambda_http`: it knows the events of every trigger, this
//! module what must not reach it. It knows no protocol.

mod bare;
pub(crate) mod identity;
mod not_http;
#[cfg(feature = "dynamodb")]
mod queue;
#[cfg(feature = "dynamodb")]
mod schedule;
#[cfg(feature = "dynamodb")]
mod task;
mod trigger;

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::Full;
use lambda_http::RequestExt as _;
use lambda_http::request::{LambdaRequest, RequestContext};
use mcpfn_core::{Principal, Scopes};
use mcpfn_http::AuthError;
use mcpfn_settings::strip_base_path;

use self::bare::Taken;
pub(crate) use self::not_http::NotHttp;
#[cfg(feature = "dynamodb")]
pub(crate) use self::queue::{QueueEvent, QueuedWork, SqsMessage};
#[cfg(feature = "dynamodb")]
pub(crate) use self::schedule::is_schedule;
#[cfg(feature = "dynamodb")]
pub(crate) use self::task::TaskEvent;
pub(crate) use self::trigger::Trigger;

/// An event of a function URL, an HTTP API, a REST API or a load balancer. Those of a WebSocket API
/// or of VPC Lattice are none. Not `Debug`: it carries credentials.
pub(crate) struct TriggerEvent {
    /// As `lambda_http` reads it: method and context.
    request: lambda_http::Request,
    context: RequestContext,
    trigger: Trigger,
    stage: Option<String>,
    headers: HeaderMap,
    multi_value_headers: bool,
    body: Bytes,
}

impl TriggerEvent {
    /// Reads the bytes of an event.
    ///
    /// # Errors
    /// [`NotHttp`] for what is no request of a trigger that is known.
    pub(crate) fn read(event: &[u8]) -> Result<Self, NotHttp> {
        let Taken {
            bare,
            version,
            stage,
            domain,
            headers,
            multi_value_headers,
            body,
        } = bare::take(event)?;
        let mut request = read(&bare, version.as_deref()).ok_or(NotHttp)?;
        let context = request.extensions_mut().remove().ok_or(NotHttp)?;
        if !identity::is_of_http(&context) {
            return Err(NotHttp);
        }
        Ok(Self {
            trigger: Trigger::of(version.as_deref(), domain.as_deref(), &context),
            request,
            context,
            stage,
            headers,
            multi_value_headers,
            body,
        })
    }

    /// What sent it.
    pub(crate) fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// Whether the trigger sends each header's values apart, and wants them back so.
    pub(crate) fn has_multi_value_headers(&self) -> bool {
        self.multi_value_headers
    }

    /// The caller that the trigger recognised. One that IAM recognised has the scopes `default`; the
    /// others have those of their claims, and `default` if no claim is about scopes.
    ///
    /// # Errors
    /// When the claims are not those of an access token, or name no caller.
    pub(crate) fn caller(&self, default: &Scopes) -> Result<Principal, AuthError> {
        identity::caller(&self.context, default)
    }

    /// Where the call came from, as the trigger says it.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        identity::address(&self.context, &self.headers)
    }

    /// The request that the trigger received. The query is left out: the protocol has none.
    pub(crate) fn into_request(self, base_path: &str) -> Request<Full<Bytes>> {
        let stage = self.stage.as_deref();
        let uri = path_below(self.request.raw_http_path(), stage, base_path);
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.request.method().clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        request
    }
}

/// The event as `lambda_http` has it, which tries one trigger after the other; that of a function URL
/// or an HTTP API says what it is, and is tried first.
fn read(bare: &str, version: Option<&str>) -> Option<lambda_http::Request> {
    let known = match version {
        Some("2.0") => serde_json::from_str(bare)
            .ok()
            .map(LambdaRequest::ApiGatewayV2),
        _ => None,
    };
    let request = known.or_else(|| serde_json::from_str(bare).ok());
    request.map(lambda_http::Request::from)
}

/// What is left of a path without the API's stage and the base path: what the protocol knows of it.
pub(crate) fn path_below(path: &str, stage: Option<&str>, base_path: &str) -> Uri {
    let stage = stage
        .filter(|stage| !matches!(*stage, "" | "$default"))
        .map(|stage| format!("/{stage}"));
    let path = strip_base_path(path, stage.as_deref().unwrap_or_default());
    Uri::try_from(strip_base_path(path, base_path)).unwrap_or(Uri::from_static("/unreadable"))
}

/// The caller that an event names, when no scopes are the default: all that this host reads of an
/// event, for the fuzz target of this repository.
#[doc(hidden)]
#[must_use]
pub fn caller_of_event(event: &[u8]) -> Option<Principal> {
    let event = TriggerEvent::read(event).ok()?;
    let caller = event.caller(&Scopes::none()).ok()?;
    let address = event.address();
    let _ = event.into_request("/tools");
    Some(match address {
        Some(address) => caller.at(address),
        None => caller,
    })
}

#[cfg(test)]
pub(crate) mod tests; // a table of every trigger and every shape of its claims
