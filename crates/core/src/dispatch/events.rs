//! Events (SEP-3415): what clients do with them, and what is done for subscribers. Reached through the
//! functions that a server with events has in its state, and by nothing else.

mod address;
mod deliver;
mod failed;
mod find;
mod list;
mod poll;
mod pump;
mod send;
mod stream;
mod subscribe;
mod unsubscribe;
mod verify;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::listen::not_found;
use crate::call::Call;
use crate::event::job::{EventJobRun, EventWork, EventsPumped};
use crate::event::registry::{ServerEvents, queue};
use crate::jsonrpc::Error;
use crate::port::Platform;
use crate::running::Execution;
use crate::send::BoxFuture;
use crate::server::Server;

/// Serves one of the five methods.
pub(crate) fn serve(
    server: &Server,
    call: &Call<'_>,
    method: &'static str,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let service = ServerEvents::of(server).ok_or_else(|| not_found(method))?;
    match method {
        "events/list" => list::list(server, call, platform),
        "events/poll" => poll::poll(server, service, call, platform),
        "events/stream" => stream::stream(server, service, call, platform),
        "events/subscribe" => subscribe::subscribe(server, service, call, platform),
        _ => unsubscribe::unsubscribe(server, call, platform),
    }
}

impl Server {
    /// Whether it has events: then a host takes work out of the queue of its subscribers.
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.capabilities().events.is_some()
    }

    /// The key of its queue of what is to be sent.
    #[must_use]
    pub fn event_queue(&self) -> String {
        queue(self.name())
    }

    /// Does work of the queue of events: finds subscribers, or sends an event to one. What follows it
    /// is for who took it out to see to. Dropping it is as if the process had ended: the work is done
    /// again.
    pub async fn run_event_job(&self, work: Bytes, platform: &Arc<Platform>) -> EventJobRun {
        match ServerEvents::of(self) {
            Some(service) => (service.run)(self.clone(), work, Arc::clone(platform)).await,
            // another version of this server had events
            None => EventJobRun::Done,
        }
    }

    /// How often [`Server::pump_events`] is worth it; never where no event needs it.
    #[must_use]
    pub fn pumps_every(&self) -> Option<Duration> {
        let events = ServerEvents::of(self)?.events.iter();
        let pumped = events.filter(|event| event.sent && event.poll.is_some());
        pumped
            .map(|event| Duration::from_millis(event.every_ms))
            .min()
    }

    /// Reads events that have a function ([`Event::poll`](crate::event::Event::poll)) and are
    /// [`sent`](crate::event::Event::sent), for those who subscribed to them: what is new since the
    /// last time is kept and sent as if it had been emitted. For a host with a timer or a schedule,
    /// whose [`EventPorts`](crate::port::EventPorts::pumped) say that there is one.
    ///
    /// Nothing is read of an event without subscribers. Calls at the same time, also of other
    /// instances, do no harm: one of them reads. An event takes at most a thousand occurrences of each
    /// call. Dropping it loses nothing: some are sent again, with the same ids.
    pub async fn pump_events(&self, platform: &Arc<Platform>) -> EventsPumped {
        self.pump_events_until(platform, u64::MAX).await
    }

    /// The same for a host whose time ends (milliseconds since 1970): nothing is begun in the last ten
    /// seconds of it. What is left then is for the next call.
    pub async fn pump_events_until(&self, platform: &Arc<Platform>, end_ms: u64) -> EventsPumped {
        match ServerEvents::of(self) {
            Some(service) => (service.pump)(self.clone(), Arc::clone(platform), end_ms).await,
            None => EventsPumped::default(),
        }
    }
}

/// Reads events for their subscribers.
pub(crate) fn pumped(
    server: Server,
    platform: Arc<Platform>,
    end_ms: u64,
) -> BoxFuture<'static, EventsPumped> {
    Box::pin(async move { pump::all(&server, &platform, end_ms).await })
}

/// Does work of the queue.
pub(crate) fn run(
    server: Server,
    work: Bytes,
    platform: Arc<Platform>,
) -> BoxFuture<'static, EventJobRun> {
    Box::pin(async move {
        let Some(work) = EventWork::read(&work) else {
            return EventJobRun::Dead {
                reason: "another version of this server wrote it".to_owned(),
            };
        };
        let Some(service) = ServerEvents::of(&server) else {
            return EventJobRun::Done;
        };
        let done = match work {
            EventWork::FanOut { event, at, after } => {
                find::subscribers(service, &platform, &event, at, after).await
            }
            EventWork::CatchUp {
                event,
                subscription,
                after,
                until,
            } => find::missed(service, &platform, &event, subscription, (after, until)).await,
            EventWork::Deliver {
                event,
                subscription,
                at,
                failures,
            } => deliver::deliver(service, &platform, (&event, &subscription, at, failures)).await,
        };
        done.unwrap_or_else(|error| {
            platform.store_failed("events", &error);
            EventJobRun::Unavailable
        })
    })
}
