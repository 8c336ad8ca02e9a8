//! Idempotent writes, in memory. A record that counts is never dropped to make room: who
//! finds none is told so.
//!
//! As in every store with this port, the latest to begin a key in this process counts as its
//! holder.

use std::collections::HashMap;

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{IdempotencyStatus, IdempotencyStore, StoreError},
};

use super::{MemoryLimits, MemoryStores, lock};

#[derive(Debug, Default)]
pub(super) struct WriteTable {
    records: HashMap<String, Record>,
    bytes: usize,
}

#[derive(Debug)]
enum Record {
    Held { until_ms: u64 },
    Done { result: Bytes, expires_ms: u64 },
}

impl Record {
    fn counts(&self, now_ms: u64) -> bool {
        now_ms
            < match self {
                Self::Held { until_ms } => *until_ms,
                Self::Done { expires_ms, .. } => *expires_ms,
            }
    }

    fn bytes(&self) -> usize {
        if let Self::Done { result, .. } = self {
            result.len()
        } else {
            0
        }
    }
}

impl WriteTable {
    fn begin(
        &mut self,
        key: &str,
        now_ms: u64,
        held_until_ms: u64,
        limits: MemoryLimits,
    ) -> Result<IdempotencyStatus, StoreError> {
        match self.records.get(key).filter(|record| record.counts(now_ms)) {
            Some(Record::Held { .. }) => return Ok(IdempotencyStatus::InProgress),
            Some(Record::Done { result, .. }) => {
                return Ok(IdempotencyStatus::Completed(result.clone()));
            }
            None => {}
        }
        if self.records.len() >= limits.entries || self.bytes >= limits.bytes {
            self.records.retain(|_, record| record.counts(now_ms));
            self.bytes = self.records.values().map(Record::bytes).sum();
        }
        if self.records.len() >= limits.entries {
            return Err(StoreError::new(format_args!(
                "the memory of this process keeps {} idempotent writes, and no more",
                limits.entries
            )));
        }
        self.set(
            key,
            Record::Held {
                until_ms: held_until_ms,
            },
        );
        Ok(IdempotencyStatus::Acquired)
    }

    fn complete(
        &mut self,
        key: &str,
        result: Bytes,
        expires_ms: u64,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        if self.bytes + result.len() > limits.bytes {
            return Err(StoreError::new(format_args!(
                "the memory of this process keeps {} bytes of results of writes, and {} more are \
                 too many",
                limits.bytes,
                result.len()
            )));
        }
        self.set(key, Record::Done { result, expires_ms });
        Ok(())
    }

    fn release(&mut self, key: &str) {
        if let Some(Record::Held { .. }) = self.records.get(key) {
            self.records.remove(key);
        }
    }

    fn set(&mut self, key: &str, record: Record) {
        self.bytes += record.bytes();
        if let Some(replaced) = self.records.insert(key.to_owned(), record) {
            self.bytes -= replaced.bytes();
        }
    }
}

impl IdempotencyStore for MemoryStores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
        held_until_ms: u64,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move { lock(&self.writes).begin(key, now_ms, held_until_ms, self.limits) })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { lock(&self.writes).complete(key, result, expires_ms, self.limits) })
    }

    fn release<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.writes).release(key);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_count_are_not_dropped_for_room_and_others_are() {
        let mut writes = WriteTable::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 10,
        };
        assert_eq!(
            writes.begin("a", 0, 10, limits),
            Ok(IdempotencyStatus::Acquired)
        );
        assert_eq!(
            writes.begin("b", 0, 20, limits),
            Ok(IdempotencyStatus::Acquired)
        );
        assert!(
            writes
                .begin("c", 9, 20, limits)
                .unwrap_err()
                .to_string()
                .contains("2 idempotent writes")
        );
        assert_eq!(
            writes.begin("c", 10, 20, limits),
            Ok(IdempotencyStatus::Acquired)
        );
        assert_eq!(
            writes.complete("c", Bytes::from_static(b"12345678"), 30, limits),
            Ok(())
        );
        assert!(
            writes
                .complete("b", Bytes::from_static(b"123"), 30, limits)
                .is_err()
        );
        writes.release("c");
        assert_eq!(
            writes.begin("c", 29, 40, limits),
            Ok(IdempotencyStatus::Completed(Bytes::from_static(
                b"12345678"
            )))
        );
    }

    #[test]
    fn bytes_of_results_that_expired_are_given_back() {
        let mut writes = WriteTable::default();
        let limits = MemoryLimits {
            entries: 10,
            bytes: 10,
        };
        for now_ms in 0..100 {
            assert_eq!(
                writes.begin("key", now_ms, now_ms + 1, limits),
                Ok(IdempotencyStatus::Acquired)
            );
            assert_eq!(
                writes.complete("key", Bytes::from_static(b"1234567"), now_ms + 1, limits),
                Ok(()),
                "{now_ms}"
            );
        }
    }
}
