//! Events as a built server holds them: checked, by name, their schemas compiled. In the server's
//! state, with the functions that serve them: a server without events has none of their code.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use mcpfn_schema::Schema;
use serde_json::Value;

use super::job::{EventJobRun, EventsPumped};
use super::typed::{ErasedPoll, Permission, Selection, equal_members};
use crate::arguments;
use crate::call::Call;
use crate::canonical::digest_key;
use crate::jsonrpc::Error;
use crate::model::JsonObject;
use crate::port::{EventRetention, HttpClient, Platform};
use crate::principal::Principal;
use crate::running::Execution;
use crate::send::BoxFuture;
use crate::server::Server;

/// Serves a method of the extension.
pub(crate) type ServeEvents =
    fn(&Server, &Call<'_>, &'static str, &Arc<Platform>) -> Result<Execution, Error>;
/// Does work of the queue.
pub(crate) type RunEventJob = fn(Server, Bytes, Arc<Platform>) -> BoxFuture<'static, EventJobRun>;
/// Reads events for their subscribers.
pub(crate) type PumpEvents = fn(Server, Arc<Platform>, u64) -> BoxFuture<'static, EventsPumped>;

/// All events of a server.
pub(crate) struct ServerEvents {
    pub(crate) server: String,
    pub(crate) events: Vec<Arc<RegisteredEvent>>,
    pub(crate) index: HashMap<String, Arc<RegisteredEvent>>,
    pub(crate) serve: ServeEvents,
    pub(crate) run: RunEventJob,
    pub(crate) pump: PumpEvents,
}

impl ServerEvents {
    pub(crate) fn new(
        server: String,
        events: Vec<RegisteredEvent>,
        serve: ServeEvents,
        (run, pump): (RunEventJob, PumpEvents),
    ) -> Self {
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let index = events.iter();
        let index = index.map(|event| (event.name.clone(), Arc::clone(event)));
        Self {
            server,
            index: index.collect(),
            events,
            serve,
            run,
            pump,
        }
    }

    /// What a built server has.
    pub(crate) fn of(server: &Server) -> Option<&Self> {
        server.state().find()
    }

    /// The key of an event's log.
    pub(crate) fn topic(&self, event: &str) -> String {
        digest_key(&[b"events", self.server.as_bytes(), event.as_bytes()])
    }

    /// The key of the queue of what is to be sent.
    pub(crate) fn queue(&self) -> String {
        queue(&self.server)
    }

    /// The key of what a caller subscribed to.
    pub(crate) fn owner(&self, principal: &str) -> String {
        digest_key(&[b"subscriber", self.server.as_bytes(), principal.as_bytes()])
    }
}

pub(crate) struct RegisteredEvent {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) meta: JsonObject,
    pub(crate) input: Value,
    pub(crate) arguments: Schema,
    pub(crate) payload: Value,
    pub(crate) data: Schema,
    pub(crate) selection: Option<Box<dyn Selection>>,
    pub(crate) permission: Option<Box<dyn Permission>>,
    pub(crate) poll: Option<Box<dyn ErasedPoll>>,
    /// With a function, and sent all the same.
    pub(crate) sent: bool,
    pub(crate) keep: EventRetention,
    pub(crate) every_ms: u64,
}

impl RegisteredEvent {
    /// Arguments that fit the schema, in one spelling of numbers.
    ///
    /// # Errors
    /// What does not fit, a line for each.
    pub(crate) fn fit(&self, mut given: Value) -> Result<Value, String> {
        let checked = self.arguments.check(&given);
        checked.map_err(|violations| violations.to_string())?;
        arguments::with_integers(&mut given);
        Ok(given)
    }

    /// Whether a caller may know of it.
    pub(crate) fn is_visible(&self, principal: &Principal) -> bool {
        principal.scopes.contains_all(&self.scopes)
    }

    /// Whether a caller may hear of what it chose.
    pub(crate) fn allows(&self, principal: &Principal, arguments: &Value) -> bool {
        let permission = self.permission.as_ref();
        self.is_visible(principal)
            && permission.is_none_or(|permission| permission.allows(principal, arguments))
    }

    /// Whether a payload is among what a client chose.
    pub(crate) fn selects(&self, arguments: &Value, data: &Value) -> bool {
        match &self.selection {
            Some(selection) => selection.selects(arguments, data),
            None => equal_members(arguments, data),
        }
    }

    /// How clients can hear of it on this platform. Nothing where its log is missing.
    pub(crate) fn delivery(&self, platform: &Platform) -> Vec<&'static str> {
        let events = platform.events.as_ref();
        if self.poll.is_none() && events.is_none() {
            return Vec::new();
        }
        let mut delivery = vec!["poll"];
        if events.is_some_and(|events| events.streams.is_some()) {
            delivery.push("push");
        }
        if self.is_sent(platform) {
            delivery.push("webhook");
        }
        delivery
    }

    /// Whether it is sent to addresses of clients on this platform.
    pub(crate) fn is_sent(&self, platform: &Platform) -> bool {
        sends(platform) && (self.poll.is_none() || self.is_pumped(platform))
    }

    /// Whether its function is asked for its subscribers.
    pub(crate) fn is_pumped(&self, platform: &Platform) -> bool {
        self.poll.is_some() && self.sent && platform.pumps_events() && sends(platform)
    }
}

/// The key of the queue of a server.
pub(crate) fn queue(server: &str) -> String {
    digest_key(&[b"event queue", server.as_bytes()])
}

/// Whether a platform sends events to addresses of clients.
pub(crate) fn sends(platform: &Platform) -> bool {
    let events = platform.events.as_ref();
    events.is_some_and(|events| events.webhooks.is_some())
        && platform.port::<dyn HttpClient>().is_some()
}
