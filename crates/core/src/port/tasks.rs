//! The ports to tasks: where they are kept between their runs, and what starts a run. No
//! implementation of either, and no rule: what may follow what is `task/head`.

use bytes::Bytes;

use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Most bytes of a part. What a platform keeps under one key is bounded (400 KB in DynamoDB), and a
/// task shall not fail on one host only.
pub const TASK_PART_BYTES: usize = 256 * 1024;

/// A part of a task. They are apart because most changes are of the head alone, which is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskPart {
    /// Where the task is: what every change compares and replaces.
    Head,
    /// What was called, and by whom. Never changes.
    Call,
    /// What it asks the client, and what it was answered.
    Questions,
    /// From where it goes on.
    Checkpoint,
    /// Its result, or the error in the place of one.
    Outcome,
}

impl TaskPart {
    /// All parts, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Head,
        Self::Call,
        Self::Questions,
        Self::Checkpoint,
        Self::Outcome,
    ];

    /// A short name, for the key or the column under which a store keeps it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Call => "call",
            Self::Questions => "questions",
            Self::Checkpoint => "checkpoint",
            Self::Outcome => "outcome",
        }
    }
}

/// Parts of a task, as they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskParts {
    /// Of the head: one more with each change.
    pub version: u64,
    /// In the order in which they were asked for; nothing for one that was never written.
    pub parts: Vec<Option<Bytes>>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swapped {
    /// It was made.
    Done,
    /// Nothing was changed: the head is another one by now.
    Changed,
    /// Nothing was changed: there is no such task, or not any more.
    Gone,
}

/// Tasks between their runs. A store compares and replaces, and knows nothing of what is in them.
///
/// Keys have at most 128 letters of ASCII, digits and `-_.`; each part has at most
/// [`TASK_PART_BYTES`]. Times are milliseconds since 1970. A read sees every change that was made
/// before it, from any instance: a client asks for its task as soon as it knows its id.
///
/// ```
/// use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskStore};
/// use mcpfn_testing::{TestTasks, block_on};
///
/// # block_on(async {
/// let store = TestTasks::default();
/// let (now_ms, expires_ms) = (0, 1_000);
/// assert!(store.create("key", "begun".into(), "a call".into(), now_ms, expires_ms).await?);
/// let head = [TaskPart::Head];
/// let read = store.read("key", &head, now_ms).await?.unwrap();
/// let also = vec![(TaskPart::Outcome, "a result".into())];
/// let swapped = store.swap("key", read.version, "done".into(), also, now_ms, expires_ms).await?;
/// assert_eq!(swapped, Swapped::Done);
/// // another instance that had read the same
/// let swapped = store.swap("key", read.version, "late".into(), vec![], now_ms, expires_ms).await?;
/// assert_eq!(swapped, Swapped::Changed);
/// assert!(store.read("key", &head, expires_ms).await?.is_none());
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait TaskStore: MaybeSend + MaybeSync {
    /// Keeps a new task until `expires_ms`. `false` if there is one under this key, which is left
    /// as it is.
    ///
    /// # Errors
    /// When the store does not respond in time, or has no room. The task may be there all the same.
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// These parts of a task, unless it expired at or before `now_ms`. Where the head is among them,
    /// the others are at least as new as it is.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>>;

    /// Replaces the head if it still has this version, and with it, in the same step, these parts.
    /// The task is then kept until `expires_ms`, which is no later than before: parts that stay as they
    /// are may be gone then.
    ///
    /// # Errors
    /// When the store does not respond in time. The change may have been made all the same.
    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>>;

    /// Forgets a task. It is no error if there is none.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// What starts the runs of tasks, on this instance or another one.
pub trait TaskRunner: MaybeSend + MaybeSync {
    /// Orders a run of the task under this key ([`Server::run_task`](crate::Server::run_task)), not
    /// before a time. Ends well once that run will happen although this instance ends here, as far
    /// as the platform can promise it: whoever asks for the task later orders a run that did not
    /// happen again. Two runs of one task at a time are no harm: the second finds it taken.
    ///
    /// # Errors
    /// When the run could not be ordered.
    fn start<'a>(
        &'a self,
        key: &'a str,
        not_before_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
