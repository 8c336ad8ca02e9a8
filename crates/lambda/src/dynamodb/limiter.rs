//! Rate limits, in the table: `Rate::take` as one conditional update.
//!
//! With the call's time `now`, a bucket is either full (`full_at` is past, or there is no item) or
//! not. A full one is set to `now` and one call's time; another one is moved on by one call's time,
//! if it is not empty. Which of the two holds is guessed from what this environment saw last, and
//! stated as the update's condition; where the guess is wrong, the table says what there is.
//! `full_at` only grows, so a second guess is wrong only if another environment called in between,
//! and a third is not.
//!
//! One number and one conditional write, so that no more calls than the rate are allowed,
//! whichever environments write at the same time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use mcpfn_core::{
    handler::BoxFuture,
    port::{Admission, Rate, RateLimiter, StoreError},
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, text};
use super::failure::Failure;

const KIND: &str = "rate";

/// One more than can be needed, for an item that the table cleans up in between.
const REQUESTS: usize = 4;

/// Most buckets that are remembered.
const KNOWN: usize = 1024;

/// When buckets are full again, as last seen; in microseconds.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<String, u64>>);

impl Known {
    fn full_at(&self, key: &str) -> u64 {
        self.buckets().get(key).copied().unwrap_or(0)
    }

    fn set(&self, key: &str, full_at: u64, now_us: u64) {
        let mut buckets = self.buckets();
        if let Some(known) = buckets.get_mut(key) {
            // two answers may overtake each other
            *known = full_at.max(*known);
            return;
        }
        if buckets.len() >= KNOWN {
            buckets.retain(|_, full_at| *full_at > now_us);
        }
        if buckets.len() >= KNOWN {
            buckets.clear();
        }
        buckets.insert(key.to_owned(), full_at);
    }

    // held for a few instructions and never across a wait
    fn buckets(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateLimiter for Stores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        Box::pin(async move {
            let now_us = now_ms.saturating_mul(1000);
            let mut full_at = self.known.full_at(key);
            for _ in 0..REQUESTS {
                let next = match rate.take(full_at, now_us) {
                    Ok(next) => next,
                    Err(retry_after) => return Ok(Admission::Refused { retry_after }),
                };
                match self.update(key, rate, now_us, full_at > now_us).await? {
                    Ok(written) => {
                        self.known.set(key, written.unwrap_or(next), now_us);
                        return Ok(Admission::Admitted);
                    }
                    Err(item) => {
                        full_at = number_of(&item, "full_at").unwrap_or(0);
                        self.known.set(key, full_at, now_us);
                    }
                }
            }
            Err(self
                .client
                .error("gave no decision on a rate limit: its item changed with every request"))
        })
    }
}

impl Stores {
    /// One request. Gives what it wrote, or the item that it was wrong about.
    async fn update(
        &self,
        key: &str,
        rate: Rate,
        now_us: u64,
        busy: bool,
    ) -> Result<Result<Option<u64>, AttributeMap>, StoreError> {
        let (call, most) = (rate.call_us(), rate.bucket_us());
        let answer = self.client.ask(|dynamodb, table| {
            let request = dynamodb
                .update_item()
                .table_name(table)
                .key("pk", text(key))
                .key("sk", text(KIND));
            let request = if busy {
                let latest = now_us.saturating_add(most).saturating_sub(call);
                request
                    .update_expression("SET full_at = full_at + :call, expires_at = :expires_at")
                    .condition_expression("full_at > :now AND full_at <= :latest")
                    .expression_attribute_values(":call", number(call))
                    .expression_attribute_values(":latest", number(latest))
            } else {
                request
                    .update_expression("SET full_at = :next, expires_at = :expires_at")
                    .condition_expression("attribute_not_exists(full_at) OR full_at <= :now")
                    .expression_attribute_values(":next", number(now_us.saturating_add(call)))
            };
            let full = Duration::from_micros(now_us.saturating_add(most))
                .as_millis()
                .saturating_add(1);
            let request = request
                .expression_attribute_values(":now", number(now_us))
                .expression_attribute_values(
                    ":expires_at",
                    expires_at(u64::try_from(full).unwrap_or(u64::MAX)),
                )
                .return_values(ReturnValue::UpdatedNew)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| Failure::of(error, failed_on))
            }
        });
        Ok(answer.await?.map(|answer| {
            answer
                .attributes
                .and_then(|item| number_of(&item, "full_at"))
        }))
    }
}

fn failed_on(error: &mut UpdateItemError) -> Option<AttributeMap> {
    match error {
        UpdateItemError::ConditionalCheckFailedException(failed) => {
            Some(failed.item.take().unwrap_or_default())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_keeps_what_still_counts() {
        let known = Known::default();
        for bucket in 0..KNOWN as u64 {
            known.set(&bucket.to_string(), bucket, 0);
        }
        known.set("new", 2000, 1000);
        assert_eq!(
            (
                known.full_at("5"),
                known.full_at("1001"),
                known.full_at("new")
            ),
            (0, 1001, 2000)
        );
        known.set("new", 1999, 1000);
        assert_eq!(
            known.full_at("new"),
            2000,
            "an older answer changes nothing"
        );
        for bucket in 0..2 * KNOWN as u64 {
            known.set(&bucket.to_string(), u64::MAX, 1000);
        }
        assert!(known.buckets().len() <= KNOWN);
    }
}
