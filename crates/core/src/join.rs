//! Several futures at the same time, in the task that waits for them: a batch, the lists of several
//! servers. Spawns nothing. `futures-util` has the same, and would be its first crate here.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::send::BoxFuture;

/// The values of all, in the order of the futures. There are few, so each wake polls every one that
/// is not done.
pub(crate) async fn join_all<T>(mut futures: Vec<BoxFuture<'static, T>>) -> Vec<T> {
    let mut values: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let waiting = futures.iter_mut().zip(&mut values);
        for (future, value) in waiting.filter(|(_, value)| value.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                *value = Some(ready);
            }
        }
        if values.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    values.into_iter().flatten().collect()
}

/// The end of one of two futures, whichever comes first; of the first one if both are there.
pub(crate) async fn sooner<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> Result<A, B> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(move |cx| {
        if let Poll::Ready(end) = first.as_mut().poll(cx) {
            return Poll::Ready(Ok(end));
        }
        second.as_mut().poll(cx).map(Err)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn values_come_in_the_order_of_the_futures_and_none_is_polled_again() {
        let polled = Arc::new(AtomicU32::new(0));
        // ready at its second poll, after the other
        let late: BoxFuture<'static, u32> = Box::pin({
            let polled = Arc::clone(&polled);
            poll_fn(move |_| match polled.fetch_add(1, Ordering::Relaxed) {
                0 => Poll::Pending,
                _ => Poll::Ready(1),
            })
        });
        // `ready` panics when it is polled after its end
        let mut both = pin!(join_all(vec![late, Box::pin(ready(2))]));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(both.as_mut().poll(&mut cx).is_pending());
        assert_eq!(both.as_mut().poll(&mut cx), Poll::Ready(vec![1, 2]));
        assert_eq!(polled.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn none_are_ready_at_once_and_one_that_never_is_holds_all() {
        let mut cx = Context::from_waker(Waker::noop());
        let none = pin!(join_all::<u32>(Vec::new()));
        assert_eq!(none.poll(&mut cx), Poll::Ready(Vec::new()));
        let never = pin!(join_all(vec![
            Box::pin(ready(1)) as BoxFuture<_>,
            Box::pin(pending())
        ]));
        assert!(never.poll(&mut cx).is_pending());
    }
}
