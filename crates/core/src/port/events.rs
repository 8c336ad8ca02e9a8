//! The ports to events: a log of what happened, and who subscribed to it. No implementation of
//! either, and no rule: what is in them is `event`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::event_queue::EventQueue;
use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Most bytes of an event, as JSON: what a platform keeps under one key is bounded, and so is the body
/// of a webhook.
pub const EVENT_BYTES: usize = 128 * 1024;
/// Most events that one read gives.
pub const EVENTS_AT_ONCE: usize = 500;

/// Where in a log an event stands. Each is greater than those before it, and the time is in it, so
/// that a log which was lost begins behind all that it ever gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPosition(u64);

impl EventPosition {
    /// The greatest, which a double still tells from the one before it: scripts count in those.
    const MOST: u64 = (1 << 53) - 1;
    /// Positions of a millisecond.
    const EACH: u64 = 1024;

    /// The first position of a millisecond since 1970.
    #[must_use]
    pub const fn at(time_ms: u64) -> Self {
        let position = time_ms.saturating_mul(Self::EACH);
        Self::from_number(position)
    }

    /// The one behind this, for an event that is appended now.
    ///
    /// ```
    /// use mcpfn_core::port::EventPosition;
    ///
    /// let first = EventPosition::at(1_000);
    /// assert_eq!(first.next(2_000), EventPosition::at(2_000));
    /// assert!(first.next(0) > first, "whatever the clock says");
    /// ```
    #[must_use]
    pub fn next(self, now_ms: u64) -> Self {
        Self::from_number(self.0.saturating_add(1)).max(Self::at(now_ms))
    }

    /// As a number, for a store.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// From the number that a store has.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        match number < Self::MOST {
            true => Self(number),
            false => Self(Self::MOST),
        }
    }
}

/// How long a log keeps events, in milliseconds, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRetention {
    /// Older ones are dropped.
    pub max_age_ms: u64,
    /// Of more than so many, the oldest are dropped; about.
    pub max_events: usize,
}

impl Default for EventRetention {
    /// A day, and 10,000 events.
    fn default() -> Self {
        Self {
            max_age_ms: 24 * 60 * 60 * 1000,
            max_events: 10_000,
        }
    }
}

/// An event in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Where it stands.
    pub position: EventPosition,
    /// Up to [`EVENT_BYTES`].
    pub body: Bytes,
}

/// What a log has behind a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRead {
    /// In order.
    pub events: Vec<LoggedEvent>,
    /// Some that stood behind the position may be gone.
    pub truncated: bool,
    /// There are others behind these.
    pub more: bool,
}

/// Logs of events, each under a key like those of the other stores.
///
/// ```
/// use mcpfn_core::port::{EventLog, EventRetention, StoreError};
/// use mcpfn_testing::{TestEvents, block_on};
///
/// # block_on(async {
/// let (log, keep) = (TestEvents::default(), EventRetention::default());
/// let end = log.end("topic", 0, keep).await?;
/// let position = log.append("topic", "an event".into(), 5, keep).await?;
/// let read = log.read("topic", end, 10, 6, keep).await?;
/// assert_eq!((read.events[0].position, read.truncated), (position, false));
/// assert!(log.read("topic", position, 10, 7, keep).await?.events.is_empty());
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait EventLog: MaybeSend + MaybeSync {
    /// Appends an event behind all others of its log, and drops what is too old or too much.
    ///
    /// # Errors
    /// When the store does not respond in time. It may be there all the same.
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>>;

    /// At most `limit` events behind a position, of which [`EVENTS_AT_ONCE`] are the most, and at
    /// least one if there is any. One that
    /// was appended before is read, and one that comes later stands behind all that were read.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>>;

    /// The position of the last event. A log that was not there begins: what is appended from now on
    /// stands behind the position that is given.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>>;
}

/// Whose subscription to what: keys like those of the other stores, and an id that is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionKey<'a> {
    /// The event.
    pub topic: &'a str,
    /// The subscriber.
    pub owner: &'a str,
    /// The subscription's.
    pub id: &'a str,
}

/// A subscription as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Its id.
    pub id: String,
    /// One more with each change.
    pub version: u64,
    /// Up to 64 KiB.
    pub body: Bytes,
    /// From then on it is as if it had never been there, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// How many subscriptions there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionBounds {
    /// Of one subscriber.
    pub per_owner: usize,
    /// To one event.
    pub per_topic: usize,
}

/// What became of a subscription that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionWritten {
    /// It is kept.
    Done,
    /// Another version is there, or none: nothing was written.
    Changed,
    /// The subscriber has as many as it may have.
    OwnerFull,
    /// The event has as many as it may have.
    TopicFull,
}

/// Who subscribed to which event.
///
/// Times are milliseconds since 1970. What was written is read by every instance from then on.
pub trait EventSubscriptions: MaybeSend + MaybeSync {
    /// A subscription that has not expired.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>>;

    /// Writes a subscription in the place of the version that is given, or where none is. Bounds
    /// count for new ones; those at the same moment may exceed them by a few.
    ///
    /// # Errors
    /// When the store does not respond in time, or has no room. It may be written all the same.
    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>>;

    /// Forgets a subscription. It is no error if there is none.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>>;

    /// At most `limit` subscriptions to an event, in the order of their ids, behind this one.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>>;
}

/// Where events are kept, and how they leave.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use mcpfn_core::port::EventPorts;
/// use mcpfn_testing::TestEvents;
///
/// let events = Arc::new(TestEvents::default());
/// let ports = EventPorts::new(events.clone())
///     .webhooks(events.clone(), events)
///     .streams(Duration::from_secs(600));
/// assert!(format!("{ports:?}").contains("webhooks: true"));
/// ```
#[derive(Clone)]
#[must_use = "give it to `Platform::with_events`"]
pub struct EventPorts {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) webhooks: Option<WebhookPorts>,
    pub(crate) streams: Option<Duration>,
    pub(crate) pumps: bool,
    pub(crate) looks: Duration,
}

/// What webhooks need beside the log, and a client for HTTP.
#[derive(Clone)]
pub(crate) struct WebhookPorts {
    pub(crate) subscriptions: Arc<dyn EventSubscriptions>,
    pub(crate) queue: Arc<dyn EventQueue>,
}

impl EventPorts {
    /// Clients ask for events.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            webhooks: None,
            streams: None,
            pumps: false,
            looks: Duration::from_secs(2),
        }
    }

    /// Events are sent to addresses that clients name, too; for that the platform also needs an
    /// [`HttpClient`](crate::port::HttpClient).
    pub fn webhooks(
        mut self,
        subscriptions: Arc<dyn EventSubscriptions>,
        queue: Arc<dyn EventQueue>,
    ) -> Self {
        self.webhooks = Some(WebhookPorts {
            subscriptions,
            queue,
        });
        self
    }

    /// Clients can hold a stream for so long, on which they hear of events.
    pub fn streams(mut self, at_most: Duration) -> Self {
        self.streams = Some(at_most);
        self
    }

    /// The host calls [`Server::pump_events`](crate::Server::pump_events) from time to time, so that
    /// events with a function of their own are sent to addresses of clients, too.
    pub fn pumped(mut self) -> Self {
        self.pumps = true;
        self
    }

    /// From one look at the log to the next on a stream, where nothing comes: two seconds if it is not
    /// said. A platform on which each look counts says more.
    pub fn looking_every(mut self, pause: Duration) -> Self {
        self.looks = pause;
        self
    }
}

impl std::fmt::Debug for EventPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventPorts")
            .field("webhooks", &self.webhooks.is_some())
            .field("streams", &self.streams)
            .field("pumps", &self.pumps)
            .finish_non_exhaustive()
    }
}
