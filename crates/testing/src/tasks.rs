//! Tasks of tests: kept in memory, and run when the test says so.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskRunner, TaskStore};
use serde::Deserialize;
use serde_json::Value;

use crate::client::results::ToolResult;

/// Where a test's tasks are kept, and which runs were ordered. Clones share both.
#[derive(Clone, Default)]
pub struct TestTasks(Arc<Mutex<TaskState>>);

#[derive(Default)]
struct TaskState {
    kept: HashMap<String, (u64, u64, HashMap<TaskPart, Bytes>)>,
    orders: VecDeque<(String, u64)>,
    /// How many questions are not answered from now on.
    down: u32,
}

impl fmt::Debug for TestTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("TestTasks")
            .field("kept", &state.kept.len())
            .field("orders", &state.orders)
            .finish()
    }
}

impl TestTasks {
    /// From now on neither the store nor the runner answers.
    pub fn go_down(&self) {
        self.fail(u32::MAX);
    }

    /// The next questions, so many, are not answered by either.
    pub fn fail(&self, questions: u32) {
        self.lock().down = questions;
    }

    /// They answer again.
    pub fn come_back(&self) {
        self.fail(0);
    }

    /// Runs that were ordered and did not begin: a key, and when the run is due in milliseconds
    /// since 1970.
    #[must_use]
    pub fn orders(&self) -> Vec<(String, u64)> {
        self.lock().orders.iter().cloned().collect()
    }

    /// Forgets the orders, as a runner that dies.
    pub fn lose_orders(&self) {
        self.lock().orders.clear();
    }

    /// The next run that is due.
    pub(crate) fn due(&self, now_ms: u64) -> Option<String> {
        let mut state = self.lock();
        let due = state
            .orders
            .iter()
            .position(|(_, at_ms)| *at_ms <= now_ms)?;
        state.orders.remove(due).map(|(key, _)| key)
    }

    pub(crate) fn order(&self, key: String, at_ms: u64) {
        self.lock().orders.push_back((key, at_ms));
    }

    fn lock(&self) -> MutexGuard<'_, TaskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut TaskState) -> T,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let mut state = self.lock();
        let answer = match state.down {
            0 => Ok(answer(&mut state)),
            questions => {
                state.down = questions.saturating_sub(1);
                Err(StoreError::new("the test took it down"))
            }
        };
        Box::pin(async { answer })
    }
}

impl TaskStore for TestTasks {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.asked(|state| {
            let found = state.kept.get(key);
            if found.is_some_and(|(_, expires_ms, _)| now_ms < *expires_ms) {
                return false;
            }
            let parts = HashMap::from([(TaskPart::Head, head), (TaskPart::Call, call)]);
            state.kept.insert(key.to_owned(), (0, expires_ms, parts));
            true
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        self.asked(|state| {
            let (version, expires_ms, kept) = state.kept.get(key)?;
            (now_ms < *expires_ms).then(|| TaskParts {
                version: *version,
                parts: parts.iter().map(|part| kept.get(part).cloned()).collect(),
            })
        })
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.asked(|state| match state.kept.get_mut(key) {
            Some((_, old_ms, _)) if *old_ms <= now_ms => Swapped::Gone,
            None => Swapped::Gone,
            Some((kept, _, _)) if *kept != version => Swapped::Changed,
            Some((kept, until_ms, parts)) => {
                *kept += 1;
                *until_ms = expires_ms;
                parts.insert(TaskPart::Head, head);
                parts.extend(also);
                Swapped::Done
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked(|state| drop(state.kept.remove(key)))
    }
}

impl TaskRunner for TestTasks {
    fn start<'a>(
        &'a self,
        key: &'a str,
        not_before_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked(|state| state.orders.push_back((key.to_owned(), not_before_ms)))
    }
}

/// A task as its client reads it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct TestTask(Value);

impl TestTask {
    fn text(&self, member: &str) -> Option<&str> {
        self.0[member].as_str()
    }

    /// Its id.
    ///
    /// # Panics
    /// When this is no task: the result of a call that did not become one.
    #[must_use]
    #[track_caller]
    pub fn id(&self) -> &str {
        let id = self.text("taskId");
        id.unwrap_or_else(|| panic!("no task: {:#}", self.0))
    }

    /// `working`, `input_required`, `completed`, `failed` or `cancelled`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.text("status").unwrap_or_default()
    }

    /// What the handler said last with `Task::status`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.text("statusMessage")
    }

    /// The result of a task that is completed.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn result(&self) -> ToolResult {
        ToolResult::deserialize(&self.0["result"])
            .ok()
            .filter(|_| self.status() == "completed")
            .unwrap_or_else(|| panic!("no result: {:#}", self.0))
    }

    /// What is asked, by the keys that answers have.
    #[must_use]
    pub fn questions(&self) -> Vec<&str> {
        let asked = self.0["inputRequests"].as_object();
        asked.into_iter().flatten().map(|(key, _)| &**key).collect()
    }

    /// All of it.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}
