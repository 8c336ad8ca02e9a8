//! An author's functions on events, whose types are forgotten.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::occurrence::{EventPage, EventPoll};
use crate::context::Cx;
use crate::error::ToolError;
use crate::principal::Principal;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Whether a payload is among what a client chose.
pub(crate) trait Selection: MaybeSend + MaybeSync {
    fn selects(&self, arguments: &Value, data: &Value) -> bool;
}

/// Whether a caller may hear of what it chose.
pub(crate) trait Permission: MaybeSend + MaybeSync {
    fn allows(&self, principal: &Principal, arguments: &Value) -> bool;
}

/// What happened behind a cursor of the author's.
pub(crate) trait ErasedPoll: MaybeSend + MaybeSync {
    fn poll(
        &self,
        arguments: Value,
        poll: EventPoll,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<EventPage, ToolError>>, ToolError>;
}

/// A function, and the types that it takes.
pub(crate) struct TypedSelection<S, T>(S, PhantomData<fn(T)>);
pub(crate) struct TypedPermission<P, T>(P, PhantomData<fn(T)>);
pub(crate) struct TypedPoll<P, T>(P, PhantomData<fn(T)>);

impl<S, F, P> TypedSelection<S, (F, P)> {
    pub(crate) fn new(selects: S) -> Self {
        Self(selects, PhantomData)
    }
}

impl<S, F, P> Selection for TypedSelection<S, (F, P)>
where
    S: Fn(F, P) -> bool + MaybeSend + MaybeSync,
    F: DeserializeOwned,
    P: DeserializeOwned,
{
    fn selects(&self, arguments: &Value, data: &Value) -> bool {
        // what can't be read was written by another version of the server
        match (F::deserialize(arguments), P::deserialize(data)) {
            (Ok(filter), Ok(payload)) => (self.0)(filter, payload),
            _ => false,
        }
    }
}

impl<P, F> TypedPermission<P, F> {
    pub(crate) fn new(allows: P) -> Self {
        Self(allows, PhantomData)
    }
}

impl<P, F> Permission for TypedPermission<P, F>
where
    P: Fn(&Principal, F) -> bool + MaybeSend + MaybeSync,
    F: DeserializeOwned,
{
    fn allows(&self, principal: &Principal, arguments: &Value) -> bool {
        F::deserialize(arguments).is_ok_and(|filter| (self.0)(principal, filter))
    }
}

impl<P, F> TypedPoll<P, F> {
    pub(crate) fn new(poll: P) -> Self {
        Self(poll, PhantomData)
    }
}

impl<P, F, Fut> ErasedPoll for TypedPoll<P, F>
where
    P: Fn(F, EventPoll, Cx) -> Fut + MaybeSend + MaybeSync,
    F: DeserializeOwned,
    Fut: Future<Output = Result<EventPage, ToolError>> + MaybeSend + 'static,
{
    fn poll(
        &self,
        arguments: Value,
        poll: EventPoll,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<EventPage, ToolError>>, ToolError> {
        let arguments = serde_json::from_value(arguments).map_err(|error| {
            ToolError::internal(format_args!("arguments that fit can't be read: {error}"))
        })?;
        Ok(Box::pin((self.0)(arguments, poll, cx)))
    }
}

/// Whether the payload has each member that was given, with the same value: for an event without a
/// function that says so.
pub(crate) fn equal_members(arguments: &Value, data: &Value) -> bool {
    let given = arguments.as_object();
    given.is_none_or(|given| {
        given
            .iter()
            .all(|(name, value)| value.is_null() || data.get(name) == Some(value))
    })
}
