//! Idempotent writes, in the table.
//!
//! Who begins writes its name as the item's holder, on the condition that the key is free or that
//! the name is there already. To complete and to let go are on the condition that it is still
//! there. So a request whose answer was lost finds its own name when it is repeated, and changes
//! nothing. Who waits looks by reads: a condition that fails is charged as a write of the whole
//! item.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError},
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload, payload_of, text};
use super::failure::Failure;
use super::pack::pack;

const KIND: &str = "idempotency";

/// Free, or held under this very name: never held, or what was known of it expired.
const FREE: &str = "attribute_not_exists(pk) OR expires_ms <= :now OR \
    (holder = :holder AND attribute_not_exists(payload))";

/// An item that the table has cleaned up, or that never came, has no other holder either.
const OWN: &str = "attribute_not_exists(pk) OR holder = :holder";

impl IdempotencyStore for Stores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            let holder = name(holder);
            let mut item = item(key, &holder, hold.expires_ms);
            item.insert("held_until".to_owned(), number(hold.until_ms));
            let answer = self
                .client
                .ask(&self.breakers.idempotency, key, |dynamodb, table| {
                    let request = dynamodb
                        .put_item()
                        .table_name(table)
                        .set_item(Some(item.clone()))
                        .condition_expression(FREE)
                        .expression_attribute_values(":now", number(hold.now_ms))
                        .expression_attribute_values(":holder", text(&holder))
                        .return_values_on_condition_check_failure(AllOld);
                    async move {
                        request
                            .send()
                            .await
                            .map_err(|error| Failure::of(error, put_failed_on))
                    }
                });
            Ok(match answer.await? {
                Ok(_) => IdempotencyStatus::Acquired,
                Err(there) => status(there, hold.now_ms),
            })
        })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        Box::pin(async move {
            let item = self
                .client
                .read(&self.breakers.idempotency, key, KIND)
                .await?;
            let known = item.filter(|item| {
                number_of::<u64>(item, "expires_ms").is_none_or(|expires_ms| now_ms < expires_ms)
            });
            Ok(known.map(|item| status(item, now_ms)))
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let bytes = result.len();
            let packed = pack(&result).ok_or_else(|| {
                self.client.lasting(format_args!(
                    "can't hold a result of {bytes} bytes: an item has 400 KB"
                ))
            })?;
            let holder = name(holder);
            let mut item = item(key, &holder, expires_ms);
            item.extend(payload(packed));
            let answer = self.client.insist(|dynamodb, table| {
                let request = dynamodb
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .condition_expression(OWN)
                    .expression_attribute_values(":holder", text(&holder));
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, put_failed_on))
                }
            });
            answer.await?.map(drop).map_err(|_| {
                self.client
                    .lasting("did not keep a result: another call holds the same key")
            })
        })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let holder = name(holder);
            let answer = self.client.insist(|dynamodb, table| {
                let request = dynamodb
                    .delete_item()
                    .table_name(table)
                    .key("pk", text(key))
                    .key("sk", text(KIND))
                    .condition_expression("holder = :holder AND attribute_not_exists(payload)")
                    .expression_attribute_values(":holder", text(&holder));
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, delete_failed_on))
                }
            });
            // a condition that failed: it is another one's by now, or done, or gone
            Ok(answer.await.map(drop)?)
        })
    }
}

fn item(key: &str, holder: &str, expires_ms: u64) -> AttributeMap {
    let mut item: AttributeMap = [("pk", key), ("sk", KIND), ("holder", holder)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
    item.insert("expires_ms".to_owned(), number(expires_ms));
    item.insert("expires_at".to_owned(), expires_at(expires_ms));
    item
}

/// What is known by an item that counts.
fn status(item: AttributeMap, now_ms: u64) -> IdempotencyStatus {
    if item.contains_key("payload") {
        // it happened, whether or not its result can be read
        return IdempotencyStatus::Completed(payload_of(item).unwrap_or_default());
    }
    match number_of::<u64>(&item, "held_until") {
        Some(held_until) if held_until <= now_ms => IdempotencyStatus::Unknown,
        _ => IdempotencyStatus::InProgress,
    }
}

fn name(holder: &Holder) -> String {
    URL_SAFE_NO_PAD.encode(holder)
}

pub(super) fn put_failed_on(error: &mut PutItemError) -> Option<AttributeMap> {
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
