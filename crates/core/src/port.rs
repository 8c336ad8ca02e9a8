//! The ports: everything that is not a function of the request comes in through these. No
//! implementation of any of them.

pub(crate) mod audit_log;
pub(crate) mod dependency;
pub(crate) mod event_queue;
pub(crate) mod events;
pub(crate) mod http_client;
pub(crate) mod mailbox;
pub(crate) mod runtime;
pub(crate) mod store;
pub(crate) mod store_error;
pub(crate) mod tasks;
pub(crate) mod topics;

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::policy::address::RefusedCredentials;
use crate::policy::single_flight::SingleFlight;
use crate::policy::webhooks::WebhookSettings;
use crate::policy::{FailureMode, IdempotentWrites, RateLimits};
use crate::round_trip::Keyring;
use crate::send::{AnyValue, BoxFuture, MaybeSend, MaybeSync};

pub use audit_log::{
    AuditEntry, AuditLog, CacheStatus, DeliveryOutcome, EventDelivery, Failure, Outcome,
    RefusedRequest, TaskChange, TaskNews,
};
pub use dependency::Dependency;
pub use event_queue::{EventJob, EventJobEnd, EventJobs, EventQueue, TakenEventJob};
pub use events::{
    EVENT_BYTES, EVENTS_AT_ONCE, EventLog, EventPorts, EventPosition, EventRead, EventRetention,
    EventSubscriptions, LoggedEvent, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten,
};
pub use http_client::{HttpClient, HttpError, HttpRequest, HttpResponse, Listen};
pub use mailbox::Mailbox;
pub use runtime::{Background, Blocking, BlockingWork, Clock, Random, Shutdown, Timer};
pub use store::{
    Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter, ResultCache,
};
pub use store_error::StoreError;
pub use tasks::{Swapped, TASK_PART_BYTES, TaskPart, TaskParts, TaskRunner, TaskStore};
pub use topics::{Kept, Replace, TopicRecord, TopicVersion, Topics};

/// Where tasks are kept, and what runs them.
#[derive(Clone)]
pub(crate) struct TaskPlatform {
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) runner: Arc<dyn TaskRunner>,
}

/// What a host gives to a call.
#[derive(Clone)]
pub struct Platform {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) audit_log: Arc<dyn AuditLog>,
    pub(crate) keys: Keyring,
    pub(crate) ports: TypeMap,
    dependencies: Vec<(&'static str, Arc<dyn Dependency>)>,
    pub(crate) background: Option<Arc<dyn Background>>,
    pub(crate) mailbox: Option<Arc<dyn Mailbox>>,
    pub(crate) tasks: Option<TaskPlatform>,
    pub(crate) topics: Option<Arc<dyn Topics>>,
    pub(crate) events: Option<EventPorts>,
    pub(crate) webhook_settings: Arc<WebhookSettings>,
    pub(crate) blocking: Option<Arc<dyn Blocking>>,
    shutdown: Option<Arc<dyn Shutdown>>,
    pub(crate) cache: Option<Arc<dyn ResultCache>>,
    pub(crate) rate_limits: Option<RateLimits>,
    pub(crate) writes: Option<IdempotentWrites>,
    pub(crate) single_flight: Arc<SingleFlight>,
    pub(crate) audits_arguments: bool,
    pub(crate) refused_credentials: Arc<RefusedCredentials>,
}

impl Platform {
    /// The four ports that every host has, and the keys that seal request state.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
        random: Arc<dyn Random>,
        audit_log: Arc<dyn AuditLog>,
        keys: Keyring,
    ) -> Self {
        Self {
            clock,
            timer,
            random,
            audit_log,
            keys,
            ports: TypeMap::default(),
            dependencies: Vec::new(),
            background: None,
            mailbox: None,
            tasks: None,
            topics: None,
            events: None,
            webhook_settings: Arc::default(),
            blocking: None,
            shutdown: None,
            cache: None,
            rate_limits: None,
            writes: None,
            // one for all clones of the platform, because equal calls must meet
            single_flight: Arc::default(),
            audits_arguments: false,
            // one for all clones, too: they count together
            refused_credentials: Arc::default(),
        }
    }

    /// A port by its trait, as it was given to [`Platform::with_port`].
    #[must_use]
    pub fn port<P: ?Sized + Any>(&self) -> Option<&Arc<P>> {
        self.ports.find::<Arc<P>>()
    }

    /// Tells the audit log that a store is unavailable, unless it knows.
    pub(crate) fn store_failed(&self, store: &str, error: &StoreError) {
        if !error.is_already_known() {
            self.audit_log.store_failure(store, &error.to_string());
        }
    }

    /// Where the private side of calls goes.
    #[must_use]
    pub fn audit_log(&self) -> &Arc<dyn AuditLog> {
        &self.audit_log
    }

    /// The time, by the host's clock: milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Waits, by the host's timer.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.timer.sleep(duration)
    }

    /// Replaces the log.
    #[must_use]
    pub fn with_audit_log(mut self, audit_log: Arc<dyn AuditLog>) -> Self {
        self.audit_log = audit_log;
        self
    }

    /// Entries of the audit log have what callers sent, with secrets left out as far as they can be told: see
    /// `AuditEntry::input`.
    #[must_use]
    pub fn with_arguments_in_audit_log(mut self) -> Self {
        self.audits_arguments = true;
        self
    }

    /// Replaces the clock, as a test does that lets time pass.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Adds a way to work on after an answer. Without one, that work delays the answer.
    #[must_use]
    pub fn with_background(mut self, background: Arc<dyn Background>) -> Self {
        self.background = Some(background);
        self
    }

    /// Adds threads for work that computes. Without them it runs where it is called.
    #[must_use]
    pub fn with_blocking(mut self, blocking: Arc<dyn Blocking>) -> Self {
        self.blocking = Some(blocking);
        self
    }

    /// Adds what says that this instance ends. Without it, streams are held and tasks are at work
    /// until the process is gone.
    #[must_use]
    pub fn with_shutdown(mut self, shutdown: Arc<dyn Shutdown>) -> Self {
        self.shutdown = Some(shutdown);
        self
    }

    /// Ends once this instance takes no more requests.
    #[must_use]
    pub fn shutdown(&self) -> BoxFuture<'static, ()> {
        match &self.shutdown {
            Some(shutdown) => shutdown.begun(),
            None => Box::pin(std::future::pending()),
        }
    }

    /// Adds the store of tools' results. Without one, nothing is kept.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn ResultCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Equal calls at the same time each make their own result: for a host on which one request
    /// can't wait for another.
    #[must_use]
    pub fn without_sharing(mut self) -> Self {
        self.single_flight = Arc::new(SingleFlight::disabled());
        self
    }

    /// Whether one request may wait for what another one does. Where it may not, each request asks
    /// for what it needs.
    #[must_use]
    pub fn shares_work(&self) -> bool {
        !self.single_flight.disabled
    }

    /// Adds the way of answers to questions that a call asked on its own stream. Without one, clients of
    /// revisions with a handshake can't be asked anything.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: Arc<dyn Mailbox>) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// Adds where tasks are kept and what runs them. Without, tools that can be tasks run within
    /// their call.
    #[must_use]
    pub fn with_tasks(mut self, store: Arc<dyn TaskStore>, runner: Arc<dyn TaskRunner>) -> Self {
        self.tasks = Some(TaskPlatform { store, runner });
        self
    }

    /// Adds the store of subscriptions. Without one there are none, whatever the server has.
    #[must_use]
    pub fn with_topics(mut self, topics: Arc<dyn Topics>) -> Self {
        self.topics = Some(topics);
        self
    }

    /// Adds where events are kept, and how they leave. Without, clients can ask only for events that
    /// a function of the author's gives.
    #[must_use]
    pub fn with_events(mut self, events: EventPorts) -> Self {
        self.events = Some(events);
        self
    }

    /// Whether a host reads events for their subscribers ([`EventPorts::pumped`]).
    #[must_use]
    pub fn pumps_events(&self) -> bool {
        self.events.as_ref().is_some_and(|events| events.pumps)
    }

    /// What the operator decides about webhooks.
    #[must_use]
    pub fn with_webhook_settings(mut self, settings: WebhookSettings) -> Self {
        self.webhook_settings = Arc::new(settings);
        self
    }

    /// Adds rate limits. Without them, nothing is counted.
    #[must_use]
    pub fn with_rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Adds the store of idempotent writes. Without one, a write with an `idempotencyKey` is
    /// refused: its repeat would write again.
    #[must_use]
    pub fn with_idempotency(
        mut self,
        store: Arc<dyn IdempotencyStore>,
        failure_mode: FailureMode,
    ) -> Self {
        self.writes = Some(IdempotentWrites {
            store,
            failure_mode,
        });
        self
    }

    /// Runs work that no call waits for: after the answer if the host can, and this returns at
    /// once; else now, and this returns when it is done. The work must bound its own time: a host
    /// that freezes between requests waits for it.
    pub async fn defer(&self, work: BoxFuture<'static, ()>) {
        match &self.background {
            Some(background) => background.run(work),
            None => work.await,
        }
    }

    /// Adds something that `/ready` of the local host asks, under a name that everybody may read,
    /// such as `queue`. Ports to a database (`Sql`) and to files (`Blobs`) are asked without this.
    #[must_use]
    pub fn with_dependency(mut self, name: &'static str, dependency: Arc<dyn Dependency>) -> Self {
        self.dependencies.push((name, dependency));
        self
    }

    /// What [`Platform::with_dependency`] added.
    #[must_use]
    pub fn dependencies(&self) -> &[(&'static str, Arc<dyn Dependency>)] {
        &self.dependencies
    }

    /// Adds a port that toolkits ask for by its trait, e.g. `with_port::<dyn Sql>(database)`.
    #[must_use]
    pub fn with_port<P: ?Sized + Any + MaybeSend + MaybeSync>(mut self, port: Arc<P>) -> Self
    where
        Arc<P>: Any + MaybeSend + MaybeSync,
    {
        self.ports.insert(port);
        self
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("keys", &self.keys)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// A duration as clocks here count it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Values by their type.
#[derive(Clone, Default)]
pub(crate) struct TypeMap(HashMap<TypeId, (&'static str, Arc<AnyValue>)>);

impl TypeMap {
    /// Returns whether a value of the type was there already.
    pub(crate) fn insert<T: Any + MaybeSend + MaybeSync>(&mut self, value: T) -> bool {
        self.0
            .insert(TypeId::of::<T>(), (type_name::<T>(), Arc::new(value)))
            .is_some()
    }

    pub(crate) fn find<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.1.downcast_ref()
    }
}

impl fmt::Debug for TypeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.values().map(|(name, _)| name))
            .finish()
    }
}
