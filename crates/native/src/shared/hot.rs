//! Results that are read often, in this process: so that one that every call wants is not read from
//! the service by every call.

use bytes::Bytes;
use mcpfn_core::port::{ResultCache as _, StoreError};

use crate::memory::{MemoryLimits, MemoryStores};

/// How long a result that was read is given without asking again: long beside the time between two
/// calls of a busy instance, short beside the time that tools keep results.
const FOR_MS: u64 = 2_000;

/// At most 256 results and 4 MiB of them, each for two seconds.
#[derive(Debug)]
pub struct HotResults(MemoryStores);

impl Default for HotResults {
    fn default() -> Self {
        Self(MemoryStores::new(MemoryLimits {
            entries: 256,
            bytes: 4 * 1024 * 1024,
        }))
    }
}

impl HotResults {
    /// The result, if it was read a moment ago and has not expired.
    ///
    /// # Errors
    /// None that memory has; the type is the port's.
    pub async fn find(&self, key: &str, now_ms: u64) -> Result<Option<Bytes>, StoreError> {
        self.0.get(key, now_ms).await
    }

    /// Remembers a result that was read at `now_ms` and expires at `expires_ms`.
    ///
    /// # Errors
    /// None that memory has; the type is the port's.
    pub async fn keep(
        &self,
        key: &str,
        value: &Bytes,
        expires_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let until_ms = expires_ms.min(now_ms.saturating_add(FOR_MS));
        self.0.put(key, value.clone(), until_ms).await
    }

    /// Forgets what was read before: another result takes its place.
    ///
    /// # Errors
    /// None that memory has; the type is the port's.
    pub async fn forget(&self, key: &str) -> Result<(), StoreError> {
        // an entry that is over
        self.0.put(key, Bytes::new(), 0).await
    }
}
