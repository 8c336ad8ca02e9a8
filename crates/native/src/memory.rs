//! Stores in this process: results, rate limits, idempotent writes. For one process that serves
//! every caller, and for tests; instances do not share them, and nothing outlives the process.
//! Bounded, whatever callers do.

mod cache;
mod idempotency;
mod limiter;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Most results and most records of writes, each; and most rate limits.
    pub entries: usize,
    /// Most bytes of results, and most of records of writes.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    /// 10,000 entries and 32 MiB.
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 32 * 1024 * 1024,
        }
    }
}

/// The three stores, in memory. Locks are held for single operations on maps and never across a
/// wait.
#[derive(Debug, Default)]
pub struct MemoryStores {
    results: Mutex<cache::Results>,
    buckets: Mutex<limiter::Buckets>,
    writes: Mutex<idempotency::WriteTable>,
    limits: MemoryLimits,
}

impl MemoryStores {
    /// Empty stores.
    #[must_use]
    pub fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

/// What is behind a lock is whole after a panic, too: every change is one call on a map.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
