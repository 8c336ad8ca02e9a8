//! The three stores behind caches, rate limits and idempotent writes, in memory and without
//! bounds; a test can take them down. Hosts have others.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{
        Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter,
        ResultCache, StoreError,
    },
};

/// The three stores. Clones share what is in them.
///
/// ```
/// use mcpfn_core::port::ResultCache;
/// use mcpfn_testing::{TestStores, block_on};
///
/// let stores = TestStores::default();
/// block_on(stores.put("key", "value".into(), 2000)).unwrap();
/// assert_eq!(block_on(stores.get("key", 1999)).unwrap().unwrap(), "value");
/// assert_eq!(block_on(stores.get("key", 2000)).unwrap(), None); // expired
/// stores.go_down();
/// assert!(block_on(stores.get("key", 0)).is_err());
/// ```
#[derive(Clone, Default)]
pub struct TestStores(Arc<Mutex<StoreState>>);

#[derive(Default)]
struct StoreState {
    down: bool,
    results: HashMap<String, (Bytes, u64)>,
    full_at_us: HashMap<String, u64>,
    writes: HashMap<String, Write>,
}

/// A write that was begun.
struct Write {
    holder: Holder,
    until_ms: u64,
    expires_ms: u64,
    result: Option<Bytes>,
}

impl Write {
    fn status(&self, now_ms: u64) -> Option<IdempotencyStatus> {
        let known = match &self.result {
            Some(result) => IdempotencyStatus::Completed(result.clone()),
            None if now_ms < self.until_ms => IdempotencyStatus::InProgress,
            None => IdempotencyStatus::Unknown,
        };
        (now_ms < self.expires_ms).then_some(known)
    }

    fn is_held_by(&self, holder: &Holder) -> bool {
        self.result.is_none() && self.holder == *holder
    }
}

impl TestStores {
    /// From now on no store answers.
    pub fn go_down(&self) {
        self.lock().down = true;
    }

    /// They answer again, with all that was in them.
    pub fn come_back(&self) {
        self.lock().down = false;
    }

    /// How many results are in the cache, expired ones too.
    #[must_use]
    pub fn cached_results(&self) -> usize {
        self.lock().results.len()
    }

    /// How many writes are known, running and completed.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.lock().writes.len()
    }

    /// What is behind the lock is whole after a panic, too: every change is one call on a map.
    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn when_up<T>(
        &self,
        operation: impl FnOnce(&mut StoreState) -> T,
    ) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
    {
        let mut state = self.lock();
        let outcome = if state.down {
            Err(StoreError::new("the test took the stores down"))
        } else {
            Ok(operation(&mut state))
        };
        Box::pin(std::future::ready(outcome))
    }
}

impl ResultCache for TestStores {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        self.when_up(|state| {
            let (value, expires_ms) = state.results.get(key)?;
            (*expires_ms > now_ms).then(|| value.clone())
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.when_up(|state| {
            state.results.insert(key.to_owned(), (value, expires_ms));
        })
    }
}

impl RateLimiter for TestStores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        self.when_up(|state| {
            let full_at_us = state.full_at_us.entry(key.to_owned()).or_default();
            match rate.take(*full_at_us, now_ms.saturating_mul(1000)) {
                Ok(after) => {
                    *full_at_us = after;
                    Admission::Admitted
                }
                Err(retry_after) => Admission::Refused { retry_after },
            }
        })
    }

    fn give_back(&self, key: &str, rate: Rate, _now_ms: u64) {
        if let Some(full_at_us) = self.lock().full_at_us.get_mut(key) {
            *full_at_us = rate.put_back(*full_at_us);
        }
    }
}

impl IdempotencyStore for TestStores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        self.when_up(|state| {
            let others = state.writes.get(key).filter(|it| !it.is_held_by(holder));
            if let Some(status) = others.and_then(|write| write.status(hold.now_ms)) {
                return status;
            }
            let held = Write {
                holder: *holder,
                until_ms: hold.until_ms,
                expires_ms: hold.expires_ms,
                result: None,
            };
            state.writes.insert(key.to_owned(), held);
            IdempotencyStatus::Acquired
        })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        self.when_up(|state| state.writes.get(key)?.status(now_ms))
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let kept = self.when_up(|state| {
            if state.writes.get(key).is_some_and(|it| it.holder != *holder) {
                return Err(StoreError::lasting("another call holds the key"));
            }
            let completed = Write {
                holder: *holder,
                until_ms: 0,
                expires_ms,
                result: Some(result),
            };
            state.writes.insert(key.to_owned(), completed);
            Ok(())
        });
        Box::pin(async move { kept.await? })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.when_up(|state| {
            if state
                .writes
                .get(key)
                .is_some_and(|it| it.is_held_by(holder))
            {
                state.writes.remove(key);
            }
        })
    }
}

impl fmt::Debug for TestStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("TestStores")
            .field("down", &state.down)
            .field("results", &state.results.len())
            .field("writes", &state.writes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::executor::block_on;

    #[test]
    fn a_write_is_held_completed_and_released() {
        let stores = TestStores::default();
        let (one, other) = ([1; 16], [2; 16]);
        let begin = |holder: &Holder, now_ms| {
            let hold = Hold {
                now_ms,
                until_ms: now_ms + 10,
                expires_ms: 200,
            };
            block_on(stores.begin("k", holder, hold)).unwrap()
        };
        assert_eq!(begin(&one, 0), IdempotencyStatus::Acquired);
        assert_eq!(begin(&other, 9), IdempotencyStatus::InProgress);
        assert_eq!(begin(&one, 9), IdempotencyStatus::Acquired, "its own name");
        assert_eq!(begin(&other, 19), IdempotencyStatus::Unknown);
        assert_eq!(
            begin(&other, 200),
            IdempotencyStatus::Acquired,
            "it expired"
        );
        block_on(stores.release("k", &one)).unwrap();
        assert_eq!(begin(&one, 0), IdempotencyStatus::InProgress, "another's");
        block_on(stores.release("k", &other)).unwrap();
        assert_eq!(begin(&one, 11), IdempotencyStatus::Acquired);
        let done = Bytes::from_static(b"done");
        assert!(block_on(stores.complete("k", &other, "no".into(), 100)).is_err());
        block_on(stores.complete("k", &one, done.clone(), 100)).unwrap();
        block_on(stores.release("k", &one)).unwrap();
        assert_eq!(begin(&other, 99), IdempotencyStatus::Completed(done));
        assert_eq!(
            begin(&other, 100),
            IdempotencyStatus::Acquired,
            "it expired"
        );
        assert_eq!(stores.writes(), 1);
    }

    #[test]
    fn calls_are_counted_by_key() {
        let stores = TestStores::default();
        let admit = |key, now_ms| block_on(stores.admit(key, Rate::per_minute(1), now_ms)).unwrap();
        assert_eq!(admit("a", 0), Admission::Admitted);
        let retry_after = Duration::from_secs(60);
        assert_eq!(admit("a", 0), Admission::Refused { retry_after });
        assert_eq!(admit("b", 0), Admission::Admitted);
        assert_eq!(admit("a", 60_000), Admission::Admitted);
    }

    #[test]
    fn stores_come_back_with_what_they_had() {
        let stores = TestStores::default();
        block_on(stores.put("k", "v".into(), 10)).unwrap();
        stores.go_down();
        assert!(block_on(stores.get("k", 0)).is_err());
        assert!(block_on(stores.put("k", "w".into(), 10)).is_err());
        assert!(block_on(stores.admit("k", Rate::per_minute(1), 0)).is_err());
        let hold = Hold {
            now_ms: 0,
            until_ms: 1,
            expires_ms: 1,
        };
        assert!(block_on(stores.begin("k", &[1; 16], hold)).is_err());
        stores.come_back();
        assert_eq!(block_on(stores.get("k", 0)).unwrap(), Some("v".into()));
        assert_eq!((stores.cached_results(), stores.writes()), (1, 0));
    }
}
