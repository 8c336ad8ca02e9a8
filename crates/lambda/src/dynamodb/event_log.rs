//! Logs of events, in the table: an item for each event, in the order of its position, and a head that
//! says where the log begins and ends.
//!
//! An event is put in the transaction that moves the head, on the condition that nobody else has moved
//! it since it was read. So whoever sees an event sees all before it: without the head, one that was
//! slow could come to stand in front of what was read already. An update of the head by itself and then
//! the event would leave a gap that fills later. The price is that events of one name are appended one
//! after the other: some fifty a second.
//!
//! Each event has the position of the one before it. A reader knows by it, and by the head where nothing
//! is left, whether something is gone that stood behind its cursor. So nothing is deleted here: what is
//! too old is passed over until the table drops it, and what is too much lies in front of the head's
//! floor until then.
//!
//! The head has no time to live: it is a few hundred bytes for each event that a server declares, and
//! without it who asks after a quiet week would be told that something is missing.

use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventLog, EventPosition, EventRead, EventRetention, LoggedEvent, StoreError,
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload, payload_of, text};
use super::failure::Failure;
use super::idempotency::put_failed_on;
use super::limiter::new_name;
use super::pack::pack;
use super::query::ItemRange;
use super::tasks::write::{Written, not_transacted};

/// The head's.
const HEAD: &str = "events";
/// Milliseconds to wait where a transaction of another one was at work on the same head: all of them
/// are less than a call waits for a store.
const PAUSES_MS: [u64; 6] = [5, 10, 20, 40, 80, 160];
/// How often an append is tried whose head others move all the time.
const TRIES: usize = 24;
/// At most so many are given up at once: an append waits for it.
const TRIM: u64 = 256;

/// Where a log begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LogHead {
    /// Of the last event.
    last: EventPosition,
    /// Of the last one that is gone because there were too many.
    floor: EventPosition,
    /// How many there ever were, and which of these that was.
    appended: u64,
    dropped: u64,
}

impl LogHead {
    /// Of a log that begins.
    fn new(now_ms: u64) -> Self {
        let begins = EventPosition::at(now_ms);
        Self {
            last: begins,
            floor: begins,
            appended: 0,
            dropped: 0,
        }
    }

    fn read(item: &AttributeMap) -> Option<Self> {
        let position = |name: &str| number_of(item, name).map(EventPosition::from_number);
        Some(Self {
            last: position("last_at")?,
            floor: position("floor_at")?,
            appended: number_of(item, "appended")?,
            dropped: number_of(item, "dropped")?,
        })
    }

    fn attributes(&self) -> [(&'static str, AttributeValue); 4] {
        [
            ("last_at", number(self.last.number())),
            ("floor_at", number(self.floor.number())),
            ("appended", number(self.appended)),
            ("dropped", number(self.dropped)),
        ]
    }

    /// The event up to which they are too many, once one more is appended; some more are left until
    /// then, so that it is looked for once in a while.
    fn too_many(&self, keep: EventRetention) -> Option<u64> {
        let most = u64::try_from(keep.max_events.max(1)).unwrap_or(u64::MAX);
        let there = self.appended + 1 - self.dropped;
        let allowed = most.saturating_add(most / 64);
        (there > allowed).then(|| self.appended + 1 - most)
    }
}

impl EventLog for Stores {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let mut head = self.head(topic, now_ms, true).await?;
            let mut pauses = PAUSES_MS.into_iter();
            for _ in 0..TRIES {
                let next = self.after(topic, &head, now_ms, keep).await?;
                let name = new_name()?;
                let items = [
                    self.moved(topic, &head, &next, &name)?,
                    self.event(topic, &head, &next, &body, now_ms, keep)?,
                ];
                match self.place(&items, &name).await? {
                    Written::Done => return Ok(next.last),
                    Written::Refused(there) if is_by(&there, &name) => return Ok(next.last),
                    Written::Refused(there) => match LogHead::read(&there) {
                        Some(there) => head = there,
                        None => head = self.head(topic, now_ms, true).await?,
                    },
                    Written::Busy => match pauses.next() {
                        Some(pause_ms) => wait(pause_ms).await?,
                        None => break,
                    },
                }
            }
            Err(self.client.error(
                "took no event: others appended to the same log all the time; emit the event more \
                 seldom, with several things in it",
            ))
        })
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>> {
        Box::pin(async move {
            // first the head: what is appended meanwhile is behind it, and found as well
            let head = self.head(topic, now_ms, false).await?;
            if head.last <= after {
                return Ok(EventRead {
                    events: Vec::new(),
                    truncated: false,
                    more: false,
                });
            }
            let from = first(after.max(head.floor), now_ms, keep);
            let range = of_events(from, limit);
            let found = self
                .query(Some(&self.breakers.events), topic, &range)
                .await?;
            let gone = found.items.first().map_or(Some(head.last), previous);
            let unreadable = || self.client.lasting("has an event that can't be read");
            let gone = gone.ok_or_else(unreadable)?;
            let events: Option<Vec<LoggedEvent>> = found.items.into_iter().map(logged).collect();
            let events = events.ok_or_else(unreadable)?;
            let more = events.last().is_some_and(|read| read.position < head.last);
            Ok(EventRead {
                truncated: gone > after,
                more,
                events,
            })
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        _: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move { Ok(self.head(topic, now_ms, false).await?.last) })
    }
}

impl Stores {
    /// The head as it is now; a log that is not there begins. What is to be appended `insists`.
    async fn head(&self, topic: &str, now_ms: u64, insists: bool) -> Result<LogHead, StoreError> {
        let unreadable = || {
            self.client
                .lasting("has a log of events that can't be read")
        };
        let breaker = (!insists).then_some(&self.breakers.events);
        let item = match breaker {
            Some(breaker) => self.client.read_consistently(breaker, topic, HEAD).await?,
            None => self.client.insist_on(topic, HEAD).await?,
        };
        if let Some(item) = item {
            return LogHead::read(&item).ok_or_else(unreadable);
        }
        let begins = LogHead::new(now_ms);
        let mut item = keys(topic, HEAD.to_owned());
        item.extend(
            begins
                .attributes()
                .map(|(name, value)| (name.into(), value)),
        );
        let put = |dynamodb: &DynamoDb, table: &str| {
            let request = dynamodb
                .put_item()
                .table_name(table)
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(AllOld);
            async move {
                let sent = request.send().await;
                sent.map_err(|error| Failure::of(error, put_failed_on))
            }
        };
        let put = match breaker {
            Some(breaker) => self.client.ask(breaker, topic, put).await?,
            None => self.client.insist(put).await?,
        };
        match put {
            Ok(_) => Ok(begins),
            Err(there) => LogHead::read(&there).ok_or_else(unreadable),
        }
    }

    /// The head once one more event is there, without those that are too many then.
    async fn after(
        &self,
        topic: &str,
        head: &LogHead,
        now_ms: u64,
        keep: EventRetention,
    ) -> Result<LogHead, StoreError> {
        let mut next = LogHead {
            last: head.last.next(now_ms),
            appended: head.appended + 1,
            ..head.clone()
        };
        let Some(until) = head.too_many(keep) else {
            return Ok(next);
        };
        let many = (until - head.dropped).min(TRIM);
        let from = first(head.floor, now_ms, keep);
        let range = of_events(from, usize::try_from(many).unwrap_or(usize::MAX));
        let range = range.only("sk, event_number, previous_at");
        let oldest = self.query(None, topic, &range).await?.items;
        // by age, more may be gone than there are too many
        next.dropped = head.appended;
        next.floor = head.last;
        for (place, item) in oldest.iter().enumerate() {
            let read = number_of::<u64>(item, "event_number").zip(position(item));
            let (number, at) =
                read.ok_or_else(|| self.client.lasting("has an event that can't be read"))?;
            if place == 0 {
                next.dropped = number.saturating_sub(1);
                next.floor = previous(item).unwrap_or(head.floor);
            }
            if number <= until {
                next.dropped = number;
                next.floor = at;
            }
        }
        Ok(next)
    }

    /// The change of the head.
    fn moved(
        &self,
        topic: &str,
        head: &LogHead,
        next: &LogHead,
        name: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(self.client.table_name())
            .set_key(Some(keys(topic, HEAD.to_owned())))
            .update_expression(
                "SET last_at = :last_at, floor_at = :floor_at, appended = :appended, \
                 dropped = :dropped, changed_by = :name",
            )
            .condition_expression("last_at = :was")
            .expression_attribute_values(":was", number(head.last.number()))
            .expression_attribute_values(":name", text(name))
            .return_values_on_condition_check_failure(AllOld);
        for (name, value) in next.attributes() {
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        let update = self.built(update.build())?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The event as it is put.
    fn event(
        &self,
        topic: &str,
        head: &LogHead,
        next: &LogHead,
        body: &Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> Result<TransactWriteItem, StoreError> {
        let packed = pack(body).ok_or_else(|| {
            self.client.lasting(format_args!(
                "can't hold an event of {} bytes: an item has 400 KB",
                body.len()
            ))
        })?;
        let mut item = keys(topic, sort(next.last));
        item.extend(payload(packed));
        item.insert("event_number".to_owned(), number(next.appended));
        item.insert("previous_at".to_owned(), number(head.last.number()));
        let expires_ms = now_ms.saturating_add(keep.max_age_ms);
        item.insert("expires_at".to_owned(), expires_at(expires_ms));
        let put = Put::builder()
            .table_name(self.client.table_name())
            .set_item(Some(item));
        let put = self.built(put.build())?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Both or none, and once: a request whose answer was lost has the same token when it is sent again.
    async fn place(&self, items: &[TransactWriteItem], name: &str) -> Result<Written, StoreError> {
        // what happened is not left to a breaker
        let sent = self.client.insist(|dynamodb, _| {
            let request = dynamodb
                .transact_write_items()
                .client_request_token(name)
                .set_transact_items(Some(items.to_vec()));
            async move {
                let sent = request.send().await;
                sent.map_or_else(not_transacted, |_| Ok(Written::Done))
            }
        });
        Ok(sent.await?.unwrap_or_else(Written::Refused))
    }
}

/// Half of it and up to as much again, so that those who met do not meet again.
async fn wait(pause_ms: u64) -> Result<(), StoreError> {
    let mut random = [0];
    getrandom::fill(&mut random).map_err(|error| StoreError::new(format_args!("{error}")))?;
    let pause_us = pause_ms * 500 + pause_ms * 1000 * u64::from(random[0]) / 256;
    tokio::time::sleep(Duration::from_micros(pause_us)).await;
    Ok(())
}

/// The first position that may be read behind another one: what is older is as if it were gone.
fn first(after: EventPosition, now_ms: u64, keep: EventRetention) -> EventPosition {
    let oldest = EventPosition::at(now_ms.saturating_sub(keep.max_age_ms));
    EventPosition::from_number(after.number().saturating_add(1)).max(oldest)
}

fn of_events(from: EventPosition, limit: usize) -> ItemRange {
    let last = EventPosition::from_number(u64::MAX);
    ItemRange::new(sort(from), sort(last), limit)
}

fn keys(topic: &str, sort: String) -> AttributeMap {
    AttributeMap::from([
        ("pk".to_owned(), text(topic)),
        ("sk".to_owned(), text(sort)),
    ])
}

/// As many digits as the greatest position has: texts have the order of numbers then.
fn sort(position: EventPosition) -> String {
    format!("event.{:016}", position.number())
}

fn position(item: &AttributeMap) -> Option<EventPosition> {
    let sort = item.get("sk")?.as_s().ok()?.strip_prefix("event.")?;
    sort.parse().ok().map(EventPosition::from_number)
}

fn previous(item: &AttributeMap) -> Option<EventPosition> {
    number_of(item, "previous_at").map(EventPosition::from_number)
}

fn logged(item: AttributeMap) -> Option<LoggedEvent> {
    let position = position(&item)?;
    payload_of(item).map(|body| LoggedEvent { position, body })
}

fn is_by(head: &AttributeMap, name: &str) -> bool {
    let by = head.get("changed_by").and_then(|by| by.as_s().ok());
    by.is_some_and(|by| by == name)
}
