//! Work of the queue that finds out what is to be sent to whom, a page at a time: an event for all of
//! its subscribers, or what one of them missed.

use serde_json::Value;

use crate::event::job::{EventJobRun, EventWork};
use crate::event::occurrence::WireOccurrence;
use crate::event::registry::{RegisteredEvent, ServerEvents};
use crate::event::subscriber::SubscriptionRecord;
use crate::policy::asked::asked;
use crate::port::events::WebhookPorts;
use crate::port::{
    EventJob, EventPorts, EventPosition, EventRead, LoggedEvent, Platform, StoreError,
    SubscriptionKey,
};

/// Subscriptions of one page.
const PAGE: usize = 100;
/// From one look to the next at a subscriber that has not confirmed its address, in milliseconds.
const CONFIRMED_MS: u64 = 2_000;
/// Events that one subscriber missed, of one page.
const MISSED: usize = 100;

/// An event of this server, and the ports to it.
pub(super) struct EventPlace<'a> {
    pub(super) event: &'a RegisteredEvent,
    pub(super) topic: String,
    queue: String,
    pub(super) ports: &'a EventPorts,
    pub(super) webhooks: &'a WebhookPorts,
    pub(super) platform: &'a Platform,
}

impl<'a> EventPlace<'a> {
    /// Nothing for an event that the server does not have any more.
    pub(super) fn find(
        service: &'a ServerEvents,
        platform: &'a Platform,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        let missing = || StoreError::lasting("this host keeps no events");
        let ports = platform.events.as_ref().ok_or_else(missing)?;
        let webhooks = ports.webhooks.as_ref().ok_or_else(missing)?;
        let event = service.index.get(name);
        Ok(event.map(|event| Self {
            event,
            topic: service.topic(name),
            queue: service.queue(),
            ports,
            webhooks,
            platform,
        }))
    }

    /// The event at a position, if it is still kept.
    pub(super) async fn logged(&self, at: u64) -> Result<Option<LoggedEvent>, StoreError> {
        let before = EventPosition::from_number(at.saturating_sub(1));
        let first = self.read(before, 1).await?.events.into_iter().next();
        Ok(first.filter(|event| event.position.number() == at))
    }

    async fn read(&self, after: EventPosition, limit: usize) -> Result<EventRead, StoreError> {
        let (now_ms, keep) = (self.platform.clock.now_ms(), self.event.keep);
        let read = self.ports.log.read(&self.topic, after, limit, now_ms, keep);
        asked(&self.platform.timer, read).await
    }

    async fn end(&self) -> Result<EventPosition, StoreError> {
        let (now_ms, keep) = (self.platform.clock.now_ms(), self.event.keep);
        let end = self.ports.log.end(&self.topic, now_ms, keep);
        asked(&self.platform.timer, end).await
    }

    async fn put(&self, jobs: Vec<EventJob>, now_ms: u64) -> Result<(), StoreError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let put = self.webhooks.queue.put(&self.queue, jobs, now_ms);
        asked(&self.platform.timer, put).await
    }

    /// Orders deliveries of a page of what one subscriber missed. Gives where the next one begins, if
    /// there is one.
    async fn page(
        &self,
        (server, id, record): (&str, &str, &SubscriptionRecord),
        (after, until): (u64, u64),
    ) -> Result<Option<u64>, StoreError> {
        let now_ms = self.platform.clock.now_ms();
        let from = EventPosition::from_number(after);
        let read_on = self.read(from, MISSED).await?;
        let (mut at, mut jobs) = (after, Vec::new());
        for logged in &read_on.events {
            at = logged.position.number();
            if at > until {
                break;
            }
            let Some(occurrence) = read(logged) else {
                continue;
            };
            if self.event.selects(&record.arguments, &occurrence.data) {
                let name = &self.event.name;
                jobs.push(delivery(name, id, at).job(server, now_ms));
            }
        }
        self.put(jobs, now_ms).await?;
        Ok((read_on.more && at < until).then_some(at))
    }

    /// Whether a subscriber hears of this, if it may.
    fn chosen(&self, record: &SubscriptionRecord, at: u64, data: &Value) -> bool {
        record.event == self.event.name
            && record.hears(at)
            && self.event.selects(&record.arguments, data)
    }
}

fn delivery(event: &str, subscription: &str, at: u64) -> EventWork {
    EventWork::Deliver {
        event: event.to_owned(),
        subscription: subscription.to_owned(),
        at,
        failures: 0,
    }
}

/// Orders a delivery to each subscriber of a page, and then the next page.
pub(super) async fn subscribers(
    service: &ServerEvents,
    platform: &Platform,
    name: &str,
    at: u64,
    after: Option<String>,
) -> Result<EventJobRun, StoreError> {
    let Some(place) = EventPlace::find(service, platform, name)? else {
        return Ok(EventJobRun::Done);
    };
    let logged = place.logged(at).await?;
    let occurrence = logged.and_then(|logged| read(&logged));
    let Some(occurrence) = occurrence else {
        return Ok(EventJobRun::Done);
    };
    let now_ms = platform.clock.now_ms();
    let (store, topic) = (&place.webhooks.subscriptions, &place.topic);
    let page = store.page(topic, after.as_deref(), PAGE, now_ms);
    let page = asked(&platform.timer, page).await?;
    let last = page.last().map(|row| row.id.clone());
    let whole = page.len() >= PAGE;
    let jobs = page.iter().filter_map(|row| {
        let record = SubscriptionRecord::read(&row.body)?;
        let chosen = place.chosen(&record, at, &occurrence.data);
        chosen.then(|| delivery(name, &row.id, at).job(&service.server, now_ms))
    });
    place.put(jobs.collect(), now_ms).await?;
    if !whole {
        return Ok(EventJobRun::Done);
    }
    let next = EventWork::FanOut {
        event: name.to_owned(),
        at,
        after: last,
    };
    Ok(EventJobRun::Again {
        body: next.written(),
        at_ms: now_ms,
    })
}

/// Orders deliveries of what one subscriber missed, from one position to another. The order for it is
/// there before the subscription counts, so that nothing is lost where that can't be written at once;
/// until then it waits.
pub(super) async fn missed(
    service: &ServerEvents,
    platform: &Platform,
    name: &str,
    subscription: String,
    (after, until): (u64, Option<u64>),
) -> Result<EventJobRun, StoreError> {
    let Some(place) = EventPlace::find(service, platform, name)? else {
        return Ok(EventJobRun::Done);
    };
    let now_ms = platform.clock.now_ms();
    let key = SubscriptionKey {
        topic: &place.topic,
        owner: "",
        id: &subscription,
    };
    let found = place.webhooks.subscriptions.find(key, now_ms);
    let found = asked(&platform.timer, found).await?;
    let Some(record) = found.and_then(|row| SubscriptionRecord::read(&row.body)) else {
        return Ok(EventJobRun::Done);
    };
    if record.pending {
        // it is confirmed within a minute, or gone
        let same = EventWork::CatchUp {
            event: name.to_owned(),
            subscription,
            after,
            until,
        };
        return Ok(EventJobRun::Again {
            body: same.written(),
            at_ms: now_ms + CONFIRMED_MS,
        });
    }
    if record.health.suspended {
        return Ok(EventJobRun::Done);
    }
    let until = match until {
        Some(until) => until,
        None => place.end().await?.number(),
    };
    let server = &service.server;
    let page = place.page((server, &subscription, &record), (after, until));
    let Some(at) = page.await? else {
        return Ok(EventJobRun::Done);
    };
    let next = EventWork::CatchUp {
        event: name.to_owned(),
        subscription,
        after: at,
        until: Some(until),
    };
    Ok(EventJobRun::Again {
        body: next.written(),
        at_ms: now_ms,
    })
}

/// One that another version wrote is passed over.
pub(super) fn read(logged: &LoggedEvent) -> Option<WireOccurrence> {
    serde_json::from_slice(&logged.body).ok()
}
