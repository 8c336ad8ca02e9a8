//! An audit log with an observer of each call: a counter, a tracer. What is logged stays as it is.

use std::fmt;
use std::sync::Arc;

use mcpfn_core::{
    handler::{MaybeSend, MaybeSync},
    port::{AuditEntry, AuditLog, EventDelivery, Failure, RefusedRequest, TaskNews},
};

/// Passes every entry on, and then shows those of calls to a function, and of deliveries to another.
pub struct Observed<F, D = fn(&EventDelivery<'_>)> {
    inner: Arc<dyn AuditLog>,
    see: F,
    see_delivery: D,
}

impl<F, D> fmt::Debug for Observed<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed(..)")
    }
}

impl<F: Fn(&AuditEntry<'_>) + MaybeSend + MaybeSync> Observed<F> {
    /// `see` is called when a call has ended, by the call itself: it must not wait.
    pub fn new(inner: Arc<dyn AuditLog>, see: F) -> Self {
        Self {
            inner,
            see,
            see_delivery: |_| {},
        }
    }

    /// The same for each attempt to send an event.
    pub fn and_deliveries<D>(self, see_delivery: D) -> Observed<F, D>
    where
        D: Fn(&EventDelivery<'_>) + MaybeSend + MaybeSync,
    {
        Observed {
            inner: self.inner,
            see: self.see,
            see_delivery,
        }
    }
}

impl<F, D> AuditLog for Observed<F, D>
where
    F: Fn(&AuditEntry<'_>) + MaybeSend + MaybeSync,
    D: Fn(&EventDelivery<'_>) + MaybeSend + MaybeSync,
{
    fn failure(&self, failure: &Failure<'_>) {
        self.inner.failure(failure);
    }

    fn call(&self, call: &AuditEntry<'_>) {
        self.inner.call(call);
        (self.see)(call);
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        self.inner.denied(sentence, cause);
    }

    fn refused(&self, request: &RefusedRequest<'_>) {
        self.inner.refused(request);
    }

    fn delivery(&self, delivery: &EventDelivery<'_>) {
        self.inner.delivery(delivery);
        (self.see_delivery)(delivery);
    }

    fn task(&self, news: &TaskNews<'_>) {
        self.inner.task(news);
    }

    fn store_failure(&self, store: &str, cause: &str) {
        self.inner.store_failure(store, cause);
    }
}
