//! Work of the queue that sends one event to one subscriber: what it may hear is looked at once more,
//! then it is sent, and how that went is written down.

use bytes::Bytes;
use serde_json::{Value, json};

use super::find::{EventPlace, read};
use super::send::{Outgoing, SendFailure};
use crate::event::cursor::{CursorScope, EventCursor};
use crate::event::errors::EventErrors;
use crate::event::job::{EventJobRun, EventWork, pause_ms};
use crate::event::occurrence::WireOccurrence;
use crate::event::registry::ServerEvents;
use crate::event::signature::{WebhookSecret, hex, message_id};
use crate::event::subscriber::{SecretScope, SubscriptionRecord};
use crate::jsonrpc::{Error, to_json};
use crate::policy::asked::asked;
use crate::policy::webhooks::WebhookIdProfile;
use crate::port::audit_log::{DeliveryOutcome, EventDelivery};
use crate::port::{
    EventPosition, Platform, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten,
};
use crate::principal::Principal;

/// Bytes of an answer that are read: nothing of it is used.
const REPLY: usize = 1024;
/// How often the health of a subscriber is written that others write at the same time.
const TRIES: usize = 3;

/// One event for one subscriber.
struct Delivering<'a> {
    service: &'a ServerEvents,
    place: EventPlace<'a>,
    id: &'a str,
    record: SubscriptionRecord,
    principal: Principal,
    secrets: Vec<WebhookSecret>,
}

/// Sends it, unless the subscriber may not hear of it any more. `which` is the event's name, the
/// subscription, the position, and how many attempts failed.
pub(super) async fn deliver(
    service: &ServerEvents,
    platform: &Platform,
    which: (&str, &str, u64, u32),
) -> Result<EventJobRun, StoreError> {
    let (name, id, at, failures) = which;
    let Some(place) = EventPlace::find(service, platform, name)? else {
        return Ok(EventJobRun::Done);
    };
    let Some(row) = found(&place, id).await? else {
        return Ok(EventJobRun::Done);
    };
    let dead = |reason: &str| {
        Ok(EventJobRun::Dead {
            reason: reason.to_owned(),
        })
    };
    let Some(record) = SubscriptionRecord::read(&row.body) else {
        return dead("another version of this server wrote the subscription");
    };
    if record.pending || record.health.suspended {
        return Ok(EventJobRun::Done);
    }
    let Some(principal) = record.principal() else {
        return dead("another version of this server wrote the subscriber");
    };
    let scope = SecretScope {
        server: &service.server,
        principal: &principal.key(),
        id,
    };
    let secrets = record.secrets(scope, &platform.keys, platform.clock.now_ms());
    if secrets.is_empty() {
        return dead("the subscriber's secret is sealed with a key that this server has no more");
    }
    let delivering = Delivering {
        service,
        place,
        id,
        record,
        principal,
        secrets,
    };
    delivering.run(at, failures).await
}

async fn found(place: &EventPlace<'_>, id: &str) -> Result<Option<SubscriptionRow>, StoreError> {
    let platform = place.platform;
    let find = place
        .webhooks
        .subscriptions
        .find(key(&place.topic, "", id), platform.clock.now_ms());
    asked(&platform.timer, find).await
}

fn key<'a>(topic: &'a str, owner: &'a str, id: &'a str) -> SubscriptionKey<'a> {
    SubscriptionKey { topic, owner, id }
}

impl Delivering<'_> {
    async fn run(&self, at: u64, failures: u32) -> Result<EventJobRun, StoreError> {
        let (event, platform) = (self.place.event, self.place.platform);
        if !event.allows(&self.principal, &self.record.arguments) {
            return self.end().await;
        }
        let logged = self.place.logged(at).await?;
        let Some(occurrence) = logged.as_ref().and_then(read) else {
            let cursor = self.cursor(at);
            self.control("gap", json!({ "cursor": cursor })).await;
            let reason = "the event is not kept any more".to_owned();
            return Ok(EventJobRun::Dead { reason });
        };
        let started_ms = platform.clock.now_ms();
        let sent = self.send(occurrence, at).await;
        let next = self.after(at, failures, sent);
        let reason = sent.err().map(|failure| failure.reason);
        self.tell(&next, reason, failures, started_ms);
        self.note(reason).await;
        Ok(next)
    }

    async fn send(&self, mut occurrence: WireOccurrence, at: u64) -> Result<(), SendFailure> {
        let platform = self.place.platform;
        let event_id = &occurrence.event_id;
        let id = match platform.webhook_settings.id_profile {
            WebhookIdProfile::Event => event_id.clone(),
            WebhookIdProfile::Message => message_id(self.id, event_id),
        };
        occurrence.cursor = match occurrence.cursor.take() {
            // of the author's function, which it was read with
            Some(own) => self.written(&EventCursor::Own(own)),
            None => self.cursor(at),
        };
        let outgoing = self.outgoing(&id, to_json(&occurrence).into());
        outgoing.send().await.map(drop)
    }

    fn outgoing<'s>(&'s self, id: &'s str, body: Bytes) -> Outgoing<'s> {
        Outgoing {
            platform: self.place.platform,
            url: &self.record.url,
            subscription: self.id,
            id,
            body,
            secrets: &self.secrets,
            reply: REPLY,
        }
    }

    /// Where the subscriber goes on if it asks itself.
    fn cursor(&self, at: u64) -> Option<String> {
        self.written(&EventCursor::At(EventPosition::from_number(at)))
    }

    fn written(&self, cursor: &EventCursor) -> Option<String> {
        let (platform, record) = (self.place.platform, &self.record);
        let scope = CursorScope {
            server: &self.service.server,
            principal: &self.principal.key(),
            event: &record.event,
            arguments: &crate::canonical::canonical(&record.arguments),
        };
        cursor.write(scope, &platform.keys, &*platform.random)
    }

    /// What follows an attempt.
    fn after(&self, at: u64, failures: u32, sent: Result<(), SendFailure>) -> EventJobRun {
        let Err(failure) = sent else {
            return EventJobRun::Done;
        };
        let platform = self.place.platform;
        let failures = failures.saturating_add(1);
        let mut jitter = [0];
        platform.random.fill(&mut jitter);
        let pause_ms = pause_ms(failures, jitter[0]).filter(|_| !failure.lasting);
        let Some(pause_ms) = pause_ms else {
            let reason = format!(
                "{failures} attempts failed, the last with {}",
                failure.reason
            );
            return EventJobRun::Dead { reason };
        };
        let work = EventWork::Deliver {
            event: self.record.event.clone(),
            subscription: self.id.to_owned(),
            at,
            failures,
        };
        EventJobRun::Again {
            body: work.written(),
            at_ms: platform.clock.now_ms().saturating_add(pause_ms),
        }
    }

    fn tell(&self, next: &EventJobRun, reason: Option<&str>, failures: u32, started_ms: u64) {
        let platform = self.place.platform;
        let outcome = match next {
            EventJobRun::Done => DeliveryOutcome::Delivered,
            EventJobRun::Dead { .. } => DeliveryOutcome::Dead,
            _ => DeliveryOutcome::Retried,
        };
        let duration_ms = platform.clock.now_ms().saturating_sub(started_ms);
        let (event, reason) = (&self.record.event, reason.unwrap_or_default());
        platform.audit_log.delivery(&EventDelivery::new(
            event,
            self.id,
            outcome,
            reason,
            failures,
            duration_ms,
        ));
    }

    /// Writes down how the attempt went. A failure is for the log: the next attempt says the same.
    async fn note(&self, reason: Option<&str>) {
        let platform = self.place.platform;
        for _ in 0..TRIES {
            match self.note_once(reason).await {
                Ok(SubscriptionWritten::Changed) => {}
                Ok(_) => return,
                Err(error) => return platform.store_failed("events", &error),
            }
        }
    }

    async fn note_once(&self, reason: Option<&str>) -> Result<SubscriptionWritten, StoreError> {
        let (platform, place) = (self.place.platform, &self.place);
        let done = Ok(SubscriptionWritten::Done);
        let now_ms = platform.clock.now_ms();
        // most deliveries need no second look
        if self.record.health.after(reason, now_ms).is_none() {
            return done;
        }
        let Some(row) = found(place, self.id).await? else {
            return done;
        };
        let Some(mut record) = SubscriptionRecord::read(&row.body) else {
            return done;
        };
        let Some(health) = record.health.after(reason, now_ms) else {
            return done;
        };
        record.health = health;
        let owner = self.service.owner(&self.principal.key());
        let bounds = SubscriptionBounds {
            per_owner: usize::MAX,
            per_topic: usize::MAX,
        };
        let write = place.webhooks.subscriptions.write(
            key(&place.topic, &owner, self.id),
            Some(row.version),
            to_json(&record).into(),
            row.expires_ms,
            now_ms,
            bounds,
        );
        asked(&platform.timer, write).await
    }

    /// The subscriber may not hear of this any more: it is told so once, and forgotten.
    async fn end(&self) -> Result<EventJobRun, StoreError> {
        let platform = self.place.platform;
        let errors = EventErrors::of_receiver(platform.webhook_settings.error_codes);
        let sentence = "the subscriber may not hear of this event any more";
        let error: Error = errors.forbidden(sentence, "revoked");
        self.control("terminated", json!({ "error": error })).await;
        let owner = self.service.owner(&self.principal.key());
        let place = key(&self.place.topic, &owner, self.id);
        let removed = self.place.webhooks.subscriptions.remove(place);
        asked(&platform.timer, removed).await?;
        Ok(EventJobRun::Done)
    }

    /// Says something about the subscription, once: nothing depends on it.
    async fn control(&self, kind: &str, mut body: Value) {
        let platform = self.place.platform;
        body["type"] = kind.into();
        let mut random = [0; 16];
        platform.random.fill(&mut random);
        let id = format!("msg_{kind}_{}", hex(&random));
        let _ = self.outgoing(&id, to_json(&body).into()).send().await;
    }
}
