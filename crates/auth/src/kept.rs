//! A cached value from elsewhere that is refreshed by one call at a time, and kept while its source
//! is unavailable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcpfn_core::{MaybeSend, MaybeSync, Platform};

/// How long a value that was asked for is not asked for again, in milliseconds; when there is none
/// at all, the shorter time.
const PAUSE: u64 = 60_000;
const FIRST_PAUSE: u64 = 5_000;

pub(crate) struct RefreshingCache<T> {
    /// From what age on a value is read again, in milliseconds: beside the calls, where the host
    /// can. At twice that age a call waits for it, unless the source is known to be unavailable.
    fresh: u64,
    state: Mutex<RefreshState<T>>,
    /// The call that holds it reads. A call that is dropped lets go of it, and the next one reads.
    turn: Arc<async_lock::Mutex<()>>,
}

struct RefreshState<T> {
    seen: Seen<T>,
    read_ms: u64,
    tried_ms: Option<u64>,
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
    pub(crate) fn new(fresh: u64) -> Arc<Self> {
        let state = RefreshState {
            seen: Seen {
                value: None,
                failure: None,
            },
            read_ms: 0,
            tried_ms: None,
        };
        Arc::new(Self {
            fresh,
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
            RefreshNeed::Newer | RefreshNeed::Beside => match self.turn.try_lock_arc() {
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
            RefreshNeed::Newer | RefreshNeed::Beside => {
                if !platform.shares_work() {
                    // instead of a turn, which a request that the platform stops would not give
                    // back
                    self.state().tried_ms = Some(platform.now_ms());
                }
                let renewal = renewal(read());
                match wanted {
                    RefreshNeed::Beside => platform.defer(Box::pin(renewal)).await,
                    _ => renewal.await,
                }
            }
        }
        self.state().seen.clone()
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
            }
            Err(failure) => state.seen.failure = Some(failure),
        }
    }

    fn look(&self, now: u64, serves: impl Fn(&T) -> bool) -> (Seen<T>, RefreshNeed) {
        let state = self.state();
        let served = state.seen.value.as_deref().is_some_and(serves);
        let pause = if state.seen.value.is_some() {
            PAUSE
        } else {
            FIRST_PAUSE
        };
        let age = now.saturating_sub(state.read_ms);
        let wanted = if (served && age < self.fresh)
            || state
                .tried_ms
                .is_some_and(|tried| now.saturating_sub(tried) < pause)
        {
            RefreshNeed::No
        } else if !served {
            RefreshNeed::Now
        } else if age < 2 * self.fresh || state.seen.failure.is_some() {
            RefreshNeed::Beside
        } else {
            RefreshNeed::Newer
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
    /// It serves, but it is too old to go on with if there is a newer one.
    Newer,
    /// It does not serve.
    Now,
}
