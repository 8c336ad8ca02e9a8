//! Subscriptions to events, in the table: an item for each, beside the log of its event, in the order of
//! ids. Two more kinds of items count them, and mend themselves: what a subscriber has is a list of ids
//! with the times at which they expire, and what an event has are numbers of subscriptions by about when
//! they expire. Neither is in the same transaction as a subscription. Where one of the writes is lost
//! the count is wrong by one until that time has come, and counts for nothing then.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::ReturnValue;
use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventSubscriptions, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten,
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload, payload_of, text};
use super::event_counts::{CountedSubscription, bucket};
use super::failure::Failure;
use super::idempotency::put_failed_on;
use super::limiter::new_name;
use super::pack::pack;
use super::query::ItemRange;

/// There is none, or it is over; or this very request wrote it before, and the answer was lost.
const FREE: &str = "attribute_not_exists(pk) OR expires_ms <= :now OR changed_by = :name";
/// It is the one that was read.
const SAME: &str = "(expires_ms > :now AND version = :version) OR changed_by = :name";

impl EventSubscriptions for Stores {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let (breaker, sort) = (&self.breakers.events, sort(key.id));
            let item = self.client.read_consistently(breaker, key.topic, &sort);
            let row = item.await?.map(|item| self.row(item)).transpose()?;
            Ok(row.filter(|row| now_ms < row.expires_ms))
        })
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>> {
        Box::pin(async move {
            let counted = CountedSubscription {
                key,
                expires_ms,
                now_ms,
            };
            // first the counts: who ends in between has one more there than it has
            if replaces.is_none()
                && let Some(full) = self.count(&counted, bounds).await?
            {
                return Ok(full);
            }
            let item = self.item(key, replaces, &body, expires_ms, now_ms)?;
            match self.put(key, item, replaces, now_ms).await? {
                Err(()) => {
                    if replaces.is_none() {
                        // another one has the id, and its place in the list
                        self.uncount(&counted).await?;
                    }
                    Ok(SubscriptionWritten::Changed)
                }
                Ok(old) => {
                    let was = number_of::<u64>(&old, "expires_ms");
                    if replaces.is_some() && was != Some(expires_ms) {
                        let was = number_of(&old, "counted_until");
                        self.recount(&counted, was).await?;
                    }
                    Ok(SubscriptionWritten::Done)
                }
            }
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let breaker = &self.breakers.events;
            let answer = self.client.ask(breaker, key.topic, |dynamodb, table| {
                let request = dynamodb
                    .delete_item()
                    .table_name(table)
                    .set_key(Some(keys(key)))
                    .return_values(ReturnValue::AllOld);
                async move {
                    let sent = request.send().await;
                    sent.map_err(|error| Failure::of(error, |_| None))
                }
            });
            // it has no condition
            let old = answer.await?.ok().and_then(|answer| answer.attributes);
            match old.and_then(|old| number_of(&old, "counted_until")) {
                Some(until) => self.gone(key, until).await,
                None => Ok(()),
            }
        })
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            // behind an id are those that begin with it; none has a character in front of this one
            let mut from = after.map_or_else(|| sort(""), |after| format!("{}!", sort(after)));
            let until = sort("~");
            let mut page = Vec::new();
            while page.len() < limit {
                let range = ItemRange::new(from, until.clone(), limit - page.len());
                let breaker = Some(&self.breakers.events);
                let found = self.query(breaker, topic, &range).await?;
                let (more, mut last) = (found.more, None);
                for item in found.items {
                    let row = self.row(item)?;
                    last = Some(format!("{}!", sort(&row.id)));
                    // the table drops what expired up to days later
                    if now_ms < row.expires_ms {
                        page.push(row);
                    }
                }
                match last.filter(|_| more) {
                    Some(last) => from = last,
                    None => break,
                }
            }
            Ok(page)
        })
    }
}

impl Stores {
    fn item(
        &self,
        key: SubscriptionKey<'_>,
        replaces: Option<u64>,
        body: &Bytes,
        expires_ms: u64,
        now_ms: u64,
    ) -> Result<AttributeMap, StoreError> {
        let packed = pack(body).ok_or_else(|| {
            self.client.lasting(format_args!(
                "can't hold a subscription of {} bytes: an item has 400 KB",
                body.len()
            ))
        })?;
        // above all versions of an earlier one with this id, which had fewer changes than there are
        // milliseconds
        let version = replaces.map_or(now_ms, |version| version.saturating_add(1));
        let mut item = keys(key);
        item.extend(payload(packed));
        item.insert("version".to_owned(), number(version));
        item.insert("changed_by".to_owned(), text(new_name()?));
        item.insert("expires_ms".to_owned(), number(expires_ms));
        item.insert("expires_at".to_owned(), expires_at(expires_ms));
        let counted_until = bucket(now_ms, expires_ms);
        item.insert("counted_until".to_owned(), number(counted_until));
        Ok(item)
    }

    /// What was there before, or nothing where another version is.
    async fn put(
        &self,
        key: SubscriptionKey<'_>,
        item: AttributeMap,
        replaces: Option<u64>,
        now_ms: u64,
    ) -> Result<Result<AttributeMap, ()>, StoreError> {
        let name = item.get("changed_by").cloned().unwrap_or_else(|| text(""));
        let breaker = &self.breakers.events;
        let answer = self
            .client
            .ask(breaker, key.topic, |dynamodb: &DynamoDb, table| {
                let request = dynamodb
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .expression_attribute_values(":now", number(now_ms))
                    .expression_attribute_values(":name", name.clone())
                    .return_values(ReturnValue::AllOld);
                let request = match replaces {
                    None => request.condition_expression(FREE),
                    Some(version) => request
                        .condition_expression(SAME)
                        .expression_attribute_values(":version", number(version)),
                };
                async move {
                    let sent = request.send().await;
                    sent.map_err(|error| Failure::of(error, put_failed_on))
                }
            });
        Ok(match answer.await? {
            Ok(answer) => Ok(answer.attributes.unwrap_or_default()),
            Err(_) => Err(()),
        })
    }

    fn row(&self, item: AttributeMap) -> Result<SubscriptionRow, StoreError> {
        let read = || {
            let id = item.get("sk")?.as_s().ok()?.strip_prefix(KIND)?.to_owned();
            let version = number_of(&item, "version")?;
            let expires_ms = number_of(&item, "expires_ms")?;
            Some((id, version, expires_ms))
        };
        let read = read().and_then(|(id, version, expires_ms)| {
            Some(SubscriptionRow {
                id,
                version,
                body: payload_of(item)?,
                expires_ms,
            })
        });
        read.ok_or_else(|| self.client.lasting("has a subscription that can't be read"))
    }
}

const KIND: &str = "subscriber.";

fn sort(id: &str) -> String {
    format!("{KIND}{id}")
}

fn keys(key: SubscriptionKey<'_>) -> AttributeMap {
    AttributeMap::from([
        ("pk".to_owned(), text(key.topic)),
        ("sk".to_owned(), text(sort(key.id))),
    ])
}
