//! Records with somebody who looks at each call: a counter, a tracer. What is recorded stays as it
//! is.

use std::fmt;
use std::sync::Arc;

use mcpfn_core::{CallRecord, Failure, MaybeSend, MaybeSync, Records};

/// Gives every record on, and then shows those of calls to a function.
pub struct Observed<F> {
    records: Arc<dyn Records>,
    see: F,
}

impl<F> fmt::Debug for Observed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed(..)")
    }
}

impl<F: Fn(&CallRecord<'_>) + MaybeSend + MaybeSync> Observed<F> {
    /// `see` is called when a call has ended, by the call itself: it must not wait.
    pub fn new(records: Arc<dyn Records>, see: F) -> Self {
        Self { records, see }
    }
}

impl<F: Fn(&CallRecord<'_>) + MaybeSend + MaybeSync> Records for Observed<F> {
    fn failure(&self, failure: &Failure<'_>) {
        self.records.failure(failure);
    }

    fn call(&self, call: &CallRecord<'_>) {
        self.records.call(call);
        (self.see)(call);
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        self.records.denied(sentence, cause);
    }

    fn store_failure(&self, store: &str, cause: &str) {
        self.records.store_failure(store, cause);
    }
}
