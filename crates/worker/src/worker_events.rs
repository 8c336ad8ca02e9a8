//! What a program does with events of the platform that are no requests. No queue and no schedule.

use std::sync::Arc;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::Platform;
use mcpfn_core::{Server, ToolError};
use serde_json::Value;

/// A message of a queue that this library did not write.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QueueMessage {
    /// The name of the queue.
    pub queue: String,
    /// The platform's id: the same one each time that it comes.
    pub id: String,
    /// How often it came, with this time.
    pub attempts: u32,
    /// As JSON; null for what JSON does not have.
    pub body: Value,
}

/// A run of a schedule (`[triggers]` of `wrangler.toml`).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scheduled {
    /// The schedule as it was written.
    pub cron: String,
    /// When it was due, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A port of the platform, for programs that are the consumer of a queue or have a schedule, with the
/// feature `events`. What they do is said to clients by [`Server::emit`].
pub trait WorkerEvents {
    /// Takes a message. It comes at least once.
    ///
    /// # Errors
    /// It comes again in ten seconds, as often as the queue's `max_retries`. The cause is for the log.
    fn message<'a>(
        &'a self,
        message: QueueMessage,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<(), ToolError>>;

    /// Does what is due. Nothing, where a program does not say.
    ///
    /// # Errors
    /// The run counts as failed; the next one comes in its time.
    fn scheduled<'a>(
        &'a self,
        run: Scheduled,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<(), ToolError>> {
        let _ = (run, server, platform);
        Box::pin(async { Ok(()) })
    }
}
