//! Rate limits, in the table: `Rate::take_several` as one conditional update.
//!
//! With the call's time `now`, a bucket is either full (`full_at` is past, or there is no item) or
//! not. A full one is set to `now` and the time of the calls; another one is moved on by that time,
//! if they are in it. Which of the two holds is guessed from what this environment saw last, and
//! stated as the update's condition; where the guess is wrong, the table says what there is.
//! `full_at` only grows, so a second guess is wrong only if another environment called in between,
//! and a third is not.
//!
//! One number and one conditional write, so that no more calls than the rate are allowed,
//! whichever environments write at the same time. Each update leaves a random name: one whose
//! answer was lost finds its name when it is sent again, and does not count twice. What is
//! remembered between two requests is `mcpfn_native::shared`'s.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_core::{
    handler::BoxFuture,
    port::{Admission, Rate, RateLimiter, StoreError},
};
use mcpfn_native::shared::Unanswered;

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, text};
use super::failure::Failure;

const KIND: &str = "rate";

/// One more than can be needed, for an item that the table cleans up in between.
const REQUESTS: usize = 4;

impl RateLimiter for Stores {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        let now_us = now_ms.saturating_mul(1000);
        // most calls of a busy caller are decided here
        if let Some(decision) = self.buckets.decide(key, rate, now_us) {
            return Box::pin(std::future::ready(Ok(decision)));
        }
        Box::pin(async move {
            let (mut full_at, mut calls) = self.buckets.wanted(key, rate, now_us);
            for _ in 0..REQUESTS {
                if rate.take_several(calls, full_at, now_us).is_err() {
                    calls = 1;
                }
                if let Err(retry_after) = rate.take(full_at, now_us) {
                    return Ok(Admission::Refused { retry_after });
                }
                let update = Update {
                    key,
                    rate,
                    now_us,
                    calls,
                    busy: full_at > now_us,
                    name: new_name()?,
                };
                match self.update(&update).await {
                    Ok(Ok(written)) => {
                        self.buckets.leased(key, written, calls - 1, now_us);
                        return Ok(Admission::Admitted);
                    }
                    Ok(Err(item)) => {
                        full_at = number_of(&item, "full_at").unwrap_or(0);
                        self.buckets.seen(key, full_at, now_us);
                    }
                    Err(refusal) if refusal.throttled => {
                        return Ok(self.buckets.decide_alone(key, rate, now_us));
                    }
                    Err(refusal) => return Err(refusal.into()),
                }
            }
            Err(self
                .client
                .error("gave no decision on a rate limit: its item changed with every request"))
        })
    }

    fn give_back(&self, key: &str, _rate: Rate, now_ms: u64) {
        self.buckets.give_back(key, now_ms.saturating_mul(1000));
    }
}

/// What one request asks for.
struct Update<'a> {
    key: &'a str,
    rate: Rate,
    now_us: u64,
    calls: u32,
    busy: bool,
    name: String,
}

impl Update<'_> {
    fn several(&self) -> u64 {
        self.rate.call_us().saturating_mul(u64::from(self.calls))
    }

    /// The update and its condition.
    fn expressions(&self) -> (&'static str, &'static str) {
        if self.busy {
            (
                "SET full_at = full_at + :calls, expires_at = :expires_at, #by = :by",
                "full_at > :now AND full_at <= :latest AND (attribute_not_exists(#by) OR #by <> \
                 :by)",
            )
        } else {
            (
                "SET full_at = :next, expires_at = :expires_at, #by = :by",
                "attribute_not_exists(full_at) OR full_at <= :now",
            )
        }
    }

    /// The values of both.
    fn values(&self) -> AttributeMap {
        let (several, most) = (self.several(), self.rate.bucket_us());
        let latest = self.now_us.saturating_add(most);
        let mut values = AttributeMap::from([
            (":by".to_owned(), text(&self.name)),
            (":now".to_owned(), number(self.now_us)),
            (":expires_at".to_owned(), expires_at(latest / 1000 + 1)),
        ]);
        if self.busy {
            values.insert(":calls".to_owned(), number(several));
            let latest = latest.saturating_sub(several);
            values.insert(":latest".to_owned(), number(latest));
        } else {
            let next = self.now_us.saturating_add(several);
            values.insert(":next".to_owned(), number(next));
        }
        values
    }
}

impl Stores {
    /// One request. Gives when the bucket is full again, or the item that it was wrong about.
    async fn update(&self, update: &Update<'_>) -> Result<Result<u64, AttributeMap>, Unanswered> {
        let (expression, condition) = update.expressions();
        let values = update.values();
        // names of environments that update at the same time are kept beside each other
        let by = format!("by{}", self.buckets.slot());
        let answer = self
            .client
            .ask(&self.breakers.limiter, update.key, |dynamodb, table| {
                let request = dynamodb
                    .update_item()
                    .table_name(table)
                    .key("pk", text(update.key))
                    .key("sk", text(KIND))
                    .update_expression(expression)
                    .condition_expression(condition)
                    .expression_attribute_names("#by", &by)
                    .set_expression_attribute_values(Some(values.clone()))
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
        let ours = |item: &AttributeMap| {
            let name = item.get(&by).and_then(|name| name.as_s().ok());
            name == Some(&update.name)
        };
        let full_at = |item: &AttributeMap| {
            number_of(item, "full_at")
                .unwrap_or_else(|| update.now_us.saturating_add(update.several()))
        };
        Ok(match answer.await? {
            Ok(answer) => Ok(full_at(&answer.attributes.unwrap_or_default())),
            // it was done, and the answer was lost
            Err(item) if ours(&item) => Ok(full_at(&item)),
            Err(item) => Err(item),
        })
    }
}

/// A random name of one request.
pub(super) fn new_name() -> Result<String, StoreError> {
    let mut name = [0; 9];
    getrandom::fill(&mut name).map_err(|error| {
        StoreError::new(format_args!(
            "the operating system gives no randomness: {error}"
        ))
    })?;
    Ok(URL_SAFE_NO_PAD.encode(name))
}

fn failed_on(error: &mut UpdateItemError) -> Option<AttributeMap> {
    match error {
        UpdateItemError::ConditionalCheckFailedException(failed) => {
            Some(failed.item.take().unwrap_or_default())
        }
        _ => None,
    }
}
