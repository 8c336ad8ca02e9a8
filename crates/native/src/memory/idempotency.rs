//! Idempotent writes, in memory. A record that counts is never dropped to make room: who
//! finds none is told so. And nobody takes all of it: a caller may have as much as it leaves free,
//! so that each of `n` callers who want all of it gets a part of `n + 1`.

use std::collections::HashMap;

use bytes::Bytes;
use mcpfn_core::port::{Hold, Holder, IdempotencyStatus, StoreError};

use super::limits::MemoryLimits;
use crate::caller::caller;

#[derive(Debug, Default)]
pub(super) struct WriteTable {
    records: HashMap<String, Record>,
    bytes: usize,
}

#[derive(Debug)]
struct Record {
    holder: Holder,
    /// The end of the hold, after which the outcome is unknown.
    until_ms: u64,
    /// From then on the key is free.
    expires_ms: u64,
    result: Option<Bytes>,
}

impl Record {
    fn status(&self, now_ms: u64) -> Option<IdempotencyStatus> {
        if now_ms >= self.expires_ms {
            return None;
        }
        Some(match &self.result {
            Some(result) => IdempotencyStatus::Completed(result.clone()),
            None if now_ms < self.until_ms => IdempotencyStatus::InProgress,
            None => IdempotencyStatus::Unknown,
        })
    }

    fn is_held_by(&self, holder: &Holder) -> bool {
        self.result.is_none() && self.holder == *holder
    }

    fn bytes(&self) -> usize {
        self.result.as_ref().map_or(0, Bytes::len)
    }
}

impl WriteTable {
    pub(super) fn look(&self, key: &str, now_ms: u64) -> Option<IdempotencyStatus> {
        self.records.get(key)?.status(now_ms)
    }

    pub(super) fn begin(
        &mut self,
        key: &str,
        holder: &Holder,
        hold: Hold,
        limits: MemoryLimits,
    ) -> Result<IdempotencyStatus, StoreError> {
        let record = self.records.get(key);
        let others = record.filter(|record| !record.is_held_by(holder));
        if let Some(status) = others.and_then(|record| record.status(hold.now_ms)) {
            return Ok(status);
        }
        self.forget_expired(hold.now_ms, limits);
        let free = limits.entries.saturating_sub(self.records.len());
        // while more than a half is free nobody can have as much
        let is_short = || free <= limits.entries / 2 && self.of_caller(key).0 >= free;
        if !self.records.contains_key(key) && (free == 0 || is_short()) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} idempotent writes, and no more of this caller",
                limits.entries
            )));
        }
        self.set(
            key,
            Record {
                holder: *holder,
                until_ms: hold.until_ms,
                expires_ms: hold.expires_ms,
                result: None,
            },
        );
        Ok(IdempotencyStatus::Acquired)
    }

    pub(super) fn complete(
        &mut self,
        key: &str,
        holder: &Holder,
        result: Bytes,
        expires_ms: u64,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        let record = self.records.get(key);
        if record.is_some_and(|record| record.holder != *holder) {
            return Err(StoreError::lasting(
                "a result was not kept: another call holds the same key",
            ));
        }
        let replaced = record.map_or(0, Record::bytes);
        let free = limits.bytes.saturating_sub(self.bytes - replaced);
        let own = || self.of_caller(key).1 - replaced;
        if result.len() > free || (free <= limits.bytes / 2 && own() + result.len() > free) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} bytes of results of writes, and {} more of this \
                 caller are too many",
                limits.bytes,
                result.len()
            )));
        }
        self.set(
            key,
            Record {
                holder: *holder,
                until_ms: 0,
                expires_ms,
                result: Some(result),
            },
        );
        Ok(())
    }

    pub(super) fn release(&mut self, key: &str, holder: &Holder) {
        let record = self.records.get(key);
        if record.is_some_and(|record| record.is_held_by(holder)) {
            self.records.remove(key);
        }
    }

    /// Once half of the room is taken.
    fn forget_expired(&mut self, now_ms: u64, limits: MemoryLimits) {
        if self.records.len() >= limits.entries / 2 || self.bytes >= limits.bytes / 2 {
            self.records.retain(|_, record| now_ms < record.expires_ms);
            self.bytes = self.records.values().map(Record::bytes).sum();
        }
    }

    /// How many records the caller of a key has, and their bytes.
    fn of_caller(&self, key: &str) -> (usize, usize) {
        let own = self
            .records
            .iter()
            .filter(|(other, _)| caller(other) == caller(key));
        own.fold((0, 0), |(records, bytes), (_, record)| {
            (records + 1, bytes + record.bytes())
        })
    }

    fn set(&mut self, key: &str, record: Record) {
        self.bytes += record.bytes();
        if let Some(replaced) = self.records.insert(key.to_owned(), record) {
            self.bytes -= replaced.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &Holder = &[1; 16];

    fn hold(now_ms: u64, expires_ms: u64) -> Hold {
        Hold {
            now_ms,
            until_ms: expires_ms,
            expires_ms,
        }
    }

    #[test]
    fn records_that_count_are_not_dropped_for_room_and_others_are() {
        let mut writes = WriteTable::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 10,
        };
        let acquired = Ok(IdempotencyStatus::Acquired);
        assert_eq!(writes.begin("a", ME, hold(0, 10), limits), acquired);
        assert_eq!(writes.begin("b", ME, hold(0, 20), limits), acquired);
        let full = writes.begin("c", ME, hold(9, 20), limits).unwrap_err();
        assert!(full.to_string().contains("2 idempotent writes"));
        assert_eq!(writes.begin("c", ME, hold(10, 20), limits), acquired);
        let result = Bytes::from_static(b"12345678");
        assert_eq!(writes.complete("c", ME, result.clone(), 30, limits), Ok(()));
        let more = Bytes::from_static(b"123");
        assert!(writes.complete("b", ME, more, 30, limits).is_err());
        writes.release("c", ME);
        assert_eq!(
            writes.begin("c", ME, hold(29, 40), limits),
            Ok(IdempotencyStatus::Completed(result))
        );
    }

    /// One of them writes as often as it can; then others do.
    #[test]
    fn a_caller_who_takes_all_it_can_leaves_as_much_to_others() {
        for (entries, bytes, size) in [(60, 1_000_000, 10), (1_000_000, 6_000, 100)] {
            let (mut writes, limits) = (WriteTable::default(), MemoryLimits { entries, bytes });
            let kept = |caller: &str| {
                let key = |number: usize| format!("{number}.{caller}");
                let numbers = (0..60).filter(|number| {
                    let begun = writes.begin(&key(*number), ME, hold(0, 10), limits);
                    let result = Bytes::from(vec![0; size]);
                    begun == Ok(IdempotencyStatus::Acquired)
                        && writes
                            .complete(&key(*number), ME, result, 10, limits)
                            .is_ok()
                });
                numbers.count()
            };
            let found = ["greedy", "second", "third", "last"].map(kept);
            assert_eq!(found, [30, 15, 8, 4], "{entries} entries, {bytes} bytes");
        }
        // one that asks again for what it holds takes no more room
        let mut writes = WriteTable::default();
        let (entries, bytes) = (2, 10);
        for _ in 0..3 {
            let begun = writes.begin("a.x", ME, hold(0, 10), MemoryLimits { entries, bytes });
            assert_eq!(begun, Ok(IdempotencyStatus::Acquired));
        }
    }

    #[test]
    fn bytes_of_results_that_expired_are_given_back() {
        let mut writes = WriteTable::default();
        let limits = MemoryLimits {
            entries: 10,
            bytes: 10,
        };
        let result = Bytes::from_static(b"1234567");
        for now_ms in 0..100 {
            assert_eq!(
                writes.begin("key", ME, hold(now_ms, now_ms + 1), limits),
                Ok(IdempotencyStatus::Acquired)
            );
            assert_eq!(
                writes.complete("key", ME, result.clone(), now_ms + 1, limits),
                Ok(()),
                "{now_ms}"
            );
        }
    }
}
