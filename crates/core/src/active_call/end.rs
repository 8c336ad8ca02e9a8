//! How a call ended, for its response and for the audit log. Not a tool's own result: that is
//! `result`.

use super::result::HandlerResult;
use crate::jsonrpc::{Error, ErrorCode};
use crate::port::audit_log::{CacheStatus, Outcome};

/// What the audit log has about the end of a call, beside the response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallEnd {
    pub(crate) outcome: Outcome,
    pub(crate) cache: CacheStatus,
}

impl CallEnd {
    pub(crate) fn of(result: &HandlerResult, cache: CacheStatus) -> Self {
        Self {
            outcome: result.outcome,
            cache,
        }
    }
}

impl From<Outcome> for CallEnd {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            cache: CacheStatus::Off,
        }
    }
}

/// The response's result as JSON, and how the call ended; or the response's error.
pub(crate) type CallResult = Result<(Vec<u8>, CallEnd), CallError>;

/// A protocol error, and what the audit log calls it.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) error: Error,
    pub(crate) outcome: Outcome,
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self {
            outcome: outcome_of(&error),
            error,
        }
    }
}

/// What the audit log calls an error of which only the code is known.
pub(crate) fn outcome_of(error: &Error) -> Outcome {
    match error.code {
        ErrorCode::RATE_LIMITED => Outcome::RateLimited,
        ErrorCode::FORBIDDEN => Outcome::Forbidden,
        ErrorCode::INTERNAL => Outcome::Internal,
        _ => Outcome::Refused,
    }
}
