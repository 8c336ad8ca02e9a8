//! What is bound for events: the objects that keep them, and queues. Whether it is what it must be is
//! in `bound`.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::port::{EventLog, EventPorts, EventSubscriptions};

use crate::bound::{self, EVENT_OBJECTS, EVENT_QUEUE, EVENTS};
#[cfg(feature = "events")]
use crate::bound::{EVENT_DEAD, QUEUE};
use crate::settings::EVENTS_SCHEDULE;
#[cfg(feature = "events")]
use crate::stores::{DurableEvents, QueueOfEvents};
use crate::variables::Variables;

/// How long a client holds a stream of events, and from one look to the next on it: each is a
/// subrequest, of which a request on the free plan has 50.
const EVENT_STREAM: Duration = Duration::from_secs(300);
const EVENT_LOOKS: Duration = Duration::from_secs(10);

/// Logs of events, and who subscribed.
pub type EventStorePorts = (Arc<dyn EventLog>, Arc<dyn EventSubscriptions>);

/// Where events are kept and what sends them.
#[derive(Debug, Default)]
pub(crate) struct EventStores {
    pub(crate) ports: Option<EventPorts>,
    #[cfg(feature = "events")]
    pub(crate) queue: Option<Arc<QueueOfEvents>>,
}

impl Variables {
    /// The logs of events and who subscribed, in a namespace of Durable Objects, if anything is bound
    /// to the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature `events`: a
    /// sentence that says what to change.
    pub fn event_stores(&self, binding: &str) -> Result<Option<EventStorePorts>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        #[cfg(feature = "events")]
        if let Some(namespace) = EVENT_OBJECTS.find(&self.env, binding) {
            let events = Arc::new(DurableEvents::new(namespace));
            return Ok(Some((Arc::clone(&events) as _, events)));
        }
        Err(format!(
            "{}, and build with the feature `events` of mcpfn",
            EVENT_OBJECTS.mistake(&self.env, binding)
        ))
    }

    /// Where events are kept and what sends them, of the names that this host knows. Without a queue
    /// nothing is sent. `scheduled` is whether a schedule reads events that have a function.
    ///
    /// # Errors
    /// As [`Variables::event_stores`], and for a queue that is alone or a schedule that sends nothing.
    pub(crate) fn events(&self, scheduled: bool) -> Result<EventStores, String> {
        if scheduled && bound::bound(&self.env, EVENT_QUEUE).is_none() {
            return Err(format!(
                "{EVENTS_SCHEDULE}=on has no effect without {EVENT_QUEUE}, through which events are \
                 sent: bind it as [[queues.producers]] in wrangler.toml, or remove the variable"
            ));
        }
        let Some((log, subscriptions)) = self.event_stores(EVENTS)? else {
            return match bound::bound(&self.env, EVENT_QUEUE) {
                None => Ok(EventStores::default()),
                Some(_) => Err(format!(
                    "{EVENT_QUEUE} is bound, and what it sends is kept nowhere: {}",
                    EVENT_OBJECTS.mistake(&self.env, EVENTS)
                )),
            };
        };
        let mut ports = EventPorts::new(log)
            .streams(EVENT_STREAM)
            .looking_every(EVENT_LOOKS);
        if scheduled {
            ports = ports.pumped();
        }
        #[cfg(feature = "events")]
        if let Some(queue) = QUEUE.find(&self.env, EVENT_QUEUE) {
            let dead = QUEUE.find(&self.env, EVENT_DEAD);
            let queue = Arc::new(QueueOfEvents::new(queue, dead));
            return Ok(EventStores {
                ports: Some(ports.webhooks(subscriptions, Arc::clone(&queue) as _)),
                queue: Some(queue),
            });
        }
        let _ = subscriptions;
        Ok(EventStores {
            ports: Some(ports),
            ..EventStores::default()
        })
    }
}
