//! Reading events for one client: from a log or from an author's function, those that it chose, from
//! its cursor on. The same for who asks and for who holds a stream.

use std::sync::Arc;

use serde_json::Value;

use super::cursor::{CursorScope, EventCursor};
use super::occurrence::{EventPoll, WireOccurrence};
use super::registry::{RegisteredEvent, ServerEvents};
use crate::canonical::canonical;
use crate::context::Cx;
use crate::error::ToolError;
use crate::policy::asked::asked;
use crate::port::{EVENTS_AT_ONCE, EventLog, EventPosition, Platform, StoreError};
use crate::principal::Principal;

/// How many events of a log are looked through for one batch.
const LOOKED_AT: usize = 2_000;
/// Bytes of one batch, about: what every way to a client takes.
const BATCH_BYTES: usize = 1024 * 1024;

/// What a client hears of, and for whom.
#[derive(Clone)]
pub(crate) struct EventFeed {
    pub(crate) event: Arc<RegisteredEvent>,
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) principal: Arc<Principal>,
    pub(crate) arguments: Value,
    spelled: Vec<u8>,
    pub(crate) platform: Arc<Platform>,
}

/// Some events, and where to go on.
pub(crate) struct EventBatch {
    /// With the place of each, where its source knows it.
    pub(crate) events: Vec<(WireOccurrence, Option<EventCursor>)>,
    pub(crate) cursor: EventCursor,
    pub(crate) truncated: bool,
    pub(crate) more: bool,
}

/// Why there are none.
pub(crate) enum FeedFailure {
    Store(StoreError),
    Author(ToolError),
}

impl From<StoreError> for FeedFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl EventFeed {
    pub(crate) fn new(
        service: &ServerEvents,
        event: &Arc<RegisteredEvent>,
        principal: &Arc<Principal>,
        arguments: Value,
        platform: &Arc<Platform>,
    ) -> Self {
        Self {
            event: Arc::clone(event),
            server: service.server.clone(),
            topic: service.topic(&event.name),
            principal: Arc::clone(principal),
            spelled: canonical(&arguments),
            arguments,
            platform: Arc::clone(platform),
        }
    }

    fn with_scope<T>(&self, then: impl FnOnce(CursorScope<'_>) -> T) -> T {
        then(CursorScope {
            server: &self.server,
            principal: &self.principal.key(),
            event: &self.event.name,
            arguments: &self.spelled,
        })
    }

    /// A cursor as its client gets it. Nothing for one of the author's that is too long.
    pub(crate) fn written(&self, cursor: &EventCursor) -> Option<String> {
        let platform = &self.platform;
        self.with_scope(|scope| cursor.write(scope, &platform.keys, &*platform.random))
    }

    /// Where a client is: nothing for one that begins. Whether what it sent can't be read.
    pub(crate) fn read(&self, cursor: Option<&str>) -> (Option<EventCursor>, bool) {
        let Some(text) = cursor else {
            return (None, false);
        };
        let read = self.with_scope(|scope| EventCursor::read(text, scope, &self.platform.keys));
        // of another kind than the event has by now
        let read = read
            .filter(|cursor| matches!(cursor, EventCursor::Own(_)) == self.event.poll.is_some());
        let stale = read.is_none();
        (read, stale)
    }

    fn now_ms(&self) -> u64 {
        self.platform.clock.now_ms()
    }

    pub(crate) fn log(&self) -> Result<&Arc<dyn EventLog>, StoreError> {
        let events = self.platform.events.as_ref();
        let missing = || StoreError::lasting("this host keeps no events");
        Ok(&events.ok_or_else(missing)?.log)
    }

    /// Where a client begins that has no cursor, or none that can be read.
    pub(crate) async fn beginning(&self, cx: &Cx) -> Result<EventCursor, FeedFailure> {
        if self.event.poll.is_some() {
            let poll = EventPoll {
                cursor: None,
                since_ms: None,
                limit: 0,
            };
            return Ok(self.ask_author(poll, cx).await?.cursor);
        }
        Ok(EventCursor::At(self.end().await?))
    }

    /// The end of the log.
    pub(crate) async fn end(&self) -> Result<EventPosition, StoreError> {
        let end = self.log()?.end(&self.topic, self.now_ms(), self.event.keep);
        asked(&self.platform.timer, end).await
    }

    /// At most `limit` events behind a cursor, none of which happened before `since_ms`.
    pub(crate) async fn batch(
        &self,
        cursor: &EventCursor,
        since_ms: Option<u64>,
        limit: usize,
        cx: &Cx,
    ) -> Result<EventBatch, FeedFailure> {
        match cursor {
            EventCursor::At(position) => Ok(self.of_log(*position, since_ms, limit).await?),
            EventCursor::Own(own) => {
                let poll = EventPoll {
                    cursor: Some(own.clone()),
                    since_ms,
                    limit,
                };
                self.ask_author(poll, cx).await
            }
        }
    }

    async fn of_log(
        &self,
        after: EventPosition,
        since_ms: Option<u64>,
        limit: usize,
    ) -> Result<EventBatch, StoreError> {
        let since = since_ms
            .map(EventPosition::at)
            .filter(|since| *since > after);
        let mut batch = EventBatch {
            events: Vec::new(),
            cursor: EventCursor::At(after),
            truncated: false,
            more: false,
        };
        let (mut at, mut bytes, mut looked_at) = (after, 0, 0);
        loop {
            let (now_ms, keep) = (self.now_ms(), self.event.keep);
            let read = self
                .log()?
                .read(&self.topic, at, EVENTS_AT_ONCE, now_ms, keep);
            let read = asked(&self.platform.timer, read).await?;
            batch.truncated |= read.truncated;
            let more = read.more;
            for logged in read.events {
                if batch.events.len() >= limit || bytes > BATCH_BYTES || looked_at >= LOOKED_AT {
                    batch.more = true;
                    batch.cursor = EventCursor::At(at);
                    return Ok(batch);
                }
                (at, looked_at) = (logged.position, looked_at + 1);
                if since.is_some_and(|since| logged.position < since) {
                    batch.truncated = true;
                    continue;
                }
                // one that another version wrote is passed over
                let read = serde_json::from_slice::<WireOccurrence>(&logged.body).ok();
                let chosen = read.filter(|it| self.event.selects(&self.arguments, &it.data));
                if let Some(occurrence) = chosen {
                    bytes += logged.body.len();
                    let place = EventCursor::At(logged.position);
                    batch.events.push((occurrence, Some(place)));
                }
            }
            if !more {
                batch.cursor = EventCursor::At(at);
                return Ok(batch);
            }
        }
    }

    async fn ask_author(&self, poll: EventPoll, cx: &Cx) -> Result<EventBatch, FeedFailure> {
        let author = self.event.poll.as_ref();
        let author = author.ok_or_else(|| StoreError::lasting("the event has no function"))?;
        let limit = poll.limit;
        let asking = author.poll(self.arguments.clone(), poll, cx.clone());
        let page = asking.map_err(FeedFailure::Author)?.await;
        let mut page = page.map_err(FeedFailure::Author)?;
        let wrong = |cause: String| FeedFailure::Author(ToolError::internal(cause));
        // more than asked for would never come back: the cursor stands behind them
        if page.events.len() > limit {
            if limit > 0 {
                return Err(wrong(format!(
                    "the function of event `{}` gave {} events, and {limit} were asked for",
                    self.event.name,
                    page.events.len()
                )));
            }
            page.events.clear();
        }
        let mut events = Vec::with_capacity(page.events.len());
        for event in page.events {
            let written = event.written(&self.event.name).map_err(wrong)?;
            events.push((written, None));
        }
        let cursor = EventCursor::Own(page.cursor.unwrap_or_default());
        Ok(EventBatch {
            events,
            cursor,
            truncated: page.truncated,
            more: page.more,
        })
    }
}
