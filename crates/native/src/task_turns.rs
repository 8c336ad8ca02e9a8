//! Whose turn it is to be at work, among the tasks of a process: so many at a time, and one caller's
//! no more than it leaves free to others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::caller::caller;

#[derive(Debug)]
pub(crate) struct TaskTurns {
    most: usize,
    taken: Mutex<TakenTurns>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct TakenTurns {
    all: usize,
    by_caller: HashMap<String, usize>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct TaskTurn<'a> {
    turns: &'a TaskTurns,
    caller: &'a str,
}

impl TaskTurns {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// Waits for a turn of the task under a key.
    pub(crate) async fn take<'a>(&'a self, key: &'a str) -> TaskTurn<'a> {
        let caller = caller(key);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // before the look: one that is freed between the two is not missed
            freed.as_mut().enable();
            if self.lock().take(caller, self.most) {
                let turns = self;
                return TaskTurn { turns, caller };
            }
            freed.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TakenTurns> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TakenTurns {
    fn take(&mut self, caller: &str, most: usize) -> bool {
        let own = self.by_caller.get(caller).copied().unwrap_or_default();
        let takes = own < most.saturating_sub(self.all);
        if takes {
            self.all += 1;
            *self.by_caller.entry(caller.to_owned()).or_default() += 1;
        }
        takes
    }
}

impl Drop for TaskTurn<'_> {
    fn drop(&mut self) {
        let mut taken = self.turns.lock();
        taken.all -= 1;
        if let Some(own) = taken.by_caller.get_mut(self.caller) {
            *own -= 1;
            if *own == 0 {
                taken.by_caller.remove(self.caller);
            }
        }
        drop(taken);
        self.turns.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_caller_who_takes_all_it_can_leaves_as_much_to_others() {
        let turns = TaskTurns::new(64);
        let mut context = Context::from_waker(Waker::noop());
        let mut try_take =
            |key: &'static str| match Box::pin(turns.take(key)).as_mut().poll(&mut context) {
                Poll::Ready(turn) => Some(turn),
                Poll::Pending => None,
            };
        let mut take_all = |key| std::iter::from_fn(|| try_take(key)).collect::<Vec<_>>();
        let mut taken = ["1.greedy", "2.second", "3.third", "4.last"].map(&mut take_all);
        assert_eq!(taken.each_ref().map(Vec::len), [32, 16, 8, 4]);
        // what one gives back is the next one's who waits
        let mut waits = Box::pin(turns.take("5.last"));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        taken[0].truncate(31);
        assert!(waits.as_mut().poll(&mut context).is_ready());
        drop(waits);
        drop(taken);
        assert_eq!(turns.lock().all, 0);
        assert!(turns.lock().by_caller.is_empty());
    }
}
