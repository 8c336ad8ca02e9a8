//! The audit log as lines of the log, each with a member `event` that never changes: filters and
//! alarms read it, the sentence beside it is for people. Which format and which place a line has is
//! decided where `tracing` is set up.

use mcpfn_core::port::{
    AuditEntry, AuditLog, DeliveryOutcome, EventDelivery, Failure, RefusedRequest,
};

/// Writes every entry to `tracing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Log;

/// A call's entry at a level, which has to be known when this is compiled.
macro_rules! call_at {
    ($level:ident, $call:ident) => {
        tracing::$level!(
            event = "call",
            revision = $call.revision.as_str(),
            id = $call.id,
            method = $call.method,
            name = $call.name,
            principal = $call.principal.subject,
            kind = ?$call.principal.kind,
            outcome = $call.outcome.as_str(),
            code = $call.code,
            errorId = $call.error_id,
            duration_ms = $call.duration_ms,
            bytes_in = $call.bytes_in,
            bytes_out = $call.bytes_out,
            cache = $call.cache.as_str(),
            deprecated = deprecated($call),
            input_hash = $call.input_hash(),
            input = $call.input(),
            traceparent = $call.traceparent,
            "call"
        )
    };
}

/// An attempt to send an event, likewise.
macro_rules! delivery_at {
    ($level:ident, $delivery:ident) => {
        tracing::$level!(
            event = "event_delivery",
            name = $delivery.event,
            subscription = $delivery.subscription,
            outcome = $delivery.outcome.as_str(),
            reason = $delivery.reason,
            failures = $delivery.failures,
            duration_ms = $delivery.duration_ms,
            "an event was sent to a subscriber"
        )
    };
}

/// What a call used that is deprecated, on its own line.
fn deprecated(call: &AuditEntry<'_>) -> Option<String> {
    (!call.deprecated.is_empty()).then(|| call.deprecated.join("; "))
}

impl AuditLog for Log {
    fn failure(&self, failure: &Failure<'_>) {
        tracing::error!(
            event = "call_failed",
            errorId = failure.id,
            method = failure.method,
            name = failure.name,
            cause = failure.cause,
            "call failed"
        );
    }

    /// A fault of the server is a warning, so that alarms hear of it at that level, too.
    fn call(&self, call: &AuditEntry<'_>) {
        if call.is_fault() {
            call_at!(warn, call);
        } else {
            call_at!(info, call);
        }
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        tracing::info!(
            event = "caller_refused",
            sentence,
            cause,
            "a caller was refused"
        );
    }

    fn refused(&self, request: &RefusedRequest<'_>) {
        tracing::info!(
            event = "request_refused",
            reason = request.reason,
            httpMethod = request.method,
            address = request.address.map(tracing::field::display),
            sentence = request.sentence,
            unlogged = request.unlogged,
            "a request was refused"
        );
    }

    /// One that is given up is a warning: somebody does not hear of something.
    fn delivery(&self, delivery: &EventDelivery<'_>) {
        if delivery.outcome == DeliveryOutcome::Dead {
            delivery_at!(warn, delivery);
        } else {
            delivery_at!(info, delivery);
        }
    }

    fn store_failure(&self, store: &str, cause: &str) {
        tracing::warn!(
            event = "dependency_unavailable",
            dependency = store,
            cause,
            "a store or a service is unavailable"
        );
    }
}
