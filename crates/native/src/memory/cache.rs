//! Results of earlier calls, in memory. Where there is no room, those go first that expire first.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::limits::MemoryLimits;

#[derive(Debug, Default)]
pub(super) struct Results {
    entries: HashMap<String, (Bytes, u64)>,
    /// Every entry once more, in the order in which they expire.
    order: BTreeSet<(u64, String)>,
    bytes: usize,
}

impl Results {
    pub(super) fn get(&self, key: &str, now_ms: u64) -> Option<Bytes> {
        self.entries
            .get(key)
            .filter(|(_, expires_ms)| now_ms < *expires_ms)
            .map(|(value, _)| value.clone())
    }

    pub(super) fn put(&mut self, key: &str, value: Bytes, expires_ms: u64, limits: MemoryLimits) {
        self.remove(key);
        let bytes = cost(key, &value);
        if bytes > limits.bytes || limits.entries == 0 {
            return;
        }
        while self.entries.len() >= limits.entries || self.bytes + bytes > limits.bytes {
            let Some((_, first)) = self.order.first().cloned() else {
                break;
            };
            self.remove(&first);
        }
        self.bytes += bytes;
        self.order.insert((expires_ms, key.to_owned()));
        self.entries.insert(key.to_owned(), (value, expires_ms));
    }

    fn remove(&mut self, key: &str) {
        if let Some((value, expires_ms)) = self.entries.remove(key) {
            self.bytes -= cost(key, &value);
            self.order.remove(&(expires_ms, key.to_owned()));
        }
    }
}

/// Bytes that an entry is counted with: the key is there twice.
fn cost(key: &str, value: &Bytes) -> usize {
    2 * key.len() + value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expires_first_makes_room() {
        let mut results = Results::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 100,
        };
        for (key, expires_ms) in [("late", 30), ("soon", 10), ("new", 20)] {
            results.put(key, Bytes::from_static(b"value"), expires_ms, limits);
        }
        assert!(
            results.get("late", 0).is_some()
                && results.get("soon", 0).is_none()
                && results.get("new", 0).is_some()
        );
        results.put("big", vec![0; 90].into(), 40, limits);
        assert!(results.get("late", 0).is_none() && results.get("big", 0).is_some());
        results.put("too big", vec![0; 100].into(), 40, limits);
        assert!(results.get("too big", 0).is_none() && results.get("big", 0).is_some());
    }

    #[test]
    fn nothing_is_left_of_what_was_replaced() {
        let mut results = Results::default();
        for expires_ms in 0..100 {
            results.put(
                "key",
                vec![0; 50].into(),
                expires_ms,
                MemoryLimits {
                    entries: 10,
                    bytes: 1000,
                },
            );
        }
        assert_eq!(
            (results.entries.len(), results.order.len(), results.bytes),
            (1, 1, 56)
        );
    }
}
