//! A handler under its deadline, and apart from the rest if it panics.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::ToolError;
use crate::port::Timer;
use crate::send::BoxFuture;

/// How a handler ended.
pub(super) enum HandlerEnd<T> {
    /// By itself.
    Returned(Result<T, ToolError>),
    /// Because its time was over; it was dropped.
    TimedOut,
    /// In a panic, which said this.
    Panicked(String),
}

/// Runs `work` for at most `limit`. The timer starts when the handler first has to wait: most never
/// do.
pub(super) async fn run<T>(
    work: BoxFuture<'static, Result<T, ToolError>>,
    limit: Duration,
    timer: &Arc<dyn Timer>,
) -> HandlerEnd<T> {
    UnderDeadline {
        work,
        limit,
        timer,
        sleep: None,
    }
    .await
}

struct UnderDeadline<'a, T> {
    work: BoxFuture<'static, Result<T, ToolError>>,
    limit: Duration,
    timer: &'a Arc<dyn Timer>,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl<T> Future for UnderDeadline<'_, T> {
    type Output = HandlerEnd<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HandlerEnd<T>> {
        let this = &mut *self;
        // a panic is this handler's alone; where the target can't unwind, the process ends here as
        // it would without this
        match std::panic::catch_unwind(AssertUnwindSafe(|| this.work.as_mut().poll(cx))) {
            Ok(Poll::Ready(result)) => return Poll::Ready(HandlerEnd::Returned(result)),
            Ok(Poll::Pending) => {}
            Err(panic) => {
                let said = panic
                    .downcast_ref::<&str>()
                    .copied()
                    .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                return Poll::Ready(HandlerEnd::Panicked(format!(
                    "panic: {}",
                    said.unwrap_or("no message")
                )));
            }
        }
        // after the handler was polled: one that is ready when its time ends has ended in time
        let sleep = this
            .sleep
            .get_or_insert_with(|| this.timer.sleep(this.limit));
        sleep.as_mut().poll(cx).map(|()| HandlerEnd::TimedOut)
    }
}
