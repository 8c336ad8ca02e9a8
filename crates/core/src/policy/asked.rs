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
pub(crate) fn asked<'a, T>(
    timer: &'a Arc<dyn Timer>,
    question: BoxFuture<'a, Result<T, StoreError>>,
) -> Asked<'a, T> {
    Asked {
        question,
        timer,
        sleep: None,
    }
}

pub(crate) struct Asked<'a, T> {
    question: BoxFuture<'a, Result<T, StoreError>>,
    timer: &'a Arc<dyn Timer>,
    /// From when the answer has to be waited for: that of a store in memory never has.
    sleep: Option<BoxFuture<'static, ()>>,
}

impl<T> Future for Asked<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(answer) = this.question.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        let timer = this.timer;
        let sleep = this.sleep.get_or_insert_with(|| timer.sleep(LIMIT));
        sleep.as_mut().poll(cx).map(|()| {
            Err(StoreError::new(format_args!(
                "no answer in {} ms",
                LIMIT.as_millis()
            )))
        })
    }
}
