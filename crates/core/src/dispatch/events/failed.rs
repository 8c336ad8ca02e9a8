//! What a client is told of what failed here: nothing of the cause, which the log gets.

use crate::error::{ErrorKind, ToolError};
use crate::event::signature::hex;
use crate::event::source::FeedFailure;
use crate::jsonrpc::Error;
use crate::port::audit_log::Failure;
use crate::port::{Platform, StoreError};

/// What the log calls what is read for subscribers: no client is there to read a message.
pub(super) const PUMPED: &str = "events/subscribe";

/// What a client is told of a store that can't be asked.
pub(super) fn unavailable(platform: &Platform, error: &StoreError) -> Error {
    platform.store_failed("events", error);
    Error::internal("events can't be asked for at the moment: ask again in a minute")
}

/// What a client is told of events that could not be read; the log gets the cause.
pub(super) fn failed(
    platform: &Platform,
    method: &str,
    event: &str,
    failure: FeedFailure,
) -> Error {
    let error = match failure {
        FeedFailure::Store(error) => return unavailable(platform, &error),
        FeedFailure::Author(error) => error,
    };
    told(platform, method, event, error)
}

/// What a client is told of an author's function that failed; the log gets the cause, or what the
/// client is told, because it may be that there is none.
pub(super) fn told(platform: &Platform, method: &str, event: &str, error: ToolError) -> Error {
    let (message, cause) = match error.into_kind() {
        ErrorKind::Failed { message, cause, .. } => (Some(message), cause),
        ErrorKind::NotFound { message } if method == PUMPED => (Some(message), None),
        ErrorKind::NotFound { message } => return Error::invalid_params(message),
        ErrorKind::Internal { cause } => (None, Some(cause)),
        _ => (None, Some("it can't ask the client anything".to_owned())),
    };
    let mut id = [0; 8];
    platform.random.fill(&mut id);
    let id = hex(&id);
    let alone = message.as_ref().filter(|_| method == PUMPED);
    if let Some(cause) = cause.as_ref().or(alone) {
        let failure = Failure::new(&id, method, event, cause);
        platform.audit_log.failure(&failure);
    }
    Error::internal(message.unwrap_or_else(|| format!("internal error {id}")))
}
