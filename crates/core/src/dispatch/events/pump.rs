//! Events with a function of their own, on their way to addresses of clients: from time to time a host
//! has the function asked once for all subscribers, and what is new is kept and sent as if it had been
//! emitted. Where the function was asked last is a record beside the subscriptions, which one instance
//! at a time may move.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failed::{PUMPED, told};
use super::find::EventPlace;
use super::poll::{EventQuestion, WITHIN, ask};
use crate::canonical::digest_key;
use crate::context::{Cx, CxParts};
use crate::error::ToolError;
use crate::event::cursor::EventCursor;
use crate::event::emit::Emission;
use crate::event::job::EventsPumped;
use crate::event::registry::{RegisteredEvent, ServerEvents};
use crate::event::source::{EventBatch, EventFeed};
use crate::jsonrpc::{Error, to_json};
use crate::model::meta::CallMeta;
use crate::outbox::Outbox;
use crate::policy::asked::asked;
use crate::port::{
    Platform, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionWritten, milliseconds,
};
use crate::principal::Principal;
use crate::server::Server;
use crate::version::Revision;

/// Events of one question, and questions of one round: what is left is for the next one.
const PAGE: usize = 20;
const PAGES: usize = 50;
/// For how long the record is one's own, in milliseconds: more than a page takes, which is the
/// question and twenty requests of a second at most.
const LEASE_MS: u64 = 30_000;
/// No page is begun with less time than that, in milliseconds: one that is cut off is read again.
const BEGINS_MS: u64 = 10_000;
/// How long a beginning is kept for who is about to subscribe, in milliseconds.
const BEGUN_MS: u64 = 60_000;
/// How long a record is kept at least, in milliseconds: a day in which no schedule ran.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// The record is the only one under its key.
const ALONE: SubscriptionBounds = SubscriptionBounds {
    per_owner: usize::MAX,
    per_topic: usize::MAX,
};

/// Where a function was asked last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct PumpRecord {
    cursor: Option<String>,
    /// Until then it is somebody's, in milliseconds since 1970.
    #[serde(default)]
    until_ms: u64,
    /// When somebody began here, in milliseconds since 1970.
    #[serde(default)]
    begun_ms: u64,
}

/// Why a round ended early. The log knows it.
#[derive(Debug)]
pub(super) enum PumpFailure {
    Store(StoreError),
    /// The author's function failed, or what it gave can't be sent.
    Author(Error),
}

impl From<StoreError> for PumpFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One event, and the record that says where it is.
struct Pump<'a> {
    service: &'a ServerEvents,
    event: &'a Arc<RegisteredEvent>,
    server: &'a Server,
    platform: &'a Arc<Platform>,
    place: EventPlace<'a>,
    key: String,
}

/// All events of a server that are read for their subscribers, until a time in milliseconds since
/// 1970.
pub(super) async fn all(server: &Server, platform: &Arc<Platform>, end_ms: u64) -> EventsPumped {
    let mut pumped = EventsPumped::default();
    let Some(service) = ServerEvents::of(server) else {
        return pumped;
    };
    let events = service.events.iter();
    for event in events.filter(|event| event.is_pumped(platform)) {
        let round = match Pump::new(service, event, server, platform) {
            Ok(pump) => pump.round(end_ms).await,
            Err(error) => Err(error.into()),
        };
        match round {
            Ok((appended, more)) => {
                pumped.appended += appended;
                pumped.more |= more;
            }
            Err(failure) => {
                if let PumpFailure::Store(error) = failure {
                    platform.store_failed("events", &error);
                }
                pumped.failed += 1;
            }
        }
    }
    pumped
}

/// Before somebody subscribes: what happened until now is not the subscriber's. Gives the cursor of
/// the author's function, from which the subscriber would go on if it asked itself.
pub(super) async fn begin(
    service: &ServerEvents,
    event: &Arc<RegisteredEvent>,
    server: &Server,
    platform: &Arc<Platform>,
) -> Result<Option<String>, PumpFailure> {
    let pump = Pump::new(service, event, server, platform)?;
    if pump.has_subscribers().await? {
        pump.round(u64::MAX).await?;
        let (record, _) = pump.found().await?;
        return Ok(record.cursor);
    }
    let (record, version) = pump.found().await?;
    let now_ms = platform.clock.now_ms();
    // another one who begins at this moment begins here, too
    if record.cursor.is_some() && now_ms < record.begun_ms.saturating_add(BEGUN_MS) {
        return Ok(record.cursor);
    }
    let record = PumpRecord {
        cursor: Some(pump.beginning().await?),
        until_ms: 0,
        begun_ms: now_ms,
    };
    let written = pump.write(&record, version).await?;
    match written {
        SubscriptionWritten::Done => Ok(record.cursor),
        // another one was faster
        _ => Ok(pump.found().await?.0.cursor),
    }
}

impl<'a> Pump<'a> {
    fn new(
        service: &'a ServerEvents,
        event: &'a Arc<RegisteredEvent>,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> Result<Self, StoreError> {
        let missing = || StoreError::lasting("the server has no such event");
        let place = EventPlace::find(service, platform, &event.name)?.ok_or_else(missing)?;
        let parts = [service.server.as_bytes(), event.name.as_bytes()];
        Ok(Self {
            service,
            event,
            server,
            platform,
            place,
            key: digest_key(&[b"event pump", parts[0], parts[1]]),
        })
    }

    /// How many events were kept, and whether there are more.
    async fn round(&self, end_ms: u64) -> Result<(usize, bool), PumpFailure> {
        if !self.has_time(end_ms) {
            return Ok((0, true));
        }
        if !self.has_subscribers().await? {
            return Ok((0, false));
        }
        let (record, version) = self.found().await?;
        if self.platform.clock.now_ms() < record.until_ms {
            return Ok((0, false));
        }
        if record.cursor.is_none() {
            self.missing("where its function was asked last is not known any more");
        }
        let (mut cursor, mut version) = (record.cursor, version);
        let mut appended = 0;
        if !self.hold(&cursor, &mut version).await? {
            return Ok((0, false));
        }
        let pages = self.pages((&mut cursor, &mut version), &mut appended, end_ms);
        let ended = pages.await;
        let record = PumpRecord {
            cursor,
            until_ms: 0,
            begun_ms: 0,
        };
        self.write(&record, version).await?;
        Ok((appended, ended?))
    }

    /// A page after the other, and the record behind each: who goes on after a crash repeats at most
    /// one of them.
    async fn pages(
        &self,
        (cursor, version): (&mut Option<String>, &mut Option<u64>),
        appended: &mut usize,
        end_ms: u64,
    ) -> Result<bool, PumpFailure> {
        for _ in 0..PAGES {
            let Some(from) = cursor.clone() else {
                *cursor = Some(self.beginning().await?);
                return Ok(false);
            };
            let batch = self.ask(Some(from.clone())).await?;
            let next = own(&batch.cursor);
            let more = batch.more;
            if batch.truncated {
                self.missing("its function can't go on where it was asked last");
            }
            *appended += self.keep(batch, &from, &next).await?;
            *cursor = Some(next);
            if !more || !self.has_time(end_ms) {
                return Ok(more);
            }
            if !self.hold(cursor, version).await? {
                // too slow: another one goes on from here
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each event stands in the log with the function's cursor: behind it where it was the last of a
    /// page, and otherwise behind the page before.
    async fn keep(&self, batch: EventBatch, from: &str, next: &str) -> Result<usize, PumpFailure> {
        let last = batch.events.len().saturating_sub(1);
        let mut bodies = Vec::with_capacity(batch.events.len());
        for (number, (mut occurrence, _)) in batch.events.into_iter().enumerate() {
            let cursor = if number == last { next } else { from };
            occurrence.cursor = Some(cursor.to_owned());
            match self.event.checked(&occurrence) {
                Ok(body) => bodies.push(body),
                // it would never fit: those behind it do not wait for it
                Err(error) => {
                    told(self.platform, PUMPED, &self.event.name, error);
                }
            }
        }
        let emission = Emission {
            service: self.service,
            event: self.event,
            platform: self.platform,
        };
        let kept = bodies.len();
        emission.keep(bodies).await?;
        Ok(kept)
    }

    fn has_time(&self, end_ms: u64) -> bool {
        self.platform.clock.now_ms().saturating_add(BEGINS_MS) <= end_ms
    }

    /// Says in the log that subscribers do not hear of some of what happened.
    fn missing(&self, why: &str) {
        let error = ToolError::internal(format!("events are missing: {why}"));
        told(self.platform, PUMPED, &self.event.name, error);
    }

    async fn has_subscribers(&self) -> Result<bool, StoreError> {
        let (topic, now_ms) = (&self.place.topic, self.platform.clock.now_ms());
        let page = self
            .place
            .webhooks
            .subscriptions
            .page(topic, None, 1, now_ms);
        Ok(!asked(&self.platform.timer, page).await?.is_empty())
    }

    /// The record, and its version if it is there.
    async fn found(&self) -> Result<(PumpRecord, Option<u64>), StoreError> {
        let now_ms = self.platform.clock.now_ms();
        let find = self.place.webhooks.subscriptions.find(self.row(), now_ms);
        let row = asked(&self.platform.timer, find).await?;
        let version = row.as_ref().map(|row| row.version);
        let record = row.and_then(|row| serde_json::from_slice(&row.body).ok());
        Ok((record.unwrap_or_default(), version))
    }

    /// Makes the record one's own for a while; not if another one was faster.
    async fn hold(
        &self,
        cursor: &Option<String>,
        version: &mut Option<u64>,
    ) -> Result<bool, StoreError> {
        let record = PumpRecord {
            cursor: cursor.clone(),
            until_ms: self.platform.clock.now_ms().saturating_add(LEASE_MS),
            begun_ms: 0,
        };
        let written = self.write(&record, *version).await?;
        if written != SubscriptionWritten::Done {
            return Ok(false);
        }
        // which number follows is the store's to say
        *version = self.found().await?.1;
        Ok(true)
    }

    async fn write(
        &self,
        record: &PumpRecord,
        replaces: Option<u64>,
    ) -> Result<SubscriptionWritten, StoreError> {
        let now_ms = self.platform.clock.now_ms();
        // longer than the time between two rounds, whatever that is
        let lasts_ms = self.event.keep.max_age_ms.max(KEPT_MS);
        let lasts_ms = lasts_ms.max(self.event.every_ms.saturating_mul(3));
        let expires_ms = now_ms.saturating_add(lasts_ms);
        let body = Bytes::from(to_json(record));
        let store = &self.place.webhooks.subscriptions;
        let write = store.write(self.row(), replaces, body, expires_ms, now_ms, ALONE);
        asked(&self.platform.timer, write).await
    }

    fn row(&self) -> SubscriptionKey<'_> {
        SubscriptionKey {
            topic: &self.key,
            owner: &self.key,
            id: &self.key,
        }
    }

    async fn beginning(&self) -> Result<String, PumpFailure> {
        let batch = self.ask(None).await?;
        Ok(own(&batch.cursor))
    }

    async fn ask(&self, cursor: Option<String>) -> Result<EventBatch, PumpFailure> {
        let nobody = Arc::new(Principal::anonymous());
        let all = Value::Object(Default::default());
        let (server, platform) = (self.server, self.platform);
        let feed = EventFeed::new(self.service, self.event, &nobody, all, platform);
        let question = EventQuestion {
            cursor: cursor.map(EventCursor::Own),
            since_ms: None,
            limit: PAGE,
        };
        let cx = of_nobody(server, nobody, platform);
        let asked = ask(&feed, question, &cx, PUMPED).await;
        asked.map_err(PumpFailure::Author)
    }
}

fn own(cursor: &EventCursor) -> String {
    match cursor {
        EventCursor::Own(own) => own.clone(),
        // no function gives one
        EventCursor::At(_) => String::new(),
    }
}

/// What the function sees where nobody calls: the least that anybody may.
fn of_nobody(server: &Server, nobody: Arc<Principal>, platform: &Arc<Platform>) -> Cx {
    Cx::new(CxParts {
        revision: Revision::LATEST,
        principal: nobody,
        meta: Arc::new(CallMeta::default()),
        can_ask: false,
        answers: Default::default(),
        opened: None,
        completion_arguments: Default::default(),
        deadline_ms: platform.clock.now_ms().saturating_add(milliseconds(WITHIN)),
        platform: Arc::clone(platform),
        state: Arc::clone(server.state()),
        siblings: None,
        outbox: Outbox::default(),
        task: OnceLock::new(),
    })
}
