//! One record of each call, whatever its end: also of one that ran nothing, or whose client went
//! away.

use std::sync::Arc;

use super::stored_result::HandlerResult;
use crate::dispatch::active_call::ActiveCall;
use crate::jsonrpc::{Error, ErrorCode};
use crate::model::meta::TraceContext;
use crate::port::Platform;
use crate::port::audit_log::{ArgumentText, AuditEntry, CacheStatus, Outcome};
use crate::principal::Principal;
use crate::version::Revision;

/// The longest id of a request that records have, in bytes.
const MAX_ID_LENGTH: usize = 64;

/// How a call ended, beside what it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallEnd {
    pub(crate) outcome: Outcome,
    pub(crate) cache: CacheStatus,
}

/// An answer's result and how the call ended.
pub(crate) type CallResult = Result<(Vec<u8>, CallEnd), CallError>;

/// A protocol error, and what the record calls it.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) error: Error,
    pub(crate) outcome: Outcome,
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self {
            outcome: outcome(&error),
            error,
        }
    }
}

fn outcome(error: &Error) -> Outcome {
    match error.code {
        ErrorCode::RATE_LIMITED => Outcome::RateLimited,
        ErrorCode::FORBIDDEN => Outcome::Forbidden,
        ErrorCode::INTERNAL => Outcome::Internal,
        _ => Outcome::Refused,
    }
}

/// A call without a handler, for its record.
pub(crate) struct ImmediateCall<'a> {
    pub(crate) revision: Revision,
    /// One that is served, or empty: never the client's text.
    pub(crate) method: &'a str,
    pub(crate) id: &'a str,
    pub(crate) principal: &'a Principal,
    pub(crate) trace: Option<&'a TraceContext>,
    pub(crate) duration_ms: u64,
}

impl ImmediateCall<'_> {
    /// Records it: with the length of its answer, or why it was refused.
    pub(crate) fn record(&self, platform: &Platform, ended: Result<usize, &Error>) {
        platform.audit_log.call(&AuditEntry {
            revision: self.revision,
            method: self.method,
            name: "",
            principal: self.principal,
            outcome: ended.map_or_else(outcome, |_| Outcome::Ok),
            code: ended.err().map(|error| error.code.0),
            duration_ms: self.duration_ms,
            bytes_in: 0,
            bytes_out: ended.unwrap_or_default(),
            cache: CacheStatus::Off,
            id: short(self.id),
            traceparent: self.trace.and_then(|trace| trace.traceparent.as_deref()),
            tracestate: self.trace.and_then(|trace| trace.tracestate.as_deref()),
            input: ArgumentText::NONE,
        });
    }
}

/// An id that a record can carry: a client may have sent anything.
fn short(id: &str) -> &str {
    let fits = id.len() <= MAX_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { id } else { "" }
}

impl From<Outcome> for CallEnd {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            cache: CacheStatus::Off,
        }
    }
}

impl CallEnd {
    pub(crate) fn of(made: &HandlerResult, cache: CacheStatus) -> Self {
        Self {
            outcome: made.outcome,
            cache,
        }
    }
}

/// Writes the record when the call ends, or when it is dropped before.
pub(crate) struct AuditGuard {
    work: Arc<ActiveCall>,
    started_ms: u64,
    recorded: bool,
}

impl AuditGuard {
    pub(crate) fn start(work: Arc<ActiveCall>) -> Self {
        let started_ms = work.platform.clock.now_ms();
        Self {
            work,
            started_ms,
            recorded: false,
        }
    }

    pub(crate) fn end(mut self, ended: CallResult) -> Result<Vec<u8>, Error> {
        match &ended {
            Ok((written, ending)) => self.write(*ending, None, written.len()),
            Err(refused) => self.write(refused.outcome.into(), Some(refused.error.code.0), 0),
        }
        ended
            .map(|(written, _)| written)
            .map_err(|refused| refused.error)
    }

    fn write(&mut self, ending: CallEnd, code: Option<i32>, bytes_out: usize) {
        self.recorded = true;
        let work = &*self.work;
        let input = work.input();
        work.platform.audit_log.call(&AuditEntry {
            revision: work.revision,
            method: work.method,
            name: work.name(),
            principal: &work.principal,
            outcome: ending.outcome,
            code,
            duration_ms: work.platform.clock.now_ms().saturating_sub(self.started_ms),
            bytes_in: input.len(),
            bytes_out,
            cache: ending.cache,
            id: short(work.id()),
            traceparent: work.trace().traceparent.as_deref(),
            tracestate: work.trace().tracestate.as_deref(),
            input: ArgumentText {
                text: input,
                hidden: work.hidden(),
                shown: work.platform.audits_arguments,
            },
        });
    }
}

impl Drop for AuditGuard {
    fn drop(&mut self) {
        if !self.recorded {
            self.write(Outcome::Cancelled.into(), None, 0);
        }
    }
}
