//! The one place where a handler is started: under its deadline, and apart from the rest if it
//! panics. What its end means is the method's business.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{ErrorKind, ToolError};
use crate::port::Timer;
use crate::send::BoxFuture;

/// Why a handler gave nothing.
pub(super) enum HandlerFailure {
    /// It says so itself.
    Returned(ErrorKind),
    /// Its time was over; it was dropped.
    TimedOut,
    /// It panicked, and said this.
    Panicked(String),
}

/// A started handler.
type Handling<T> = BoxFuture<'static, Result<T, ToolError>>;

/// Starts a handler and runs it for at most `limit`. `start` reads its arguments and runs its
/// synchronous part, so that a panic there is the handler's too.
pub(super) async fn run<T>(
    start: impl FnOnce() -> Result<Handling<T>, ToolError>,
    limit: Duration,
    timer: &Arc<dyn Timer>,
) -> Result<T, HandlerFailure> {
    let handling = uncaught(start)?.map_err(returned)?;
    UnderDeadline {
        handling,
        limit,
        timer,
        sleep: None,
    }
    .await
}

struct UnderDeadline<'a, T> {
    handling: Handling<T>,
    limit: Duration,
    timer: &'a Arc<dyn Timer>,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl<T> Future for UnderDeadline<'_, T> {
    type Output = Result<T, HandlerFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(result) = uncaught(|| this.handling.as_mut().poll(cx))? {
            return Poll::Ready(result.map_err(returned));
        }
        // after the handler was polled: one that is ready when its time ends has ended in time. And
        // the timer starts when the handler first has to wait: most never do
        let sleep = this
            .sleep
            .get_or_insert_with(|| this.timer.sleep(this.limit));
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Err(HandlerFailure::TimedOut))
    }
}

fn returned(error: ToolError) -> HandlerFailure {
    HandlerFailure::Returned(error.into_kind())
}

/// Runs a part of the handler. A panic is this handler's alone; where the target can't unwind, the
/// process ends here as it would without this.
fn uncaught<R>(part: impl FnOnce() -> R) -> Result<R, HandlerFailure> {
    catch_unwind(AssertUnwindSafe(part)).map_err(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        HandlerFailure::Panicked(format!("panic: {}", message.unwrap_or("no message")))
    })
}
