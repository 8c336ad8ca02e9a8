//! What maps a queue to a function: receives up to ten messages, hands them over as one event, and
//! deletes those that the answer does not name. The queue is whatever speaks SQS's JSON protocol.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::port::{HttpClient as _, HttpRequest};
use mcpfn_native::Client;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::runtime_api::{Deadline, Invocation};

/// A signature that nobody checks, in its form.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request, \
                      SignedHeaders=host, Signature=00";

/// One mapping.
pub struct EventSource {
    client: Client,
    /// Of the service, such as `http://127.0.0.1:9324`.
    pub service: String,
    /// The queue's.
    pub url: String,
    /// As messages name it.
    pub arn: String,
    /// The function.
    pub fleet: Arc<Fleet>,
    /// Its timeout.
    pub timeout: Duration,
}

/// What became of messages that were received together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// How many there were.
    pub received: usize,
    /// How many the function wants again.
    pub again: usize,
    /// Why there was no answer: all of them come again.
    pub failed: Option<String>,
}

impl EventSource {
    /// A mapping of a queue, for a function with a minute.
    #[must_use]
    pub fn new(service: String, url: String, arn: String, fleet: Arc<Fleet>) -> Self {
        Self {
            client: Client::new(),
            service,
            url,
            arn,
            fleet,
            timeout: Duration::from_secs(60),
        }
    }

    /// Asks the service.
    ///
    /// # Panics
    /// Where it does not answer with 200.
    pub async fn ask(&self, operation: &str, mut body: Value) -> Value {
        body["QueueUrl"] = self.url.as_str().into();
        let url = format!("{}/", self.service);
        let request = HttpRequest::post(url, "application/x-amz-json-1.0", body.to_string())
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .header("authorization", SIGNED);
        let answer = self.client.send(request).await.expect("an answer of SQS");
        assert_eq!(answer.status, 200, "{operation}: {:?}", answer.body);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Receives once.
    pub async fn turn(&self) -> Turn {
        let most = json!({"MaxNumberOfMessages": 10});
        let received = self.ask("ReceiveMessage", most).await;
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            return Turn::default();
        }
        let record = |message: &Value| {
            json!({
                "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"], "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
                "eventSourceARN": self.arn, "awsRegion": "eu-west-1",
            })
        };
        let records: Vec<Value> = messages.iter().map(record).collect();
        let mut invocation = Invocation::new(json!({ "Records": records }));
        invocation.deadline = Deadline::In(self.timeout);
        let mut turn = Turn {
            received: messages.len(),
            ..Turn::default()
        };
        let answer = match self.fleet.event(invocation).await {
            Ok(answer) => answer,
            Err(failure) => {
                turn.failed = Some(format!("{failure:?}"));
                return turn;
            }
        };
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        let again = answer["batchItemFailures"].as_array().expect("a list");
        turn.again = again.len();
        for message in &messages {
            let named = |item: &Value| item["itemIdentifier"] == message["MessageId"];
            if !again.iter().any(named) {
                let handle = json!({"ReceiptHandle": message["ReceiptHandle"]});
                self.ask("DeleteMessage", handle).await;
            }
        }
        turn
    }

    /// Receives until nothing can be received, and gives how many there were.
    pub async fn drain(&self) -> usize {
        let mut received = 0;
        loop {
            let turn = self.turn().await;
            assert_eq!(turn.failed, None, "{:#?}", self.fleet.log());
            if turn.received == 0 {
                return received;
            }
            received += turn.received;
        }
    }
}

impl std::fmt::Debug for EventSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSource")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
