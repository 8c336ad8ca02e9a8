//! Idempotent writes, in the table.
//!
//! Who begins writes a random name as the item's holder, on the condition that the key is free and
//! no result counts. To finish and to let go are on the condition that the name is still there. A
//! request whose answer was lost finds its own name when it is repeated, and knows that it was the
//! one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{IdempotencyStatus, IdempotencyStore, StoreError},
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, payload, payload_of, text};
use super::failure::Failure;
use super::pack::pack;

const KIND: &str = "idempotency";

/// Most holds of one environment. A hold that is forgotten ends in time, like one of an environment
/// that is gone.
const HOLDS: usize = 1024;

/// Free: never held, or its result expired, or its holder is gone.
const FREE: &str = "attribute_not_exists(pk) OR expires_ms <= :now OR \
    (attribute_not_exists(expires_ms) AND held_until <= :now)";

/// What this environment holds: the name under which, and until when.
#[derive(Debug, Default)]
pub(super) struct HeldKeys(Mutex<HashMap<String, (String, u64)>>);

impl HeldKeys {
    fn add(&self, key: &str, holder: String, now_ms: u64, held_until_ms: u64) {
        let mut holds = self.holds();
        if holds.len() >= HOLDS {
            holds.retain(|_, (_, until)| *until > now_ms);
        }
        if holds.len() >= HOLDS {
            let first = holds
                .iter()
                .min_by_key(|(_, (_, until))| *until)
                .map(|(key, _)| key.clone());
            first.and_then(|key| holds.remove(&key));
        }
        holds.insert(key.to_owned(), (holder, held_until_ms));
    }

    fn holder(&self, key: &str) -> Option<String> {
        self.holds().get(key).map(|(holder, _)| holder.clone())
    }

    fn remove(&self, key: &str, holder: &str) {
        let mut holds = self.holds();
        if holds.get(key).is_some_and(|(current, _)| current == holder) {
            holds.remove(key);
        }
    }

    // held for a few instructions and never across a wait
    fn holds(&self) -> MutexGuard<'_, HashMap<String, (String, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdempotencyStore for Stores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
        held_until_ms: u64,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            let holder = new_holder()?;
            let mut item = item(key, &holder);
            item.insert("held_until".to_owned(), number(held_until_ms));
            item.insert("expires_at".to_owned(), expires_at(held_until_ms));
            let answer = self.client.ask(|dynamodb, table| {
                let request = dynamodb
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .condition_expression(FREE);
                let request = request
                    .expression_attribute_values(":now", number(now_ms))
                    .return_values_on_condition_check_failure(AllOld);
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, put_failed_on))
                }
            });
            let Err(there) = answer.await? else {
                self.holds.add(key, holder, now_ms, held_until_ms);
                return Ok(IdempotencyStatus::Acquired);
            };
            if there.contains_key("expires_ms") {
                let result = payload_of(there)
                    .ok_or_else(|| self.client.error("has a result that can't be read"))?;
                return Ok(IdempotencyStatus::Completed(result));
            }
            if held_by(&there, &holder) {
                self.holds.add(key, holder, now_ms, held_until_ms);
                return Ok(IdempotencyStatus::Acquired);
            }
            Ok(IdempotencyStatus::InProgress)
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let holder = self.holds.holder(key).ok_or_else(|| {
                self.client
                    .error("can't store a result: this environment does not hold the key")
            })?;
            let bytes = result.len();
            let packed = pack(&result).ok_or_else(|| {
                self.client.error(format_args!(
                    "can't hold a result of {bytes} bytes: an item has 400 KB"
                ))
            })?;
            let mut item = item(key, &holder);
            item.extend(payload(packed));
            item.insert("expires_ms".to_owned(), number(expires_ms));
            item.insert("expires_at".to_owned(), expires_at(expires_ms));
            let answer = self.client.ask(|dynamodb, table| {
                let request = dynamodb
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()));
                // an item that the table has cleaned up has no other holder either
                let request =
                    request.condition_expression("attribute_not_exists(pk) OR holder = :holder");
                let request = request
                    .expression_attribute_values(":holder", text(&holder))
                    .return_values_on_condition_check_failure(AllOld);
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, put_failed_on))
                }
            });
            let answer = answer.await?;
            self.holds.remove(key, &holder);
            answer.map(drop).map_err(|_| {
                self.client.error(
                    "did not keep a result: it came after the end of its hold, and another \
                        environment has begun the same write",
                )
            })
        })
    }

    fn release<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(holder) = self.holds.holder(key) else {
                return Ok(());
            };
            let answer = self.client.ask(|dynamodb, table| {
                let request = dynamodb
                    .delete_item()
                    .table_name(table)
                    .key("pk", text(key))
                    .key("sk", text(KIND));
                let request = request
                    .condition_expression("holder = :holder AND attribute_not_exists(expires_ms)");
                let request = request.expression_attribute_values(":holder", text(&holder));
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, delete_failed_on))
                }
            });
            // a condition that failed: it is another one's by now, or done
            answer.await.map(drop)?;
            self.holds.remove(key, &holder);
            Ok(())
        })
    }
}

fn item(key: &str, holder: &str) -> AttributeMap {
    [("pk", key), ("sk", KIND), ("holder", holder)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect()
}

fn held_by(item: &AttributeMap, holder: &str) -> bool {
    item.get("holder")
        .and_then(|value| value.as_s().ok())
        .is_some_and(|current| current == holder)
}

fn new_holder() -> Result<String, StoreError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| {
        StoreError::new(format_args!(
            "the operating system gives no randomness: {error}"
        ))
    })?;
    Ok(URL_SAFE_NO_PAD.encode(name))
}

fn put_failed_on(error: &mut PutItemError) -> Option<AttributeMap> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => {
            Some(failed.item.take().unwrap_or_default())
        }
        _ => None,
    }
}

fn delete_failed_on(error: &mut DeleteItemError) -> Option<AttributeMap> {
    match error {
        DeleteItemError::ConditionalCheckFailedException(failed) => {
            Some(failed.item.take().unwrap_or_default())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_are_bounded_and_those_that_end_first_go_first() {
        let holds = HeldKeys::default();
        for key in 0..=HOLDS as u64 {
            holds.add(&key.to_string(), "me".to_owned(), 0, 1000 + key);
        }
        assert_eq!(holds.holds().len(), HOLDS);
        assert!(holds.holder("0").is_none() && holds.holder("1").is_some());
        holds.remove("1", "another");
        assert!(holds.holder("1").is_some());
        holds.remove("1", "me");
        assert!(holds.holder("1").is_none());
    }
}
