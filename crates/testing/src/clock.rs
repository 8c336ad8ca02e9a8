//! A clock and timer that a test moves. Knows nothing of the machine's time.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mcpfn_core::{
    handler::BoxFuture,
    port::{Clock, Timer},
};

/// 2026-07-28T00:00Z, in milliseconds since 1970.
const START_MS: u64 = 1_785_196_800_000;

/// Time under a test's control: the ports `Clock` and `Timer` in one. Clones share it.
///
/// [`TestClock::manual`] stands still until [`TestClock::advance`]; then every sleep that is over
/// ends. [`TestClock::auto`] also goes on by itself, to the end of the next sleep, as soon as a
/// call waits: so a handler that sleeps or runs out of time needs no help from the test. Use
/// `manual` where handlers wait for something else than time, such as a database on a thread of
/// its own: `auto` would end their time at once.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::port::{Clock, Timer};
/// use mcpfn_testing::{TestClock, block_on};
///
/// let clock = TestClock::auto();
/// let before = clock.now_ms();
/// block_on(clock.sleep(Duration::from_secs(60))); // takes no time
/// assert_eq!(clock.now_ms() - before, 60_000);
/// ```
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<ClockState>>);

struct ClockState {
    now_ms: u64,
    /// Goes on by itself when a call waits.
    auto: bool,
    next: u64,
    /// By when they end, then by who slept first.
    sleepers: BTreeMap<(u64, u64), Waker>,
}

impl TestClock {
    /// Stands still until [`TestClock::advance`]. It starts at 2026-07-28T00:00Z.
    #[must_use]
    pub fn manual() -> Self {
        Self::new(false)
    }

    /// Goes on to the end of the next sleep when a call waits.
    #[must_use]
    pub fn auto() -> Self {
        Self::new(true)
    }

    fn new(auto: bool) -> Self {
        Self(Arc::new(Mutex::new(ClockState {
            now_ms: START_MS,
            auto,
            next: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    /// Lets time pass, in whole milliseconds, and ends the sleeps that are over by then.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.lock();
        state.now_ms = state.now_ms.saturating_add(milliseconds(duration));
        let over = state.over();
        drop(state);
        over.into_iter().for_each(Waker::wake);
    }

    /// Sets the time, in milliseconds since 1970. An earlier time than now is allowed, as clocks
    /// of machines are set back too.
    pub fn set_ms(&self, now_ms: u64) {
        let mut state = self.lock();
        state.now_ms = now_ms;
        let over = state.over();
        drop(state);
        over.into_iter().for_each(Waker::wake);
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.lock().now_ms
    }

    /// How many futures sleep now.
    #[must_use]
    pub fn sleeping(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// What is behind the lock is whole after a panic, too: every change is one assignment or one
    /// call on a map.
    fn lock(&self) -> MutexGuard<'_, ClockState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    /// Takes out those whose time has come.
    fn over(&mut self) -> Vec<Waker> {
        let later = self.sleepers.split_off(&(self.now_ms.saturating_add(1), 0));
        std::mem::replace(&mut self.sleepers, later)
            .into_values()
            .collect()
    }

    /// Who sleeps until the earliest time: it is the one to move an automatic clock.
    fn first(&self) -> Option<Waker> {
        let first = self.sleepers.values().next();
        first.filter(|_| self.auto).cloned()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        Self::now_ms(self)
    }
}

impl Timer for TestClock {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        state.next += 1;
        let end_ms = state.now_ms.saturating_add(milliseconds(duration));
        Box::pin(Sleep {
            key: (end_ms, state.next),
            clock: self.clone(),
            waited: false,
        })
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("TestClock")
            .field("now_ms", &state.now_ms)
            .field("auto", &state.auto)
            .field("sleeping", &state.sleepers.len())
            .finish()
    }
}

struct Sleep {
    clock: TestClock,
    key: (u64, u64),
    waited: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        let (key, first_poll) = (self.key, !self.waited);
        state.sleepers.insert(key, cx.waker().clone());
        let is_first = state.sleepers.keys().next() == Some(&key);
        if state.auto && is_first && !first_poll {
            // everything else had a turn since and still waits
            state.now_ms = state.now_ms.max(key.0);
        }
        let wake = if state.now_ms >= key.0 {
            state.sleepers.remove(&key);
            let mut wake = state.over();
            wake.extend(state.first());
            drop(state);
            wake.into_iter().for_each(Waker::wake);
            return Poll::Ready(());
        } else {
            first_poll && state.auto
        };
        drop(state);
        self.waited = true;
        if wake {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        let removed = state.sleepers.remove(&self.key).is_some();
        let next = state.first().filter(|_| removed);
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::executor::block_on;

    #[test]
    fn a_sleep_ends_when_the_clock_is_advanced_and_not_before() {
        let clock = TestClock::manual();
        let mut sleep = pin!(clock.sleep(Duration::from_secs(2)));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);
            assert_eq!(clock.sleeping(), 1);
        }
        clock.advance(Duration::from_millis(1999));
        assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);
        clock.advance(Duration::from_millis(1));
        assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Ready(()));
        assert_eq!(clock.sleeping(), 0);
    }

    #[test]
    fn an_automatic_clock_ends_sleeps_in_their_order() {
        let clock = TestClock::auto();
        let order = Mutex::new(Vec::new());
        let sleeper = |seconds: u64| {
            let (clock, order) = (clock.clone(), &order);
            async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                order
                    .lock()
                    .unwrap()
                    .push((seconds, clock.now_ms() - START_MS));
            }
        };
        block_on(async {
            let (mut late, mut early) = (pin!(sleeper(5)), pin!(sleeper(1)));
            let (mut late_done, mut early_done) = (false, false);
            std::future::poll_fn(|cx| {
                late_done = late_done || late.as_mut().poll(cx).is_ready();
                early_done = early_done || early.as_mut().poll(cx).is_ready();
                if late_done && early_done {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
        assert_eq!(*order.lock().unwrap(), [(1, 1000), (5, 5000)]);
    }

    #[test]
    fn a_sleep_that_is_dropped_is_forgotten() {
        let clock = TestClock::auto();
        let mut cx = Context::from_waker(Waker::noop());
        let mut long = Box::pin(clock.sleep(Duration::from_secs(1)));
        assert_eq!(long.as_mut().poll(&mut cx), Poll::Pending);
        drop(long);
        assert_eq!(clock.sleeping(), 0);
        block_on(clock.sleep(Duration::from_secs(3)));
        assert_eq!(clock.now_ms(), START_MS + 3000);
    }
}
