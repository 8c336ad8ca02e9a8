//! A question to a store, and the longest that a call waits for the answer. What a store that gave
//! none means is each policy's business.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::port::Timer;
use crate::port::store_error::StoreError;
use crate::send::BoxFuture;

/// A store in the same region answers in milliseconds; one that is woken up takes some hundred.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);

/// The answer, or an error once the limit is over: no store holds a call for ever, whatever it is
/// made of.
pub(crate) async fn asked<'a, T>(
    timer: &'a Arc<dyn Timer>,
    question: BoxFuture<'a, Result<T, StoreError>>,
) -> Result<T, StoreError> {
    within(timer, question, LIMIT).await.unwrap_or_else(|| {
        Err(StoreError::new(format_args!(
            "no answer in {} ms",
            LIMIT.as_millis()
        )))
    })
}

/// The answer, or none once `limit` is over.
pub(crate) fn within<'a, T>(
    timer: &'a Arc<dyn Timer>,
    question: BoxFuture<'a, Result<T, StoreError>>,
    limit: Duration,
) -> Within<'a, T> {
    Within {
        question,
        timer,
        limit,
        sleep: None,
    }
}

pub(crate) struct Within<'a, T> {
    question: BoxFuture<'a, Result<T, StoreError>>,
    timer: &'a Arc<dyn Timer>,
    limit: Duration,
    /// From when the answer has to be waited for: that of a store in memory never has.
    sleep: Option<BoxFuture<'static, ()>>,
}

impl<T> Future for Within<'_, T> {
    type Output = Option<Result<T, StoreError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(answer) = this.question.as_mut().poll(cx) {
            return Poll::Ready(Some(answer));
        }
        let sleep = this
            .sleep
            .get_or_insert_with(|| this.timer.sleep(this.limit));
        sleep.as_mut().poll(cx).map(|()| None)
    }
}
