//! A value from elsewhere that is read again now and then, by one call at a time, and kept when nobody answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcpfn_core::Platform;

/// How long a value that was asked for is not asked for again, in milliseconds; when there is none at all, the shorter time.
const PAUSE: u64 = 60_000;
const FIRST_PAUSE: u64 = 5_000;

pub(crate) struct Kept<T> {
    /// How long a value serves before it is read again, in milliseconds.
    fresh: u64,
    state: Mutex<State<T>>,
    /// Whoever holds it reads. A call that is dropped lets go of it, and the next one reads.
    turn: async_lock::Mutex<()>,
}

struct State<T> {
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
        Self { value: self.value.clone(), failure: self.failure.clone() }
    }
}

impl<T> Kept<T> {
    pub(crate) fn new(fresh: u64) -> Self {
        let state = State { seen: Seen { value: None, failure: None }, read_ms: 0, tried_ms: None };
        Self { fresh, state: Mutex::new(state), turn: async_lock::Mutex::new(()) }
    }

    /// The value, read by `read` when there is none, when it is old, or when it does not serve; but not more often than the
    /// pause allows. A value that is merely old is read again by one call, while others go on with it.
    pub(crate) async fn get(
        &self,
        platform: &Platform,
        serves: impl Fn(&T) -> bool,
        read: impl Future<Output = Result<T, String>>,
    ) -> Seen<T> {
        let (seen, wanted) = self.look(platform.now_ms(), &serves);
        let _turn = match wanted {
            Wanted::No => return seen,
            Wanted::Newer => match self.turn.try_lock() {
                Some(turn) => turn,
                None => return seen,
            },
            Wanted::Now => self.turn.lock().await,
        };
        // whoever had the turn before may have brought it
        let (seen, wanted) = self.look(platform.now_ms(), &serves);
        if matches!(wanted, Wanted::No) {
            return seen;
        }
        let result = read.await;
        let mut state = self.state();
        let now = platform.now_ms();
        state.tried_ms = Some(now);
        match result {
            Ok(value) => {
                state.seen = Seen { value: Some(Arc::new(value)), failure: None };
                state.read_ms = now;
            }
            Err(failure) => state.seen.failure = Some(failure),
        }
        state.seen.clone()
    }

    fn look(&self, now: u64, serves: impl Fn(&T) -> bool) -> (Seen<T>, Wanted) {
        let state = self.state();
        let served = state.seen.value.as_deref().is_some_and(serves);
        let pause = if state.seen.value.is_some() { PAUSE } else { FIRST_PAUSE };
        let fresh = served && now.saturating_sub(state.read_ms) < self.fresh;
        let wanted = if fresh || state.tried_ms.is_some_and(|tried| now.saturating_sub(tried) < pause) {
            Wanted::No
        } else if served {
            Wanted::Newer
        } else {
            Wanted::Now
        };
        (state.seen.clone(), wanted)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // nothing that can panic happens under it
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Wanted {
    No,
    Newer,
    Now,
}
