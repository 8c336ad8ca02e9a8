//! The tasks that this process is at: a line of the log when a run begins, says where it is, and ends;
//! and a view of what runs now, at `/tasks`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use mcpfn_core::port::{
    AuditEntry, AuditLog, Clock, Failure, RefusedRequest, TaskChange, TaskNews,
};
use mcpfn_http::Body;
use serde_json::{Value, json};

/// Where what runs now is shown.
pub(crate) const PATH: &str = "/tasks";

/// What runs now. Copies share it.
#[derive(Clone, Default)]
pub(crate) struct RunningTasks(Arc<Mutex<BTreeMap<String, RunningTask>>>);

struct RunningTask {
    tool: String,
    since_ms: u64,
    status: Option<String>,
}

impl RunningTasks {
    fn tasks(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, RunningTask>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, news: &TaskNews<'_>, now_ms: u64) {
        let TaskNews { tool, task, .. } = news;
        match news.change {
            TaskChange::Started => {
                tracing::info!(
                    event = "task_begun",
                    tool,
                    task,
                    "a task is being worked at"
                );
                let running = RunningTask {
                    tool: (*tool).to_owned(),
                    since_ms: now_ms,
                    status: None,
                };
                self.tasks().insert(task.clone(), running);
            }
            TaskChange::Status(status) => {
                tracing::info!(event = "task_status", tool, task, status, "a task goes on");
                if let Some(running) = self.tasks().get_mut(task) {
                    running.status = Some(status.to_owned());
                }
            }
            TaskChange::Ended(status) => {
                tracing::info!(
                    event = "task_ended",
                    tool,
                    task,
                    status,
                    "a run of a task ended"
                );
                self.tasks().remove(task);
            }
            _ => {}
        }
    }

    /// What runs at this time.
    fn shown(&self, now_ms: u64) -> Value {
        let tasks = self.tasks();
        let shown = tasks.iter().map(|(task, running)| {
            let seconds = now_ms.saturating_sub(running.since_ms) / 1000;
            let mut shown = json!({"task": task, "tool": running.tool, "seconds": seconds});
            if let Some(status) = &running.status {
                shown["status"] = json!(status);
            }
            shown
        });
        json!({ "tasks": shown.collect::<Vec<_>>() })
    }

    /// The answer to who asks.
    pub(crate) fn document(&self, now_ms: u64) -> Response<Body> {
        let mut response = Response::new(Body::full(self.shown(now_ms).to_string().into()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    /// An audit log that also hears of tasks.
    pub(crate) fn before(
        &self,
        inner: Arc<dyn AuditLog>,
        clock: Arc<dyn Clock>,
    ) -> impl AuditLog + use<> {
        HearsOfTasks {
            inner,
            clock,
            tasks: self.clone(),
        }
    }
}

impl fmt::Debug for RunningTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunningTasks(..)")
    }
}

struct HearsOfTasks {
    inner: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    tasks: RunningTasks,
}

impl AuditLog for HearsOfTasks {
    fn failure(&self, failure: &Failure<'_>) {
        self.inner.failure(failure);
    }

    fn call(&self, call: &AuditEntry<'_>) {
        self.inner.call(call);
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        self.inner.denied(sentence, cause);
    }

    fn refused(&self, request: &RefusedRequest<'_>) {
        self.inner.refused(request);
    }

    fn task(&self, news: &TaskNews<'_>) {
        self.inner.task(news);
        self.tasks.hear(news, self.clock.now_ms());
    }

    fn store_failure(&self, store: &str, cause: &str) {
        self.inner.store_failure(store, cause);
    }
}
