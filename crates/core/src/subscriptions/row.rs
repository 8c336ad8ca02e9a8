//! What is kept of a session: the resources that it subscribed to, and the state in which each of
//! them was then. Pure; who reads and writes it is `change` and `poll`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::jsonrpc::{Error, to_json};
use crate::model::subscription::{KEPT_MS, MOST};
use crate::port::topics::Kept;

/// The resources of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscribedResources {
    /// Until when this is kept, in milliseconds since 1970.
    expires_ms: u64,
    /// By its URI, the state in which each was when the client subscribed.
    marks: BTreeMap<String, u64>,
}

impl SubscribedResources {
    /// What an earlier version of this program wrote differently counts as nothing.
    pub(crate) fn read(value: &[u8]) -> Self {
        serde_json::from_slice(value).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        to_json(self)
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, u64)> {
        self.marks.iter().map(|(uri, mark)| (uri.as_str(), *mark))
    }

    /// Subscribes to a resource that is in this state now, from which on changes count: what a client
    /// has seen before is in the ids of its events. Gives whether there is anything to write.
    pub(crate) fn subscribe(&mut self, uri: &str, mark: u64, now_ms: u64) -> Result<bool, Error> {
        let known = self.marks.get(uri);
        if known == Some(&mark) {
            return Ok(self.is_old(now_ms));
        }
        if known.is_none() && self.marks.len() >= MOST {
            return Err(Error::invalid_params(format!(
                "a session can subscribe to {MOST} resources, and this one has as many: unsubscribe \
                 from one first"
            )));
        }
        self.marks.insert(uri.to_owned(), mark);
        Ok(true)
    }

    /// Gives whether there is anything to write.
    pub(crate) fn unsubscribe(&mut self, uri: &str) -> bool {
        self.marks.remove(uri).is_some()
    }

    /// Whether it is to be written again, so that it does not expire while its client is there.
    pub(crate) fn is_old(&self, now_ms: u64) -> bool {
        !self.marks.is_empty() && self.expires_ms < now_ms.saturating_add(KEPT_MS / 2)
    }

    /// For how long it is kept when it is written now.
    pub(crate) fn renew(&mut self, now_ms: u64) -> Kept {
        self.expires_ms = now_ms.saturating_add(KEPT_MS);
        Kept {
            now_ms,
            expires_ms: self.expires_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_bounded_and_have_the_state_from_which_changes_count() {
        let mut row = SubscribedResources::default();
        assert_eq!(row.subscribe("a", 7, 0).ok(), Some(true));
        row.renew(0);
        assert_eq!(
            row.subscribe("a", 7, 0).ok(),
            Some(false),
            "nothing to write"
        );
        let later_ms = KEPT_MS / 2 + 1;
        assert_eq!(row.subscribe("a", 7, later_ms).ok(), Some(true), "renewed");
        assert_eq!(row.subscribe("a", 8, 0).ok(), Some(true), "another state");
        for number in 1..MOST as u64 {
            let subscribed = row.subscribe(&number.to_string(), number, 0);
            assert_eq!(subscribed.ok(), Some(true));
        }
        assert!(row.subscribe("one more", 1, 0).is_err());
        assert!(row.unsubscribe("1") && !row.unsubscribe("1"));
        assert_eq!(row.subscribe("one more", 1, 0).ok(), Some(true));
        let read = SubscribedResources::read(&row.write());
        assert_eq!(read, row);
        let mut resources = read.resources();
        assert_eq!(resources.find(|(uri, _)| *uri == "a"), Some(("a", 8)));
        for nothing in ["", "{}", "[1]", "\u{0}", r#"{"marks":{"a":-1}}"#] {
            let read = SubscribedResources::read(nothing.as_bytes());
            assert_eq!(read.resources().count(), 0, "{nothing}");
        }
    }
}
