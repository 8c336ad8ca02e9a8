//! A run's hold on its task: renewed while the handler is at work, given up at its end. Finds out
//! when the task is to end, or has another run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::head::{RunEnd, TaskBeat, TaskHead};
use super::store::StoredTask;
use crate::join::sooner;
use crate::port::Platform;
use crate::port::audit_log::{TaskChange, TaskNews};
use crate::port::store_error::StoreError;
use crate::port::tasks::{Swapped, TaskPart};

/// From one beat to the next, at most: three are missed before the task is another run's. Otherwise
/// as often as clients ask, so that what they want is done by the time they ask for it.
const BEAT_MS: u64 = 15_000;
/// At least.
const SOONEST_MS: u64 = 1_000;
/// How often a beat is tried again that others came before.
const TRIES: usize = 8;

/// Why a run has to stop before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The client wants the task to end.
    Cancelled,
    /// The task has another run, or is gone.
    Lost,
    /// The instance ends: another one goes on.
    HandedOver,
}

pub(crate) struct RunHold {
    stored: StoredTask,
    platform: Arc<Platform>,
    id: String,
    /// Once it is known.
    tool: OnceLock<Arc<str>>,
    holder: String,
    poll_ms: u64,
    /// The head as this run knows it.
    known: Mutex<(TaskHead, u64)>,
    message: Mutex<Option<String>>,
    stop: Mutex<Option<Stop>>,
    /// Whether the store did not keep the last step.
    unkept: AtomicBool,
}

impl RunHold {
    /// Of a run that has just claimed the task.
    pub(crate) fn new(
        stored: StoredTask,
        platform: &Arc<Platform>,
        holder: String,
        head: TaskHead,
        version: u64,
    ) -> Self {
        Self {
            stored,
            platform: Arc::clone(platform),
            id: head.id.clone(),
            tool: OnceLock::new(),
            holder,
            poll_ms: head.poll_ms,
            known: Mutex::new((head, version)),
            message: Mutex::default(),
            stop: Mutex::default(),
            unkept: AtomicBool::default(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The run begins, of this tool.
    pub(crate) fn begin(&self, tool: &str) {
        let _ = self.tool.set(tool.into());
        self.tell(TaskChange::Started);
    }

    /// Who watches is told of runs whose tool is there.
    pub(crate) fn tell(&self, change: TaskChange<'_>) {
        if let Some(tool) = self.tool.get() {
            let news = TaskNews::new(tool, &self.id, change);
            self.platform.audit_log.task(&news);
        }
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        *lock(&self.stop)
    }

    /// Whether the handler was told that the store did not keep its last step: the run before it is
    /// not its fault, and another one goes on from the step that was kept.
    pub(crate) fn has_unkept_step(&self) -> bool {
        self.unkept.load(Ordering::Relaxed)
    }

    /// Keeps this part as a step forward. Ends badly once the run has to stop, and where the store
    /// did not keep it, which the log is told.
    pub(crate) async fn step(&self, part: (TaskPart, Bytes)) -> Result<(), ()> {
        let renewed = self.renew(true, vec![part]).await;
        self.unkept.store(renewed.is_err(), Ordering::Relaxed);
        match renewed {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(()),
            Err(error) => {
                self.stored.failed(&error);
                Err(())
            }
        }
    }

    fn stop(&self, stop: Stop) -> Stop {
        *lock(&self.stop) = Some(stop);
        stop
    }

    /// Told with the next beat.
    pub(crate) fn say(&self, message: String) {
        *lock(&self.message) = Some(message);
    }

    /// Renews the hold until the run has to stop. The store's failures are told to the log, and the
    /// next beat tries again: who is late has lost the task.
    pub(crate) async fn beat(&self) -> Stop {
        match sooner(self.platform.shutdown(), self.beats()).await {
            Ok(()) => self.stop(Stop::HandedOver),
            Err(stop) => stop,
        }
    }

    async fn beats(&self) -> Stop {
        let pause = Duration::from_millis(self.poll_ms.clamp(SOONEST_MS, BEAT_MS));
        loop {
            self.platform.timer.sleep(pause).await;
            match self.renew(false, Vec::new()).await {
                Ok(Some(stop)) => return stop,
                Ok(None) => {}
                Err(error) => self.stored.failed(&error),
            }
        }
    }

    /// Renews it once, and writes these parts with it: steps forward, if there are any.
    pub(crate) async fn renew(
        &self,
        forward: bool,
        also: Vec<(TaskPart, Bytes)>,
    ) -> Result<Option<Stop>, StoreError> {
        for _ in 0..TRIES {
            let (head, version) = lock(&self.known).clone();
            let message = lock(&self.message).clone();
            let now_ms = self.platform.clock.now_ms();
            let next = match head.beat(&self.holder, message.as_deref(), forward, now_ms) {
                TaskBeat::Goes(next) => next,
                TaskBeat::Cancelled => return Ok(Some(self.stop(Stop::Cancelled))),
                TaskBeat::Lost => return Ok(Some(self.stop(Stop::Lost))),
            };
            match self.stored.swap(version, &next, also.clone()).await {
                Ok(Swapped::Done) => {
                    if let Some(status) = message.filter(|_| next.message != head.message) {
                        self.tell(TaskChange::Status(&status));
                    }
                    *lock(&self.known) = (next, version + 1);
                    return Ok(None);
                }
                Ok(Swapped::Changed) => match self.stored.read(&[]).await? {
                    Some(read) => *lock(&self.known) = (read.head, read.version),
                    None => return Ok(Some(self.stop(Stop::Lost))),
                },
                Ok(Swapped::Gone) => return Ok(Some(self.stop(Stop::Lost))),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::new("others changed the task again and again"))
    }

    /// Ends the run, with these parts; gives the head of then, if the task was still this run's.
    pub(crate) async fn end(
        &self,
        end: &RunEnd,
        also: Vec<(TaskPart, Bytes)>,
    ) -> Result<Option<TaskHead>, StoreError> {
        let message = lock(&self.message).clone();
        let ended = self.stored.change(&[], |read, now_ms| {
            let mut head = read.head.end(&self.holder, end, now_ms)?;
            if !matches!(end, RunEnd::Failed(_))
                && let Some(message) = &message
            {
                head.message = Some(message.clone());
            }
            let goes_on =
                !head.status.is_final() || matches!(end, RunEnd::Completed | RunEnd::Failed(_));
            // of a task that was cancelled in the last moment nothing is kept
            Some((head, if goes_on { also.clone() } else { Vec::new() }))
        });
        Ok(ended
            .await?
            .and_then(|(head, changed)| changed.then_some(head)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
