//! What a message is once it was read: a request, a notification or a response. Reads nothing.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::Error;
use super::member::is_token;

/// A request id as the client wrote it: the JSON text of a string or an integer, of at most 256
/// bytes, repeated unchanged in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// Of a call that the server makes itself.
    pub(crate) const OWN: Id<'static> = Id("\"own\"");

    /// The JSON text, quotes included where the id is a string.
    #[must_use]
    pub fn as_json(self) -> &'a str {
        self.0
    }

    pub(super) fn read(raw: &'a RawValue) -> Option<Self> {
        is_token(raw).then_some(Self(raw.get()))
    }
}

/// One message from a client, its parameters read as `P`.
#[derive(Debug, Clone)]
pub enum Message<'a, P> {
    /// Wants an answer with the same id.
    Request(Request<'a, P>),
    /// Wants no answer.
    Notification(Notification<'a, P>),
    /// An answer to a question that a server asked in the middle of a call.
    Response(ClientAnswer<'a>),
}

/// What a client says to a question of the server's.
#[derive(Debug, Clone, Copy)]
pub struct ClientAnswer<'a> {
    /// The id of the question; `None` where it has none that can be read.
    pub id: Option<Id<'a>>,
    /// The client's result, or the error in its place: each still to be read.
    pub outcome: Result<&'a RawValue, &'a RawValue>,
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
    /// An array of messages, each still to be read with [`read_message`](super::read_message). Only revision 2025-03-26
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
