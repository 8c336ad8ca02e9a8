//! Rate limits, in memory. Where there is no room, full buckets are forgotten, which changes
//! nothing; if there are none, the one that is full again first.

use std::collections::HashMap;

use mcpfn_core::port::{Admission, Rate};

use super::limits::MemoryLimits;

/// When buckets are full again, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<String, u64>);

impl Buckets {
    pub(super) fn admit(
        &mut self,
        key: &str,
        rate: Rate,
        now_us: u64,
        limits: MemoryLimits,
    ) -> Admission {
        let full_at = self.0.get(key).copied();
        match rate.take(full_at.unwrap_or(0), now_us) {
            Ok(next) => {
                if full_at.is_none() {
                    self.make_room(now_us, limits);
                }
                self.0.insert(key.to_owned(), next);
                Admission::Admitted
            }
            Err(retry_after) => Admission::Refused { retry_after },
        }
    }

    pub(super) fn give_back(&mut self, key: &str, rate: Rate) {
        if let Some(full_at) = self.0.get_mut(key) {
            *full_at = rate.put_back(*full_at);
        }
    }

    fn make_room(&mut self, now_us: u64, limits: MemoryLimits) {
        if self.0.len() < limits.entries {
            return;
        }
        self.0.retain(|_, full_at| *full_at > now_us);
        if self.0.len() >= limits.entries {
            let first = self
                .0
                .iter()
                .min_by_key(|(_, full_at)| **full_at)
                .map(|(key, _)| key.clone());
            first.and_then(|key| self.0.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_bounded_and_the_emptiest_is_kept() {
        let mut buckets = Buckets::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 0,
        };
        let rate = Rate::per_minute(2);
        for key in ["empty", "empty", "half", "new"] {
            assert_eq!(buckets.admit(key, rate, 1, limits), Admission::Admitted);
        }
        assert_eq!(buckets.0.len(), 2);
        assert_ne!(buckets.admit("empty", rate, 1, limits), Admission::Admitted);
    }
}
