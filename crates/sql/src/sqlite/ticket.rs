//! A one-shot between the asynchronous caller and the thread that works for it, with a brake:
//! dropping the caller's side stops the work. Knows nothing of SQL.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use mcpfn_ports::SqlError;

use super::brake::Brake;
use super::work::QueryAnswer;

type Outcome = Result<QueryAnswer, SqlError>;

enum Stage {
    Waiting,
    Running(Arc<Brake>),
    Done(Outcome),
    /// No caller waits any more.
    Gone,
}

struct TicketState {
    stage: Stage,
    waker: Option<Waker>,
}

/// The worker's side. Dropping it unanswered tells the caller that the worker is gone.
pub(super) struct Ticket(Arc<Mutex<TicketState>>);

/// The caller's side.
pub(super) struct Claim(Arc<Mutex<TicketState>>);

pub(super) fn pair() -> (Ticket, Claim) {
    let shared = Arc::new(Mutex::new(TicketState {
        stage: Stage::Waiting,
        waker: None,
    }));
    (Ticket(Arc::clone(&shared)), Claim(shared))
}

impl Ticket {
    /// Ties the brake to this work. False when no caller waits for it any more.
    pub(super) fn start(&self, brake: &Arc<Brake>) -> bool {
        let mut shared = lock(&self.0);
        if matches!(shared.stage, Stage::Gone) {
            return false;
        }
        // released under the lock, so that it can't undo the pull of this ticket's own caller
        brake.release();
        shared.stage = Stage::Running(Arc::clone(brake));
        true
    }

    /// Hands over the outcome. After this the caller can no longer pull the brake.
    pub(super) fn finish(self, outcome: Outcome) {
        self.settle(outcome);
    }

    fn settle(&self, outcome: Outcome) {
        let mut shared = lock(&self.0);
        if matches!(shared.stage, Stage::Waiting | Stage::Running(_)) {
            shared.stage = Stage::Done(outcome);
            let waker = shared.waker.take();
            drop(shared);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.settle(Err(SqlError::Unavailable(
            "the connection's thread has ended".to_owned(),
        )));
    }
}

impl Future for Claim {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut shared = lock(&self.0);
        match mem::replace(&mut shared.stage, Stage::Gone) {
            Stage::Done(outcome) => Poll::Ready(outcome),
            stage => {
                shared.stage = stage;
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        if let Stage::Running(brake) = mem::replace(&mut shared.stage, Stage::Gone) {
            // still under the lock: the thread can't have gone on to another caller's statement
            brake.pull();
        }
    }
}

/// No code panics while it holds the lock, so a poisoned one is as good as any.
fn lock(shared: &Mutex<TicketState>) -> MutexGuard<'_, TicketState> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
