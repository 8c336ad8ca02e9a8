//! A tool whose calls can be tasks, as an author says it.

use crate::dispatch::parts;
use crate::task::TaskOptions;
use crate::tool::Tool;

impl Tool {
    /// Calls of clients that can do tasks go on after their response: see [`TaskOptions`].
    pub fn task(mut self, options: TaskOptions) -> Self {
        self.task = Some(options);
        self.serve_tasks = Some(parts::add_tasks);
        self
    }
}
