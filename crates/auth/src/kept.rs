//! A value from elsewhere that is read again now and then, by one call at a time, and kept for a
//! bounded time when its source is unavailable. Knows nothing of what the value is.
//!
//! | age of the value | a call |
//! |---|---|
//! | below `fresh` | uses it |
//! | below twice that | uses it, and has it read again beside the call |
//! | below `max_age` | waits for a new one; uses the old one only if the source is unavailable |
//! | from `max_age` on | waits for a new one, and gets nothing if the source is unavailable |
//!
//! Age is time by the clock, not by calls: an environment that was frozen for an hour wakes with a
//! value that is an hour old.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcpfn_core::{
    handler::{MaybeSend, MaybeSync},
    port::Platform,
};

/// How long the source is not asked again for a value that still serves, in milliseconds; and for
/// one that is missing or too old to be used without asking. The shorter one doubles with each
/// failure while there is an old value: a source that hangs must not hold up every call.
const PAUSE: u64 = 60_000;
const SHORT_PAUSE: u64 = 5_000;

/// How long API keys and issuers' keys are used at most after they were read, in milliseconds,
/// unless the operator says otherwise.
pub const MAX_KEY_AGE_MS: u64 = 15 * 60_000;

pub(crate) struct RefreshingCache<T> {
    /// In milliseconds; see the table above.
    fresh: u64,
    max_age: u64,
    state: Mutex<RefreshState<T>>,
    /// The call that holds it reads. A call that is dropped lets go of it, and the next one reads.
    turn: Arc<async_lock::Mutex<()>>,
}

struct RefreshState<T> {
    seen: Seen<T>,
    read_ms: u64,
    tried_ms: Option<u64>,
    /// Readings that failed since the last one that did not.
    failures: u32,
}

/// What is known now.
pub(crate) struct Seen<T> {
    pub(crate) value: Option<Arc<T>>,
    /// Why the last reading brought nothing.
    pub(crate) failure: Option<String>,
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            failure: self.failure.clone(),
        }
    }
}

impl<T: MaybeSend + MaybeSync + 'static> RefreshingCache<T> {
    pub(crate) fn new(fresh: u64, max_age: u64) -> Arc<Self> {
        let state = RefreshState {
            seen: Seen {
                value: None,
                failure: None,
            },
            read_ms: 0,
            tried_ms: None,
            failures: 0,
        };
        Arc::new(Self {
            fresh,
            max_age,
            state: Mutex::new(state),
            turn: Arc::default(),
        })
    }

    /// The value, read by `read` when there is none, when it is old, or when it does not serve; but
    /// not more often than the pause allows. A value that is merely old is read again by one call,
    /// while others go on with it.
    ///
    /// Where requests can't wait for each other, each reads for itself what it can't do without.
    pub(crate) async fn get<R>(
        self: &Arc<Self>,
        platform: &Platform,
        serves: impl Fn(&T) -> bool,
        read: impl FnOnce() -> R,
    ) -> Seen<T>
    where
        R: Future<Output = Result<T, String>> + MaybeSend + 'static,
    {
        let (seen, wanted) = self.look(platform.now_ms(), &serves);
        let turn = match wanted {
            RefreshNeed::No => return seen,
            _ if !platform.shares_work() => None,
            RefreshNeed::Now => Some(self.turn.lock_arc().await),
            RefreshNeed::Beside => match self.turn.try_lock_arc() {
                None => return seen,
                turn => turn,
            },
        };
        // the call that had the turn before may have read it
        let (seen, wanted) = self.look(platform.now_ms(), &serves);
        let clock = Arc::clone(platform.clock());
        let renewal = |read: R| {
            let kept = Arc::clone(self);
            async move {
                let result = read.await;
                kept.keep(result, clock.now_ms());
                drop(turn);
            }
        };
        match wanted {
            RefreshNeed::No => return seen,
            RefreshNeed::Now => renewal(read()).await,
            RefreshNeed::Beside => {
                if !platform.shares_work() {
                    // instead of a turn, which a request that the platform stops would not give
                    // back
                    self.state().tried_ms = Some(platform.now_ms());
                }
                platform.defer(Box::pin(renewal(read()))).await;
            }
        }
        // the reading took time
        self.look(platform.now_ms(), &serves).0
    }

    fn keep(&self, result: Result<T, String>, now: u64) {
        let mut state = self.state();
        state.tried_ms = Some(now);
        match result {
            Ok(value) => {
                state.seen = Seen {
                    value: Some(Arc::new(value)),
                    failure: None,
                };
                state.read_ms = now;
                state.failures = 0;
            }
            Err(failure) => {
                state.seen.failure = Some(failure);
                state.failures = state.failures.saturating_add(1);
            }
        }
    }

    fn look(&self, now: u64, serves: impl Fn(&T) -> bool) -> (Seen<T>, RefreshNeed) {
        let mut state = self.state();
        let age = now.saturating_sub(state.read_ms);
        if age >= self.max_age {
            state.seen.value = None;
        }
        let served = state.seen.value.as_deref().is_some_and(serves);
        let usable = state.seen.value.is_some() && age < 2 * self.fresh;
        let pause = match (&state.seen.value, usable) {
            (Some(_), true) => PAUSE,
            (Some(_), false) => {
                // 5, 10, 20, 40, 60 seconds
                PAUSE.min(SHORT_PAUSE << state.failures.saturating_sub(1).min(4))
            }
            (None, _) => SHORT_PAUSE,
        };
        let paused = state
            .tried_ms
            .is_some_and(|tried| now.saturating_sub(tried) < pause);
        let wanted = match (served, usable) {
            (true, true) if age < self.fresh => RefreshNeed::No,
            _ if paused => RefreshNeed::No,
            (true, true) => RefreshNeed::Beside,
            _ => RefreshNeed::Now,
        };
        (state.seen.clone(), wanted)
    }

    fn state(&self) -> MutexGuard<'_, RefreshState<T>> {
        // nothing that can panic happens under it
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum RefreshNeed {
    No,
    /// It serves: read it beside the call.
    Beside,
    /// It is missing, does not serve, or is too old to go on with if there is a newer one.
    Now,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether there is a value at this moment, and what is to be done about it.
    fn at(cache: &RefreshingCache<u8>, now: u64) -> (bool, &'static str) {
        let (seen, wanted) = cache.look(now, |_| true);
        let wanted = match wanted {
            RefreshNeed::No => "no",
            RefreshNeed::Beside => "beside",
            RefreshNeed::Now => "now",
        };
        (seen.value.is_some(), wanted)
    }

    #[test]
    fn what_is_kept_is_read_again_and_ends_at_its_moments() {
        for (now, expected) in [
            (0, (true, "no")),
            (59_999, (true, "no")),
            (60_000, (true, "beside")),
            (119_999, (true, "beside")),
            (120_000, (true, "now")),
            (899_999, (true, "now")),
            (900_000, (false, "now")),
        ] {
            let cache = RefreshingCache::new(60_000, 900_000);
            cache.keep(Ok(1), 0);
            assert_eq!(at(&cache, now), expected, "{now}");
        }
    }

    #[test]
    fn a_source_that_fails_is_asked_less_and_less_often() {
        let cache = RefreshingCache::new(60_000, 900_000);
        cache.keep(Ok(1), 0);
        let mut now = 120_000;
        for seconds in [5, 10, 20, 40, 60, 60, 60] {
            cache.keep(Err("away".to_owned()), now);
            now += seconds * 1000;
            assert_eq!(at(&cache, now - 1), (true, "no"), "{seconds}");
            assert_eq!(at(&cache, now), (true, "now"), "{seconds}");
        }
        // nothing serves any more: each caller needs it
        now += 900_000;
        cache.keep(Err("away".to_owned()), now);
        assert_eq!(at(&cache, now + 4_999), (false, "no"));
        assert_eq!(at(&cache, now + 5_000), (false, "now"));
    }
}
