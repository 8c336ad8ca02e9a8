//! The circuit breaker: whether the table may be asked at all. Knows time and verdicts, not what is
//! asked.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failed requests in a row after which no request is sent.
const FAILURES: u32 = 3;

/// How long no request is sent.
const OPEN: Duration = Duration::from_secs(5);

/// Shared by every request to one table.
#[derive(Debug)]
pub(super) struct Breaker(Mutex<BreakerState>);

#[derive(Debug)]
enum BreakerState {
    /// All may ask; so many have failed in a row.
    Closed(u32),
    /// No request is sent before this time.
    Open(Instant, String),
    /// One asks, and its outcome decides for all.
    Probing(String),
}

/// No request is sent now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// Until the next try.
    pub(super) wait: Duration,
    /// The failure that led to this.
    pub(super) cause: String,
}

/// The right to ask. A pass that is dropped without a verdict, because its call was cancelled, has
/// decided nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    probes: bool,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(BreakerState::Closed(0)))
    }

    /// Asks for the right to ask.
    pub(super) fn enter(&self) -> Result<Pass<'_>, Closed> {
        let mut state = self.state();
        let probes = match &*state {
            BreakerState::Closed(_) => false,
            BreakerState::Open(until, cause) => {
                let wait = until.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    return Err(Closed {
                        wait,
                        cause: cause.clone(),
                    });
                }
                *state = BreakerState::Probing(cause.clone());
                true
            }
            BreakerState::Probing(cause) => {
                return Err(Closed {
                    wait: Duration::ZERO,
                    cause: cause.clone(),
                });
            }
        };
        Ok(Pass {
            breaker: self,
            probes,
        })
    }

    // held for a few instructions and never across a wait; what is in it is whole after a panic,
    // too
    fn state(&self) -> MutexGuard<'_, BreakerState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The table answered.
    pub(super) fn succeeded(mut self) {
        let mut state = self.breaker.state();
        if mem::take(&mut self.probes) || matches!(*state, BreakerState::Closed(_)) {
            *state = BreakerState::Closed(0);
        }
    }

    /// A request failed. `lasting` is a failure that the next request will meet as well. Says
    /// whether one more may be tried.
    pub(super) fn failed(&mut self, cause: &str, lasting: bool) -> bool {
        let mut state = self.breaker.state();
        match &mut *state {
            BreakerState::Closed(failures) => {
                *failures += 1;
                if !lasting && *failures < FAILURES {
                    return true;
                }
            }
            BreakerState::Probing(_) if self.probes => {}
            // decided by another one meanwhile
            _ => return false,
        }
        *state = BreakerState::Open(Instant::now() + OPEN, cause.to_owned());
        self.probes = false;
        false
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.probes {
            return;
        }
        let mut state = self.breaker.state();
        if let BreakerState::Probing(cause) = &mut *state {
            *state = BreakerState::Open(Instant::now(), mem::take(cause));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(breaker: &Breaker) -> bool {
        breaker.enter().unwrap().failed("refused", false)
    }

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_open_it_and_one_success_between_them_does_not() {
        let breaker = Breaker::new();
        assert!(fail(&breaker) && fail(&breaker));
        breaker.enter().unwrap().succeeded();
        assert!(fail(&breaker) && fail(&breaker));
        assert!(!fail(&breaker));
        assert_eq!(
            breaker.enter().unwrap_err(),
            Closed {
                wait: OPEN,
                cause: "refused".to_owned()
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_opens_it_at_once() {
        let breaker = Breaker::new();
        assert!(!breaker.enter().unwrap().failed("missing", true));
        tokio::time::advance(OPEN - SECOND).await;
        assert_eq!(breaker.enter().unwrap_err().wait, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_probes_and_decides_for_all() {
        let breaker = Breaker::new();
        breaker.enter().unwrap().failed("missing", true);
        tokio::time::advance(OPEN).await;
        let mut probe = breaker.enter().unwrap();
        assert_eq!(
            breaker.enter().unwrap_err().cause,
            "missing",
            "a second one waits for the first"
        );
        assert!(!probe.failed("missing still", false));
        assert_eq!(breaker.enter().unwrap_err().cause, "missing still");
        tokio::time::advance(OPEN).await;
        breaker.enter().unwrap().succeeded();
        assert!(fail(&breaker), "counts from nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_cancelled_leaves_the_try_to_the_next() {
        let breaker = Breaker::new();
        breaker.enter().unwrap().failed("missing", true);
        tokio::time::advance(OPEN).await;
        drop(breaker.enter().unwrap());
        breaker.enter().unwrap().succeeded();
        breaker.enter().unwrap().succeeded();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_asked_for_before_it_opened_does_not_close_it() {
        let breaker = Breaker::new();
        let (early, mut late) = (breaker.enter().unwrap(), breaker.enter().unwrap());
        breaker.enter().unwrap().failed("missing", true);
        early.succeeded();
        assert!(breaker.enter().is_err());
        assert!(!late.failed("late", false));
        assert_eq!(breaker.enter().unwrap_err().cause, "missing");
    }
}
