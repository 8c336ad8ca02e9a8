//! Logs of events, in PostgreSQL: a row for each event, and one for each log, whose lock is what gives
//! positions in order.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EVENTS_AT_ONCE, EventLog, EventPosition, EventRead, EventRetention, LoggedEvent, StoreError,
};
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};

/// How much longer than its events a log is known, in milliseconds: who asks once a day is told of
/// nothing that it did not miss.
const KNOWN_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How much longer than it counts an event is kept at most, where nothing is appended behind it, in
/// milliseconds.
const LEFT_MS: u64 = 24 * 60 * 60 * 1000;
/// Bytes of one answer, about.
const ANSWER: u64 = 2 * 1024 * 1024;

fn oldest(now_ms: u64, keep: EventRetention) -> EventPosition {
    EventPosition::at(now_ms.saturating_sub(keep.max_age_ms))
}

fn position(value: Option<&SqlValue>) -> Option<EventPosition> {
    let number = value.and_then(SqlValue::as_i64)?;
    Some(EventPosition::from_number(u64::try_from(number).ok()?))
}

impl EventLog for PostgresStores {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let most = u64::try_from(keep.max_events.max(1)).unwrap_or(u64::MAX);
            let parameters = [
                topic.into(),
                number(EventPosition::at(now_ms).number()),
                number(oldest(now_ms, keep).number()),
                number(most),
                blob(&body),
                number(keep.max_age_ms.saturating_add(LEFT_MS)),
                number(keep.max_age_ms.saturating_add(KNOWN_MS)),
            ];
            let append = &self.client.events.append;
            // what happened is not left to a breaker
            let appended = self.client.insist(append, &parameters).await?;
            self.wrote_event();
            self.position_of(appended.rows.first())
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
            let oldest = oldest(now_ms, keep);
            let limit = u64::try_from(limit.clamp(1, EVENTS_AT_ONCE)).unwrap_or(1);
            let parameters = [
                topic.into(),
                number(after.number()),
                number(oldest.number()),
                number(limit),
                number(ANSWER),
            ];
            let (breaker, read) = (&self.breakers.events, &self.client.events.read);
            let rows = self.ask(breaker, topic, read, &parameters).await?.rows;
            let mut found = EventRead {
                events: Vec::new(),
                // a log that is not there begins now
                truncated: after < EventPosition::at(now_ms),
                more: false,
            };
            for (place, mut row) in rows.into_iter().enumerate() {
                if place == 0 {
                    let (floor, last) = (position(row.first()), position(row.get(1)));
                    let kept_ms = keep.max_age_ms.saturating_add(LEFT_MS);
                    let kept = EventPosition::at(now_ms.saturating_sub(kept_ms));
                    // what was there so long ago may have been cleaned up
                    let long_ago = after < kept && last.is_none_or(|last| after < last);
                    found.truncated = long_ago || floor.is_none_or(|floor| after < floor);
                }
                let Some(position) = position(row.get(2)) else {
                    continue;
                };
                match row.pop() {
                    Some(SqlValue::Blob(body)) => {
                        let body = body.into();
                        found.events.push(LoggedEvent { position, body });
                    }
                    _ => found.more = true,
                }
            }
            Ok(found)
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let parameters = [
                topic.into(),
                number(EventPosition::at(now_ms).number()),
                number(keep.max_age_ms.saturating_add(KNOWN_MS)),
            ];
            let (breaker, end) = (&self.breakers.events, &self.client.events.end);
            let end = self.ask(breaker, topic, end, &parameters).await?;
            self.position_of(end.rows.first())
        })
    }
}

impl PostgresStores {
    fn position_of(&self, row: Option<&Vec<SqlValue>>) -> Result<EventPosition, StoreError> {
        let position = position(row.and_then(|row| row.first()));
        position.ok_or_else(|| self.client.service.error("gave no position of an event"))
    }
}
