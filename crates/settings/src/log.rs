//! The audit log as lines of the log. Which format and which place a line has is
//! decided where `tracing` is set up.

use mcpfn_core::port::{AuditEntry, AuditLog, Failure};

/// Writes every entry to `tracing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Log;

impl AuditLog for Log {
    fn failure(&self, failure: &Failure<'_>) {
        tracing::error!(
            id = failure.id,
            method = failure.method,
            name = failure.name,
            cause = failure.cause,
            "call failed"
        );
    }

    fn call(&self, call: &AuditEntry<'_>) {
        tracing::info!(
            revision = call.revision.as_str(),
            id = call.id,
            method = call.method,
            name = call.name,
            principal = call.principal.subject,
            kind = ?call.principal.kind,
            outcome = call.outcome.as_str(),
            code = call.code,
            duration_ms = call.duration_ms,
            bytes_in = call.bytes_in,
            bytes_out = call.bytes_out,
            cache = call.cache.as_str(),
            input_hash = call.input_hash(),
            input = call.input(),
            traceparent = call.traceparent,
            "call"
        );
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        tracing::info!(sentence, cause, "a caller was refused");
    }

    fn store_failure(&self, store: &str, cause: &str) {
        tracing::warn!(store, cause, "a store or a service is unavailable");
    }
}
