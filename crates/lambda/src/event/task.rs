//! The event that orders a run of a task: from this program to itself, through Lambda's queue.

use serde::{Deserialize, Serialize};

/// Most letters of a key: two digests, of 43 each, with a dot between them.
const MOST: usize = 128;

/// Which task, and nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskEvent {
    #[serde(rename = "mcpfn.task")]
    pub(crate) key: String,
    /// Invocations that led to this one without a client between them.
    #[serde(default)]
    pub(crate) hop: u8,
}

impl TaskEvent {
    /// What a client's request orders.
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            hop: 0,
        }
    }

    /// What an invocation orders to be gone on with.
    pub(crate) fn next(&self) -> Self {
        Self {
            key: self.key.clone(),
            hop: self.hop.saturating_add(1),
        }
    }

    /// Nothing for the bytes of another event.
    pub(crate) fn read(event: &[u8]) -> Option<Self> {
        let event: Self = serde_json::from_slice(event).ok()?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_key = (1..=MOST).contains(&event.key.len()) && event.key.bytes().all(legal);
        is_key.then_some(event)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        // two plain members
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_as_it_went_and_others_are_none() {
        let next = TaskEvent::new("aB3_-.x").next();
        assert_eq!(next.hop, 1);
        assert_eq!(TaskEvent::read(&next.write()), Some(next));
        let first = br#"{"mcpfn.task":"a"}"#;
        assert_eq!(TaskEvent::read(first), Some(TaskEvent::new("a")));
        for other in [
            &b"{}"[..],
            b"null",
            b"{\"mcpfn.task\":\"\"}",
            b"{\"mcpfn.task\":\"a/b\"}",
            b"{\"mcpfn.task\":7}",
            b"{\"mcpfn.task\":\"a\",\"hop\":-1}",
            b"{\"mcpfn.task\":\"a\",\"requestContext\":{}}",
            b"{\"version\":\"2.0\",\"requestContext\":{}}",
        ] {
            assert_eq!(TaskEvent::read(other), None);
        }
        let long = format!("{{\"mcpfn.task\":\"{}\"}}", "a".repeat(MOST + 1));
        assert_eq!(TaskEvent::read(long.as_bytes()), None);
    }
}
