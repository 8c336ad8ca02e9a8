//! Runs tasks in this process: each order is a task of tokio. Where several instances share a store
//! of tasks, each runs what was begun or asked for on it, and takes up what another one left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use mcpfn_core::Server;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::TaskRun;
use mcpfn_core::port::{Platform, StoreError, TaskRunner};
use tokio::sync::Notify;

use crate::task_turns::{TaskTurn, TaskTurns};

/// Most tasks that are at work at the same time, and twice those of one caller; others wait for
/// their turn.
const AT_ONCE: usize = 64;
/// After a store that could not be asked, in milliseconds.
const PAUSE_MS: u64 = 5_000;
/// How often it is asked before the task is left to the next client that asks for it.
const TRIES: u32 = 12;

/// What runs tasks in this process. Copies share everything.
///
/// ```
/// use std::sync::Arc;
/// use mcpfn_core::{NoArguments, Server, Tool, round_trip::Keyring, task::TaskOptions};
/// use mcpfn_native::{TaskRuns, memory::MemoryStores};
///
/// let tool = Tool::new("sum").description("Sums up.").task(TaskOptions::new());
/// let server = Server::builder("shop", "1.0.0")
///     .tool(tool.handler(|_: NoArguments| async { "7" }))
///     .build()?;
/// let runs = TaskRuns::default();
/// let platform = mcpfn_native::platform(Keyring::new([7; 32]))
///     .with_tasks(Arc::new(MemoryStores::default()), Arc::new(runs.clone()));
/// let platform = Arc::new(platform);
/// runs.serve(&server, &platform);
/// # Ok::<(), mcpfn_core::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct TaskRuns(Arc<Inner>);

struct Inner {
    bound: OnceLock<(Server, Weak<Platform>)>,
    /// Keys of tasks that this process is at, and whether one was ordered again since.
    orders: Mutex<HashMap<String, bool>>,
    turns: TaskTurns,
    /// Told when there are no orders any more.
    idle: Notify,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            bound: OnceLock::new(),
            orders: Mutex::default(),
            turns: TaskTurns::new(AT_ONCE),
            idle: Notify::new(),
        }
    }
}

impl std::fmt::Debug for TaskRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskRuns")
            .field("orders", &self.count())
            .finish_non_exhaustive()
    }
}

impl TaskRuns {
    /// What is run, on which platform. The first call counts; before it, nothing is run.
    pub fn serve(&self, server: &Server, platform: &Arc<Platform>) {
        // weak, because the platform has these runs
        let _ = self.0.bound.set((server.clone(), Arc::downgrade(platform)));
    }

    /// How many tasks this process is at, or waits to go on with.
    #[must_use]
    pub fn count(&self) -> usize {
        self.orders().len()
    }

    /// Waits until this process is at no task: soon, once the platform's shutdown has begun.
    pub async fn given_back(&self) {
        loop {
            let mut idle = std::pin::pin!(self.0.idle.notified());
            // before the look: an end that comes between the two is not missed
            idle.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            idle.await;
        }
    }

    fn orders(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task has to be taken up: it was ordered once more while it was being run.
    fn ended(&self, key: &str) -> bool {
        let mut orders = self.orders();
        if let Some(again) = orders.get_mut(key).filter(|again| **again) {
            *again = false;
            return true;
        }
        orders.remove(key);
        if orders.is_empty() {
            self.0.idle.notify_waiters();
        }
        false
    }

    async fn run(self, key: String, not_before_ms: u64) {
        let (mut at_ms, mut tries) = (not_before_ms, 0);
        while let Some((server, platform)) = self.bound() {
            let wait = Duration::from_millis(at_ms.saturating_sub(platform.now_ms()));
            // until the process ends: what waits for its time or its turn is another one's then
            let turn = tokio::select! {
                () = platform.shutdown() => None,
                turn = self.turn(&key, wait) => Some(turn),
            };
            let next = match turn {
                Some(_turn) => server.run_task(&key, &platform, None).await,
                None => TaskRun::Ended,
            };
            match next {
                TaskRun::Again { at_ms: next_ms } => at_ms = next_ms,
                TaskRun::Unavailable if tries < TRIES => {
                    tries += 1;
                    at_ms = platform.now_ms() + PAUSE_MS;
                }
                TaskRun::Ended | TaskRun::Unavailable => {
                    if !self.ended(&key) {
                        return;
                    }
                    at_ms = 0;
                }
            }
        }
        while self.ended(&key) {}
    }

    async fn turn<'a>(&'a self, key: &'a str, wait: Duration) -> TaskTurn<'a> {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.0.turns.take(key).await
    }

    /// The server and its platform, while there are any.
    fn bound(&self) -> Option<(&Server, Arc<Platform>)> {
        let (server, platform) = self.0.bound.get()?;
        Some((server, platform.upgrade()?))
    }
}

impl TaskRunner for TaskRuns {
    fn start<'a>(
        &'a self,
        key: &'a str,
        not_before_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if let Some(again) = self.orders().get_mut(key) {
                *again = true;
                return Ok(());
            }
            self.orders().insert(key.to_owned(), false);
            tokio::spawn(self.clone().run(key.to_owned(), not_before_ms));
            Ok(())
        })
    }
}
