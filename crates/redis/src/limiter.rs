//! Rate limits, in Redis: `Rate::take` as one script. A value is the time at which the bucket is full
//! again, and the random name of the last update: one whose answer was lost finds its name when it
//! is sent again, and does not count twice.
//!
//! Every decision is one question: it costs some ten microseconds of Redis, so that instances lease
//! nothing, and limits are exact.

use std::sync::LazyLock;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Admission, Rate, RateLimiter, StoreError};
use mcpfn_native::shared::GRACE_MS;
use redis::Script;

use crate::stores::{RedisQuestion, RedisStores, exact};

/// Numbers are doubles here: microseconds are exact until the year 2255.
const TAKE: &str = r"
local full, last = 0, ''
local kept = redis.call('GET', KEYS[1])
if kept then
  local time, name = string.match(kept, '^(%d+) (.*)$')
  full, last = tonumber(time) or 0, name or ''
end
local now, call, bucket = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if last == ARGV[4] then
  return {1, full}
end
local after = math.max(full, now) + call
if after > now + bucket then
  return {0, full}
end
local kept_for = math.ceil((after - now) / 1000) + tonumber(ARGV[5])
redis.call('SET', KEYS[1], string.format('%.0f ', after) .. ARGV[4], 'PX', string.format('%.0f', kept_for))
return {1, after}
";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TAKE));

/// The longest time in which a bucket fills, in microseconds, some 140 years: beside a time of
/// today it is still exact.
const LONGEST_US: u64 = 1 << 52;

impl RateLimiter for RedisStores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        let now_us = exact(now_ms.saturating_mul(1000));
        // a call that was given back, or one more of a caller whose bucket is empty
        if let Some(decision) = self.buckets.decide(key, rate, now_us) {
            return Box::pin(std::future::ready(Ok(decision)));
        }
        Box::pin(async move {
            let mut name = [0; 9];
            getrandom::fill(&mut name).map_err(|error| {
                StoreError::new(format_args!(
                    "the operating system gives no randomness: {error}"
                ))
            })?;
            let mut take = SCRIPT.key(self.key('r', key));
            take.arg(now_us)
                .arg(rate.call_us().min(LONGEST_US))
                .arg(rate.bucket_us().min(LONGEST_US))
                .arg(&name[..])
                .arg(GRACE_MS);
            let take = RedisQuestion::Script(take);
            let (admitted, full_at): (bool, u64) =
                self.ask(&self.breakers.limiter, key, &take).await?;
            self.buckets.seen(key, full_at, now_us);
            if admitted {
                return Ok(Admission::Admitted);
            }
            // the rate may have grown since: who is refused waits a moment at least
            let wait = rate.take(full_at, now_us).err().unwrap_or_default();
            let retry_after = wait.max(std::time::Duration::from_micros(1));
            Ok(Admission::Refused { retry_after })
        })
    }

    fn give_back(&self, key: &str, _rate: Rate, now_ms: u64) {
        self.buckets
            .give_back(key, exact(now_ms.saturating_mul(1000)));
    }
}
