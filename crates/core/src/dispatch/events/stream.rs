//! `events/stream`: one event on a stream, for as long as the host holds it. The log is looked at from
//! time to time, because an instance hears nothing from another one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::listen::{MARGIN_MS, SUBSCRIPTION_ID, StreamEntry};
use super::poll::{EventQuestion, ask, written};
use super::wanted::{WantedEvent, cx, errors, since_ms};
use crate::call::Call;
use crate::event::cursor::EventCursor;
use crate::event::errors::EventErrors;
use crate::event::registry::ServerEvents;
use crate::event::source::EventFeed;
use crate::join::sooner;
use crate::jsonrpc::{Error, to_json, write_notification};
use crate::model::JsonObject;
use crate::outbox::Outbox;
use crate::policy::rate_limit;
use crate::port::{Platform, milliseconds};
use crate::running::{Execution, Running};
use crate::server::Server;

const METHOD: &str = "events/stream";
/// The client hears something at least so often, in milliseconds.
const HEARTBEAT_MS: u64 = 25_000;
/// Events of one look.
const BATCH: usize = 100;

pub(super) fn stream(
    server: &Server,
    service: &ServerEvents,
    call: &Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let wanted = WantedEvent::read(service, call, platform)?;
    let errors = errors(call, platform);
    let streams = platform.events.as_ref();
    let streams = streams.and_then(|events| Some((events.streams?, events.looks)));
    let (at_most, pause) = streams.ok_or_else(|| {
        let sentence = "this server holds no streams: ask with `events/poll`";
        errors.unsupported(sentence, "deliveryMode", "push")
    })?;
    let (cursor, since_ms) = (
        call.params.cursor()?,
        since_ms(call.params.events(), platform.clock.now_ms())?,
    );
    if !call.streams {
        return Err(Error::invalid_request(format!(
            "the answer to `{METHOD}` is a stream: send `Accept: application/json, \
             text/event-stream`, over a connection that carries one"
        )));
    }
    let feed = wanted.feed(service, call, platform);
    let (cursor, stale) = feed.read(cursor.as_deref());
    let now_ms = platform.clock.now_ms();
    let deadline_ms = call.deadline_ms.unwrap_or(u64::MAX);
    let outbox = Outbox::default();
    let stream = HeldEvents {
        cx: cx(server, call, platform).detached(at_most),
        entry: StreamEntry::new(server, call, METHOD, platform),
        outbox: outbox.clone(),
        until_ms: deadline_ms
            .saturating_sub(MARGIN_MS)
            .min(now_ms.saturating_add(milliseconds(at_most))),
        told_ms: now_ms,
        pause,
        errors,
        feed,
    };
    let question = EventQuestion {
        cursor,
        since_ms,
        limit: BATCH,
    };
    let hold = Box::pin(stream.hold(question, stale));
    let id = call.id.as_json().into();
    let running = Running::new(id, false, outbox, hold);
    Ok(Execution::Running(running.held()))
}

/// A stream that is held.
struct HeldEvents {
    feed: EventFeed,
    cx: crate::context::Cx,
    entry: StreamEntry,
    outbox: Outbox,
    until_ms: u64,
    /// When the client heard something last.
    told_ms: u64,
    /// From one look to the next, where nothing comes.
    pause: Duration,
    errors: EventErrors,
}

impl HeldEvents {
    /// Ends with the result once its time is over, or the client may not hear any more.
    async fn hold(mut self, question: EventQuestion, stale: bool) -> Result<Vec<u8>, Error> {
        let begun = self.begin(question, stale).await;
        let mut cursor = begun.inspect_err(|error| self.entry.refuse(error))?;
        loop {
            let left_ms = self.until_ms.saturating_sub(self.now_ms());
            if left_ms == 0 {
                break;
            }
            if !self.still_allowed() {
                break;
            }
            let question = EventQuestion {
                cursor: Some(cursor.clone()),
                since_ms: None,
                limit: BATCH,
            };
            let more = match ask(&self.feed, question, &self.cx, METHOD).await {
                Ok(batch) => {
                    let more = batch.more;
                    cursor = self.tell_batch(batch)?;
                    more
                }
                Err(error) => {
                    self.tell("error", json!({ "error": error }));
                    false
                }
            };
            // a slow client is not sent more than it takes: each pause lets it read
            let pause = if more { Duration::ZERO } else { self.pause };
            let pause = pause.min(Duration::from_millis(left_ms));
            let pause = self.feed.platform.timer.sleep(pause);
            // an instance that is to end does not wait for it
            if sooner(self.feed.platform.shutdown(), pause).await.is_ok() {
                break;
            }
            self.beat(&cursor)?;
        }
        let (server, revision) = (self.entry.server(), self.entry.revision());
        Ok(server.results().complete(revision, b"{}", &self.meta(), ""))
    }

    /// Tells the client where it begins, and what happened since its cursor.
    async fn begin(&mut self, question: EventQuestion, stale: bool) -> Result<EventCursor, Error> {
        let (platform, server) = (&self.feed.platform, self.entry.server());
        rate_limit::admit_list(platform, server.name(), &self.feed.principal).await?;
        let from = question.cursor.clone();
        let batch = ask(&self.feed, question, &self.cx, METHOD).await?;
        let begins = from.as_ref().unwrap_or(&batch.cursor);
        let active = json!({
            "cursor": written(&self.feed, begins, METHOD)?,
            "truncated": batch.truncated || stale,
        });
        self.tell("active", active);
        for (occurrence, place) in batch.events {
            self.tell_event(occurrence, place.as_ref())?;
        }
        Ok(batch.cursor)
    }

    fn tell_batch(
        &mut self,
        batch: crate::event::source::EventBatch,
    ) -> Result<EventCursor, Error> {
        if batch.truncated {
            let cursor = written(&self.feed, &batch.cursor, METHOD)?;
            self.tell("active", json!({"cursor": cursor, "truncated": true}));
        }
        for (occurrence, place) in batch.events {
            self.tell_event(occurrence, place.as_ref())?;
        }
        Ok(batch.cursor)
    }

    fn tell_event(
        &mut self,
        mut occurrence: crate::event::occurrence::WireOccurrence,
        place: Option<&EventCursor>,
    ) -> Result<(), Error> {
        let place = place.map(|place| written(&self.feed, place, METHOD));
        occurrence.cursor = place.transpose()?;
        let event = serde_json::to_value(&occurrence).unwrap_or_default();
        self.tell("event", event);
        Ok(())
    }

    /// Says that the stream lives, if the client heard nothing for a while.
    fn beat(&mut self, cursor: &EventCursor) -> Result<(), Error> {
        if self.now_ms().saturating_sub(self.told_ms) >= HEARTBEAT_MS {
            let cursor = written(&self.feed, cursor, METHOD)?;
            self.tell("heartbeat", json!({ "cursor": cursor }));
        }
        Ok(())
    }

    /// An author's permission may end while a stream is held.
    fn still_allowed(&mut self) -> bool {
        let feed = &self.feed;
        let allowed = feed.event.allows(&feed.principal, &feed.arguments);
        if !allowed {
            let sentence = "you may not hear of this event any more";
            let error = self.errors.forbidden(sentence, "revoked");
            self.tell("terminated", json!({ "error": error }));
        }
        allowed
    }

    fn tell(&mut self, kind: &str, mut params: Value) {
        params["_meta"] = Value::Object(self.meta());
        let method = format!("notifications/events/{kind}");
        self.outbox
            .tell(write_notification(&method, &to_json(&params)));
        self.told_ms = self.now_ms();
    }

    /// What everything on the stream is told apart by.
    fn meta(&self) -> JsonObject {
        let id = RawValue::from_string(self.entry.id().to_owned());
        let id = id.ok().and_then(|id| serde_json::to_value(id).ok());
        JsonObject::from_iter([(SUBSCRIPTION_ID.to_owned(), id.unwrap_or_default())])
    }

    fn now_ms(&self) -> u64 {
        self.feed.platform.clock.now_ms()
    }
}
