//! What an instance remembers of buckets: when they are full again, what it has leased of them,
//! and how often it was asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcpfn_core::port::{Admission, Rate};

/// Most buckets that are remembered.
const KNOWN: usize = 1024;

/// A lease is at most this part of what a bucket holds, so that what instances lease and do not
/// use is little beside the rate.
const PART: u32 = 32;

/// How long a lease counts, in microseconds; and how long an instance counts alone, when the
/// service has no capacity for the key.
const SECOND: u64 = 1_000_000;

/// Update names are kept in so many attributes of an item.
const SLOTS: u8 = 8;

/// Buckets of rate limits, as far as this instance knows them: a bounded number. Times are in
/// microseconds since 1970.
#[derive(Debug)]
pub struct KnownBuckets {
    buckets: Mutex<HashMap<String, Bucket>>,
    slot: u8,
}

/// Times are in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// When it is full again, as last seen.
    full_at: u64,
    /// Calls that are counted in the service and not made yet, and until when they count.
    leased: u32,
    leased_until: u64,
    /// Calls since this time.
    calls: u32,
    since: u64,
    /// Until then the service is not asked.
    alone_until: u64,
}

impl Default for KnownBuckets {
    fn default() -> Self {
        let mut slot = [0];
        // without randomness all instances share an attribute, which costs a call of a caller
        // whose answer was lost
        let _ = getrandom::fill(&mut slot);
        Self {
            buckets: Mutex::default(),
            slot: slot[0] % SLOTS,
        }
    }
}

impl KnownBuckets {
    /// The decision, where none has to be asked for. Counts the call as asked.
    pub fn decide(&self, key: &str, rate: Rate, now_us: u64) -> Option<Admission> {
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(key)?;
        if bucket.since.saturating_add(SECOND) <= now_us {
            (bucket.calls, bucket.since) = (0, now_us);
        }
        bucket.calls = bucket.calls.saturating_add(1);
        if bucket.leased > 0 && now_us < bucket.leased_until {
            bucket.leased -= 1;
            return Some(Admission::Admitted);
        }
        if now_us < bucket.alone_until {
            return Some(bucket.take(rate, now_us));
        }
        let refused = rate.take(bucket.full_at, now_us).err();
        refused.map(|retry_after| Admission::Refused { retry_after })
    }

    /// When the bucket is full again, as last seen, and for how many calls to ask: as many as came
    /// in the last second.
    pub fn wanted(&self, key: &str, rate: Rate, now_us: u64) -> (u64, u32) {
        let mut buckets = self.lock();
        let bucket = entry(&mut buckets, key, now_us);
        let most = (rate.calls / PART).max(1);
        (bucket.full_at, bucket.calls.clamp(1, most))
    }

    /// The service says so.
    pub fn seen(&self, key: &str, full_at: u64, now_us: u64) {
        let mut buckets = self.lock();
        let bucket = entry(&mut buckets, key, now_us);
        // two answers may overtake each other
        bucket.full_at = bucket.full_at.max(full_at);
    }

    /// So many calls are counted in the service, beside the one that asked.
    pub fn leased(&self, key: &str, full_at: u64, calls: u32, now_us: u64) {
        self.seen(key, full_at, now_us);
        let mut buckets = self.lock();
        let bucket = entry(&mut buckets, key, now_us);
        if bucket.leased_until <= now_us {
            bucket.leased = 0;
        }
        bucket.leased = bucket.leased.saturating_add(calls);
        bucket.leased_until = now_us.saturating_add(SECOND);
    }

    /// The service has no capacity left for this key: its caller is hot, and counted here.
    pub fn decide_alone(&self, key: &str, rate: Rate, now_us: u64) -> Admission {
        let mut buckets = self.lock();
        let bucket = entry(&mut buckets, key, now_us);
        bucket.alone_until = now_us.saturating_add(SECOND);
        bucket.take(rate, now_us)
    }

    /// A call that was counted is not made.
    pub fn give_back(&self, key: &str, now_us: u64) {
        self.leased(key, 0, 1, now_us);
    }

    /// Which attribute has the name of this instance's last update.
    pub fn slot(&self) -> u8 {
        self.slot
    }

    // held for a few instructions and never across a wait
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn take(&mut self, rate: Rate, now_us: u64) -> Admission {
        match rate.take(self.full_at, now_us) {
            Ok(full_at) => {
                self.full_at = full_at;
                Admission::Admitted
            }
            Err(retry_after) => Admission::Refused { retry_after },
        }
    }
}

fn entry<'a>(buckets: &'a mut HashMap<String, Bucket>, key: &str, now_us: u64) -> &'a mut Bucket {
    if !buckets.contains_key(key) {
        if buckets.len() >= KNOWN {
            buckets.retain(|_, bucket| bucket.full_at > now_us);
        }
        if buckets.len() >= KNOWN {
            buckets.clear();
        }
    }
    buckets.entry(key.to_owned()).or_insert_with(|| Bucket {
        calls: 1,
        since: now_us,
        ..Bucket::default()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn full_at(buckets: &KnownBuckets, key: &str) -> u64 {
        buckets.lock().get(key).map_or(0, |bucket| bucket.full_at)
    }

    #[test]
    fn what_is_remembered_is_bounded_and_keeps_what_still_counts() {
        let buckets = KnownBuckets::default();
        for bucket in 0..KNOWN as u64 {
            buckets.seen(&bucket.to_string(), bucket, 0);
        }
        buckets.seen("new", 2000, 1000);
        assert_eq!(
            ["5", "1001", "new"].map(|key| full_at(&buckets, key)),
            [0, 1001, 2000]
        );
        buckets.seen("new", 1999, 1000);
        assert_eq!(
            full_at(&buckets, "new"),
            2000,
            "an older answer changes nothing"
        );
        for bucket in 0..2 * KNOWN as u64 {
            buckets.seen(&bucket.to_string(), u64::MAX, 1000);
        }
        assert!(buckets.lock().len() <= KNOWN);
    }

    #[test]
    fn a_lease_grows_with_what_is_asked_up_to_a_part_of_the_rate() {
        let (buckets, mut leases) = (KnownBuckets::default(), Vec::new());
        let rate = Rate {
            calls: 320,
            per: Duration::from_secs(1),
        };
        for _ in 0..40 {
            if buckets.decide("key", rate, 1) != Some(Admission::Admitted) {
                let (_, calls) = buckets.wanted("key", rate, 1);
                buckets.leased("key", 1, calls - 1, 1);
                leases.push(calls);
            }
        }
        assert_eq!(leases, [1, 2, 4, 8, 10, 10, 10]);
        let small = Rate::per_minute(63);
        assert_eq!(
            buckets.wanted("key", small, 1).1,
            1,
            "and none of a small rate"
        );
    }

    #[test]
    fn a_lease_ends_and_a_call_that_was_not_made_is_one() {
        let (buckets, rate) = (KnownBuckets::default(), Rate::per_minute(1));
        buckets.seen("key", 60 * SECOND, 1);
        let decide = |now_us| buckets.decide("key", rate, now_us);
        assert!(matches!(decide(1), Some(Admission::Refused { .. })));
        buckets.give_back("key", 1);
        assert_eq!(decide(1), Some(Admission::Admitted));
        assert!(matches!(decide(1), Some(Admission::Refused { .. })));
        buckets.give_back("key", 1);
        assert!(matches!(
            decide(1 + SECOND),
            Some(Admission::Refused { .. })
        ));
    }

    #[test]
    fn a_hot_caller_is_counted_here_for_a_second_and_then_asked_for() {
        let (buckets, rate) = (KnownBuckets::default(), Rate::per_minute(2));
        let admitted = |now_us| buckets.decide("key", rate, now_us) == Some(Admission::Admitted);
        assert_eq!(buckets.decide_alone("key", rate, 1), Admission::Admitted);
        assert!(admitted(1));
        assert!(!admitted(1));
        assert_eq!(buckets.decide("key", rate, 1 + 60 * SECOND), None);
    }
}
