//! Work of a handler that computes, or that waits without a future: away from the threads that answer
//! requests, where the host has others.

use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Cx;
use crate::error::ToolError;

impl Cx {
    /// Runs what computes for more than some milliseconds, or what waits without a future, on
    /// threads of its own; other calls are answered meanwhile. On Cloudflare Workers, which have one
    /// thread, it runs in its place, and others wait.
    ///
    /// The call's time goes on while it runs. When it is over, the call ends and the work does not:
    /// bound it by [`Cx::remaining`]. A process has so many threads for such work as processors,
    /// twice (four at least); more of it waits its turn.
    ///
    /// ```
    /// use mcpfn_core::{Cx, ToolError};
    /// use mcpfn_testing::{TestCx, block_on};
    ///
    /// async fn sum(cx: &Cx) -> Result<u64, ToolError> {
    ///     cx.blocking(|| (0..1000).sum()).await
    /// }
    ///
    /// assert_eq!(block_on(sum(&TestCx::new().build())).unwrap(), 499_500);
    /// ```
    ///
    /// # Errors
    /// An internal error when the work panicked, or the host ended before it.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let Some(threads) = self.platform().blocking.clone() else {
            return Ok(work());
        };
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        let work = move || {
            let done = work();
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        };
        threads
            .run(Box::new(work))
            .await
            .map_err(ToolError::internal)?;
        let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.ok_or_else(|| ToolError::internal("the work of `Cx::blocking` was not done"))
    }
}
