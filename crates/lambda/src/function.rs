//! What every way of taking events shares: the server, who may call it, and the time that the platform
//! gives. Not where events come from.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::port::Platform;
use mcpfn_http::Service;
use mcpfn_native::Process;

use crate::callers::Callers;
use crate::logging::InvocationId;

/// The longest that any function may run, in milliseconds.
const MAX_DURATION: u64 = 900_000;

/// One server as the environment configured it.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    pub(crate) process: Process,
    pub(crate) callers: Callers,
    pub(crate) base_path: String,
    pub(crate) margin_ms: u64,
    /// What orders runs of tasks, where there are tasks.
    #[cfg(feature = "dynamodb")]
    pub(crate) tasks: Option<Arc<crate::tasks::Invoker>>,
    /// Where events wait that are to be sent, where there are events.
    #[cfg(feature = "dynamodb")]
    pub(crate) events: Option<Arc<crate::events::SqsQueue>>,
}

impl Function {
    /// When the platform ends an invocation, by what it says, in milliseconds since 1970.
    pub(crate) fn deadline_ms(&self, said: u64) -> u64 {
        let now = self.platform.now_ms();
        // one that has passed is no platform's: `cargo lambda watch` says 1970
        if said > now { said } else { now + MAX_DURATION }
    }

    /// When a call must have ended, so that its answer can still leave.
    pub(crate) fn end_ms(&self, deadline_ms: u64) -> u64 {
        deadline_ms.saturating_sub(self.margin_ms)
    }

    /// How long it may go on, so that its answer can still leave.
    pub(crate) fn time_left(&self, deadline_ms: u64) -> Duration {
        let end_ms = self.end_ms(deadline_ms);
        Duration::from_millis(end_ms.saturating_sub(self.platform.now_ms()))
    }

    /// Waits for work after the answer: the environment is frozen once the next event is asked for.
    /// The client has its answer.
    pub(crate) async fn drain(&self, named: &InvocationId, deadline_ms: u64) {
        let left = self.time_left(deadline_ms);
        let after = named.scope(self.process.drain());
        if tokio::time::timeout(left, after).await.is_err() {
            named.during(|| {
                tracing::warn!(
                    event = "work_unfinished",
                    "work after the answer was not done in the function's time"
                );
            });
        }
    }
}
