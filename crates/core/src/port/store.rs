//! The ports to what instances of a server share: results, rate limits, records of writes. No
//! store is in here, and no policy: which call asks which store, and what happens when one is down,
//! is `policy/`.
//!
//! Every key is 43 characters of URL-safe Base64: a digest, so that no name and no argument of a
//! caller reaches a store as a key.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Results of earlier calls. Losing an entry at any time is allowed; giving an expired or a foreign
/// one is not.
///
/// ```
/// use bytes::Bytes;
/// use mcpfn_core::{handler::BoxFuture, port::{ResultCache, StoreError}};
/// use std::{collections::HashMap, sync::Mutex};
///
/// #[derive(Default)]
/// struct Memory(Mutex<HashMap<String, (Bytes, u64)>>);
///
/// impl ResultCache for Memory {
///     fn get<'a>(
///         &'a self,
///         key: &'a str,
///         now_ms: u64,
///     ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
///         let found = self.0.lock().unwrap().get(key).cloned();
///         let fresh = found.filter(|(_, expires_ms)| *expires_ms > now_ms);
///         Box::pin(async { Ok(fresh.map(|(value, _)| value)) })
///     }
///
///     fn put<'a>(
///         &'a self,
///         key: &'a str,
///         value: Bytes,
///         expires_ms: u64,
///     ) -> BoxFuture<'a, Result<(), StoreError>> {
///         self.0.lock().unwrap().insert(key.to_owned(), (value, expires_ms));
///         Box::pin(async { Ok(()) })
///     }
/// }
/// # mcpfn_testing::block_on(async {
/// let cache = Memory::default();
/// cache.put("key", "value".into(), 10).await?;
/// assert_eq!(cache.get("key", 9).await?, Some("value".into()));
/// assert_eq!(cache.get("key", 10).await?, None);
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait ResultCache: MaybeSend + MaybeSync {
    /// The value that was put under `key`, unless it expired at or before `now_ms` (milliseconds
    /// since 1970).
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>>;

    /// Keeps `value` until `expires_ms`, in the place of what is there. A value that is too large
    /// for the store is left out, which is no error.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// How often something may happen: a token bucket that holds `calls` and is full again after `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once, and in each `per` from then on; at least 1.
    pub calls: u32,
    /// The time in which an empty bucket fills; at least a millisecond.
    pub per: Duration,
}

impl Rate {
    /// So many calls a minute.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        Self {
            calls,
            per: Duration::from_secs(60),
        }
    }

    /// Takes one call out of a bucket.
    ///
    /// A bucket is one number: the time, in microseconds since 1970, at which it is full again (0
    /// for a full one). `Ok` is that number after the call, `Err` how long to wait for the next
    /// one.
    ///
    /// # Errors
    /// When the bucket is empty.
    pub fn take(self, full_at_us: u64, now_us: u64) -> Result<u64, Duration> {
        // The generic cell rate algorithm: one number for each bucket needs no refill in the
        // background, and one conditional write on it decides, however many instances write at the
        // same time.
        self.take_several(1, full_at_us, now_us)
    }

    /// Puts one call back into a bucket: the opposite of [`Rate::take`].
    #[must_use]
    pub fn put_back(self, full_at_us: u64) -> u64 {
        full_at_us.saturating_sub(self.call_us())
    }

    /// Takes several calls out of a bucket at once, or none of them.
    ///
    /// # Errors
    /// When there are not so many in the bucket: how long to wait until there are.
    pub fn take_several(self, calls: u32, full_at_us: u64, now_us: u64) -> Result<u64, Duration> {
        let several = self.call_us().saturating_mul(u64::from(calls));
        let full_at = full_at_us.max(now_us).saturating_add(several);
        let allowed = now_us.saturating_add(self.bucket_us());
        if full_at <= allowed {
            Ok(full_at)
        } else {
            Err(Duration::from_micros(full_at - allowed))
        }
    }

    /// Microseconds in which the bucket gains one call.
    #[must_use]
    pub fn call_us(self) -> u64 {
        (self.bucket_us() / u64::from(self.calls.max(1))).max(1)
    }

    /// Microseconds in which an empty bucket fills.
    #[must_use]
    pub fn bucket_us(self) -> u64 {
        u64::try_from(self.per.as_micros())
            .unwrap_or(u64::MAX / 4)
            .clamp(1000, u64::MAX / 4)
    }
}

impl FromStr for Rate {
    type Err = ();

    /// Reads `60/min`, `10/s`, `1000/h`, or a time as in `5/10s`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (calls, per) = text.trim().split_once('/').ok_or(())?;
        let calls: u32 = calls.trim().parse().map_err(drop)?;
        let per = per.trim();
        let digits = per.len()
            - per
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .len();
        let (count, unit) = per.split_at(digits);
        let count: u64 = if count.is_empty() {
            1
        } else {
            count.parse().map_err(drop)?
        };
        let unit = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            _ => return Err(()),
        };
        let seconds = count
            .checked_mul(unit)
            .filter(|seconds| (1..=86_400).contains(seconds))
            .ok_or(())?;
        if calls == 0 {
            Err(())
        } else {
            Ok(Self {
                calls,
                per: Duration::from_secs(seconds),
            })
        }
    }
}

/// What a limiter decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The call is counted and may go on.
    Admitted,
    /// The rate limit is reached; the call is not counted.
    Refused {
        /// How long to wait for the next one.
        retry_after: Duration,
    },
}

/// Rate limits. Exact among concurrent calls: never more are admitted than the rate allows.
///
/// One number is kept for each key; [`Rate::take`] does the arithmetic:
///
/// ```
/// use mcpfn_core::{port::{Admission, Rate, RateLimiter, StoreError}, handler::BoxFuture};
/// use std::{collections::HashMap, sync::Mutex};
///
/// #[derive(Default)]
/// struct Memory(Mutex<HashMap<String, u64>>);
///
/// impl RateLimiter for Memory {
///     fn admit<'a>(
///         &'a self,
///         key: &'a str,
///         rate: Rate,
///         now_ms: u64,
///     ) -> BoxFuture<'a, Result<Admission, StoreError>> {
///         let mut buckets = self.0.lock().unwrap();
///         let full_at_us = buckets.entry(key.to_owned()).or_default();
///         let admission = match rate.take(*full_at_us, now_ms * 1000) {
///             Ok(after) => {
///                 *full_at_us = after;
///                 Admission::Admitted
///             }
///             Err(retry_after) => Admission::Refused { retry_after },
///         };
///         Box::pin(async move { Ok(admission) })
///     }
/// }
/// # mcpfn_testing::block_on(async {
/// let limiter = Memory::default();
/// assert_eq!(limiter.admit("key", Rate::per_minute(1), 0).await?, Admission::Admitted);
/// assert_ne!(limiter.admit("key", Rate::per_minute(1), 0).await?, Admission::Admitted);
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait RateLimiter: MaybeSend + MaybeSync {
    /// Takes one call out of the bucket `key`.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>>;

    /// Puts a call back that was admitted and then not made, because another limit refused it.
    /// Asks nothing of a service; a limiter that can't, does nothing.
    fn give_back(&self, _key: &str, _rate: Rate, _now_ms: u64) {}
}

/// What is known of an idempotent write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyStatus {
    /// Nothing: the caller now holds it, and ends it with
    /// [`IdempotencyStore::complete`] or [`IdempotencyStore::release`].
    Acquired,
    /// Another call holds it.
    InProgress,
    /// It happened, with this result. One that can't be read is empty, and still happened.
    Completed(Bytes),
    /// A call held it, and its hold ended without a word: whether the write happened is not known.
    /// Such a key is not given to anybody until it expires.
    Unknown,
}

/// One call's name for its hold, 16 random bytes. Each call has another one, so that a store can
/// tell a request that is sent again from one of another call.
pub type Holder = [u8; 16];

/// Idempotent writes. Exact among concurrent calls: of all who begin the same key, one is the
/// first.
///
/// A request whose answer was lost may have been done: so each names its holder, and the same
/// request again, by the same holder, changes nothing and is answered as the first was.
///
/// As the server uses one:
///
/// ```
/// use mcpfn_core::port::{Hold, IdempotencyStatus, IdempotencyStore};
/// use mcpfn_testing::TestStores;
///
/// # mcpfn_testing::block_on(async {
/// let store = TestStores::default();
/// let (one, other) = ([1; 16], [2; 16]);
/// let hold = |now_ms| Hold { now_ms, until_ms: now_ms + 30_000, expires_ms: 86_400_000 };
/// assert_eq!(store.begin("key", &one, hold(0)).await?, IdempotencyStatus::Acquired);
/// // the write runs; a repeat meanwhile is told to come back
/// assert_eq!(store.begin("key", &other, hold(1)).await?, IdempotencyStatus::InProgress);
/// store.complete("key", &one, "result".into(), 86_400_000).await?;
/// let again = store.begin("key", &other, hold(2)).await?;
/// assert_eq!(again, IdempotencyStatus::Completed("result".into()));
/// # Ok::<(), mcpfn_core::port::StoreError>(()) }).unwrap();
/// ```
pub trait IdempotencyStore: MaybeSend + MaybeSync {
    /// Begins. Who is first, or finds its own name, holds the key until `hold.until_ms`. From then
    /// on, unless a result came, the outcome is [`IdempotencyStatus::Unknown`] until
    /// `hold.expires_ms`.
    ///
    /// # Errors
    /// When the store does not respond in time; the key may be held then. Not so when it has no room
    /// for this caller ([`StoreError::is_lasting`]), whose keys all end like this one, from a `.` on.
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>>;

    /// What is known at `now_ms`, without beginning: nothing for a key that is free. A look may be
    /// a little behind what `begin` would say, and costs less.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>>;

    /// Keeps the result until `expires_ms`, in the place of the own hold, or where nothing is: a
    /// `begin` that failed may have left either.
    ///
    /// # Errors
    /// When the store does not respond in time. And for ever ([`StoreError::is_lasting`]) when it
    /// can't hold a result of this size, or when another call holds the key.
    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Lets go of the key without a result, if it is held under this name: the next one to begin
    /// is the first again.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// The times of a hold, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Now.
    pub now_ms: u64,
    /// When the call is certainly over.
    pub until_ms: u64,
    /// How long it is known that there was one, if nothing else comes; at or after `until_ms`.
    pub expires_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000;

    #[test]
    fn a_bucket_gives_its_calls_at_once_and_then_one_by_one() {
        let rate = Rate::per_minute(3);
        let now = 1_000 * MINUTE;
        let mut bucket = 0;
        for _ in 0..3 {
            bucket = rate.take(bucket, now).unwrap();
        }
        assert_eq!(rate.take(bucket, now), Err(Duration::from_secs(20)));
        assert_eq!(
            rate.take(bucket, now + 19_000_000),
            Err(Duration::from_secs(1))
        );
        let bucket = rate.take(bucket, now + MINUTE / 3).unwrap();
        assert!(rate.take(bucket, now + MINUTE / 3).is_err());
    }

    #[test]
    fn rates_are_read_from_text() {
        assert_eq!("60/min".parse(), Ok(Rate::per_minute(60)));
        assert_eq!(
            " 5 / 10s ".parse(),
            Ok(Rate {
                calls: 5,
                per: Duration::from_secs(10)
            })
        );
        assert_eq!(
            "9/hour".parse(),
            Ok(Rate {
                calls: 9,
                per: Duration::from_secs(3600)
            })
        );
        for wrong in [
            "",
            "60",
            "0/min",
            "-1/s",
            "1/",
            "1/0s",
            "1/y",
            "1/99999999999999999999s",
            "4294967296/s",
            "1/25h",
        ] {
            assert_eq!(wrong.parse::<Rate>(), Err(()), "{wrong}");
        }
    }
}
