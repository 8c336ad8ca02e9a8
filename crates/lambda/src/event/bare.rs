//! What is taken out of an event before `lambda_http` reads it, and given back afterwards.
//!
//! `lambda_http` 1.3.2 lets `headers` replace the values of `multiValueHeaders`, so that the first
//! of two `Origin`s would pass unseen; it panics on a host, a scheme, a query, a path or Base64
//! that it can't use, and knows no `null` in headers. So it gets each header's values together,
//! none of the members that it builds an address from, and no body: the protocol needs no address.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::not_http::NotHttp;

/// The longest path that is served, in bytes.
const MAX_PATH: usize = 8192;

/// In the place of a path that no server has.
const UNREADABLE: &str = "/unreadable";

/// Headers that `lambda_http` builds an address from.
const OF_ADDRESS: [HeaderName; 2] = [HOST, HeaderName::from_static("x-forwarded-proto")];

/// An event of a function URL, an HTTP API, a REST API or a load balancer. Not `Debug`: it carries
/// credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEvent {
    version: Option<String>,
    http_method: Option<String>,
    raw_path: Option<String>,
    path: Option<String>,
    headers: Option<SingleHeaders>,
    multi_value_headers: Option<MultiHeaders>,
    request_context: Map<String, Value>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// A console's test event has `null` where a header or a flag is not set.
type SingleHeaders = HashMap<String, Option<String>>;
type MultiHeaders = HashMap<String, Option<Vec<Option<String>>>>;

/// What `lambda_http` reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BareEvent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<&'a str>,
    path: &'a str,
    headers: BTreeMap<&'a str, Vec<&'a str>>,
    request_context: &'a Map<String, Value>,
}

/// An event in two parts.
pub(super) struct Taken {
    /// JSON for `lambda_http`.
    pub(super) bare: String,
    pub(super) version: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) domain: Option<String>,
    /// Every header of the event.
    pub(super) headers: HeaderMap,
    pub(super) multi_value_headers: bool,
    pub(super) body: Bytes,
}

/// Takes an event apart.
pub(super) fn take(event: &[u8]) -> Result<Taken, NotHttp> {
    let mut event: RawEvent = serde_json::from_slice(event).map_err(|_| NotHttp)?;
    let headers = headers(event.headers.as_ref(), event.multi_value_headers.as_ref());
    let body = match event.body.take() {
        Some(body) if event.is_base64_encoded == Some(true) => {
            STANDARD.decode(body).map_err(|_| NotHttp)?.into()
        }
        Some(body) => Bytes::from(body),
        None => Bytes::new(),
    };
    let mut name = |member: &str| match event.request_context.remove(member) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (stage, domain) = (name("stage"), name("domainName"));
    let path = event.raw_path.as_deref().or(event.path.as_deref());
    let path = path.map_or("/", readable);
    let mut values = BTreeMap::<&str, Vec<&str>>::new();
    for (name, value) in &headers {
        if !OF_ADDRESS.contains(name) {
            let value = value.to_str().unwrap_or_default();
            values.entry(name.as_str()).or_default().push(value);
        }
    }
    let bare = BareEvent {
        version: event.version.as_deref(),
        http_method: event.http_method.as_deref(),
        path,
        headers: values,
        request_context: &event.request_context,
    };
    let bare = serde_json::to_string(&bare).map_err(|_| NotHttp)?;
    Ok(Taken {
        bare,
        version: event.version,
        stage,
        domain,
        headers,
        multi_value_headers: event.multi_value_headers.is_some(),
        body,
    })
}

/// The path, if it is one.
fn readable(path: &str) -> &str {
    let is_path = path.starts_with('/') && path.len() <= MAX_PATH && Uri::try_from(path).is_ok();
    if is_path { path } else { UNREADABLE }
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
