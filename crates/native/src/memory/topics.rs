//! TopicTable of subscriptions, in memory. A change of a resource always has room: what expires first
//! makes it. What a session subscribed to is not dropped for another's: who finds no room is told so.

use std::collections::HashMap;

use mcpfn_core::port::{Kept, Replace, StoreError, TopicRecord};

use super::limits::MemoryLimits;

#[derive(Debug, Default)]
pub(super) struct TopicTable {
    kept: HashMap<String, (TopicRecord, u64)>,
    bytes: usize,
}

impl TopicTable {
    pub(super) fn find(&self, key: &str, now_ms: u64) -> Option<&TopicRecord> {
        let (record, expires_ms) = self.kept.get(key)?;
        (now_ms < *expires_ms).then_some(record)
    }

    pub(super) fn write(
        &mut self,
        key: &str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
        limits: MemoryLimits,
    ) -> Result<bool, StoreError> {
        let there = self.find(key, kept.now_ms).map(|record| record.version);
        let fits = match replace {
            Replace::Anything => true,
            // one that is sent twice finds itself
            _ if there == Some(record.version) => true,
            Replace::Nothing => there.is_none(),
            Replace::Version(version) => there == Some(version),
        };
        if !fits {
            return Ok(false);
        }
        self.remove(key);
        let bytes = key.len() + record.value.len();
        if !self.has_room(bytes, limits) {
            let now_ms = kept.now_ms;
            self.kept.retain(|_, (_, expires_ms)| now_ms < *expires_ms);
            let kept = self.kept.iter();
            self.bytes = kept.map(|(key, (it, _))| key.len() + it.value.len()).sum();
        }
        while replace == Replace::Anything && !self.has_room(bytes, limits) {
            let first = self
                .kept
                .iter()
                .min_by_key(|(_, (_, expires_ms))| *expires_ms);
            let Some(first) = first.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&first);
        }
        if !self.has_room(bytes, limits) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} records of subscriptions and {} bytes of them",
                limits.entries, limits.bytes
            )));
        }
        self.bytes += bytes;
        self.kept.insert(key.to_owned(), (record, kept.expires_ms));
        Ok(true)
    }

    fn has_room(&self, bytes: usize, limits: MemoryLimits) -> bool {
        self.kept.len() < limits.entries && self.bytes + bytes <= limits.bytes
    }

    fn remove(&mut self, key: &str) {
        if let Some((record, _)) = self.kept.remove(key) {
            self.bytes -= key.len() + record.value.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn memory_is_bounded_and_changes_have_room() {
        let (mut records, limits) = (
            TopicTable::default(),
            MemoryLimits {
                entries: 2,
                bytes: 12,
            },
        );
        let mut write = |key: &str, bytes: usize, replace, now_ms| {
            let record = TopicRecord {
                version: [1; 16],
                value: Bytes::from(vec![0; bytes]),
            };
            let expires_ms = now_ms + 10;
            let kept = Kept { now_ms, expires_ms };
            records.write(key, record, replace, kept, limits)
        };
        assert_eq!(write("a", 4, Replace::Nothing, 0), Ok(true));
        assert!(
            write("b", 7, Replace::Nothing, 1).is_err(),
            "too many bytes"
        );
        assert_eq!(write("b", 6, Replace::Nothing, 1), Ok(true));
        assert!(write("c", 0, Replace::Nothing, 2).is_err(), "too many");
        assert_eq!(write("c", 0, Replace::Anything, 2), Ok(true));
        assert!(write("d", 5, Replace::Nothing, 3).is_err(), "`a` made room");
        assert_eq!(write("d", 5, Replace::Nothing, 11), Ok(true), "`b` expired");
        assert!(records.find("a", 3).is_none() && records.find("d", 20).is_some());
        assert_eq!(records.bytes, 7);
    }
}
