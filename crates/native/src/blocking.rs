//! Threads for work that computes: those that tokio has for what blocks, a bounded number of them.

use std::num::NonZero;
use std::sync::Arc;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Blocking, BlockingWork};
use tokio::sync::Semaphore;

/// How many run at the same time at least: work that waits leaves its processor free.
const LEAST: usize = 4;

/// Tokio's pool, shared with what reads files.
#[derive(Debug, Clone)]
pub(crate) struct BlockingThreads(Arc<Semaphore>);

impl Default for BlockingThreads {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(LEAST.max(2 * processors))))
    }
}

impl Blocking for BlockingThreads {
    fn run(&self, work: BlockingWork) -> BoxFuture<'static, Result<(), String>> {
        let turns = Arc::clone(&self.0);
        Box::pin(async move {
            let turn = turns.acquire_owned().await;
            let turn = turn.map_err(|error| error.to_string())?;
            // with the work, so that what its call no longer waits for counts as well
            let done = tokio::task::spawn_blocking(move || {
                work();
                drop(turn);
            });
            done.await.map_err(|error| error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use mcpfn_core::ToolError;
    use mcpfn_testing::{TestCx, private_cause};

    use super::*;

    fn cx(threads: &BlockingThreads) -> mcpfn_core::Cx {
        let threads = Arc::new(threads.clone());
        TestCx::new()
            .map_platform(|platform| platform.with_blocking(threads))
            .build()
    }

    #[tokio::test]
    async fn other_calls_go_on_while_work_computes() {
        let threads = BlockingThreads::default();
        let cx = cx(&threads);
        let (go_on, wait) = channel();
        let computing = cx.blocking(move || wait.recv());
        let other = async { go_on.send(7) };
        let (computed, sent) = tokio::join!(computing, other);
        assert_eq!((computed.unwrap(), sent), (Ok(7), Ok(())));
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_of_its_call() {
        let cx = cx(&BlockingThreads::default());
        let failed: Result<(), ToolError> = cx.blocking(|| panic!("hunter2")).await;
        let error = failed.unwrap_err();
        assert_eq!(error.message(), None);
        assert!(private_cause(error).unwrap().contains("panic"));
        assert_eq!(cx.blocking(|| 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn work_that_no_call_waits_for_keeps_its_turn() {
        let threads = BlockingThreads(Arc::new(Semaphore::new(1)));
        let cx = cx(&threads);
        let (end, wait) = channel::<()>();
        {
            let work = cx.blocking(move || wait.recv());
            tokio::pin!(work);
            // started, and given up by its call
            let started = std::future::poll_fn(|cx| std::task::Poll::Ready(work.as_mut().poll(cx)));
            assert!(started.await.is_pending());
        }
        assert_eq!(threads.0.available_permits(), 0);
        end.send(()).unwrap();
        assert_eq!(cx.blocking(|| 2).await.unwrap(), 2);
    }
}
