//! From an event to an HTTP request: one shape that reads what every HTTP trigger sends. It knows
//! field names, no protocol.

mod trigger;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use mcpfn_auth::verified_caller;
use mcpfn_core::{Principal, PrincipalKind, Scopes};
use mcpfn_http::AuthError;
use mcpfn_settings::strip_base_path;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::trigger::Trigger;

/// Where the triggers put the ARN of a caller that IAM recognised.
const ARNS: [&str; 2] = ["/authorizer/iam/userArn", "/identity/userArn"];

/// Where they put claims that they verified, and which of them names the caller; the stronger
/// credential first. A caller's name and its scopes come from one object. An HTTP API also lists
/// the scopes that its route accepts (`jwt.scopes`): a token needs only one of them, so that list
/// grants nothing. Load balancers recognise nobody: what they forward in headers can be sent by
/// anyone who reaches the function another way.
const CLAIMS: [(PrincipalKind, &str, &str); 5] = [
    (PrincipalKind::Jwt, "/authorizer/jwt/claims", "sub"),
    (PrincipalKind::Jwt, "/authorizer/claims", "sub"),
    (PrincipalKind::Authorizer, "/authorizer", "principalId"),
    (
        PrincipalKind::Authorizer,
        "/authorizer/lambda",
        "principalId",
    ),
    (PrincipalKind::Authorizer, "/authorizer/lambda", "sub"),
];

/// An event of a function URL, an HTTP API, a REST API or a load balancer. Not `Debug`: it carries
/// credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TriggerEvent {
    version: Option<String>,
    http_method: Option<String>,
    raw_path: Option<String>,
    path: Option<String>,
    headers: Option<SingleHeaders>,
    multi_value_headers: Option<MultiHeaders>,
    request_context: Value,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// A console's test event has `null` where a header or a flag is not set.
type SingleHeaders = HashMap<String, Option<String>>;
type MultiHeaders = HashMap<String, Option<Vec<Option<String>>>>;

impl TriggerEvent {
    /// What sent it.
    pub(crate) fn trigger(&self) -> Trigger {
        Trigger::of(self.version.as_deref(), &self.request_context)
    }

    fn is_load_balancer(&self) -> bool {
        self.trigger() == Trigger::LoadBalancer
    }

    /// Whether the trigger sends each header's values apart, and wants them back so.
    pub(crate) fn has_multi_value_headers(&self) -> bool {
        self.multi_value_headers.is_some()
    }

    /// The caller that the trigger recognised. One that IAM recognised has the scopes `default`; the
    /// others have those of their claims, and `default` if no claim is about scopes.
    ///
    /// # Errors
    /// When the claims are not those of an access token, or name no caller.
    pub(crate) fn caller(&self, default: &Scopes) -> Result<Principal, AuthError> {
        if let Some(arn) = ARNS.iter().find_map(|place| self.context(place)) {
            let caller = Principal::new(PrincipalKind::Iam, self.iam_subject(arn));
            return Ok(caller.with_scopes(default.clone()));
        }
        let named = CLAIMS.iter().find_map(|(kind, place, name)| {
            let claims = self.request_context.pointer(place)?.as_object()?;
            let subject = claims.get(*name)?.as_str()?;
            (!subject.is_empty()).then_some((*kind, subject, claims))
        });
        match named {
            Some((kind, subject, claims)) => verified_caller(kind, subject, claims, default),
            None => Ok(Principal::anonymous()),
        }
    }

    /// All users of an identity pool share one role session, so its ARN alone is not one caller.
    fn iam_subject(&self, arn: &str) -> String {
        let identity = self
            .context("/authorizer/iam/cognitoIdentity/identityId")
            .or_else(|| self.context("/identity/cognitoIdentityId"));
        match identity {
            Some(identity) => format!("{arn}#{identity}"),
            None => arn.to_owned(),
        }
    }

    /// Where the call came from. A load balancer adds the address to what the client wrote into the
    /// header; the other triggers name it.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let named = self
            .context("/http/sourceIp")
            .or_else(|| self.context("/identity/sourceIp"));
        named
            .or_else(|| self.is_load_balancer().then(|| self.forwarded())?)
            .and_then(read_address)
    }

    fn forwarded(&self) -> Option<&str> {
        const NAME: &str = "x-forwarded-for";
        let single = self.headers.as_ref().and_then(|headers| headers.get(NAME));
        let value = match single {
            Some(value) => value.as_deref(),
            None => {
                let values = self.multi_value_headers.as_ref()?.get(NAME)?;
                values.as_ref()?.last()?.as_deref()
            }
        };
        value?.rsplit(',').next()
    }

    /// The request that the trigger received. The query is left out: the protocol has none.
    pub(crate) fn into_request(self, base_path: &str) -> Result<Request<Full<Bytes>>, NotHttp> {
        // in this order, because `cargo lambda watch` says GET in the place that a function URL's
        // event does not have
        let method = self
            .context("/http/method")
            .or(self.http_method.as_deref())
            .ok_or(NotHttp)?;
        // an invalid method or path can only be answered as one that is not served
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::TRACE);
        let stage = self
            .context("/stage")
            .filter(|stage| *stage != "$default")
            .map(|stage| format!("/{stage}"));
        let path = self
            .raw_path
            .as_deref()
            .or(self.path.as_deref())
            .unwrap_or("/");
        let path = strip_base_path(
            strip_base_path(path, stage.as_deref().unwrap_or_default()),
            base_path,
        );
        let uri = Uri::try_from(path).unwrap_or(Uri::from_static("/unreadable"));
        let body = match self.body {
            Some(body) if self.is_base64_encoded == Some(true) => {
                STANDARD.decode(body).map_err(|_| NotHttp)?.into()
            }
            Some(body) => Bytes::from(body),
            None => Bytes::new(),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers(self.headers.as_ref(), self.multi_value_headers.as_ref());
        Ok(request)
    }

    fn context(&self, place: &str) -> Option<&str> {
        self.request_context
            .pointer(place)?
            .as_str()
            .filter(|text| !text.is_empty())
    }
}

/// An address as load balancers write it, which may have a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))
}

fn headers(single: Option<&SingleHeaders>, multiple: Option<&MultiHeaders>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Option<String>| {
        let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) else {
            return;
        };
        // an invalid value stays as an empty one: a check that forbids the header must still find
        // it
        headers.append(
            name,
            HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")),
        );
    };
    match multiple {
        // holds everything that the single ones hold
        Some(multiple) => multiple.iter().for_each(|(name, values)| {
            values.iter().flatten().for_each(|value| add(name, value));
        }),
        None => single
            .into_iter()
            .flatten()
            .for_each(|(name, value)| add(name, value)),
    }
    headers
}

/// The caller that an event names, when no scopes are the default: all that this host reads of an
/// event, for the fuzz target of this repository.
#[doc(hidden)]
#[must_use]
pub fn caller_of_event(event: &[u8]) -> Option<Principal> {
    let event: TriggerEvent = serde_json::from_slice(event).ok()?;
    let caller = event.caller(&Scopes::none()).ok();
    let address = event.address();
    let request = event.into_request("/tools");
    caller
        .filter(|_| request.is_ok())
        .map(|caller| match address {
            Some(address) => caller.at(address),
            None => caller,
        })
}

/// An event that no HTTP trigger sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotHttp;

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the event is not an HTTP request: call this function through its function URL, an \
             API Gateway or a load balancer, or invoke it with an event of one of these",
        )
    }
}

impl From<NotHttp> for lambda_runtime::Diagnostic {
    fn from(error: NotHttp) -> Self {
        Self {
            error_type: "NotHttp".to_owned(),
            error_message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests; // a table of every trigger and every shape of its claims
