//! The queue as it is written to: signed requests of SQS's JSON protocol, ten messages each, and several
//! requests at a time. SQS delays a message by fifteen minutes at most; what is due later is sent on
//! when it comes too early.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{EventJob, EventQueue, HttpClient, HttpRequest, HttpResponse, StoreError};
use mcpfn_native::Client;
use serde_json::{Value, json};

use super::{DeliveryQueue, QueueAddress};
use crate::event::QueuedWork;
use crate::signed::{AwsRefusal, send_signed};

/// For one attempt: a call waits for it, and gives up after a second.
const TIMEOUT: Duration = Duration::from_millis(700);
/// Answers name each message.
const MAX_BODY: usize = 64 * 1024;
/// Messages of one request.
const AT_ONCE: usize = 10;
/// Requests at the same time.
const CONNECTIONS: usize = 4;
/// The longest delay, in milliseconds.
const DELAY_MS: u64 = 900_000;
/// Most letters of a reason: it is for an operator's eyes.
const REASON: usize = 400;

/// The queue of this deployment. Nothing is asked before the first message.
pub(crate) struct SqsQueue {
    settings: DeliveryQueue,
    client: Arc<dyn HttpClient>,
}

impl SqsQueue {
    pub(crate) fn new(settings: DeliveryQueue) -> Self {
        Self {
            settings,
            client: Arc::new(Client::new()),
        }
    }

    /// Whether messages of the queue with this ARN are this one's.
    pub(crate) fn has_arn(&self, arn: &str) -> bool {
        self.settings.queue.has_arn(arn)
    }

    /// Whether a schedule runs the function that takes messages out of it.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.settings.scheduled
    }

    /// Puts work there, not to be done before its time.
    pub(crate) async fn send(&self, work: &[QueuedWork], now_ms: u64) -> Result<(), StoreError> {
        // ids tell the messages of one request apart
        let entries = work.iter().zip((0..AT_ONCE).cycle()).map(|(work, id)| {
            json!({
                "Id": id.to_string(),
                "MessageBody": work.written(),
                "DelaySeconds": delay_seconds(work.due_ms, now_ms),
            })
        });
        let entries: Vec<Value> = entries.collect();
        self.put_all(&self.settings.queue, &entries).await
    }

    /// Keeps what nobody does any more, as it came, and why. Without a queue for it there is the log.
    pub(crate) async fn bury(&self, message: &str, reason: &str) -> Result<(), StoreError> {
        let Some(dead) = &self.settings.dead else {
            return Ok(());
        };
        let reason: String = reason.chars().take(REASON).collect();
        let reason = json!({"DataType": "String", "StringValue": reason});
        let attributes = json!({ "reason": reason });
        let entry = json!({"Id": "0", "MessageBody": message, "MessageAttributes": attributes});
        self.put_all(dead, &[entry]).await
    }

    /// Batches of messages, a few at the same time: each takes a connection, and a new one of TLS is most
    /// of what a small function does in that time.
    async fn put_all(&self, queue: &QueueAddress, entries: &[Value]) -> Result<(), StoreError> {
        for batches in entries.chunks(AT_ONCE * CONNECTIONS) {
            let batches = batches.chunks(AT_ONCE);
            try_join_all(batches.map(|batch| self.batch(queue, batch))).await?;
        }
        Ok(())
    }

    /// One batch, and what was not taken of it once more. A message that is there twice is no harm.
    async fn batch(&self, queue: &QueueAddress, entries: &[Value]) -> Result<(), StoreError> {
        let left = match self.ask(queue, entries).await {
            Ok(left) if left.is_empty() => return Ok(()),
            Ok(left) => left,
            Err(refused) if refused.passes => entries.to_vec(),
            Err(refused) => return Err(error(queue, &refused.why)),
        };
        match self.ask(queue, &left).await {
            Ok(left) if left.is_empty() => Ok(()),
            Ok(left) => {
                let why = format!("{} messages were not taken", left.len());
                Err(error(queue, &why))
            }
            Err(refused) => Err(error(queue, &refused.why)),
        }
    }

    /// Sends entries, and gives those that were not taken.
    async fn ask(&self, queue: &QueueAddress, entries: &[Value]) -> Result<Vec<Value>, AwsRefusal> {
        let account = &self.settings.account;
        let region = match &queue.region {
            Some(region) => Arc::from(region.as_str()),
            None => account.region().await.map_err(AwsRefusal::lasting)?,
        };
        let body = json!({"QueueUrl": queue.url, "Entries": entries}).to_string();
        let url = format!("{}/", queue.origin);
        let request = HttpRequest::post(url, "application/x-amz-json-1.0", body)
            .header("x-amz-target", "AmazonSQS.SendMessageBatch")
            .timeout(TIMEOUT)
            .max_body(MAX_BODY);
        let answer = send_signed(&*self.client, account, ("sqs", &*region), request).await?;
        if let Some(refused) = refusal(&answer) {
            return Err(refused);
        }
        let answer: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| AwsRefusal::passing("the answer is not SQS's".to_owned()))?;
        let taken: Vec<&str> = answer["Successful"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|taken| taken["Id"].as_str())
            .collect();
        let is_left = |entry: &&Value| entry["Id"].as_str().is_none_or(|id| !taken.contains(&id));
        Ok(entries.iter().filter(is_left).cloned().collect())
    }
}

fn error(queue: &QueueAddress, why: &str) -> StoreError {
    StoreError::new(format_args!("the queue {} took no work: {why}", queue.name))
}

/// What to change, by SQS's answer.
fn refusal(answer: &HttpResponse) -> Option<AwsRefusal> {
    if answer.is_success() {
        return None;
    }
    let says = |name: &str| {
        let body = std::str::from_utf8(&answer.body).unwrap_or_default();
        body.contains(name)
    };
    let why = if says("QueueDoesNotExist") || says("NonExistentQueue") {
        "there is none in this account and region: deploy template.yaml with Events=on, or correct \
         MCPFN_EVENTS_QUEUE"
            .to_owned()
    } else if answer.status == 403 || says("AccessDenied") {
        "allow the role sqs:SendMessage on it, as template.yaml does, and leave the AWS_* variables \
         to Lambda"
            .to_owned()
    } else {
        format!("status {}", answer.status)
    };
    Some(AwsRefusal::of(answer, why))
}

/// Whole seconds until it is due, as far as SQS waits.
fn delay_seconds(due_ms: u64, now_ms: u64) -> u64 {
    due_ms.saturating_sub(now_ms).min(DELAY_MS).div_ceil(1000)
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl EventQueue for SqsQueue {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let work = jobs.into_iter().map(|job| QueuedWork::new(queue, &job));
            let work: Vec<QueuedWork> = work.collect();
            self.send(&work, now_ms).await
        })
    }
}

#[cfg(test)]
mod tests; // answers that are played
