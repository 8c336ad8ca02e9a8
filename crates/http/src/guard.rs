//! Checks that need no body: each is one function that lets a request pass or gives the refusal.

mod probes;

use core::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, Uri, header};
use mcpfn_core::{
    Principal, PrincipalKind, Scopes, host::LETTER_BYTES, policy::AddressLimits, port::Platform,
};

use crate::auth::{AuthError, AuthErrorKind, Challenge};
use crate::authority::Authority;
use crate::config::Config;
use crate::fields::{Field, Fields};
use crate::forwarded;
use crate::refusals::Reason;

pub(crate) use probes::host_of_probes;

/// Why a request is refused before its body is read.
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) status: StatusCode,
    /// One sentence that says what to change.
    pub(crate) message: String,
    /// How to authenticate, where that is what is missing.
    pub(crate) challenge: Option<Challenge>,
    /// When the same request may pass, where that is known.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            reason,
            status,
            message: message.into(),
            challenge: None,
            retry_after: None,
        }
    }
}

/// What is known of a caller before any credential is looked at.
pub(crate) struct FromHost {
    pub(crate) principal: Arc<Principal>,
    pub(crate) may_be_anonymous: bool,
}

/// A request may not name a host that is not this one, where that is checked.
pub(crate) fn host(config: &Config, uri: &Uri, named: Field<'_>) -> Result<(), Refusal> {
    let Some(hosts) = &config.hosts else {
        return Ok(());
    };
    let known = |authority: Authority<'_>| {
        let host = authority.host;
        hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    };
    if names(uri, named, known) {
        return Ok(());
    }
    let sentence = if config.auth.authenticators.is_empty() {
        "the header `host` does not name this machine; call the server at the address that it \
         printed. Behind a proxy, set MCPFN_AUTH to oauth or api-key, MCPFN_PUBLIC_URL to the URL \
         that clients use, and MCPFN_TRUSTED_PROXIES to the proxy's address"
    } else {
        "the header `host` does not name this server; call it at the address that it printed, or \
         set MCPFN_PUBLIC_URL to the URL that clients use, or MCPFN_ALLOWED_HOSTS to this name"
    };
    Err(Refusal::new(Reason::Host, StatusCode::FORBIDDEN, sentence))
}

/// Whether a request names a host, and only such ones.
fn names(uri: &Uri, named: Field<'_>, known: impl Fn(Authority<'_>) -> bool) -> bool {
    let known = |text: &str| Authority::read(text).is_some_and(&known);
    // HTTP/2 names the host in the URI, HTTP/1.1 once in a header
    match (uri.authority(), named.value) {
        (Some(authority), None) => known(authority.as_str()),
        (authority, Some(_)) if !named.repeated => {
            authority.is_none_or(|authority| known(authority.as_str()))
                && named.text().is_some_and(known)
        }
        _ => false,
    }
}

/// The person at this machine sends requests straight to it, under a name of this machine. Gives
/// the sign that this one came another way.
pub(crate) fn indirect<'a>(headers: &'a HeaderMap, uri: &Uri, named: Field<'_>) -> Option<&'a str> {
    match forwarded::by_proxy(headers) {
        Some(header) => Some(header.as_str()),
        None if names(uri, named, |authority| authority.is_loopback()) => None,
        None => Some("host"),
    }
}

/// The refusal of a request that came through a proxy, where nobody proves who they are.
pub(crate) fn through_a_proxy(sign: &str) -> Refusal {
    Refusal::new(
        Reason::Proxy,
        StatusCode::FORBIDDEN,
        format!(
            "the header `{sign}` says that this request came through a proxy, so that it is not \
             taken for one of the person at this machine: set MCPFN_AUTH to oauth or api-key, and \
             MCPFN_TRUSTED_PROXIES to the proxy's address"
        ),
    )
}

/// The caller must be authenticated, unless the operator allows anonymous callers: by the host
/// already, or by one of the configured methods.
pub(crate) async fn caller(
    config: &Config,
    headers: &HeaderMap,
    from_host: FromHost,
    realm: &str,
    platform: &Platform,
) -> Result<Arc<Principal>, Refusal> {
    let FromHost {
        principal,
        may_be_anonymous,
    } = from_host;
    if principal.kind != PrincipalKind::Anonymous {
        return Ok(principal);
    }
    let address = principal.address.unwrap_or(AddressLimits::UNKNOWN);
    if !config.auth.authenticators.is_empty()
        && let Some(wait) = platform.refused_credentials_wait(address)
    {
        // before any work: neither a digest nor a question to an issuer for one that guesses
        return Err(too_many_refused(wait));
    }
    for authenticator in &config.auth.authenticators {
        let waiting = Waiting(platform, address);
        let verdict = authenticator.authenticate(headers, platform).await;
        std::mem::forget(waiting);
        match verdict {
            Ok(None) => {}
            Ok(Some(mut proven)) => {
                // the host alone knows where the request came from
                proven.address = principal.address;
                return Ok(proven.into());
            }
            Err(error) => {
                return Err(counted(config, realm, error, platform, address).await);
            }
        }
    }
    if may_be_anonymous {
        // the one place where a caller that nobody recognised gets scopes
        let everybody = Principal::clone(&principal).with_scopes(Scopes::all());
        return Ok(everybody.into());
    }
    if config.auth.authenticators.is_empty() {
        return Err(Refusal::new(
            Reason::Unauthenticated,
            StatusCode::FORBIDDEN,
            "authentication required: sign the request or log in as the operator of this server \
             requires",
        ));
    }
    let sentence = "authentication required: send a token or an API key in `Authorization: Bearer \
                    ...`";
    Err(Refusal {
        challenge: Some(config.auth.challenge(realm, None, &[])),
        ..Refusal::new(Reason::Unauthenticated, StatusCode::UNAUTHORIZED, sentence)
    })
}

/// The refusal of a credential, which counts unless it could not be checked.
async fn counted(
    config: &Config,
    realm: &str,
    error: AuthError,
    platform: &Platform,
    address: IpAddr,
) -> Refusal {
    let counts = error.kind != AuthErrorKind::Unavailable;
    let refusal = unproven(config, realm, error, platform);
    let wait = match counts {
        true => platform.count_refused_credential(realm, address).await,
        false => None,
    };
    wait.map_or(refusal, too_many_refused)
}

/// A caller that hangs up while its credential is being checked is counted like one that was
/// refused: else it could have an issuer asked without end, and never be told to wait.
struct Waiting<'a>(&'a Platform, IpAddr);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.count_abandoned_credential(self.1);
    }
}

/// The refusal of an address that sent too many wrong credentials.
fn too_many_refused(wait: Duration) -> Refusal {
    let sentence = format!(
        "too many credentials from this address were refused: correct the token or API key, and \
         try again in {} s",
        wait.as_secs()
    );
    Refusal {
        retry_after: Some(wait),
        ..Refusal::new(Reason::Rate, StatusCode::TOO_MANY_REQUESTS, sentence)
    }
}

/// When a request that could not be checked may be sent again, in seconds: the sentence and the
/// header say the same.
pub(crate) const RETRY_S: u64 = 60;

fn unproven(config: &Config, realm: &str, error: AuthError, platform: &Platform) -> Refusal {
    platform
        .audit_log()
        .denied(&error.message, error.cause.as_deref());
    let challenge = |error: &str| Some(config.auth.challenge(realm, Some(error), &[]));
    let (status, challenge) = match error.kind {
        AuthErrorKind::Malformed => (StatusCode::BAD_REQUEST, challenge("invalid_request")),
        AuthErrorKind::Invalid => (StatusCode::UNAUTHORIZED, challenge("invalid_token")),
        AuthErrorKind::Unavailable | AuthErrorKind::Unanswered => {
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
    };
    let message = match error.kind {
        AuthErrorKind::Unavailable | AuthErrorKind::Unanswered => {
            format!("{}; retry in {RETRY_S} s", error.message)
        }
        AuthErrorKind::Malformed | AuthErrorKind::Invalid => error.message,
    };
    Refusal {
        challenge,
        ..Refusal::new(Reason::Credential, status, message)
    }
}

/// A browser's page may call only from a listed origin. Gives the origin to be allowed by name.
pub(crate) fn origin<'a>(
    config: &Config,
    uri: &Uri,
    fields: &Fields<'a>,
) -> Result<Option<&'a str>, Refusal> {
    let origin = fields.origin;
    let allowed = |named: &str| config.origins.allow(named) || is_own(config, uri, fields, named);
    match origin.checked() {
        Ok(None) => Ok(None),
        Ok(Some(named)) if !origin.repeated && allowed(named) => Ok(Some(named)),
        _ => Err(Refusal::new(
            Reason::Origin,
            StatusCode::FORBIDDEN,
            "this Origin may not call this server; the operator lists allowed ones in \
             MCPFN_ALLOWED_ORIGINS",
        )),
    }
}

/// Whether an origin is that of this server's own page. A hostile page can have its own name lead
/// here, which it then calls as its own: it gets nothing by that where each caller proves who they
/// are, as no browser would add the proof by itself. A page that came over `http` is whoever's is on
/// the way, unless it came from this machine; one of a public URL is listed.
fn is_own(config: &Config, uri: &Uri, fields: &Fields<'_>, origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else {
        return false;
    };
    let host = Authority::read(host).filter(|host| {
        let local = scheme == "http" && host.is_loopback();
        scheme == "https" || local
    });
    let same = |authority: Authority<'_>| host == Some(authority);
    config.origins.own && !config.anonymous && names(uri, fields.host, same)
}

/// Messages are posted.
pub(crate) fn method(method: &Method) -> Result<(), Refusal> {
    if method == Method::POST {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::Method,
        StatusCode::METHOD_NOT_ALLOWED,
        "send each JSON-RPC message in a POST; there are no sessions and no GET stream here",
    ))
}

/// A body that says what it is must be JSON.
pub(crate) fn content_type(field: Field<'_>) -> Result<(), Refusal> {
    let Some(value) = field.value else {
        return Ok(());
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::ContentType,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body must be JSON: send `Content-Type: application/json`",
    ))
}

/// A body comes as it is: what is small compressed may be anything unpacked.
pub(crate) fn content_encoding(field: Field<'_>) -> Result<(), Refusal> {
    let named = field
        .value
        .map(|value| value.to_str().unwrap_or("?").trim());
    match named {
        None => Ok(()),
        Some(one)
            if !field.repeated && (one.is_empty() || one.eq_ignore_ascii_case("identity")) =>
        {
            Ok(())
        }
        Some(_) => Err(Refusal::new(
            Reason::ContentType,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must not be compressed: send it as it is, without `Content-Encoding`",
        )),
    }
}

/// A body that says how long it is must not be too long.
pub(crate) fn declared_size(config: &Config, length: Field<'_>) -> Result<(), Refusal> {
    let declared = length.text().and_then(|length| length.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > config.max_body as u64) {
        Err(too_large(config))
    } else {
        Ok(())
    }
}

/// The refusal of a body over the limit.
pub(crate) fn too_large(config: &Config) -> Refusal {
    Refusal::new(
        Reason::Size,
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "the body is larger than {} bytes; send less, or in parts",
            config.max_body
        ),
    )
}

/// The refusal of an answer to a question, over the limit of one.
pub(crate) fn answer_too_large() -> Refusal {
    Refusal::new(
        Reason::Size,
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("an answer to a question may have at most {LETTER_BYTES} bytes"),
    )
}

/// The refusal of a body that does not arrive.
pub(crate) fn too_slow(config: &Config) -> Refusal {
    Refusal::new(
        Reason::Body,
        StatusCode::REQUEST_TIMEOUT,
        format!(
            "the body did not arrive within {} s: send all of it at once, with its \
             `Content-Length`",
            config.body_timeout.as_secs()
        ),
    )
}

/// Whether the client can read an event stream. Clients that say nothing at all get plain JSON.
pub(crate) fn accepts_stream(headers: &HeaderMap) -> bool {
    accepts(headers, "text/event-stream")
}

/// Whether `Accept` names this type, in so many words.
pub(crate) fn accepts(headers: &HeaderMap, essence: &str) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value.split(',').any(|range| {
                let mut parts = range.split(';').map(str::trim);
                let named = parts
                    .next()
                    .is_some_and(|named| named.eq_ignore_ascii_case(essence));
                named && !parts.any(|parameter| parameter == "q=0")
            })
        })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// In every place where a version of HTTP names it, and in none of them something else.
    #[test]
    fn a_host_is_named_wherever_it_is_named() {
        for (uri, headers, is_named) in [
            ("/mcp", &["localhost"][..], true),
            ("/mcp", &["localhost:8000"], true),
            ("https://localhost/mcp", &[], true),
            ("https://localhost:8000/mcp", &["localhost"], true),
            ("/mcp", &[], false),
            ("/mcp", &["evil.example"], false),
            ("/mcp", &["localhost@evil.example"], false),
            ("/mcp", &["localhost", "localhost"], false),
            ("/mcp", &["localhost", "evil.example"], false),
            ("https://evil.example/mcp", &[], false),
            ("https://evil.example/mcp", &["localhost"], false),
            ("https://localhost/mcp", &["evil.example"], false),
            ("https://localhost/mcp", &["localhost", "localhost"], false),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|host| (header::HOST, HeaderValue::from_static(host)))
                .collect();
            let field = Field::of(&headers, &header::HOST);
            let uri = Uri::from_static(uri);
            let found = names(&uri, field, |authority| authority.is_loopback());
            assert_eq!(found, is_named, "{uri} {headers:?}");
            assert_eq!(
                indirect(&headers, &uri, field),
                (!is_named).then_some("host")
            );
        }
    }
}
