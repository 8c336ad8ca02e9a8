//! The event that brings messages of an SQS queue, and what is in a message: work for subscribers, as it
//! waits there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn_core::port::EventJob;
use serde::{Deserialize, Serialize};

/// Work in a queue. Its bytes are in Base64, because SQS takes no text but that of XML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueuedWork {
    /// Whose work it is: several servers may share a queue by mistake.
    #[serde(rename = "mcpfn.events")]
    pub(crate) queue: String,
    pub(crate) key: String,
    /// Not before, in milliseconds since 1970.
    pub(crate) due_ms: u64,
    work: String,
}

impl QueuedWork {
    pub(crate) fn new(queue: &str, job: &EventJob) -> Self {
        Self {
            queue: queue.to_owned(),
            key: job.key.clone(),
            due_ms: job.due_ms,
            work: STANDARD.encode(&job.body),
        }
    }

    /// Other work in its place.
    pub(crate) fn next(&self, body: &[u8], due_ms: u64) -> Self {
        Self {
            due_ms,
            work: STANDARD.encode(body),
            ..self.clone()
        }
    }

    /// Nothing for another message.
    pub(crate) fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok()
    }

    /// Nothing for what is no Base64.
    pub(crate) fn body(&self) -> Option<Bytes> {
        STANDARD.decode(&self.work).ok().map(Bytes::from)
    }

    pub(crate) fn written(&self) -> String {
        // plain members
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Messages as Lambda brings them, from one queue.
#[derive(Debug, Deserialize)]
pub(crate) struct QueueEvent {
    #[serde(rename = "Records")]
    pub(crate) messages: Vec<SqsMessage>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqsMessage {
    pub(crate) message_id: String,
    pub(crate) body: String,
    #[serde(rename = "eventSourceARN")]
    arn: String,
    event_source: String,
}

impl QueueEvent {
    /// Nothing for another event, or where one of the messages is of no queue that `is_own`.
    pub(crate) fn read(event: &[u8], is_own: impl Fn(&str) -> bool) -> Option<Self> {
        let event: Self = serde_json::from_slice(event).ok()?;
        let from_queue =
            |message: &SqsMessage| message.event_source == "aws:sqs" && is_own(&message.arn);
        let all = event.messages.iter().all(from_queue);
        (all && !event.messages.is_empty()).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_comes_as_it_went_and_other_messages_are_none() {
        let job = EventJob {
            key: "k".to_owned(),
            body: Bytes::from_static(b"{\"do\":\"\xef\xbf\xbf\"}"),
            due_ms: 7,
        };
        let work = QueuedWork::new("q", &job);
        let read = QueuedWork::read(&work.written()).unwrap();
        assert_eq!((&read, read.body().unwrap()), (&work, job.body));
        assert!(work.written().is_ascii());
        let next = work.next(b"more", 9);
        assert_eq!(
            (&*next.key, next.due_ms, &next.body().unwrap()[..]),
            ("k", 9, &b"more"[..])
        );
        for other in [
            "",
            "{}",
            r#"{"mcpfn.events":"q","key":"k","due_ms":1}"#,
            r#"{"mcpfn.events":"q","key":"k","due_ms":-1,"work":""}"#,
            r#"{"mcpfn.events":"q","key":"k","due_ms":1,"work":"","more":1}"#,
        ] {
            assert_eq!(QueuedWork::read(other), None, "{other}");
        }
        let odd = r#"{"mcpfn.events":"q","key":"k","due_ms":1,"work":"%"}"#;
        assert_eq!(QueuedWork::read(odd).unwrap().body(), None);
    }

    #[test]
    fn messages_are_taken_of_the_own_queue_alone() {
        let record = |arn: &str, source: &str| {
            serde_json::json!({"messageId": "1", "body": "b", "eventSource": source,
                "eventSourceARN": arn, "receiptHandle": "x", "attributes": {}})
        };
        let read = |records: &[serde_json::Value]| {
            let event = serde_json::json!({ "Records": records }).to_string();
            QueueEvent::read(event.as_bytes(), |arn| arn == "own").is_some()
        };
        let own = || record("own", "aws:sqs");
        assert!(read(&[own(), own()]));
        assert!(!read(&[]));
        assert!(!read(&[own(), record("foreign", "aws:sqs")]));
        assert!(!read(&[record("own", "aws:s3")]));
        for other in [&b"{}"[..], b"null", b"[]", b"{\"Records\":[{}]}", b"\xff"] {
            assert!(QueueEvent::read(other, |_| true).is_none());
        }
    }
}
