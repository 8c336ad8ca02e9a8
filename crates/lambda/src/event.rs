//! From an event to an HTTP request: one shape that reads what every HTTP trigger sends. It knows
//! field names, no protocol.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use mcpfn_core::{Principal, PrincipalKind, Scopes};
use mcpfn_settings::strip_base_path;
use serde::Deserialize;
use serde_json::Value;

/// Where the triggers put an authenticated caller, the stronger method first. Load balancers
/// authenticate no caller: what they forward in headers can be sent by anyone who reaches the
/// function another way.
const CALLERS: [(PrincipalKind, &str); 7] = [
    (PrincipalKind::Iam, "/authorizer/iam/userArn"),
    (PrincipalKind::Iam, "/identity/userArn"),
    (PrincipalKind::Jwt, "/authorizer/jwt/claims/sub"),
    (PrincipalKind::Jwt, "/authorizer/claims/sub"),
    (PrincipalKind::Authorizer, "/authorizer/principalId"),
    (PrincipalKind::Authorizer, "/authorizer/lambda/principalId"),
    (PrincipalKind::Authorizer, "/authorizer/lambda/sub"),
];

/// Where they put the scopes of its token. A trigger that says nothing of scopes has admitted the
/// caller to everything.
const SCOPES: [&str; 4] = [
    "/authorizer/jwt/claims/scope",
    "/authorizer/claims/scope",
    "/authorizer/scope",
    "/authorizer/lambda/scope",
];

/// An event of a function URL, an HTTP API, a REST API or a load balancer. Not `Debug`: it carries
/// credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TriggerEvent {
    http_method: Option<String>,
    raw_path: Option<String>,
    path: Option<String>,
    headers: Option<HashMap<String, String>>,
    multi_value_headers: Option<HashMap<String, Vec<String>>>,
    request_context: Value,
    body: Option<String>,
    is_base64_encoded: bool,
}

impl TriggerEvent {
    /// Whether the trigger can take a streamed answer. A load balancer and an HTTP API never can.
    pub(crate) fn takes_streams(&self) -> bool {
        let domain = self.context("/domainName").unwrap_or_default();
        let http_api =
            self.request_context.get("http").is_some() && domain.contains(".execute-api.");
        !http_api && !self.is_load_balancer()
    }

    pub(crate) fn is_load_balancer(&self) -> bool {
        self.request_context.get("elb").is_some()
    }

    /// Whether the trigger sends each header's values apart, and wants them back so.
    pub(crate) fn has_multi_value_headers(&self) -> bool {
        self.multi_value_headers.is_some()
    }

    /// The caller that the trigger recognised, and where the call came from.
    pub(crate) fn principal(&self) -> Principal {
        let principal = self.recognised();
        let principal = match SCOPES.iter().find_map(|place| self.context(place)) {
            Some(scopes) if principal.kind != PrincipalKind::Iam => {
                principal.with_scopes(Scopes::parse(scopes))
            }
            _ => principal,
        };
        match self.address() {
            Some(address) => principal.at(address),
            None => principal,
        }
    }

    fn recognised(&self) -> Principal {
        let found = CALLERS
            .iter()
            .find_map(|(kind, place)| Some((*kind, self.context(place)?)));
        let Some((kind, subject)) = found else {
            return Principal::anonymous();
        };
        let cognito = self
            .context("/authorizer/iam/cognitoIdentity/identityId")
            .or_else(|| self.context("/identity/cognitoIdentityId"));
        match cognito {
            // all users of an identity pool share one role session, so its ARN alone is not one
            // caller
            Some(identity) if kind == PrincipalKind::Iam => {
                Principal::new(kind, format!("{subject}#{identity}"))
            }
            _ => Principal::new(kind, subject),
        }
    }

    /// A load balancer adds the address to what the client wrote into the header; the other
    /// triggers name it.
    fn address(&self) -> Option<IpAddr> {
        let named = self
            .context("/http/sourceIp")
            .or_else(|| self.context("/identity/sourceIp"));
        let forwarded = || {
            let single = self
                .headers
                .as_ref()
                .and_then(|headers| headers.get("x-forwarded-for"));
            let values = || {
                self.multi_value_headers
                    .as_ref()?
                    .get("x-forwarded-for")?
                    .last()
            };
            single.or_else(values)?.rsplit(',').next()
        };
        named
            .or_else(|| self.is_load_balancer().then(forwarded)?)?
            .trim()
            .parse()
            .ok()
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
            Some(body) if self.is_base64_encoded => {
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

fn headers(
    single: Option<&HashMap<String, String>>,
    multiple: Option<&HashMap<String, Vec<String>>>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let Ok(name) = HeaderName::try_from(name) else {
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
        Some(multiple) => multiple
            .iter()
            .for_each(|(name, values)| values.iter().for_each(|value| add(name, value))),
        None => single
            .into_iter()
            .flatten()
            .for_each(|(name, value)| add(name, value)),
    }
    headers
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
