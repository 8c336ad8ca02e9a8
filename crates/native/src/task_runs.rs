//! Runs tasks in this process: each order is a task of tokio. Where several instances share a store
//! of tasks, each runs what was begun or asked for on it, and takes up what another one left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use mcpfn_core::Server;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::TaskRun;
use mcpfn_core::port::{Platform, StoreError, TaskRunner};
use tokio::sync::Semaphore;

/// Most tasks that are at work at the same time; others wait for their turn.
const AT_ONCE: usize = 64;
/// After a store that could not be asked.
const PAUSE: Duration = Duration::from_secs(5);
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
    turns: Semaphore,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            bound: OnceLock::new(),
            orders: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
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

    fn orders(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task has to be taken up: it was ordered once more while it was being run.
    fn ended(&self, key: &str) -> bool {
        let mut orders = self.orders();
        match orders.get_mut(key) {
            Some(again) if *again => {
                *again = false;
                true
            }
            _ => {
                orders.remove(key);
                false
            }
        }
    }

    async fn run(self, key: String, not_before_ms: u64) {
        let Some((server, platform)) = self.0.bound.get() else {
            self.orders().remove(&key);
            return;
        };
        let mut at_ms = not_before_ms;
        let mut tries = 0;
        loop {
            let Some(platform) = platform.upgrade() else {
                break;
            };
            let wait_ms = at_ms.saturating_sub(platform.now_ms());
            if wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            let next = {
                // closed by nobody
                let _turn = self.0.turns.acquire().await;
                server.run_task(&key, &platform, None).await
            };
            match next {
                TaskRun::Again { at_ms: next_ms } => at_ms = next_ms,
                TaskRun::Unavailable if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                TaskRun::Ended | TaskRun::Unavailable => {
                    if !self.ended(&key) {
                        return;
                    }
                    at_ms = 0;
                }
            }
        }
        self.orders().remove(&key);
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
