//! Durable Objects behind the ports to events: one object for each topic, with its log and who
//! subscribed to it, and one for each subscriber, with what counts against its bound. This half
//! asks an object, from anywhere; `object` is the other half, which keeps and decides.
//!
//! A topic is an object and not a shard: positions of a log increase strictly, so one place gives
//! them, and it is where the subscribers to the same event are.

mod kept;
mod object;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventLog, EventPosition, EventRead, EventRetention, EventSubscriptions, LoggedEvent,
    StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow, SubscriptionWritten,
};
use worker::js_sys::Date;
use worker::wasm_bindgen::JsValue;

use super::objects::Objects;
use crate::event_message::{EventAction, EventAnswer, EventRequest, KeptSubscription};

/// Logs of events and who subscribed, in the Durable Objects of one namespace.
#[derive(Debug)]
pub(crate) struct DurableEvents(Objects);

/// The two kinds of objects, by how their names begin.
#[derive(Debug, Clone, Copy)]
enum EventObject<'a> {
    Topic(&'a str),
    Owner(&'a str),
}

impl DurableEvents {
    pub(crate) fn new(namespace: JsValue) -> Self {
        Self(Objects::new(namespace, "https://events/"))
    }

    async fn ask(
        &self,
        object: EventObject<'_>,
        now_ms: u64,
        action: EventAction<'_>,
    ) -> Result<EventAnswer, StoreError> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(failed)?;
        let name = match object {
            EventObject::Topic(key) => format!("topic {key}"),
            EventObject::Owner(key) => format!("owner {key}"),
        };
        let mut request = EventRequest {
            now_ms,
            nonce,
            again: false,
            action,
        };
        let answer = match self.0.exchange(&name, &request.write()).await {
            Ok(answer) => Ok(answer),
            // an object that moves breaks its requests off; the same one again changes nothing
            Err(_) => {
                request.again = true;
                self.0.exchange(&name, &request.write()).await
            }
        };
        EventAnswer::read(&answer.map_err(failed)?)
            .ok_or_else(|| failed("it answered what this version does not know"))
    }

    async fn position(
        &self,
        topic: &str,
        now_ms: u64,
        action: EventAction<'_>,
    ) -> Result<EventPosition, StoreError> {
        match self.ask(EventObject::Topic(topic), now_ms, action).await? {
            EventAnswer::Position(number) => Ok(EventPosition::from_number(number)),
            other => Err(unexpected(&other)),
        }
    }

    async fn rows(
        &self,
        topic: &str,
        now_ms: u64,
        action: EventAction<'_>,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        match self.ask(EventObject::Topic(topic), now_ms, action).await? {
            EventAnswer::Rows(rows) => Ok(rows.into_iter().map(subscription).collect()),
            other => Err(unexpected(&other)),
        }
    }

    async fn done(
        &self,
        object: EventObject<'_>,
        action: EventAction<'_>,
    ) -> Result<(), StoreError> {
        match self.ask(object, Date::now() as u64, action).await? {
            EventAnswer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

impl EventLog for DurableEvents {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let append = EventAction::Append { keep, body: &body };
            self.position(topic, now_ms, append).await
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
            let read = EventAction::Read {
                keep,
                after: after.number(),
                limit: limit as u64,
            };
            match self.ask(EventObject::Topic(topic), now_ms, read).await? {
                EventAnswer::Events {
                    truncated,
                    more,
                    events,
                } => Ok(EventRead {
                    events: events.into_iter().map(logged).collect(),
                    truncated,
                    more,
                }),
                other => Err(unexpected(&other)),
            }
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let end = EventAction::End { keep };
            self.position(topic, now_ms, end).await
        })
    }
}

impl EventSubscriptions for DurableEvents {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let find = EventAction::Find { id: key.id };
            Ok(self.rows(key.topic, now_ms, find).await?.pop())
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
            let (owner, topic) = (EventObject::Owner(key.owner), EventObject::Topic(key.topic));
            let hold = EventAction::Hold {
                id: key.id,
                expires_ms,
                // a renewal has its place, and moves it
                most: match replaces {
                    None => bounds.per_owner as u64,
                    Some(_) => u64::MAX,
                },
            };
            match self.ask(owner, now_ms, hold).await? {
                EventAnswer::Done => {}
                EventAnswer::Full => return Ok(SubscriptionWritten::OwnerFull),
                other => return Err(unexpected(&other)),
            }
            let write = EventAction::Write {
                id: key.id,
                replaces,
                expires_ms,
                most: bounds.per_topic as u64,
                body: &body,
            };
            match self.ask(topic, now_ms, write).await? {
                EventAnswer::Done => Ok(SubscriptionWritten::Done),
                EventAnswer::Changed => Ok(SubscriptionWritten::Changed),
                EventAnswer::Full => {
                    let release = EventAction::Release { id: key.id };
                    self.done(owner, release).await?;
                    Ok(SubscriptionWritten::TopicFull)
                }
                other => Err(unexpected(&other)),
            }
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let remove = EventAction::Remove { id: key.id };
            self.done(EventObject::Topic(key.topic), remove).await?;
            let release = EventAction::Release { id: key.id };
            self.done(EventObject::Owner(key.owner), release).await
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
            let page = EventAction::Page {
                after: after.unwrap_or_default(),
                limit: limit as u64,
            };
            self.rows(topic, now_ms, page).await
        })
    }
}

fn logged((position, body): (u64, Vec<u8>)) -> LoggedEvent {
    LoggedEvent {
        position: EventPosition::from_number(position),
        body: body.into(),
    }
}

fn subscription(row: KeptSubscription) -> SubscriptionRow {
    SubscriptionRow {
        id: row.id,
        version: row.version,
        body: row.body.into(),
        expires_ms: row.expires_ms,
    }
}

/// What is kept of subscribers is not for the log.
fn unexpected(answer: &EventAnswer) -> StoreError {
    let what = match answer {
        EventAnswer::Rows(_) | EventAnswer::Events { .. } => "rows that were not asked for",
        _ => "something that was not asked",
    };
    failed(format_args!("it answered {what}"))
}

fn failed(why: impl std::fmt::Display) -> StoreError {
    StoreError::new(format_args!("the Durable Object of events: {why}"))
}
