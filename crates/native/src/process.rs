//! What every host that is a process makes in the same way: the platform with work after an answer,
//! a client for other HTTP services (with the feature `client`) and spans for a collector. Which stores it has is the host's
//! business.

use std::sync::Arc;

#[cfg(feature = "client")]
use mcpfn_core::port::HttpClient;
use mcpfn_core::{Server, port::Platform, round_trip::Keyring};

use crate::background::Tasks;
use crate::blocking::BlockingThreads;
#[cfg(feature = "client")]
use crate::client::Client;
use crate::event_runs::EventRuns;
use crate::ports::platform;
use crate::shutdown::ProcessShutdown;
use crate::task_runs::TaskRuns;
use crate::telemetry::{Telemetry, Transport};

/// What a host waits for before its process ends or is frozen.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// Work that no call waits for.
    pub tasks: Tasks,
    /// Spans on their way to a collector.
    pub telemetry: Telemetry,
    /// What runs tasks of clients, where the host has a store for them.
    pub task_runs: TaskRuns,
    /// Whether it is to end.
    pub shutdown: ProcessShutdown,
    /// What sends events to subscribers, where the host has a queue for them.
    pub event_runs: EventRuns,
}

impl Process {
    /// The platform of a process that serves `server`, without stores. `audit` may put metrics in
    /// front of the audit log.
    ///
    /// # Errors
    /// When variables name a collector of spans that can't be used; a sentence that says what to
    /// change.
    pub fn start(
        server: &Server,
        keys: Keyring,
        transport: Transport,
        audit: impl FnOnce(Platform) -> Platform,
    ) -> Result<(Platform, Self), String> {
        let tasks = Tasks::default();
        let shutdown = ProcessShutdown::default();
        let platform = platform(keys)
            .with_shutdown(Arc::new(shutdown.clone()))
            .with_background(Arc::new(tasks.clone()))
            .with_blocking(Arc::new(BlockingThreads::default()));
        let platform = audit(platform);
        #[cfg(feature = "client")]
        let platform = platform.with_port::<dyn HttpClient>(Arc::new(Client::new()));
        let (platform, telemetry) = Telemetry::apply(platform, server.name(), transport)?;
        let process = Self {
            tasks,
            telemetry,
            task_runs: TaskRuns::default(),
            shutdown,
            event_runs: EventRuns::default(),
        };
        Ok((platform, process))
    }

    /// Waits for that work, and sends those spans.
    pub async fn drain(&self) {
        self.tasks.drain().await;
        self.telemetry.flush().await;
    }
}
