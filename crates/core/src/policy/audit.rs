//! One entry of the audit log for each call, whatever its end: also of one that ran nothing, or
//! whose client went away.

use std::sync::Arc;

use crate::active_call::ActiveCall;
use crate::active_call::end::{CallEnd, CallResult, outcome_of};
use crate::jsonrpc::Error;
use crate::model::meta::TraceContext;
use crate::port::Platform;
use crate::port::audit_log::{ArgumentText, AuditEntry, CacheStatus, Outcome};
use crate::principal::Principal;
use crate::version::Revision;

/// The longest id of a request that entries have, in bytes.
const MAX_ID_LENGTH: usize = 64;

/// A call without a handler, for its entry.
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
    /// Writes its entry: with the length of its response, or why it was refused.
    pub(crate) fn audit(&self, platform: &Platform, response: Result<usize, &Error>) {
        platform.audit_log.call(&AuditEntry {
            revision: self.revision,
            method: self.method,
            name: "",
            principal: self.principal,
            outcome: response.map_or_else(outcome_of, |_| Outcome::Ok),
            code: response.err().map(|error| error.code.0),
            duration_ms: self.duration_ms,
            bytes_in: 0,
            bytes_out: response.unwrap_or_default(),
            cache: CacheStatus::Off,
            error_id: None,
            deprecated: &[],
            id: short(self.id),
            traceparent: self.trace.and_then(|trace| trace.traceparent.as_deref()),
            tracestate: self.trace.and_then(|trace| trace.tracestate.as_deref()),
            input: ArgumentText::NONE,
        });
    }
}

/// An id that an entry can carry: a client may have sent anything.
fn short(id: &str) -> &str {
    let fits = id.len() <= MAX_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { id } else { "" }
}

/// Writes the entry when the call ends, or when it is dropped before.
pub(crate) struct AuditGuard {
    call: Arc<ActiveCall>,
    started_ms: u64,
    written: bool,
}

impl AuditGuard {
    pub(crate) fn start(call: Arc<ActiveCall>) -> Self {
        let started_ms = call.platform.clock.now_ms();
        Self {
            call,
            started_ms,
            written: false,
        }
    }

    /// Writes the entry, and leaves of the result what the client gets.
    pub(crate) fn end(mut self, result: CallResult) -> Result<Vec<u8>, Error> {
        match &result {
            Ok((response, end)) => self.write(*end, None, response.len()),
            Err(failure) => self.write(failure.outcome.into(), Some(failure.error.code.0), 0),
        }
        result
            .map(|(response, _)| response)
            .map_err(|failure| failure.error)
    }

    fn write(&mut self, end: CallEnd, code: Option<i32>, bytes_out: usize) {
        self.written = true;
        let call = &*self.call;
        let arguments = call.raw_arguments();
        call.platform.audit_log.call(&AuditEntry {
            revision: call.revision,
            method: call.method,
            name: call.name(),
            principal: &call.principal,
            outcome: end.outcome,
            code,
            duration_ms: call.platform.clock.now_ms().saturating_sub(self.started_ms),
            bytes_in: arguments.len(),
            bytes_out,
            cache: end.cache,
            error_id: call.error_id(),
            deprecated: call.deprecated(),
            id: short(call.id()),
            traceparent: call.trace().traceparent.as_deref(),
            tracestate: call.trace().tracestate.as_deref(),
            input: ArgumentText {
                text: arguments,
                hidden: call.target.hidden(),
                shown: call.platform.audits_arguments,
            },
        });
    }
}

impl Drop for AuditGuard {
    fn drop(&mut self) {
        // a host drops the call of a client that went away: nothing else would tell the log of it
        if !self.written {
            self.write(Outcome::Cancelled.into(), None, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader of the log finds the request by it, and nothing else may be written there.
    #[test]
    fn an_id_is_shown_whole_or_not_at_all() {
        let (longest, longer) = ("7".repeat(MAX_ID_LENGTH), "7".repeat(MAX_ID_LENGTH + 1));
        for shown in ["", "1", "-1.5e3", "\"req-1\"", &longest] {
            assert_eq!(short(shown), shown);
        }
        for hidden in [
            &*longer,
            "a b",
            "a\n",
            "\u{1b}[1m",
            "\u{202e}a",
            "é",
            "\u{7f}",
        ] {
            assert_eq!(short(hidden), "", "{hidden:?}");
        }
    }
}
