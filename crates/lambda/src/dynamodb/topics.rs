//! Records of subscriptions, in the table: each an item that is written as a whole, if what it
//! replaces is there. Read consistently: who has just subscribed asks the next moment.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures_util::future::try_join_all;
use mcpfn_core::{
    handler::BoxFuture,
    port::{Kept, Replace, StoreError, TopicRecord, TopicVersion, Topics},
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload, payload_of, text};
use super::failure::Failure;
use super::idempotency::put_failed_on;
use super::pack::pack;

const KIND: &str = "topic";

impl Topics for Stores {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        // a batch would need a permission of its own, and costs the same
        let records = keys.iter().map(move |key| self.record(key, now_ms));
        Box::pin(try_join_all(records))
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let bytes = record.value.len();
            let packed = pack(&record.value).ok_or_else(|| {
                self.client.lasting(format_args!(
                    "can't hold a record of {bytes} bytes: an item has 400 KB"
                ))
            })?;
            let mut item: AttributeMap = payload(packed).collect();
            item.insert("pk".to_owned(), text(key));
            item.insert("sk".to_owned(), text(KIND));
            item.insert("holder".to_owned(), binary(&record.version));
            item.insert("expires_ms".to_owned(), number(kept.expires_ms));
            item.insert("expires_at".to_owned(), expires_at(kept.expires_ms));
            let (condition, values) = condition(&record.version, replace, kept.now_ms);
            let answer = self
                .client
                .ask(&self.breakers.topics, key, |dynamodb, table| {
                    let request = dynamodb
                        .put_item()
                        .table_name(table)
                        .set_item(Some(item.clone()))
                        .set_condition_expression(condition.map(str::to_owned))
                        .set_expression_attribute_values(values.clone());
                    async move {
                        request
                            .send()
                            .await
                            .map_err(|error| Failure::of(error, put_failed_on))
                    }
                });
            Ok(answer.await?.is_ok())
        })
    }
}

/// What has to be there: what is to be replaced, or the record itself.
fn condition(
    version: &TopicVersion,
    replace: Replace,
    now_ms: u64,
) -> (Option<&'static str>, Option<AttributeMap>) {
    let mut values = AttributeMap::from([
        (":now".to_owned(), number(now_ms)),
        (":own".to_owned(), binary(version)),
    ]);
    let condition = match replace {
        Replace::Anything => return (None, None),
        Replace::Nothing => "attribute_not_exists(pk) OR expires_ms <= :now OR holder = :own",
        Replace::Version(there) => {
            values.insert(":there".to_owned(), binary(&there));
            "expires_ms > :now AND holder IN (:there, :own)"
        }
    };
    (Some(condition), Some(values))
}

fn binary(version: &TopicVersion) -> AttributeValue {
    AttributeValue::B(Blob::new(version.as_slice()))
}

impl Stores {
    async fn record(&self, key: &str, now_ms: u64) -> Result<Option<TopicRecord>, StoreError> {
        let breaker = &self.breakers.topics;
        let item = self.client.read_consistently(breaker, key, KIND).await?;
        Ok(item.and_then(|item| record_of(item, now_ms)))
    }
}

/// One that can't be read is as good as none.
fn record_of(item: AttributeMap, now_ms: u64) -> Option<TopicRecord> {
    let expires_ms: u64 = number_of(&item, "expires_ms")?;
    let version = item.get("holder")?.as_b().ok()?;
    let version = TopicVersion::try_from(version.as_ref()).ok()?;
    let value: Bytes = payload_of(item)?;
    (now_ms < expires_ms).then_some(TopicRecord { version, value })
}
