//! `events/subscribe`: an event is sent to an address that the client names, until a time. The same
//! request again renews it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::audited::{OwnedRequest, audited};
use super::address::named;
use super::failed::unavailable;
use super::pump::{self, PumpFailure};
use super::verify::Verification;
use super::wanted::{WantedEvent, count, errors, since_ms};
use crate::call::Call;
use crate::event::cursor::EventCursor;
use crate::event::errors::EventErrors;
use crate::event::job::EventWork;
use crate::event::registry::{ServerEvents, queue, sends};
use crate::event::signature::{WebhookSecret, subscription_id};
use crate::event::source::EventFeed;
use crate::event::subscriber::{SecretScope, SubscriptionRecord};
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::policy::asked::asked;
use crate::policy::rate_limit;
use crate::port::events::WebhookPorts;
use crate::port::{
    EventPosition, Platform, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten, milliseconds,
};
use crate::running::Execution;
use crate::server::Server;
use crate::text::timestamp;

/// How long an address may take to say that it wants events, and a little, in milliseconds.
const PENDING_MS: u64 = 60_000;
/// Longer than it takes to write a subscription that was suspended, in milliseconds.
const RENEWED_MS: u64 = 10_000;
/// How often a subscription is written that others write at the same time.
const TRIES: usize = 4;

pub(super) fn subscribe(
    server: &Server,
    service: &ServerEvents,
    call: &Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let errors = errors(call, platform);
    let delivery = named(call, errors)?;
    if !sends(platform) {
        let sentence = "this server sends no events: ask with `events/poll`";
        return Err(errors.unsupported(sentence, "deliveryMode", "webhook"));
    }
    delivery.mode(errors)?;
    let (url, secret) = (delivery.url()?, delivery.secret()?);
    let wanted = WantedEvent::read(service, call, platform)?;
    if !wanted.event.is_sent(platform) {
        let sentence = "this event is not sent: ask with `events/poll`";
        return Err(errors.unsupported(sentence, "deliveryMode", "webhook"));
    }
    let members = call.params.events();
    let subscribing = Subscribing {
        cursor: call.params.cursor()?.map(Cow::into_owned),
        since_ms: since_ms(members, platform.clock.now_ms())?,
        granted_ms: granted_ms(members.ttl_ms, platform)?,
        id: subscription_id(
            &call.principal.key(),
            &url,
            &wanted.event.name,
            &wanted.arguments,
        ),
        feed: wanted.feed(service, call, platform),
        owner: service.owner(&call.principal.key()),
        url,
        secret,
        errors,
    };
    let subscribed = |request: OwnedRequest| async move {
        let (server, platform) = (&request.server, &request.platform);
        rate_limit::admit_list(platform, server.name(), &request.principal).await?;
        let own = subscribing.begin(server).await?;
        let body = to_json(&subscribing.write(own).await?);
        let results = server.results();
        Ok(results.complete(request.revision, &body, &JsonObject::new(), ""))
    };
    let method = "events/subscribe";
    Ok(audited(server, call, method, platform, subscribed))
}

/// How long it lasts, in milliseconds: what the client suggests, within the operator's bounds. No end
/// is granted to nobody.
fn granted_ms(ttl: Option<&RawValue>, platform: &Platform) -> Result<u64, Error> {
    let settings = &platform.webhook_settings;
    let longest_ms = milliseconds(settings.longest);
    let suggested_ms = match ttl {
        None => milliseconds(settings.usual),
        Some(raw) if raw.get() == "null" => longest_ms,
        raw => count("ttlMs", raw, 1)?.unwrap_or(longest_ms),
    };
    Ok(suggested_ms
        .max(milliseconds(settings.shortest))
        .min(longest_ms))
}

/// A subscription on its way into the store.
struct Subscribing {
    feed: EventFeed,
    owner: String,
    id: String,
    url: String,
    secret: WebhookSecret,
    cursor: Option<String>,
    since_ms: Option<u64>,
    granted_ms: u64,
    errors: EventErrors,
}

/// What became of it.
struct WrittenSubscription {
    record: SubscriptionRecord,
    expires_ms: u64,
}

/// A subscription whose address said that it wants events.
fn confirmed(row: &SubscriptionRow) -> Option<SubscriptionRecord> {
    SubscriptionRecord::read(&row.body).filter(|record| !record.pending)
}

impl Subscribing {
    /// Where the function of an event stands that has one.
    async fn begin(&self, server: &Server) -> Result<Option<EventCursor>, Error> {
        let (event, platform) = (&self.feed.event, &self.feed.platform);
        let Some(service) = ServerEvents::of(server).filter(|_| event.poll.is_some()) else {
            return Ok(None);
        };
        let begun = pump::begin(service, event, server, platform).await;
        let cursor = begun.map_err(|failure| match failure {
            PumpFailure::Store(error) => unavailable(platform, &error),
            PumpFailure::Author(error) => error,
        })?;
        Ok(cursor.map(EventCursor::Own))
    }

    /// `own` is where the event's function stands, if it has one.
    async fn write(self, own: Option<EventCursor>) -> Result<Value, Error> {
        let platform = &*self.feed.platform;
        let ports = platform.events.as_ref();
        let ports = ports.and_then(|events| events.webhooks.clone());
        let ports = ports.ok_or_else(|| Error::internal("this host has no subscriptions"))?;
        let found = self.found(&ports).await?;
        let live = found.as_ref().and_then(confirmed);
        let end = self.end().await?;
        // first in the store, where it counts: who has too many makes no address be asked. Another
        // request may have confirmed the address meanwhile
        if live.is_none()
            && self.put(&ports, end, true).await?.record.pending
            && let Err(error) = self.verify().await
        {
            // unless the address agreed to another request meanwhile
            let now = self.found(&ports).await.ok().flatten();
            if now.as_ref().and_then(confirmed).is_none() {
                self.withdraw(&ports).await;
            }
            return Err(error);
        }
        let suspended = live.as_ref().is_some_and(|record| record.health.suspended);
        let restarts = suspended || live.is_none();
        let (from, truncated) = match restarts {
            true => self.missed_since(end).await?,
            false => (end, false),
        };
        let missed = restarts && from < self.end().await?;
        if missed {
            // before the subscription counts: who asks again, because that failed, is a beginner still
            let due_ms = if suspended { RENEWED_MS } else { 0 };
            self.order_missed(&ports, from, due_ms).await?;
        }
        let written = self.put(&ports, end, false).await?;
        if restarts && !missed && from < self.end().await? {
            // it happened while the address was asked
            if let Err(error) = self.order_missed(&ports, from, 0).await {
                self.withdraw(&ports).await;
                return Err(error);
            }
        }
        let cursor = EventCursor::At(from);
        Ok(json!({
            "id": self.id,
            "refreshBefore": timestamp(Duration::from_millis(written.expires_ms)),
            "cursor": self.feed.written(&own.unwrap_or(cursor)),
            "truncated": truncated,
            "deliveryStatus": written.record.health.status(),
        }))
    }

    fn key(&self) -> SubscriptionKey<'_> {
        SubscriptionKey {
            topic: &self.feed.topic,
            owner: &self.owner,
            id: &self.id,
        }
    }

    async fn found(&self, ports: &WebhookPorts) -> Result<Option<SubscriptionRow>, Error> {
        let platform = &self.feed.platform;
        let find = ports
            .subscriptions
            .find(self.key(), platform.clock.now_ms());
        let found = asked(&platform.timer, find).await;
        found.map_err(|error| unavailable(platform, &error))
    }

    async fn verify(&self) -> Result<(), Error> {
        let verification = Verification {
            server: &self.feed.server,
            principal: &self.feed.principal.key(),
            url: &self.url,
            subscription: &self.id,
            secret: &self.secret,
            platform: &self.feed.platform,
            errors: self.errors,
        };
        verification.pass().await
    }

    /// Where the log ends.
    async fn end(&self) -> Result<EventPosition, Error> {
        let end = self.feed.end().await;
        end.map_err(|error| unavailable(&self.feed.platform, &error))
    }

    /// Writes the subscription over the one that is there, again while others come before it. One that
    /// is confirmed is not made `pending` again: then it is given as it is.
    async fn put(
        &self,
        ports: &WebhookPorts,
        from: EventPosition,
        pending: bool,
    ) -> Result<WrittenSubscription, Error> {
        let platform = &self.feed.platform;
        for _ in 0..TRIES {
            let found = self.found(ports).await?;
            if pending
                && let Some(row) = &found
                && let Some(record) = confirmed(row)
            {
                let expires_ms = row.expires_ms;
                return Ok(WrittenSubscription { record, expires_ms });
            }
            let now_ms = platform.clock.now_ms();
            let record = self.next(found.as_ref(), from, pending, now_ms)?;
            let lasts_ms = if pending { PENDING_MS } else { self.granted_ms };
            let expires_ms = now_ms.saturating_add(lasts_ms);
            let replaces = found.map(|row| row.version);
            let body = Bytes::from(to_json(&record));
            let write = ports.subscriptions.write(
                self.key(),
                replaces,
                body,
                expires_ms,
                now_ms,
                self.bounds(),
            );
            let written = asked(&platform.timer, write).await;
            match written.map_err(|error| unavailable(platform, &error))? {
                SubscriptionWritten::Done => return Ok(WrittenSubscription { record, expires_ms }),
                SubscriptionWritten::Changed => {}
                full => return Err(self.full(full)),
            }
        }
        let error = StoreError::new("others changed the subscription again and again");
        Err(unavailable(platform, &error))
    }

    fn next(
        &self,
        found: Option<&SubscriptionRow>,
        from: EventPosition,
        pending: bool,
        now_ms: u64,
    ) -> Result<SubscriptionRecord, Error> {
        let platform = &self.feed.platform;
        let (keys, principal) = (&platform.keys, self.feed.principal.key());
        let scope = SecretScope {
            server: &self.feed.server,
            principal: &principal,
            id: &self.id,
        };
        let what = (
            self.feed.event.name.as_str(),
            self.feed.arguments.clone(),
            self.url.as_str(),
        );
        let newer = SubscriptionRecord::new(
            &self.feed.principal,
            what,
            (&self.secret, scope),
            from.number(),
            keys,
            &*platform.random,
        );
        let newer = newer.ok_or_else(|| Error::internal("the secret could not be sealed"))?;
        let there = found.and_then(|row| SubscriptionRecord::read(&row.body));
        Ok(match there {
            _ if pending => newer.until_confirmed(),
            Some(there) => there.refreshed(newer, scope, keys, now_ms),
            None => newer,
        })
    }

    fn bounds(&self) -> SubscriptionBounds {
        let settings = &self.feed.platform.webhook_settings;
        SubscriptionBounds {
            per_owner: settings.per_principal,
            per_topic: settings.per_event,
        }
    }

    fn full(&self, full: SubscriptionWritten) -> Error {
        let bounds = self.bounds();
        let (sentence, limit, max) = match full {
            SubscriptionWritten::OwnerFull => (
                "you have as many subscriptions as one caller may have: unsubscribe from one",
                "subscriptionsPerPrincipal",
                bounds.per_owner,
            ),
            _ => (
                "this event has as many subscriptions as it may have: ask with `events/poll`",
                "subscriptionsPerEvent",
                bounds.per_topic,
            ),
        };
        self.errors.exhausted(sentence, limit, max)
    }

    /// Takes a subscription back.
    async fn withdraw(&self, ports: &WebhookPorts) {
        let platform = &self.feed.platform;
        let removed = ports.subscriptions.remove(self.key());
        if let Err(error) = asked(&platform.timer, removed).await {
            // it is pending, and expires in a minute
            platform.store_failed("events", &error);
        }
    }

    /// What happened since the client's cursor is sent too. Where the subscription begins, and whether
    /// something is missing.
    async fn missed_since(&self, end: EventPosition) -> Result<(EventPosition, bool), Error> {
        let platform = &self.feed.platform;
        let unavailable = |error| unavailable(platform, &error);
        let (cursor, stale) = self.feed.read(self.cursor.as_deref());
        let (from, stale) = match cursor {
            Some(EventCursor::At(from)) => (from, stale),
            // the author's: what is behind it is asked for, and not in the log
            Some(EventCursor::Own(_)) => (end, true),
            // and what happened while its address was asked
            None => (end, stale),
        };
        let (now_ms, keep) = (platform.clock.now_ms(), self.feed.event.keep);
        let log = self.feed.log().map_err(unavailable)?;
        let look = log.read(&self.feed.topic, from, 1, now_ms, keep);
        let look = asked(&platform.timer, look).await.map_err(unavailable)?;
        let since = self.since_ms.filter(|_| from < end);
        let since = since.map_or(from, EventPosition::at);
        let truncated = stale || look.truncated || since > from;
        Ok((from.max(since), truncated))
    }

    /// Orders what happened since a position, up to when the subscription counts.
    async fn order_missed(
        &self,
        ports: &WebhookPorts,
        from: EventPosition,
        later_ms: u64,
    ) -> Result<(), Error> {
        let platform = &self.feed.platform;
        let work = EventWork::CatchUp {
            event: self.feed.event.name.clone(),
            subscription: self.id.clone(),
            after: from.number(),
            until: None,
        };
        let now_ms = platform.clock.now_ms();
        let job = work.job(&self.feed.server, now_ms + later_ms);
        let queue = queue(&self.feed.server);
        let put = ports.queue.put(&queue, vec![job], now_ms);
        let put = asked(&platform.timer, put).await;
        put.map_err(|error| unavailable(platform, &error))
    }
}
