//! What happened: an occurrence as the wire has it, and what an author's function gives and is given.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::timestamp;

/// Most bytes of an id.
const ID_BYTES: usize = 256;

/// Something that happened: for a page that [`Event::poll`](crate::event::Event::poll) gives.
#[derive(Debug, Clone)]
pub struct EventOccurrence {
    pub(crate) id: String,
    pub(crate) at_ms: u64,
    /// Or why it can't be written as JSON.
    pub(crate) data: Result<Value, String>,
}

impl EventOccurrence {
    /// With the id that it has where it comes from: up to 256 visible characters of ASCII without `.`,
    /// by which clients know one that they heard of before. When it happened, in milliseconds since
    /// 1970; and what.
    pub fn new(id: impl Into<String>, at_ms: u64, data: &impl Serialize) -> Self {
        Self {
            id: id.into(),
            at_ms,
            data: serde_json::to_value(data).map_err(|error| error.to_string()),
        }
    }

    /// As the wire has it, but for its cursor.
    ///
    /// # Errors
    /// What the author did wrong.
    pub(crate) fn written(self, name: &str) -> Result<WireOccurrence, String> {
        if !is_id(&self.id) {
            return Err(format!(
                "an event of `{name}` has an id that is not 1 to {ID_BYTES} visible characters of \
                 ASCII without `.`"
            ));
        }
        Ok(WireOccurrence {
            event_id: self.id,
            name: name.to_owned(),
            timestamp: timestamp(Duration::from_millis(self.at_ms)),
            data: self.data.map_err(|error| {
                format!("an event of `{name}` can't be written as JSON: {error}")
            })?,
            cursor: None,
        })
    }
}

/// The id of an event is a part of what is signed, whose parts a dot tells apart.
pub(crate) fn is_id(id: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(legal)
}

/// As the wire and the log have it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireOccurrence {
    pub(crate) event_id: String,
    pub(crate) name: String,
    pub(crate) timestamp: String,
    pub(crate) data: Value,
    /// Where a client that heard of it goes on; only where it is pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// Which events a client wants, as an author's function is told.
#[derive(Debug, Clone)]
pub struct EventPoll {
    pub(crate) cursor: Option<String>,
    pub(crate) since_ms: Option<u64>,
    pub(crate) limit: usize,
}

impl EventPoll {
    /// The function's own cursor, of an earlier page: those behind it are wanted. Without one a client
    /// begins, with what happens from now on: the page is then empty, and has a cursor. Another version
    /// of this server may have written it.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// What happened before this time (milliseconds since 1970) is not wanted. A function that leaves
    /// some out for it says that its page is [`truncated`](EventPage::truncated).
    #[must_use]
    pub fn since_ms(&self) -> Option<u64> {
        self.since_ms
    }

    /// The most that are wanted.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// What happened behind a cursor.
#[derive(Debug, Clone)]
#[must_use = "give it back"]
pub struct EventPage {
    pub(crate) cursor: Option<String>,
    pub(crate) events: Vec<EventOccurrence>,
    pub(crate) truncated: bool,
    pub(crate) more: bool,
}

impl EventPage {
    /// A page without events, and where the next one begins: up to 4 KiB that only this server can
    /// read or write, once they are on their way.
    pub fn new(cursor: impl Into<String>) -> Self {
        Self {
            cursor: Some(cursor.into()),
            events: Vec::new(),
            truncated: false,
            more: false,
        }
    }

    /// Adds events, in the order in which they happened.
    pub fn events(mut self, events: impl IntoIterator<Item = EventOccurrence>) -> Self {
        self.events.extend(events);
        self
    }

    /// Some that happened behind the cursor are not there any more, or the cursor can't be read and
    /// the page begins elsewhere.
    pub fn truncated(mut self) -> Self {
        self.truncated = true;
        self
    }

    /// Whether there are more events behind these.
    pub fn more(mut self, more: bool) -> Self {
        self.more = more;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_visible_and_have_no_dot() {
        for id in ["a", "evt_1", "order-7/b", &"x".repeat(256)] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "a.b", "a b", "é", "a\n", &"x".repeat(257)] {
            assert!(!is_id(id), "{id:?}");
        }
    }

    #[test]
    fn on_the_wire() {
        let event = EventOccurrence::new("e1", 86_400_000, &serde_json::json!({"a": 1}));
        let written = serde_json::to_value(event.written("x").unwrap()).unwrap();
        let expected = serde_json::json!({
            "eventId": "e1", "name": "x", "timestamp": "1970-01-02T00:00:00.000Z", "data": {"a": 1},
        });
        assert_eq!(written, expected);
    }
}
