//! Rate limits, in PostgreSQL: `Rate::take` as one statement. A row is the time at which the bucket is
//! full again, and the random name of the last update: one whose answer was lost finds its name when
//! it is sent again, and does not count twice.

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Admission, Rate, RateLimiter, StoreError};
use mcpfn_native::shared::GRACE_MS;
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};

/// The longest time in which a bucket fills, and the latest time of today, in microseconds: some 140
/// and 280 years. Their sum is far below the largest number of a row.
const LONGEST_US: u64 = 1 << 52;
const LATEST_US: u64 = 1 << 53;

impl RateLimiter for PostgresStores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        let now_us = now_us(now_ms);
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
            let parameters = [
                key.into(),
                number(now_us),
                number(rate.call_us().min(LONGEST_US)),
                number(rate.bucket_us().min(LONGEST_US)),
                blob(&name),
                number(GRACE_MS),
            ];
            let (breaker, take) = (&self.breakers.limiter, &self.client.statements.take);
            let rows = self.ask(breaker, key, take, &parameters).await?.rows;
            self.wrote();
            let Some([SqlValue::Integer(full_at), SqlValue::Integer(admitted)]) =
                rows.first().and_then(|row| row.first_chunk())
            else {
                return Err(self
                    .client
                    .service
                    .error("gave no decision on a rate limit"));
            };
            let full_at = u64::try_from(*full_at).unwrap_or_default();
            self.buckets.seen(key, full_at, now_us);
            if *admitted != 0 {
                return Ok(Admission::Admitted);
            }
            // the rate may have grown since: who is refused waits a moment at least
            let wait = rate.take(full_at, now_us).err().unwrap_or_default();
            let retry_after = wait.max(std::time::Duration::from_micros(1));
            Ok(Admission::Refused { retry_after })
        })
    }

    fn give_back(&self, key: &str, _rate: Rate, now_ms: u64) {
        self.buckets.give_back(key, now_us(now_ms));
    }
}

fn now_us(now_ms: u64) -> u64 {
    now_ms.saturating_mul(1000).min(LATEST_US)
}
