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
        let bytes = key.len() + record.value.len();
        if !self.has_room(key, bytes, limits) {
            let now_ms = kept.now_ms;
            self.kept.retain(|_, (_, expires_ms)| now_ms < *expires_ms);
            let kept = self.kept.iter();
            self.bytes = kept.map(|(key, (it, _))| key.len() + it.value.len()).sum();
        }
        // of one that never fits, nothing else has to go
        while replace == Replace::Anything
            && bytes <= limits.bytes
            && !self.has_room(key, bytes, limits)
        {
            let others = self.kept.iter().filter(|(other, _)| *other != key);
            let first = others.min_by_key(|(_, (_, expires_ms))| *expires_ms);
            let Some(first) = first.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&first);
        }
        if !self.has_room(key, bytes, limits) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} records of subscriptions and {} bytes of them",
                limits.entries, limits.bytes
            )));
        }
        // only now: a change that finds no room loses nothing
        self.remove(key);
        self.bytes += bytes;
        self.kept.insert(key.to_owned(), (record, kept.expires_ms));
        Ok(true)
    }

    /// For so many bytes under a key, in the place of what is there.
    fn has_room(&self, key: &str, bytes: usize, limits: MemoryLimits) -> bool {
        let there = self.kept.get(key);
        let replaced = there.map_or(0, |(record, _)| key.len() + record.value.len());
        let entries = self.kept.len() + usize::from(there.is_none());
        entries <= limits.entries && self.bytes - replaced + bytes <= limits.bytes
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

    #[test]
    fn a_change_that_finds_no_room_keeps_what_is_there() {
        let limits = MemoryLimits {
            entries: 2,
            bytes: 12,
        };
        // what replaces four bytes, how many there are, and what is there then
        for (replace, bytes, there) in [
            (Replace::Version([1; 16]), 7, 4),
            (Replace::Version([1; 16]), 6, 6),
            (Replace::Anything, 12, 4),
            (Replace::Anything, 11, 11),
        ] {
            let mut records = TopicTable::default();
            let mut write = |key: &str, version, bytes: usize, replace| {
                let record = TopicRecord {
                    version: [version; 16],
                    value: Bytes::from(vec![0; bytes]),
                };
                let kept = Kept {
                    now_ms: 0,
                    expires_ms: 10,
                };
                records.write(key, record, replace, kept, limits)
            };
            assert_eq!(write("a", 1, 4, Replace::Nothing), Ok(true));
            assert_eq!(write("b", 1, 4, Replace::Nothing), Ok(true));
            let written = write("a", 2, bytes, replace);
            assert_eq!(written.is_ok(), bytes == there, "{replace:?} {bytes}");
            let found = records.find("a", 1).map(|record| record.value.len());
            assert_eq!(found, Some(there), "{replace:?} {bytes}");
            // a record that never fits makes nobody else go
            let other = records.find("b", 1).is_some();
            assert_eq!(other, bytes != 11, "{replace:?} {bytes}");
        }
    }
}
