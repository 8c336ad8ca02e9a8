//! From the bytes of a body to messages, and what is refused on the way.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Error;
use super::member::{MAX_TOKEN_BYTES, Object};
use super::message::{ClientAnswer, Id, Incoming, Malformed, Message, Notification, Request};
use super::raw::{RawMessage, VERSION};
use super::{surrogate, unreadable, values};

/// Reads a body, and the parameters of a single message with it in one pass: what a method may have
/// there is `P`'s business. A `P` keeps its members raw, except for those that must be objects:
/// that is what a refusal says of one that has another type.
///
/// `max_values` is how many values the body may hold, those of its arrays and objects at any depth,
/// an object with members counted as five; [`MAX_VALUES`](super::MAX_VALUES) unless an operator
/// says otherwise. They are counted before anything is read, because a tree of them takes up to a
/// hundred times the memory of their text.
///
/// # Errors
/// -32700 when it is not JSON in UTF-8, -32600 when it holds too many values or is not a JSON-RPC
/// 2.0 message, -32602 when it is a request whose parameters are not a `P`.
pub fn read<'a, P: Deserialize<'a>>(
    body: &'a [u8],
    max_values: usize,
) -> Result<Incoming<'a, P>, Malformed<'a>> {
    if values::has_more_than(body, max_values) {
        return Err(too_many(max_values).into());
    }
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

fn too_many(max_values: usize) -> Error {
    let object = values::OBJECT;
    Error::invalid_request(format!(
        "the body holds more than {max_values} JSON values, an object with members counted as \
         {object}: send less, or in parts; its operator sets the limit in MCPFN_MAX_VALUES"
    ))
}

/// Reads one message of those that were counted.
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

/// Tells an invalid message from a message whose parameters are not as its method wants them.
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
        Message::Response(answer) => Ok(Message::Response(answer)),
    }
}

fn classify<P>(message: RawMessage<'_, P>) -> Result<Message<'_, P>, Malformed<'_>> {
    let id = match message.id {
        None => None,
        Some(raw) => {
            let refused = || match surrogate::lone(raw.get()) {
                Some(_) => Error::invalid_request(surrogate::sentence("`id`")),
                None => Error::invalid_request(format!(
                    "`id` must be a string or an integer of at most {MAX_TOKEN_BYTES} bytes; leave \
                     it out for a notification"
                )),
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
    // an error counts for more than a result beside it: what both say is not known
    let outcome = message.error.map(Err).or(message.result.map(Ok));
    match (message.method.map(|method| method.0), id, outcome) {
        (Some(_), _, Some(_)) => Err(refuse(
            "a message has either `method` or `result`/`error`, not both",
        )),
        (Some(method), Some(id), None) => Ok(Message::Request(Request {
            id,
            method,
            params: message.params,
        })),
        (Some(method), None, None) => Ok(Message::Notification(Notification {
            method,
            params: message.params,
        })),
        (None, id, Some(outcome)) => Ok(Message::Response(ClientAnswer { id, outcome })),
        (None, _, None) => Err(refuse("`method` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::jsonrpc::{ErrorCode, MAX_VALUES};

    fn error_of(body: &str) -> (Option<String>, i32) {
        match read::<&RawValue>(body.as_bytes(), MAX_VALUES) {
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
        let Ok(Incoming::Single(Message::Request(request))) = read::<&RawValue>(body, MAX_VALUES)
        else {
            panic!()
        };
        assert_eq!(request.id.as_json(), r#""a\n1""#);
        assert!(matches!(request.method, Cow::Borrowed("tools/call")));
        assert_eq!(request.params.map(RawValue::get), Some(r#"{"x":[1, 2]}"#));
    }

    #[test]
    fn messages_are_told_apart() {
        let kind = |body: &'static str| read::<&RawValue>(body.as_bytes(), MAX_VALUES);
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","method":"x"}"#),
            Ok(Incoming::Single(Message::Notification(_)))
        ));
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","id":1,"result":null}"#),
            Ok(Incoming::Single(Message::Response(answer)))
                if answer.id.is_some_and(|id| id.as_json() == "1") && answer.outcome.is_ok()
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
            read::<&RawValue>(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", MAX_VALUES)
                .is_err_and(|m| m.error.code == ErrorCode::PARSE)
        );
    }
}
