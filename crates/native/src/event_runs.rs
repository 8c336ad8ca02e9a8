//! Sends events to subscribers from this process: takes work out of a queue while the process lives,
//! some of it at a time. Where several instances share a queue each takes what the others have not.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use mcpfn_core::Server;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::EventJobRun;
use mcpfn_core::port::{
    EventJob, EventJobEnd, EventJobs, EventQueue, Platform, StoreError, TakenEventJob,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Most work at the same time: one receiver that hangs holds a place for ten seconds.
const AT_ONCE: usize = 64;
/// How long work is one's own, in milliseconds: longer than any of it takes.
const LEASE_MS: u64 = 60_000;
/// After a store that could not be asked.
const PAUSE: Duration = Duration::from_secs(5);
/// The queue is looked at so often, whatever is known of it: another instance may have put something.
const LOOK: Duration = Duration::from_secs(2);

/// What sends events from this process. Copies share everything; the queue tells it of what is put.
///
/// ```
/// use std::sync::Arc;
/// use mcpfn_core::{Server, event::Event, port::EventPorts, round_trip::Keyring};
/// use mcpfn_native::{EventRuns, memory::MemoryStores};
///
/// let event = Event::new("door.opened").description("A door was opened.");
/// let server = Server::builder("house", "1.0.0")
///     .event(event.payload_schema(serde_json::json!({})))
///     .build()?;
/// let stores = Arc::new(MemoryStores::default());
/// let runs = EventRuns::default().over(stores.clone());
/// let ports = EventPorts::new(stores.clone()).webhooks(stores, Arc::new(runs.clone()));
/// let platform = mcpfn_native::platform(Keyring::new([7; 32])).with_events(ports);
/// runs.serve(&server, &Arc::new(platform));
/// // tokio::spawn(runs.keep_sending());
/// # Ok::<(), mcpfn_core::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct EventRuns(Arc<RunsOfEvents>);

#[derive(Default)]
struct RunsOfEvents {
    queue: OnceLock<Arc<dyn EventJobs>>,
    bound: OnceLock<(Server, Weak<Platform>)>,
    told: Notify,
    sends: AtomicBool,
}

impl std::fmt::Debug for EventRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventRuns")
            .field("bound", &self.0.bound.get().is_some())
            .finish_non_exhaustive()
    }
}

impl EventRuns {
    /// Takes work out of this queue, and puts it there. The first call counts.
    #[must_use]
    pub fn over(self, queue: Arc<dyn EventJobs>) -> Self {
        let _ = self.0.queue.set(queue);
        self
    }

    /// Whose events are sent, on which platform. The first call counts.
    pub fn serve(&self, server: &Server, platform: &Arc<Platform>) {
        // weak, because the platform has this
        let _ = self.0.bound.set((server.clone(), Arc::downgrade(platform)));
        self.0.told.notify_one();
    }

    /// Sends events for as long as the platform is there, and reads those for their subscribers that
    /// have a function of their own. Ends at once for a server without events, and where this process
    /// sends already: it does from the first event on that it puts itself.
    pub async fn keep_sending(self) {
        let reads = self.clone().keep_reading();
        tokio::join!(reads, self.keep_taking());
    }

    async fn keep_taking(self) {
        let has_events = self.0.bound.get().map(|(server, _)| server.has_events());
        if has_events == Some(true) && !self.0.sends.swap(true, Ordering::Relaxed) {
            self.send().await;
        }
    }

    /// Has functions of events asked, as often as they say; where there are none, never.
    async fn keep_reading(self) {
        let Some((server, platform)) = self.0.bound.get() else {
            return;
        };
        let Some(every) = server.pumps_every() else {
            return;
        };
        loop {
            let Some(platform) = platform.upgrade() else {
                return;
            };
            let pumped = server.pump_events(&platform).await;
            drop(platform);
            if !pumped.more {
                tokio::time::sleep(every).await;
            }
        }
    }

    async fn send(self) {
        let (Some((server, platform)), Some(queue)) = (self.0.bound.get(), self.0.queue.get())
        else {
            return;
        };
        let key = server.event_queue();
        let mut running = JoinSet::new();
        loop {
            while running.try_join_next().is_some() {}
            let Some(platform) = platform.upgrade() else {
                return;
            };
            let now_ms = platform.now_ms();
            let free = AT_ONCE.saturating_sub(running.len());
            let taken = match free {
                0 => Ok(Vec::new()),
                free => queue.take(&key, now_ms, now_ms + LEASE_MS, free).await,
            };
            let taken = match taken {
                Ok(taken) => taken,
                Err(error) => {
                    platform
                        .audit_log()
                        .store_failure("events", &error.to_string());
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let idle = taken.is_empty();
            for taken in taken {
                let (queue, server) = (Arc::clone(queue), server.clone());
                running.spawn(run(queue, server, Arc::clone(&platform), taken));
            }
            if idle {
                self.wait(queue, server, &platform, &mut running).await;
            }
        }
    }

    /// Until there may be something to take.
    async fn wait(
        &self,
        queue: &Arc<dyn EventJobs>,
        server: &Server,
        platform: &Arc<Platform>,
        running: &mut JoinSet<()>,
    ) {
        let now_ms = platform.now_ms();
        let next = queue
            .next_due(&server.event_queue(), now_ms)
            .await
            .ok()
            .flatten();
        let pause = next.map_or(LOOK, |due_ms| {
            Duration::from_millis(due_ms.saturating_sub(now_ms).max(1)).min(LOOK)
        });
        if running.len() >= AT_ONCE {
            running.join_next().await;
        } else {
            // told or not, it is looked again
            let _ = tokio::time::timeout(pause, self.0.told.notified()).await;
        }
    }
}

/// Does work that was taken, and says what follows it.
async fn run(
    queue: Arc<dyn EventJobs>,
    server: Server,
    platform: Arc<Platform>,
    taken: TakenEventJob,
) {
    let work = taken.job.body.clone();
    // a panic in one of an author's functions is this work's, which would panic again
    let done = AssertUnwindSafe(server.run_event_job(work, &platform)).catch_unwind();
    let done = done.await.unwrap_or_else(|_| EventJobRun::Dead {
        reason: "a function of the event panicked; the log says where".to_owned(),
    });
    let end = match done {
        EventJobRun::Done => EventJobEnd::Done,
        EventJobRun::Again { body, at_ms } => EventJobEnd::Again(body, at_ms),
        EventJobRun::Dead { reason } => EventJobEnd::Dead(reason),
        EventJobRun::Unavailable => {
            let pause_ms = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
            let at_ms = platform.now_ms().saturating_add(pause_ms);
            EventJobEnd::Again(taken.job.body.clone(), at_ms)
        }
    };
    if let Err(error) = queue
        .finish(&server.event_queue(), &taken, end, platform.now_ms())
        .await
    {
        // it is taken again once its lease is over: the receiver knows it by its id
        platform
            .audit_log()
            .store_failure("events", &error.to_string());
    }
}

impl EventQueue for EventRuns {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let jobs_of = self.0.queue.get();
            let jobs_of = jobs_of.ok_or_else(|| StoreError::lasting("there is no queue"))?;
            jobs_of.put(queue, jobs, now_ms).await?;
            if !self.0.sends.swap(true, Ordering::Relaxed) {
                tokio::spawn(self.clone().send());
            }
            self.0.told.notify_one();
            Ok(())
        })
    }
}
