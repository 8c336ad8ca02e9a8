//! `_meta` of a request (basic, "_meta"): version, client, log level, progress token, trace
//! context.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::capabilities::ClientCapabilities;
use super::implementation::Implementation;
use crate::jsonrpc::{Error, MAX_TOKEN_BYTES, Object, culprit, is_token, present, refused, string};

pub(crate) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
pub(crate) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// Ours: a client that sends `true` under it reads `hit`, `miss` and the like in the result's
/// `_meta`.
pub(crate) const CACHE: &str = "dev.mcpfn/cache";

/// Members of `_meta`, found but not yet read. Null is what is left out, but for a key of a write:
/// what protects nothing is not taken for one.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RawMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", borrow, default)]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", borrow, default)]
    pub(crate) client_capabilities: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientInfo", borrow, default)]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/logLevel", borrow, default)]
    log_level: Option<&'a RawValue>,
    #[serde(rename = "progressToken", borrow, default)]
    progress_token: Option<&'a RawValue>,
    #[serde(borrow, default)]
    traceparent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tracestate: Option<&'a RawValue>,
    #[serde(borrow, default)]
    baggage: Option<&'a RawValue>,
    #[serde(
        rename = "idempotencyKey",
        borrow,
        default,
        deserialize_with = "present"
    )]
    idempotency_key: Option<&'a RawValue>,
    #[serde(rename = "dev.mcpfn/hops", borrow, default)]
    hops: Option<&'a RawValue>,
    #[serde(rename = "dev.mcpfn/cache", borrow, default)]
    cache: Option<&'a RawValue>,
}

/// What `_meta` said, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallMeta {
    pub(crate) client: ClientCapabilities,
    pub(crate) client_info: Option<Implementation>,
    pub(crate) log_level: Option<LogLevel>,
    /// JSON text of the token, repeated unchanged in each notification.
    pub(crate) progress_token: Option<Box<str>>,
    pub(crate) trace: TraceContext,
    /// By which a repeated write is known.
    pub(crate) idempotency_key: Option<Box<str>>,
    /// How many servers that front others the call came through.
    pub(crate) hops: u8,
    /// The client wants to hear whether the result was kept.
    pub(crate) tells_cache: bool,
}

impl<'a> RawMeta<'a> {
    /// The version a modern request names.
    pub(crate) fn version(&self) -> Result<Cow<'a, str>, Error> {
        let raw = self
            .protocol_version
            .ok_or_else(|| missing(PROTOCOL_VERSION, "the revision's date, e.g. \"2026-07-28\""))?;
        string(raw).ok_or_else(|| {
            Error::invalid_params(format!(
                "`params._meta[\"{PROTOCOL_VERSION}\"]` must be a string"
            ))
        })
    }

    /// Reads everything a modern request must or may say.
    pub(crate) fn modern(&self) -> Result<CallMeta, Error> {
        let raw = self.client_capabilities.ok_or_else(|| {
            missing(
                CLIENT_CAPABILITIES,
                "an object, `{}` if the client has none",
            )
        })?;
        let Object(client) = serde_json::from_str(raw.get()).map_err(|_| {
            let member = culprit::<ClientCapabilities>(raw.get())
                .map_or_else(String::new, |(name, _)| format!(".{name}"));
            Error::invalid_params(format!(
                "`params._meta[\"{CLIENT_CAPABILITIES}\"]{member}` must be an object"
            ))
        })?;
        let log_level = match self.log_level {
            None => None,
            Some(raw) => Some(LogLevel::read(raw).ok_or_else(|| {
                Error::invalid_params(format!(
                    "`params._meta[\"{LOG_LEVEL}\"]` must be one of debug, info, notice, warning, error, \
                     critical, alert, emergency"
                ))
            })?),
        };
        Ok(CallMeta {
            client,
            log_level,
            ..self.common()?
        })
    }

    fn trace(&self) -> TraceContext {
        let text = |raw: Option<&RawValue>| raw.and_then(string).map(Cow::into_owned);
        let mut trace = TraceContext {
            traceparent: text(self.traceparent),
            tracestate: text(self.tracestate),
            baggage: text(self.baggage),
        };
        trace.keep_well_formed();
        trace
    }

    /// Reads what legacy requests may say: a progress token and trace context.
    pub(crate) fn common(&self) -> Result<CallMeta, Error> {
        Ok(CallMeta {
            // for display only, so a malformed one refuses nothing
            client_info: self
                .client_info
                .and_then(|raw| serde_json::from_str::<Object<_>>(raw.get()).ok())
                .map(|object| object.0),
            progress_token: self.progress_token.map(progress_token).transpose()?,
            trace: self.trace(),
            idempotency_key: self.idempotency_key.map(idempotency_key).transpose()?,
            hops: self
                .hops
                .and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default(),
            tells_cache: self.cache.is_some_and(|raw| raw.get() == "true"),
            ..CallMeta::default()
        })
    }
}

fn missing(key: &str, what: &str) -> Error {
    Error::invalid_params(format!("`params._meta[\"{key}\"]` is required: {what}"))
}

fn progress_token(raw: &RawValue) -> Result<Box<str>, Error> {
    if is_token(raw) {
        Ok(raw.get().into())
    } else {
        let otherwise = format!(
            "`params._meta.progressToken` must be a string or an integer of at most \
             {MAX_TOKEN_BYTES} bytes"
        );
        Err(refused("`params._meta.progressToken`", raw, otherwise))
    }
}

/// Longest `idempotencyKey`, in bytes: a UUID has 36.
const MAX_KEY_LENGTH: usize = 255;

fn idempotency_key(raw: &RawValue) -> Result<Box<str>, Error> {
    let key = string(raw).filter(|key| !key.is_empty() && key.len() <= MAX_KEY_LENGTH);
    key.map(Into::into).ok_or_else(|| {
        let otherwise = format!(
            "`params._meta.idempotencyKey` must be a string of 1 to {MAX_KEY_LENGTH} bytes, such as \
             a UUID"
        );
        refused("`params._meta.idempotencyKey`", raw, otherwise)
    })
}

/// Severity of a log message, after RFC 5424. Later ones are more severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    pub(crate) fn read(raw: &RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }
}

/// W3C trace context as the client sent it, in `_meta` or in headers. Passed on to services and
/// into records, so only what is spelled like one is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// W3C `traceparent`.
    pub traceparent: Option<String>,
    /// W3C `tracestate`.
    pub tracestate: Option<String>,
    /// W3C `baggage`.
    pub baggage: Option<String>,
}

impl TraceContext {
    /// Drops what the W3C's grammar does not allow, roughly: a `traceparent` is 55 characters of
    /// hexadecimal digits and dashes, the others are visible ASCII of limited length.
    pub(crate) fn keep_well_formed(&mut self) {
        let hex = |parent: &String| {
            parent.len() == 55
                && parent
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        let visible = |text: &String| {
            text.len() <= 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        self.traceparent = self.traceparent.take().filter(hex);
        self.tracestate = self
            .tracestate
            .take()
            .filter(|state| self.traceparent.is_some() && visible(state));
        self.baggage = self.baggage.take().filter(visible);
    }
}
