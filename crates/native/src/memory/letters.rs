//! Answers of clients on their way to the call that waits, in memory. One that nobody waits for
//! stays until it expires, and is not dropped to make room: who finds none is told so.

use std::collections::HashMap;

use bytes::Bytes;
use mcpfn_core::port::StoreError;

use super::limits::MemoryLimits;

#[derive(Debug, Default)]
pub(super) struct Letters {
    waiting: HashMap<String, (Bytes, u64)>,
    bytes: usize,
}

impl Letters {
    /// Unless there is one already under its key.
    pub(super) fn put(
        &mut self,
        key: &str,
        letter: Bytes,
        now_ms: u64,
        expires_ms: u64,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        let full = |letters: &Self| {
            letters.waiting.len() >= limits.entries || letters.bytes + letter.len() > limits.bytes
        };
        if full(self) {
            self.waiting
                .retain(|_, (_, expires_ms)| now_ms < *expires_ms);
            self.bytes = self.waiting.values().map(|(letter, _)| letter.len()).sum();
        }
        if self
            .waiting
            .get(key)
            .is_some_and(|(_, expires_ms)| now_ms < *expires_ms)
        {
            return Ok(());
        }
        if full(self) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} answers and {} bytes of them",
                limits.entries, limits.bytes
            )));
        }
        self.bytes += letter.len();
        let replaced = self.waiting.insert(key.to_owned(), (letter, expires_ms));
        self.bytes -= replaced.map_or(0, |(letter, _)| letter.len());
        Ok(())
    }

    /// All of these, once they are all there.
    pub(super) fn take(&mut self, keys: &[String]) -> Option<Vec<Bytes>> {
        if !keys.iter().all(|key| self.waiting.contains_key(key)) {
            return None;
        }
        let taken = keys.iter().filter_map(|key| self.waiting.remove(key));
        let taken: Vec<Bytes> = taken.map(|(letter, _)| letter).collect();
        self.bytes -= taken.iter().map(Bytes::len).sum::<usize>();
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_expired_makes_room() {
        let mut letters = Letters::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 10,
        };
        let mut put = |key, bytes: usize, now_ms| {
            letters.put(key, vec![0; bytes].into(), now_ms, now_ms + 10, limits)
        };
        assert!(put("a", 4, 0).is_ok());
        assert!(put("a", 3, 1).is_ok(), "the first one counts");
        assert!(put("b", 7, 1).is_err(), "too many bytes");
        assert!(put("b", 6, 2).is_ok());
        assert!(put("c", 0, 3).is_err(), "too many");
        assert!(put("c", 4, 10).is_ok(), "`a` has expired");
        assert_eq!(letters.take(&["b".into(), "a".into()]), None);
        let taken = letters.take(&["b".into(), "c".into()]).unwrap();
        assert_eq!(taken.iter().map(Bytes::len).collect::<Vec<_>>(), [6, 4]);
        assert_eq!(letters.bytes, 0);
    }
}
