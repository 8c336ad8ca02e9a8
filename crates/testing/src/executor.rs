//! Runs one future on the test's own thread. Not a runtime: no tasks, no sockets, no timers of the
//! machine.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a test may wait for another thread before it counts as stuck, in the machine's time.
const PATIENCE: Duration = Duration::from_secs(60);

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Polls a future to its end on this thread, which sleeps in between.
///
/// # Panics
/// When nothing woke the future for a minute: it waits for a [`TestClock`](crate::TestClock) that
/// nobody advances, or for a runtime that is not there.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let unpark = Arc::new(Unpark {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => wait(&unpark.woken),
        }
    }
}

/// Until the future was woken. A wake that came before counts.
fn wait(woken: &AtomicBool) {
    if woken.swap(false, Ordering::Acquire) {
        return;
    }
    let since = Instant::now();
    while !woken.swap(false, Ordering::Acquire) {
        let left = PATIENCE.saturating_sub(since.elapsed());
        assert!(
            !left.is_zero(),
            "nothing woke the test for {} s: advance its clock from another thread or future, use \
             `TestClock::auto`, or run it under the runtime that its ports need",
            PATIENCE.as_secs()
        );
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn it_waits_for_another_thread() {
        let (send, receive) = mpsc::channel::<Waker>();
        let answered = Arc::new(AtomicBool::new(false));
        let other = {
            let answered = Arc::clone(&answered);
            thread::spawn(move || {
                let waker = receive.recv().unwrap();
                answered.store(true, Ordering::Release);
                waker.wake();
            })
        };
        let mut polls = 0;
        block_on(std::future::poll_fn(|cx| {
            polls += 1;
            if answered.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            if polls == 1 {
                send.send(cx.waker().clone()).unwrap();
            }
            Poll::Pending
        }));
        other.join().unwrap();
        assert!(polls <= 2, "{polls}");
    }

    #[test]
    fn a_future_that_wakes_itself_goes_on_at_once() {
        let mut left = 3;
        block_on(std::future::poll_fn(|cx| {
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        assert_eq!(left, 0);
    }
}
