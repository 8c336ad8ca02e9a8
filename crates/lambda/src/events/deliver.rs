//! One invocation of the function that sends events: messages of the queue, at the same time, and what
//! follows each. What could not be done is told to Lambda by the message's id, and comes again.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mcpfn_core::host::{EventJobRun, due_too_late};
use mcpfn_core::port::StoreError;
use serde_json::json;

use super::SqsQueue;
use crate::event::{QueueEvent, QueuedWork, SqsMessage};
use crate::function::Function;

/// Why a message is nobody's work.
const UNREADABLE: &str = "it is no work of a queue of events, or another version wrote it";
const FOREIGN: &str =
    "it is work of another server: MCPFN_SERVER_NAME, or the program's name, changed";

/// Does what messages order, and says in Lambda's words which of them are to come again.
pub(crate) async fn run(
    function: &Function,
    queue: &SqsQueue,
    event: &QueueEvent,
    deadline_ms: u64,
) -> String {
    let left = function.time_left(deadline_ms);
    let work = event.messages.iter().map(|message| async move {
        // a panic in one of an author's functions is one message's, and so is a receiver that is slow
        let done = AssertUnwindSafe(message_done(function, queue, message)).catch_unwind();
        let done = tokio::time::timeout(left, done).await;
        matches!(done, Ok(Ok(true)))
    });
    let done = join_all(work).await;
    let again = event.messages.iter().zip(done);
    let again = again.filter(|(_, done)| !done);
    let again = again.map(|(message, _)| json!({"itemIdentifier": message.message_id}));
    json!({"batchItemFailures": again.collect::<Vec<_>>()}).to_string()
}

/// Whether nothing is left to do of this message.
async fn message_done(function: &Function, queue: &SqsQueue, message: &SqsMessage) -> bool {
    let done = follow(function, queue, message).await;
    if let Err(error) = &done {
        let audit = function.platform.audit_log();
        audit.store_failure("event queue", &error.to_string());
    }
    done.unwrap_or(false)
}

async fn follow(
    function: &Function,
    queue: &SqsQueue,
    message: &SqsMessage,
) -> Result<bool, StoreError> {
    let (server, platform) = (function.service.server(), &function.platform);
    let work = QueuedWork::read(&message.body);
    let Some((work, body)) = work.and_then(|work| work.body().map(|body| (work, body))) else {
        return buried(queue, &message.body, UNREADABLE).await;
    };
    if work.queue != server.event_queue() {
        return buried(queue, &message.body, FOREIGN).await;
    }
    let now_ms = platform.now_ms();
    if let Some(reason) = due_too_late(work.due_ms, now_ms) {
        return buried(queue, &message.body, reason).await;
    }
    if now_ms < work.due_ms {
        queue.send(std::slice::from_ref(&work), now_ms).await?;
        return Ok(true);
    }
    match server.run_event_job(body, platform).await {
        EventJobRun::Done => Ok(true),
        EventJobRun::Again { body, at_ms } => {
            let next = work.next(&body, at_ms);
            // first the next one: who ends in between has both, and receivers know the event by its id
            queue.send(&[next], platform.now_ms()).await?;
            Ok(true)
        }
        EventJobRun::Dead { reason } => buried(queue, &message.body, &reason).await,
        EventJobRun::Unavailable => Ok(false),
    }
}

async fn buried(queue: &SqsQueue, message: &str, reason: &str) -> Result<bool, StoreError> {
    tracing::warn!(
        event = "event_given_up",
        reason,
        "work for a subscriber is done no more"
    );
    queue.bury(message, reason).await?;
    Ok(true)
}
