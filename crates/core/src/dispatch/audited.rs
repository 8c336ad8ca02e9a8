//! A method that runs no handler and still waits for something, such as a store: it has one entry in
//! the audit log, once it has its answer.

use std::future::Future;
use std::sync::Arc;

use crate::call::Call;
use crate::jsonrpc::Error;
use crate::outbox::Outbox;
use crate::policy::audit::ImmediateCall;
use crate::port::Platform;
use crate::principal::Principal;
use crate::running::{Execution, Running};
use crate::send::MaybeSend;
use crate::server::Server;
use crate::version::Revision;

/// What is left of a request once its body is gone.
#[derive(Clone)]
pub(super) struct OwnedRequest {
    pub(super) server: Server,
    pub(super) platform: Arc<Platform>,
    pub(super) principal: Arc<Principal>,
    pub(super) revision: Revision,
}

/// Runs `work`, which gives the result as JSON, while the execution is polled.
pub(super) fn audited<F, W>(
    server: &Server,
    call: &Call<'_>,
    method: &'static str,
    platform: &Arc<Platform>,
    work: F,
) -> Execution
where
    F: FnOnce(OwnedRequest) -> W,
    W: Future<Output = Result<Vec<u8>, Error>> + MaybeSend + 'static,
{
    let request = OwnedRequest {
        server: server.clone(),
        platform: Arc::clone(platform),
        principal: Arc::clone(&call.principal),
        revision: call.revision,
    };
    let (id, trace) = (call.id.as_json().to_owned(), call.meta.trace.clone());
    let started_ms = platform.clock.now_ms();
    let work = work(request.clone());
    let answered = async move {
        let result = work.await;
        let platform = &request.platform;
        ImmediateCall {
            revision: request.revision,
            method,
            id: &id,
            principal: &request.principal,
            trace: Some(&trace),
            duration_ms: platform.clock.now_ms().saturating_sub(started_ms),
        }
        .audit(platform, result.as_ref().map(Vec::len));
        result
    };
    Execution::Running(Running::new(
        call.id.as_json().into(),
        false,
        Outbox::default(),
        Box::pin(answered),
    ))
}
