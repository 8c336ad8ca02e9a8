//! Emitting: an event is appended to its log, and subscribers are to hear of it. By a handler, or by
//! what is no call: an event of a queue, a stream or a schedule of the platform.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::job::EventWork;
use super::occurrence::{EventOccurrence, WireOccurrence};
use super::registry::{RegisteredEvent, ServerEvents, sends};
use super::signature::hex;
use crate::context::Cx;
use crate::error::ToolError;
use crate::jsonrpc::to_json;
use crate::policy::asked::asked;
use crate::port::{EVENT_BYTES, Platform, StoreError};
use crate::server::Server;

impl Cx {
    /// Says that something happened: clients that want to hear of this event of the server do so from
    /// now on. Ends once it is kept, with the event's id.
    ///
    /// # Errors
    /// Where the event is none of the server's, its payload does not fit, or it could not be kept. What
    /// the handler did before is done all the same.
    pub async fn emit(&self, event: &str, payload: &impl Serialize) -> Result<String, ToolError> {
        let id = new_id(self.platform());
        self.emit_as(id, event, payload).await
    }

    /// The same with the id that it has where it comes from, by which clients know one that they heard
    /// of before: see [`EventOccurrence::new`](crate::event::EventOccurrence::new).
    ///
    /// # Errors
    /// As [`Cx::emit`].
    pub async fn emit_as(
        &self,
        id: impl Into<String>,
        event: &str,
        payload: &impl Serialize,
    ) -> Result<String, ToolError> {
        let service = self.server_state().find();
        let occurrence = EventOccurrence::new(id, self.now_ms(), payload);
        emit(service, self.platform(), event, occurrence).await
    }
}

impl Server {
    /// Says that something happened, for what is no call: the platform's own events.
    ///
    /// ```
    /// use mcpfn_core::event::{Event, EventOccurrence};
    /// use mcpfn_core::Server;
    /// use mcpfn_testing::{TestClient, block_on};
    /// use serde_json::json;
    ///
    /// let arrived = Event::new("file.arrived")
    ///     .description("A file arrived.")
    ///     .payload_schema(json!({"type": "object", "required": ["key"]}));
    /// let client = TestClient::new(Server::builder("shop", "1.0.0").event(arrived));
    /// let (server, platform) = (client.server(), client.platform());
    /// let file = |data| EventOccurrence::new("notification-7", platform.now_ms(), &data);
    /// let emitted = server.emit(platform, "file.arrived", file(json!({"key": "a.csv"})));
    /// assert_eq!(block_on(emitted).unwrap(), "notification-7");
    /// assert!(block_on(server.emit(platform, "file.arrived", file(json!({})))).is_err());
    /// ```
    ///
    /// # Errors
    /// As [`Cx::emit`].
    pub async fn emit(
        &self,
        platform: &Arc<Platform>,
        event: &str,
        occurrence: EventOccurrence,
    ) -> Result<String, ToolError> {
        emit(ServerEvents::of(self), platform, event, occurrence).await
    }
}

/// An id that nothing else has.
fn new_id(platform: &Platform) -> String {
    let mut id = [0; 16];
    platform.random.fill(&mut id);
    format!("evt_{}", hex(&id))
}

async fn emit(
    service: Option<&ServerEvents>,
    platform: &Platform,
    name: &str,
    occurrence: EventOccurrence,
) -> Result<String, ToolError> {
    let unknown = || {
        ToolError::internal(format_args!(
            "the server has no event `{name}` to emit: give it to `Builder::event`, without `poll`"
        ))
    };
    let service = service.ok_or_else(unknown)?;
    let event = service.index.get(name).filter(|event| event.poll.is_none());
    let event = event.ok_or_else(unknown)?;
    let written = occurrence.written(name).map_err(ToolError::internal)?;
    let (id, body) = (written.event_id.clone(), event.checked(&written)?);
    let emission = Emission {
        service,
        event,
        platform,
    };
    emission.keep(vec![body]).await.map_err(|error| {
        platform.store_failed("event log", &error);
        let sentence = "what happened could not be told to those who wait for it";
        ToolError::unavailable(sentence, format_args!("{name}: {error}"))
    })?;
    Ok(id)
}

impl RegisteredEvent {
    /// As the log has it.
    ///
    /// # Errors
    /// What the author did wrong.
    pub(crate) fn checked(&self, written: &WireOccurrence) -> Result<Bytes, ToolError> {
        let name = &self.name;
        self.data.check(&written.data).map_err(|violations| {
            ToolError::internal(format_args!(
                "an event of `{name}` does not fit its schema:\n{violations}"
            ))
        })?;
        let body = to_json(written);
        if body.len() > EVENT_BYTES {
            return Err(ToolError::internal(format_args!(
                "an event of `{name}` has {} bytes, and {EVENT_BYTES} are the most: let it name \
                 where the rest is",
                body.len()
            )));
        }
        Ok(body.into())
    }
}

/// Events on their way into the log, and to who subscribed.
pub(crate) struct Emission<'a> {
    pub(crate) service: &'a ServerEvents,
    pub(crate) event: &'a RegisteredEvent,
    pub(crate) platform: &'a Platform,
}

impl Emission<'_> {
    /// All that were checked, in their order; or, where a store is down, those before.
    pub(crate) async fn keep(self, bodies: Vec<Bytes>) -> Result<(), StoreError> {
        let Self {
            service,
            event,
            platform,
        } = self;
        let missing = || StoreError::lasting("this host keeps no events");
        let ports = platform.events.as_ref().ok_or_else(missing)?;
        let webhooks = ports.webhooks.as_ref().filter(|_| sends(platform));
        let topic = service.topic(&event.name);
        let mut jobs = Vec::new();
        for body in bodies {
            let now_ms = platform.clock.now_ms();
            let append = ports.log.append(&topic, body, now_ms, event.keep);
            let position = asked(&platform.timer, append).await?;
            if webhooks.is_some() {
                jobs.push(EventWork::fan_out(&event.name, position).job(&service.server, now_ms));
            }
        }
        if let Some(webhooks) = webhooks.filter(|_| !jobs.is_empty()) {
            let (queue, now_ms) = (service.queue(), platform.clock.now_ms());
            let put = webhooks.queue.put(&queue, jobs, now_ms);
            asked(&platform.timer, put).await?;
        }
        Ok(())
    }
}
