//! Where a task is, and what may follow: pure functions from one head to the next. What makes a
//! change count is the store, which replaces a head only while it is the one that was read.
//!
//! A run holds the task by a lease that it renews; a lease that is over is a run that ended without
//! a word. Whoever asks for a task in between orders the next run, so that nothing has to watch.

use serde::{Deserialize, Serialize};

use crate::text::timestamp;

/// How long a run holds a task from one beat to the next, in milliseconds.
pub(crate) const LEASE_MS: u64 = 45_000;
/// How long a run that was ordered may take to begin, in milliseconds.
const ORDERED_MS: u64 = 10_000;
/// How often a task is taken up without a step forward before it is given up.
const ATTEMPTS: u32 = 5;

/// What clients are told of a task (SEP-2663).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Who runs a task, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunLease {
    pub(crate) holder: String,
    pub(crate) until_ms: u64,
}

/// Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskHead {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) created_ms: u64,
    /// Of the last change that a client sees.
    pub(crate) updated_ms: u64,
    pub(crate) ttl_ms: u64,
    pub(crate) poll_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Keys of questions, as the client has them, that were not answered yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<RunLease>,
    /// Runs that began since the last step forward.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// The client wants it to end.
    #[serde(default)]
    pub(crate) cancel: bool,
    /// No run begins before.
    #[serde(default)]
    pub(crate) wake_ms: u64,
    /// From when on the task stands still if no run began: those that were ordered at once have
    /// some time.
    #[serde(default)]
    pub(crate) due_ms: u64,
}

/// What a run finds that wants the task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TaskClaim {
    /// It has it: this head, once it is stored.
    Run(TaskHead),
    /// Another run has it, or it is not due: not before this time.
    NotYet(u64),
    /// It ends without a run: this head, once it is stored.
    End(TaskHead),
    /// There is nothing to do.
    Nothing,
}

/// What a run finds that says that it is still at it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TaskBeat {
    /// The task is still its own.
    Goes(TaskHead),
    /// The client wants it to end.
    Cancelled,
    /// The task was taken from it, because it was late, or has ended.
    Lost,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// With a result, which is stored with the head.
    Completed,
    /// With a protocol error, which is stored with the head.
    Failed(String),
    /// Because the client wanted it to.
    Cancelled,
    /// With questions under these keys.
    Asks(Vec<String>),
    /// To go on in another run, not before this time.
    Later(u64),
    /// Cut short: another run takes it up at once, and this one counts as an attempt.
    Cut,
    /// Cut short because its instance ends: whoever asks for the task next orders the run that goes
    /// on, on another instance, and this one is no attempt.
    HandedOver,
}

impl TaskHead {
    pub(crate) fn new(id: String, now_ms: u64, ttl_ms: u64, poll_ms: u64) -> Self {
        Self {
            id,
            status: Status::Working,
            created_ms: now_ms,
            updated_ms: now_ms,
            ttl_ms,
            poll_ms,
            message: None,
            open: Vec::new(),
            lease: None,
            attempts: 0,
            cancel: false,
            wake_ms: now_ms,
            due_ms: now_ms.saturating_add(ORDERED_MS),
        }
    }

    /// Until when the task is kept.
    pub(crate) fn expires_ms(&self) -> u64 {
        self.created_ms.saturating_add(self.ttl_ms)
    }

    fn held_until(&self, now_ms: u64) -> Option<u64> {
        let lease = self.lease.as_ref()?;
        (now_ms < lease.until_ms).then_some(lease.until_ms)
    }

    fn becomes(&self, status: Status, now_ms: u64) -> Self {
        Self {
            status,
            updated_ms: now_ms.max(self.updated_ms),
            lease: None,
            open: Vec::new(),
            ..self.clone()
        }
    }

    /// A run wants the task.
    pub(crate) fn claim(&self, holder: &str, now_ms: u64) -> TaskClaim {
        if self.status != Status::Working {
            return TaskClaim::Nothing;
        }
        if let Some(until_ms) = self.held_until(now_ms) {
            return TaskClaim::NotYet(until_ms);
        }
        if self.cancel {
            return TaskClaim::End(self.becomes(Status::Cancelled, now_ms));
        }
        if now_ms < self.wake_ms {
            return TaskClaim::NotYet(self.wake_ms);
        }
        if self.attempts >= ATTEMPTS {
            let mut head = self.becomes(Status::Failed, now_ms);
            head.message = Some(format!(
                "given up: {ATTEMPTS} runs began and none came further"
            ));
            return TaskClaim::End(head);
        }
        TaskClaim::Run(Self {
            attempts: self.attempts + 1,
            lease: Some(RunLease {
                holder: holder.to_owned(),
                until_ms: now_ms.saturating_add(LEASE_MS),
            }),
            ..self.clone()
        })
    }

    fn is_held_by(&self, holder: &str) -> bool {
        let lease = self.lease.as_ref();
        self.status == Status::Working && lease.is_some_and(|lease| lease.holder == holder)
    }

    /// The run is still at it. `forward` is whether it came a step further.
    pub(crate) fn beat(
        &self,
        holder: &str,
        message: Option<&str>,
        forward: bool,
        now_ms: u64,
    ) -> TaskBeat {
        if !self.is_held_by(holder) {
            return TaskBeat::Lost;
        }
        if self.cancel {
            return TaskBeat::Cancelled;
        }
        let mut head = self.clone();
        if let Some(message) = message.filter(|message| head.message.as_deref() != Some(*message)) {
            head.message = Some(message.to_owned());
            head.updated_ms = now_ms.max(head.updated_ms);
        }
        if forward {
            head.attempts = 0;
        }
        head.lease = Some(RunLease {
            holder: holder.to_owned(),
            until_ms: now_ms.saturating_add(LEASE_MS),
        });
        TaskBeat::Goes(head)
    }

    /// The run ends. Nothing where the task is not its own any more.
    pub(crate) fn end(&self, holder: &str, end: &RunEnd, now_ms: u64) -> Option<Self> {
        if !self.is_held_by(holder) {
            return None;
        }
        let mut head = match end {
            RunEnd::Completed => self.becomes(Status::Completed, now_ms),
            RunEnd::Failed(message) => Self {
                message: Some(message.clone()),
                ..self.becomes(Status::Failed, now_ms)
            },
            RunEnd::Cancelled => self.becomes(Status::Cancelled, now_ms),
            // nobody is asked for a task that is to end
            RunEnd::Asks(_) | RunEnd::Later(_) | RunEnd::HandedOver if self.cancel => {
                self.becomes(Status::Cancelled, now_ms)
            }
            RunEnd::Asks(open) => Self {
                open: open.clone(),
                attempts: 0,
                ..self.becomes(Status::InputRequired, now_ms)
            },
            RunEnd::Later(wake_ms) => Self {
                wake_ms: *wake_ms,
                due_ms: *wake_ms,
                attempts: 0,
                lease: None,
                ..self.clone()
            },
            RunEnd::Cut => Self {
                wake_ms: now_ms,
                due_ms: now_ms.saturating_add(ORDERED_MS),
                lease: None,
                ..self.clone()
            },
            RunEnd::HandedOver => Self {
                wake_ms: now_ms,
                due_ms: now_ms,
                attempts: self.attempts.saturating_sub(1),
                lease: None,
                ..self.clone()
            },
        };
        if head.status.is_final() {
            head.cancel = false;
        }
        Some(head)
    }

    /// The client answers some of what is asked; with none left a run is due. Nothing where none of
    /// these is asked.
    pub(crate) fn answered(&self, keys: &[&str], now_ms: u64) -> Option<Self> {
        let waits = self.status == Status::InputRequired;
        let mut head = self.clone();
        head.open.retain(|open| !keys.contains(&open.as_str()));
        if !waits || head.open.len() == self.open.len() {
            return None;
        }
        head.updated_ms = now_ms.max(head.updated_ms);
        if head.open.is_empty() {
            head.status = Status::Working;
            head.wake_ms = now_ms;
            head.due_ms = now_ms.saturating_add(ORDERED_MS);
        }
        Some(head)
    }

    /// The client wants it to end: at once where nobody is at it. Nothing where that changes nothing.
    pub(crate) fn cancelled(&self, now_ms: u64) -> Option<Self> {
        if self.status.is_final() || self.cancel {
            return None;
        }
        Some(match self.held_until(now_ms) {
            Some(_) => Self {
                cancel: true,
                ..self.clone()
            },
            None => self.becomes(Status::Cancelled, now_ms),
        })
    }

    /// Whether a run is due that nobody seems to begin: who sees it orders one.
    pub(crate) fn is_stalled(&self, now_ms: u64) -> bool {
        if self.status != Status::Working {
            return false;
        }
        match &self.lease {
            Some(lease) => lease.until_ms <= now_ms,
            None => self.due_ms <= now_ms,
        }
    }

    /// The members that every result about a task has, without braces.
    pub(crate) fn members(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Members<'a> {
            task_id: &'a str,
            status: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            status_message: Option<&'a str>,
            created_at: String,
            last_updated_at: String,
            ttl_ms: u64,
            poll_interval_ms: u64,
        }
        let time = |ms| timestamp(std::time::Duration::from_millis(ms));
        let written = crate::jsonrpc::to_json(&Members {
            task_id: &self.id,
            status: self.status.as_str(),
            status_message: self.message.as_deref(),
            created_at: time(self.created_ms),
            last_updated_at: time(self.updated_ms),
            ttl_ms: self.ttl_ms,
            poll_interval_ms: self.poll_ms,
        });
        written[1..written.len() - 1].to_vec()
    }
}

#[cfg(test)]
mod tests;
