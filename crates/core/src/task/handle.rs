//! What a handler does in a task. Outside one the same calls work, in memory.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::hold::RunHold;
use super::store::part;
use crate::error::{ErrorKind, ToolError};
use crate::port::tasks::{TASK_PART_BYTES, TaskPart};
use crate::text;

/// Most characters of a status message.
const MESSAGE_LENGTH: usize = 300;

/// The task that a handler runs in: [`Cx::task`](crate::Cx::task). Cheap to clone.
///
/// In a call that is no task (its client can't do tasks), checkpoints and steps are kept in memory
/// for as long as the call runs, so that a handler needs no second way.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{Cx, ToolError};
/// use mcpfn_testing::{TestCx, block_on};
///
/// /// Starts a job elsewhere, and looks every 30 seconds whether it is done.
/// async fn export(cx: &Cx) -> Result<String, ToolError> {
///     let task = cx.task();
///     let Some(job) = task.resume::<String>() else {
///         task.checkpoint(&"job-7".to_owned()).await?; // a run that comes later asks for this job
///         return Err(task.later(Duration::from_secs(30)));
///     };
///     task.status(format!("{job} is done"));
///     Ok(format!("https://example.com/{job}"))
/// }
///
/// let cx = TestCx::new().build();
/// let error = block_on(export(&cx)).unwrap_err();
/// assert_eq!(error.later(), Some(Duration::from_secs(30)));
/// assert_eq!(block_on(export(&cx)).unwrap(), "https://example.com/job-7");
/// ```
#[derive(Clone)]
pub struct Task(Arc<TaskInner>);

struct TaskInner {
    stage: TaskStage,
    point: Mutex<Option<Value>>,
}

/// What the call is.
pub(crate) enum TaskStage {
    /// No task, and it will be none.
    Inline,
    /// Not yet a task.
    Possible,
    /// A run of one.
    Run(Arc<RunHold>),
}

impl Task {
    pub(crate) fn new(stage: TaskStage, point: Option<Value>) -> Self {
        Self(Arc::new(TaskInner {
            stage,
            point: Mutex::new(point),
        }))
    }

    fn point(&self) -> std::sync::MutexGuard<'_, Option<Value>> {
        self.0.point.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is a run of a task, whose client has its response already.
    #[must_use]
    pub fn is_task(&self) -> bool {
        matches!(self.0.stage, TaskStage::Run(_))
    }

    /// Its id, by which its client asks for it: the same in every run. Nothing where the call is no
    /// task.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.0.stage {
            TaskStage::Run(hold) => Some(hold.id()),
            TaskStage::Inline | TaskStage::Possible => None,
        }
    }

    /// From here on the call is a task, in a tool whose handler says so
    /// ([`TaskOptions::begun_by_handler`](crate::task::TaskOptions::begun_by_handler)). The handler begins
    /// anew in the task, with the same arguments and answers, and comes by here. Does nothing in a
    /// task, and where the call can't be one.
    ///
    /// # Errors
    /// What makes the call a task: return it with `?`.
    pub fn begin(&self) -> Result<(), ToolError> {
        match self.0.stage {
            TaskStage::Possible => Err(ErrorKind::BecomesTask.into()),
            TaskStage::Inline | TaskStage::Run(_) => Ok(()),
        }
    }

    /// What the last [`checkpoint`](Self::checkpoint) of this task kept. Nothing in the first run, and
    /// nothing for a value of another type, such as one that an older version of the server kept.
    #[must_use]
    pub fn resume<T: DeserializeOwned>(&self) -> Option<T> {
        let point = self.point();
        point.as_ref().and_then(|point| T::deserialize(point).ok())
    }

    /// Keeps a value, of at most 256 KiB as JSON, from which a later run goes on. One write to the
    /// store.
    ///
    /// # Errors
    /// When the client has cancelled the task, or another run has it: nothing that comes after it
    /// counts. And when the store did not keep the value: a handler that fails then is followed by
    /// another run, from the checkpoint before. Return it with `?`.
    pub async fn checkpoint<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), ToolError> {
        let value = serde_json::to_value(value)?;
        if let TaskStage::Run(hold) = &self.0.stage {
            let (name, bytes) = part(TaskPart::Checkpoint, &value);
            if bytes.len() > TASK_PART_BYTES {
                return Err(ToolError::internal(format_args!(
                    "a checkpoint of {} bytes: keep at most {TASK_PART_BYTES}",
                    bytes.len()
                )));
            }
            let kept = hold.step((name, bytes)).await;
            kept.map_err(|()| ErrorKind::Stopped)?;
        }
        *self.point() = Some(value);
        Ok(())
    }

    /// What the client reads when it next asks for the task: where it is, in at most 300 characters.
    /// Told within a second or two, and at the end; of several in that time the last.
    pub fn status(&self, message: impl AsRef<str>) {
        if let TaskStage::Run(hold) = &self.0.stage {
            hold.say(text::shown(message.as_ref(), MESSAGE_LENGTH).to_string());
        }
    }

    /// Goes on in another run, which begins after so long: `return Err(cx.task().later(..))`. Nothing
    /// runs in between, so that waiting for a job elsewhere costs nothing. Where nothing of the host
    /// runs by itself (AWS Lambda), a long wait ends with the first client that asks for the task
    /// after it.
    #[must_use = "return it: `Err(cx.task().later(..))`"]
    pub fn later(&self, after: Duration) -> ToolError {
        ErrorKind::Later(after).into()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("is_task", &self.is_task())
            .finish_non_exhaustive()
    }
}
