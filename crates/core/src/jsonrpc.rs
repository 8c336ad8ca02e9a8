//! The JSON-RPC 2.0 message: reading messages without copying them, writing answers. Knows no MCP.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::text;

mod unreadable;

pub(crate) use unreadable::culprit;

/// A request id as the client wrote it: the JSON text of a string or an integer, repeated unchanged
/// in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// The JSON text, quotes included where the id is a string.
    #[must_use]
    pub fn as_json(self) -> &'a str {
        self.0
    }

    fn read(raw: &'a RawValue) -> Option<Self> {
        is_string_or_integer(raw).then_some(Self(raw.get()))
    }
}

fn none<P>() -> Option<P> {
    None
}

fn some<'de, D: Deserializer<'de>, P: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<P>, D::Error> {
    P::deserialize(deserializer).map(Some)
}

/// What an id or a progress token may be. It is repeated as it was written, so it must be a string
/// that any reader of JSON takes: a raw value may still hold half a surrogate pair.
pub(crate) fn is_string_or_integer(raw: &RawValue) -> bool {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => string(raw).is_some(),
        Some(b'-' | b'0'..=b'9') => !text.contains(['.', 'e', 'E']),
        _ => false,
    }
}

/// The text of a string; `None` for anything else.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        // valid JSON, so without escapes it is the text itself
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<EscapedText<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
}

/// One message from a client, its parameters read as `P`.
#[derive(Debug, Clone)]
pub enum Message<'a, P> {
    /// Wants an answer with the same id.
    Request(Request<'a, P>),
    /// Wants no answer.
    Notification(Notification<'a, P>),
    /// An answer to a question that a stateless server never asked.
    Response,
}

/// A message that wants an answer.
#[derive(Debug, Clone)]
pub struct Request<'a, P> {
    /// Repeated in the answer.
    pub id: Id<'a>,
    /// The method's name.
    pub method: Cow<'a, str>,
    /// The parameters, if there are any.
    pub params: Option<P>,
}

/// A message that wants no answer.
#[derive(Debug, Clone)]
pub struct Notification<'a, P> {
    /// The method's name.
    pub method: Cow<'a, str>,
    /// The parameters, if there are any that can be read: a notification is never refused for them.
    pub params: Option<P>,
}

/// What a body holds.
#[derive(Debug, Clone)]
pub enum Incoming<'a, P> {
    /// One message.
    Single(Message<'a, P>),
    /// An array of messages, each still to be read with [`read_message`]. Only revision 2025-03-26
    /// has these.
    Batch(Vec<&'a RawValue>),
}

/// A message that can't be served, with the id to answer to where it could be read.
#[derive(Debug, Clone)]
pub struct Malformed<'a> {
    /// The id of the message, if it has a usable one.
    pub id: Option<Id<'a>>,
    /// What is wrong with it.
    pub error: Error,
}

impl From<Error> for Malformed<'_> {
    fn from(error: Error) -> Self {
        Self { id: None, error }
    }
}

/// Reads a body, and the parameters of a single message with it in one pass: what a method may have
/// there is `P`'s business. A `P` keeps its members raw, except for those that must be objects:
/// that is what a refusal says of one that has another type.
///
/// # Errors
/// -32700 when it is not JSON in UTF-8, -32600 when it is not a JSON-RPC 2.0 message, -32602 when
/// it is a request whose parameters are not a `P`.
pub fn read<'a, P: Deserialize<'a>>(body: &'a [u8]) -> Result<Incoming<'a, P>, Malformed<'a>> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::parse(format!(
            "the body is not UTF-8 (byte {})",
            error.valid_up_to()
        ))
    })?;
    // by its first character, so that a single message is not parsed twice
    if text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with('[')
    {
        let items = serde_json::from_str::<Vec<&RawValue>>(text)
            .map_err(|error| unreadable::message(text, &error))?;
        return Ok(Incoming::Batch(items));
    }
    read_message(text).map(Incoming::Single)
}

/// Reads one message.
///
/// # Errors
/// As for [`read`].
pub fn read_message<'a, P: Deserialize<'a>>(
    text: &'a str,
) -> Result<Message<'a, P>, Malformed<'a>> {
    match serde_json::from_str::<Object<RawMessage<'a, P>>>(text) {
        Ok(Object(message)) => classify(message),
        Err(error) if error.is_data() => unreadable(text, &error),
        Err(error) => Err(unreadable::message(text, &error).into()),
    }
}

/// Tells a message that is none from a message whose parameters are not as its method wants them.
fn unreadable<'a, P: Deserialize<'a>>(
    text: &'a str,
    error: &serde_json::Error,
) -> Result<Message<'a, P>, Malformed<'a>> {
    // A second pass, on this path only: with raw parameters it tells whether the message or its
    // parameters are at fault, and finds the id to answer to.
    let Object(message) = serde_json::from_str::<Object<RawMessage<'a, &RawValue>>>(text)
        .map_err(|error| unreadable::message(text, &error))?;
    match classify(message)? {
        Message::Request(Request { id, params, .. }) => Err(Malformed {
            id: Some(id),
            error: unreadable::params::<P>(params, error),
        }),
        // a notification has no response that could carry an error, so it is taken without its
        // parameters
        Message::Notification(Notification { method, .. }) => {
            Ok(Message::Notification(Notification {
                method,
                params: None,
            }))
        }
        Message::Response => Ok(Message::Response),
    }
}

const VERSION: &str = "`jsonrpc` must be \"2.0\"";

fn classify<P>(message: RawMessage<'_, P>) -> Result<Message<'_, P>, Malformed<'_>> {
    let id = match message.id {
        None => None,
        Some(raw) => {
            let refused = || {
                Error::invalid_request(
                    "`id` must be a string or an integer; leave it out for a notification",
                )
            };
            Some(Id::read(raw).ok_or_else(refused)?)
        }
    };
    let refuse = |message: &'static str| Malformed {
        id,
        error: Error::invalid_request(message),
    };
    // after the id, so that the refusal can repeat it
    if message.jsonrpc.is_none_or(|version| version.0 != "2.0") {
        return Err(refuse(VERSION));
    }
    let answered = message.result.is_some() || message.error.is_some();
    match (message.method.map(|method| method.0), id) {
        (Some(_), _) if answered => Err(refuse(
            "a message has either `method` or `result`/`error`, not both",
        )),
        (Some(method), Some(id)) => Ok(Message::Request(Request {
            id,
            method,
            params: message.params,
        })),
        (Some(method), None) => Ok(Message::Notification(Notification {
            method,
            params: message.params,
        })),
        (None, _) if answered => Ok(Message::Response),
        (None, _) => Err(refuse("`method` is missing")),
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct RawMessage<'a, P> {
    #[serde(borrow, default)]
    jsonrpc: Option<EscapedText<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<EscapedText<'a>>,
    #[serde(default = "none", deserialize_with = "some")]
    params: Option<P>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// A string, borrowed where it has no escapes. (serde borrows into a bare `Cow`, but not into an
/// `Option` of one.)
#[derive(Deserialize)]
struct EscapedText<'a>(#[serde(borrow)] Cow<'a, str>);

/// A struct read from a JSON object only. serde's derive would also read it from an array of its
/// fields in order.
#[derive(Debug, Clone)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Keeps an explicit `null` apart from a missing member: `"id": null` is an error, no id is a
/// notification.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// An error code: JSON-RPC's own and MCP's. Open, because applications may define theirs outside
/// -32768..=-32000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// The body is not JSON.
    pub const PARSE: Self = Self(-32700);
    /// Not a JSON-RPC request.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// No such method, or its feature is not served.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// Parameters missing, of the wrong type, or naming something that does not exist.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// A fault of the server.
    pub const INTERNAL: Self = Self(-32603);
    /// MCP: the resource does not exist. Revisions before 2026-07-28 only; since then this is
    /// [`ErrorCode::INVALID_PARAMS`].
    pub const RESOURCE_NOT_FOUND: Self = Self(-32002);
    /// MCP: a request header is missing, or differs from the body that it must repeat.
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// MCP: the client did not declare a capability that the call needs.
    pub const MISSING_CAPABILITY: Self = Self(-32021);
    /// MCP: the protocol version that the request names is not served.
    pub const UNSUPPORTED_VERSION: Self = Self(-32022);
    /// MCP: a page must be opened before the call can work. Revision 2025-11-25 only; this library
    /// never sends it, and may read it from a server behind it.
    pub const URL_ELICITATION_REQUIRED: Self = Self(-32042);
    /// The caller lacks a scope: ours, outside the range that JSON-RPC and MCP keep for themselves.
    pub const FORBIDDEN: Self = Self(403);
    /// The caller's rate limit is reached: ours, outside the range that JSON-RPC and MCP keep
    /// for themselves.
    pub const RATE_LIMITED: Self = Self(429);
}

/// A JSON-RPC error object. Its text goes to the client: it never carries a private cause.
#[derive(Debug, Clone, Serialize)]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence, saying what to change.
    pub message: Cow<'static, str>,
    /// Facts for a program, where the protocol defines some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// When the same request may work, for transports that can say so.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// The scopes that the caller needs for this, for transports that can say so. Empty for other
    /// errors.
    #[serde(skip)]
    pub scopes: Vec<String>,
}

impl Error {
    /// An error of any code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            retry_after: None,
            scopes: Vec::new(),
        }
    }

    /// Adds facts for a program.
    #[must_use]
    pub fn with_data(mut self, data: serde_json::Value) -> Self {
        self.data = Some(data);
        self
    }

    /// -32700.
    #[must_use]
    pub fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::PARSE, message)
    }

    /// -32600.
    #[must_use]
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }

    /// -32601, naming the method.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        Self::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("method {} is not served here", text::quoted(method)),
        )
    }

    /// -32602.
    #[must_use]
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INVALID_PARAMS, message)
    }

    /// 429: the same call may work after `wait`, which should be whole seconds.
    #[must_use]
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        let data = serde_json::json!({ "retryAfterSeconds": wait.as_secs() });
        Self {
            retry_after: Some(wait),
            ..Self::new(ErrorCode::RATE_LIMITED, message).with_data(data)
        }
    }

    /// 403: the caller needs each of these scopes.
    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>, scopes: &[String]) -> Self {
        let data = serde_json::json!({ "requiredScopes": scopes });
        Self {
            scopes: scopes.to_vec(),
            ..Self::new(ErrorCode::FORBIDDEN, message).with_data(data)
        }
    }

    /// -32603.
    #[must_use]
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::INTERNAL, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.0)
    }
}

/// Writes a request from already written parameters; `id` is JSON text.
#[must_use]
pub fn write_request(id: &str, method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.len() + method.len() + id.len() + 48);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"method\":");
    out.extend_from_slice(&to_json(method));
    out.extend_from_slice(b",\"params\":");
    out.extend_from_slice(params);
    out.push(b'}');
    out
}

/// Writes the answer to a request from an already written result.
#[must_use]
pub fn write_result(id: &str, result: &[u8]) -> Vec<u8> {
    // by hand, because id and result are JSON already: neither is parsed or escaped again
    let mut out = Vec::with_capacity(result.len() + id.len() + 40);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// Writes an error answer; without an id where none could be read (never `"id":null`).
#[must_use]
pub fn write_error(id: Option<&str>, error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        out.extend_from_slice(b"\"id\":");
        out.extend_from_slice(id.as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"error\":");
    out.extend_from_slice(&to_json(error));
    out.push(b'}');
    out
}

/// Writes a notification from already written parameters.
#[must_use]
pub fn write_notification(method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.len() + method.len() + 48);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"");
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(b"\",\"params\":");
    out.extend_from_slice(params);
    out.push(b'}');
    out
}

/// JSON text of one of our own types.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    // our wire types have string keys and finite structure, so writing them can't fail; a handler's
    // own value is turned into `serde_json::Value` first, where a failure is reported
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(body: &str) -> (Option<String>, i32) {
        match read::<&RawValue>(body.as_bytes()) {
            Err(malformed) => (
                malformed.id.map(|id| id.as_json().to_owned()),
                malformed.error.code.0,
            ),
            Ok(other) => panic!("{body} was read as {other:?}"),
        }
    }

    #[test]
    fn a_request_borrows_its_parts() {
        let body = br#" {"jsonrpc":"2.0","id":"a\n1","method":"tools/call","params":{"x":[1, 2]},"extra":1}"#;
        let Ok(Incoming::Single(Message::Request(request))) = read::<&RawValue>(body) else {
            panic!()
        };
        assert_eq!(request.id.as_json(), r#""a\n1""#);
        assert!(matches!(request.method, Cow::Borrowed("tools/call")));
        assert_eq!(request.params.map(RawValue::get), Some(r#"{"x":[1, 2]}"#));
    }

    #[test]
    fn messages_are_told_apart() {
        let kind = |body: &'static str| read::<&RawValue>(body.as_bytes());
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","method":"x"}"#),
            Ok(Incoming::Single(Message::Notification(_)))
        ));
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","id":1,"result":null}"#),
            Ok(Incoming::Single(Message::Response))
        ));
        assert!(matches!(kind("\n[]"), Ok(Incoming::Batch(items)) if items.is_empty()));
    }

    #[test]
    fn malformed_messages_are_refused_by_kind() {
        assert_eq!(error_of("{"), (None, -32700));
        assert_eq!(error_of(""), (None, -32700));
        assert_eq!(error_of("{} x"), (None, -32700));
        assert_eq!(error_of("\"text\""), (None, -32600));
        assert_eq!(error_of("null"), (None, -32600));
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#),
            (None, -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#),
            (None, -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#),
            (None, -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"1.0","id":7,"method":"x"}"#),
            (Some("7".into()), -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":7}"#),
            (Some("7".into()), -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":7,"method":5}"#),
            (None, -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":7,"method":"a","method":"b"}"#),
            (None, -32600)
        );
        assert_eq!(
            error_of(r#"{"jsonrpc":"2.0","id":7,"method":"a","result":1}"#),
            (Some("7".into()), -32600)
        );
        assert!(
            read::<&RawValue>(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}")
                .is_err_and(|m| m.error.code == ErrorCode::PARSE)
        );
    }

    #[test]
    fn answers_repeat_the_id_or_leave_it_out() {
        assert_eq!(
            write_result("7", b"{}"),
            br#"{"jsonrpc":"2.0","id":7,"result":{}}"#
        );
        let error = Error::parse("no");
        assert_eq!(
            write_error(None, &error),
            br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#
        );
        assert_eq!(
            write_error(Some("\"a\""), &error),
            br#"{"jsonrpc":"2.0","id":"a","error":{"code":-32700,"message":"no"}}"#
        );
    }
}
