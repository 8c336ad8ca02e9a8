//! Tasks (`io.modelcontextprotocol/tasks`): calls of tools that go on after their response. What an
//! author says of one, what a handler does in one, and the rules of its life. Which method does what
//! with them is `dispatch/tasks`; where they are kept is a port.

pub(crate) mod handle;
pub(crate) mod head;
pub(crate) mod hold;
pub(crate) mod record;
pub(crate) mod store;

use std::time::Duration;

pub use handle::Task;

/// The extension's id.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// Which calls of a tool are tasks, and for how long: for
/// [`Tool::task`](crate::Tool::task), or `#[tool(task(..))]`.
///
/// A task goes on after the response to its call: the client gets an id at once, and asks for the
/// result by it. Clients say on each call whether they can do so; for one that can't, the handler
/// runs within the call, under the tool's own timeout, unless the tool is `required` to be a task.
///
/// **At least once**: a run that ends without a word (its machine stopped) is followed by another
/// one, from the last [`checkpoint`](crate::task::Task::checkpoint). What a handler does between two of
/// them may happen twice.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{Cx, NoArguments, Server, Tool, ToolError, task::TaskOptions};
/// use mcpfn_testing::TestClient;
///
/// let options = TaskOptions::new().run(Duration::from_secs(900)).poll(Duration::from_secs(10));
/// let count = Tool::new("count").description("Counts to three.").task(options).handler(
///     |_: NoArguments, cx: Cx| async move {
///         let mut counted: u32 = cx.task().resume().unwrap_or_default();
///         while counted < 3 {
///             counted += 1;
///             cx.task().status(format!("{counted} of 3"));
///             cx.task().checkpoint(&counted).await?;
///         }
///         Ok::<_, ToolError>(format!("counted to {counted}"))
///     },
/// );
/// let client = TestClient::new(Server::builder("clock", "1.0.0").tool(count));
/// // this client can't do tasks, so it gets the result
/// let result = client.call("count", serde_json::json!({})).wait().unwrap();
/// assert_eq!(result.text(), "counted to 3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "give it to `Tool::task`"]
pub struct TaskOptions {
    pub(crate) required: bool,
    pub(crate) begun_by_handler: bool,
    pub(crate) run: Duration,
    pub(crate) ttl: Duration,
    pub(crate) poll: Duration,
}

impl TaskOptions {
    /// Calls of clients that can do tasks are tasks: runs of ten minutes, kept for an hour, asked for
    /// every five seconds.
    pub const fn new() -> Self {
        Self {
            required: false,
            begun_by_handler: false,
            run: Duration::from_secs(600),
            ttl: Duration::from_secs(3600),
            poll: Duration::from_secs(5),
        }
    }

    /// Clients that can't do tasks are refused (-32021), because no call lasts long enough.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A call is no task before the handler says so with [`Task::begin`](crate::task::Task::begin): it may
    /// ask the user something first, or answer at once what takes no time.
    pub const fn begun_by_handler(mut self) -> Self {
        self.begun_by_handler = true;
        self
    }

    /// How long one run may take; ten minutes by default. On AWS Lambda no run is longer than 15
    /// minutes: a task that takes longer goes on from its last checkpoint in another one.
    pub const fn run(mut self, run: Duration) -> Self {
        self.run = run;
        self
    }

    /// How long a task and its result are kept, from its creation; an hour by default.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long clients should wait before they ask again; five seconds by default.
    pub const fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self::new()
    }
}
