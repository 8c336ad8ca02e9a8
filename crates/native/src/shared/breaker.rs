//! The circuit breaker of one store: whether it may ask its service at all. Knows time, keys and
//! verdicts, not what is asked.
//!
//! Failures of one key say nothing of others: they pause that key. Failures of several keys in a
//! row, with no answer between them, say that the service is down.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failed requests in a row after which a key is not asked for, and keys with failed requests in a
/// row after which no request is sent.
const FAILURES: usize = 3;

/// How long no request is sent.
const OPEN: Duration = Duration::from_secs(5);

/// Most keys that are remembered: more than can fail before the breaker opens, with answers for
/// others between them.
const KEYS: usize = 256;

/// Shared by every request of one store.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Verdicts>);

#[derive(Debug, Default)]
struct Verdicts {
    all: BreakerState,
    /// Keys whose last requests failed.
    keys: HashMap<String, FailedKey>,
}

#[derive(Debug)]
enum BreakerState {
    /// All may ask; the requests of these keys have failed since the last answer.
    Closed(Vec<String>),
    /// No request is sent before this time.
    Open(Instant, String),
    /// One asks, and its outcome decides for all.
    Probing(String),
}

impl Default for BreakerState {
    fn default() -> Self {
        Self::Closed(Vec::new())
    }
}

#[derive(Debug)]
struct FailedKey {
    /// So many in a row.
    failures: usize,
    last: Instant,
    cause: String,
}

impl FailedKey {
    /// Until the key may be asked for again.
    fn wait(&self) -> Duration {
        if self.failures < FAILURES {
            return Duration::ZERO;
        }
        (self.last + OPEN).saturating_duration_since(Instant::now())
    }
}

/// No request is sent now.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// Until the next try.
    pub wait: Duration,
    /// The failure that led to this.
    pub cause: String,
}

/// The right to ask for a key. A pass that is dropped without a verdict, because its call was
/// cancelled, has decided nothing.
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    key: &'a str,
    probes: bool,
}

impl Breaker {
    /// Asks for the right to ask.
    ///
    /// # Errors
    /// When no request is to be sent.
    pub fn enter<'a>(&'a self, key: &'a str) -> Result<Pass<'a>, Closed> {
        let mut state = self.state();
        if let Some(failed) = state.keys.get(key) {
            let (wait, cause) = (failed.wait(), &failed.cause);
            if !wait.is_zero() {
                return Err(Closed {
                    wait,
                    cause: cause.clone(),
                });
            }
        }
        let probes = match &state.all {
            BreakerState::Closed(_) => false,
            BreakerState::Open(until, cause) => {
                let wait = until.saturating_duration_since(Instant::now());
                let cause = cause.clone();
                if !wait.is_zero() {
                    return Err(Closed { wait, cause });
                }
                state.all = BreakerState::Probing(cause);
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
            key,
            probes,
        })
    }

    // held for a few instructions and never across a wait; what is in it is whole after a panic,
    // too
    fn state(&self) -> MutexGuard<'_, Verdicts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdicts {
    /// One more failure of the key. Whether one more request for it may be tried.
    fn count(&mut self, key: &str, cause: &str) -> bool {
        let now = Instant::now();
        if self.keys.len() >= KEYS {
            self.keys.retain(|_, failed| !failed.wait().is_zero());
        }
        if self.keys.len() >= KEYS {
            self.keys.clear();
        }
        let failed = self.keys.entry(key.to_owned()).or_insert(FailedKey {
            failures: 0,
            last: now,
            cause: String::new(),
        });
        failed.failures += 1;
        failed.last = now;
        cause.clone_into(&mut failed.cause);
        failed.failures < FAILURES
    }
}

impl Pass<'_> {
    /// The service answered.
    pub fn succeeded(mut self) {
        let mut state = self.breaker.state();
        state.keys.remove(self.key);
        if mem::take(&mut self.probes) {
            state.all = BreakerState::default();
        } else if let BreakerState::Closed(failed) = &mut state.all {
            failed.clear();
        }
    }

    /// A request failed. `lasting` is a failure that the next request will meet as well, whatever
    /// its key. Says whether one more may be tried.
    pub fn failed(&mut self, cause: &str, lasting: bool) -> bool {
        let mut state = self.breaker.state();
        match &mut state.all {
            BreakerState::Closed(failed) => {
                if failed.iter().all(|key| key != self.key) {
                    failed.push(self.key.to_owned());
                }
                let down = lasting || failed.len() >= FAILURES;
                let again = state.count(self.key, cause);
                if !down {
                    return again;
                }
            }
            BreakerState::Probing(_) if self.probes => {}
            // decided by another one meanwhile
            _ => return false,
        }
        state.all = BreakerState::Open(Instant::now() + OPEN, cause.to_owned());
        // its keys are asked for when all are
        state.keys.clear();
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
        if let BreakerState::Probing(cause) = &mut state.all {
            state.all = BreakerState::Open(Instant::now(), mem::take(cause));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(breaker: &Breaker, key: &str) -> bool {
        breaker.enter(key).unwrap().failed("refused", false)
    }

    fn succeed(breaker: &Breaker, key: &str) {
        breaker.enter(key).unwrap().succeeded();
    }

    fn closed(breaker: &Breaker, key: &str) -> Option<Duration> {
        breaker.enter(key).err().map(|closed| closed.wait)
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_three_keys_in_a_row_open_it_and_one_success_between_them_does_not() {
        let breaker = Breaker::default();
        assert!(fail(&breaker, "a") && fail(&breaker, "b"));
        succeed(&breaker, "d");
        assert!(fail(&breaker, "a") && fail(&breaker, "b"));
        assert!(!fail(&breaker, "c"));
        assert_eq!(
            breaker.enter("d").unwrap_err(),
            Closed {
                wait: OPEN,
                cause: "refused".to_owned()
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_key_pause_that_key_alone() {
        let breaker = Breaker::default();
        assert!(fail(&breaker, "a") && fail(&breaker, "a") && !fail(&breaker, "a"));
        succeed(&breaker, "b");
        assert_eq!(closed(&breaker, "a"), Some(OPEN));
        tokio::time::advance(OPEN).await;
        assert!(!fail(&breaker, "a"), "one more, and it pauses again");
        assert_eq!(closed(&breaker, "a"), Some(OPEN));
        tokio::time::advance(OPEN).await;
        succeed(&breaker, "a");
        assert!(fail(&breaker, "a"), "counts from nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_failed_are_not_remembered_without_end() {
        let breaker = Breaker::default();
        for key in 0..2 * KEYS {
            fail(&breaker, &key.to_string());
            succeed(&breaker, "other");
        }
        assert!(breaker.state().keys.len() <= KEYS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_opens_it_at_once() {
        let breaker = Breaker::default();
        assert!(!breaker.enter("a").unwrap().failed("missing", true));
        tokio::time::advance(OPEN - SECOND).await;
        assert_eq!(closed(&breaker, "b"), Some(SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_probes_and_decides_for_all() {
        let breaker = Breaker::default();
        breaker.enter("a").unwrap().failed("missing", true);
        tokio::time::advance(OPEN).await;
        let mut probe = breaker.enter("a").unwrap();
        assert_eq!(
            breaker.enter("b").unwrap_err().cause,
            "missing",
            "a second one waits for the first"
        );
        assert!(!probe.failed("missing still", false));
        assert_eq!(breaker.enter("b").unwrap_err().cause, "missing still");
        tokio::time::advance(OPEN).await;
        succeed(&breaker, "b");
        assert!(fail(&breaker, "a"), "counts from nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_cancelled_leaves_the_try_to_the_next() {
        let breaker = Breaker::default();
        breaker.enter("a").unwrap().failed("missing", true);
        tokio::time::advance(OPEN).await;
        drop(breaker.enter("a").unwrap());
        succeed(&breaker, "a");
        succeed(&breaker, "b");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_asked_for_before_it_opened_does_not_close_it() {
        let breaker = Breaker::default();
        let (early, mut late) = (breaker.enter("a").unwrap(), breaker.enter("b").unwrap());
        breaker.enter("a").unwrap().failed("missing", true);
        early.succeeded();
        assert!(breaker.enter("c").is_err());
        assert!(!late.failed("late", false));
        assert_eq!(breaker.enter("b").unwrap_err().cause, "missing");
    }
}
