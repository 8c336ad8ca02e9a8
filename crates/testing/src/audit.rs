//! An audit log that a test reads. Writes nothing anywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcpfn_core::port::{AuditEntry, AuditLog, CacheStatus, EventDelivery, Failure, Outcome};

/// What a server told its operator. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct TestAudit(Arc<Mutex<AuditState>>);

#[derive(Debug, Default)]
struct AuditState {
    calls: Vec<AuditedCall>,
    failures: Vec<RecordedFailure>,
    degraded: Vec<(String, String)>,
    denied: Vec<(String, Option<String>)>,
    deliveries: Vec<AuditedDelivery>,
}

/// One call, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditedCall {
    /// The method, e.g. `tools/call`.
    pub method: String,
    /// The tool, prompt or resource; empty where the call was about none.
    pub name: String,
    /// Who called: the principal's subject.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// JSON-RPC code, when it ended in a protocol error.
    pub code: Option<i32>,
    /// What a cached result did for it.
    pub cache: CacheStatus,
    /// The id that the client was told, if the log has a private cause of its failure.
    pub error_id: Option<String>,
    /// From its first step to its answer, by the test's clock.
    pub duration_ms: u64,
    /// What it used that is deprecated, in sentences.
    pub deprecated: Vec<String>,
    /// What the log has of its arguments, where the platform says that it may.
    pub arguments: Option<String>,
}

/// One attempt to send an event, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditedDelivery {
    /// The event.
    pub event: String,
    /// The subscription's id.
    pub subscription: String,
    /// `delivered`, `retried` or `dead`.
    pub outcome: &'static str,
    /// Why it did not arrive; else empty.
    pub reason: String,
}

/// The private side of a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedFailure {
    /// The id that the client was told.
    pub id: String,
    /// The method, e.g. `tools/call`.
    pub method: String,
    /// The tool, prompt or resource.
    pub name: String,
    /// What went wrong. No client saw it.
    pub cause: String,
}

impl TestAudit {
    /// The calls so far, in the order in which they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<AuditedCall> {
        self.lock().calls.clone()
    }

    /// Failures whose cause is private.
    #[must_use]
    pub fn failures(&self) -> Vec<RecordedFailure> {
        self.lock().failures.clone()
    }

    /// The private causes of failures.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let state = self.lock();
        let causes = state.failures.iter().map(|failure| &failure.cause);
        causes.cloned().collect()
    }

    /// Stores that sent no response and what handlers reported with `Cx::report_degraded`: a name,
    /// and the cause.
    #[must_use]
    pub fn degraded(&self) -> Vec<(String, String)> {
        self.lock().degraded.clone()
    }

    /// Callers who were turned away: what they were told, and the private cause.
    #[must_use]
    pub fn denied(&self) -> Vec<(String, Option<String>)> {
        self.lock().denied.clone()
    }

    /// Attempts to send events.
    #[must_use]
    pub fn deliveries(&self) -> Vec<AuditedDelivery> {
        self.lock().deliveries.clone()
    }

    /// What is behind the lock is whole after a panic, too: every change is one push.
    fn lock(&self) -> MutexGuard<'_, AuditState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog for TestAudit {
    fn failure(&self, failure: &Failure<'_>) {
        self.lock().failures.push(RecordedFailure {
            id: failure.id.to_owned(),
            method: failure.method.to_owned(),
            name: failure.name.to_owned(),
            cause: failure.cause.to_owned(),
        });
    }

    fn call(&self, call: &AuditEntry<'_>) {
        self.lock().calls.push(AuditedCall {
            method: call.method.to_owned(),
            name: call.name.to_owned(),
            subject: call.principal.subject.clone(),
            outcome: call.outcome,
            code: call.code,
            cache: call.cache,
            error_id: call.error_id.map(str::to_owned),
            duration_ms: call.duration_ms,
            deprecated: call.deprecated.to_vec(),
            arguments: call.input(),
        });
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        let denied = (sentence.to_owned(), cause.map(str::to_owned));
        self.lock().denied.push(denied);
    }

    fn delivery(&self, delivery: &EventDelivery<'_>) {
        self.lock().deliveries.push(AuditedDelivery {
            event: delivery.event.to_owned(),
            subscription: delivery.subscription.to_owned(),
            outcome: delivery.outcome.as_str(),
            reason: delivery.reason.to_owned(),
        });
    }

    fn store_failure(&self, store: &str, cause: &str) {
        let degraded = (store.to_owned(), cause.to_owned());
        self.lock().degraded.push(degraded);
    }
}
