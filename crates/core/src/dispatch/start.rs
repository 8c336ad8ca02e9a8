//! How every call with a handler begins and ends: its scope first, then its rate limits, its entry
//! in the audit log last. What is between is the caller's.

use std::future::Future;
use std::sync::Arc;

use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::policy::audit::AuditGuard;
use crate::policy::{rate_limit, scope};
use crate::running::{Execution, Running};
use crate::send::MaybeSend;

/// Starts the call. `run` is its steps, and does nothing before the execution is polled.
pub(super) fn start<F, R>(call: ActiveCall, run: F) -> Execution
where
    F: FnOnce(Arc<ActiveCall>) -> R + MaybeSend + 'static,
    R: Future<Output = CallResult> + MaybeSend,
{
    let (id, wants_progress, outbox) = (
        call.id().into(),
        call.wants_progress(),
        call.outbox().clone(),
    );
    let call = Arc::new(call);
    let response = async move {
        // before anything can fail: it writes its entry when it is dropped, too, so that a call
        // whose client went away has one
        let audit = AuditGuard::start(Arc::clone(&call));
        let admitted = async {
            // the scope first: a call that is not allowed anyway costs neither its caller's rate
            // limit nor a request to the store
            scope::admit(&call.target, &call.principal)?;
            rate_limit::admit(&call).await
        };
        let result = match admitted.await {
            Ok(()) => run(call).await,
            Err(error) => Err(error.into()),
        };
        audit.end(result)
    };
    Execution::Running(Running::new(id, wants_progress, outbox, Box::pin(response)))
}
