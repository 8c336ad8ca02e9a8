//! Tasks, as a client that can do them meets them.

use mcpfn_core::host::TaskRun;
use serde::Serialize;
use serde_json::{Value, json};

use super::request::TestRequest;
use super::{TestClient, written};
use crate::executor::block_on;
use crate::tasks::{TestTask, TestTasks};

impl TestClient {
    /// The client declares that it can do tasks: calls of tools that can be one become one.
    ///
    /// ```
    /// use mcpfn::prelude::*;
    /// use mcpfn::testing::TestClient;
    /// use serde_json::json;
    ///
    /// /// Counts the books.
    /// #[tool(read_only, task)]
    /// async fn count(cx: &Cx) -> Result<String, ToolError> {
    ///     let task = cx.task();
    ///     if task.resume::<u32>().is_none() {
    ///         task.checkpoint(&21).await?;
    ///         return Err(task.later(std::time::Duration::from_secs(60)));
    ///     }
    ///     Ok("42 books".to_owned())
    /// }
    ///
    /// let client = TestClient::new(Server::builder("library", "1.0.0").tool(count)).does_tasks();
    /// let task = client.begin("count", json!({})).wait().unwrap();
    /// client.run_tasks(); // until it wants to go on later
    /// assert_eq!(client.task(task.id()).wait().unwrap().status(), "working");
    /// client.time().advance(std::time::Duration::from_secs(60));
    /// client.run_tasks();
    /// let task = client.task(task.id()).wait().unwrap();
    /// assert_eq!(task.result().text(), "42 books");
    /// ```
    pub fn does_tasks(mut self) -> Self {
        self.0.does_tasks = true;
        self
    }

    /// Calls a tool whose call becomes a task.
    ///
    /// # Panics
    /// When the arguments can't be written as JSON.
    pub fn begin(&self, tool: &str, arguments: impl Serialize) -> TestRequest<'_, TestTask> {
        let params = json!({"name": tool, "arguments": written(arguments)});
        TestRequest::new(&self.0, "tools/call", params)
    }

    /// Asks for a task.
    pub fn task(&self, id: &str) -> TestRequest<'_, TestTask> {
        TestRequest::new(&self.0, "tasks/get", json!({ "taskId": id }))
    }

    /// Answers questions of a task, by their keys: an object of what
    /// [`Answer`](crate::Answer) would give.
    ///
    /// # Panics
    /// When the answers can't be written as JSON.
    pub fn answer_task(&self, id: &str, answers: impl Serialize) -> TestRequest<'_, Value> {
        let params = json!({"taskId": id, "inputResponses": written(answers)});
        TestRequest::new(&self.0, "tasks/update", params)
    }

    /// Wants a task to end.
    pub fn cancel_task(&self, id: &str) -> TestRequest<'_, Value> {
        TestRequest::new(&self.0, "tasks/cancel", json!({ "taskId": id }))
    }

    /// Runs what was ordered and is due, one after another, until there is nothing left; gives how
    /// many runs that were. A run that wants to go on later, or whose task has another run, is
    /// ordered again.
    ///
    /// # Panics
    /// As [`block_on`].
    pub fn run_tasks(&self) -> usize {
        let (link, mut runs) = (&self.0, 0);
        while let Some(key) = link.tasks.due(link.platform.now_ms()) {
            runs += 1;
            let run = link.server.run_task(&key, &link.platform, None);
            if let TaskRun::Again { at_ms } = block_on(run) {
                link.tasks.order(key, at_ms);
            }
        }
        runs
    }

    /// Where tasks are kept, and which runs were ordered.
    #[must_use]
    pub fn tasks(&self) -> &TestTasks {
        &self.0.tasks
    }
}
