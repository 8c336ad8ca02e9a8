//! Subscriptions to events, in memory. One that is there is not dropped for another: who finds no room
//! is told so.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use bytes::Bytes;
use mcpfn_core::port::{
    StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow, SubscriptionWritten,
};

use super::limits::MemoryLimits;

#[derive(Debug, Default)]
pub(super) struct SubscriberTable {
    topics: HashMap<String, BTreeMap<String, SubscriberEntry>>,
    /// How many each owner has, also those that expired and were not looked at since.
    owners: HashMap<String, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct SubscriberEntry {
    owner: String,
    row: SubscriptionRow,
}

impl SubscriberTable {
    pub(super) fn find(&self, key: SubscriptionKey<'_>, now_ms: u64) -> Option<SubscriptionRow> {
        let row = &self.topics.get(key.topic)?.get(key.id)?.row;
        (now_ms < row.expires_ms).then(|| row.clone())
    }

    pub(super) fn write(
        &mut self,
        key: SubscriptionKey<'_>,
        replaces: Option<u64>,
        (body, expires_ms): (Bytes, u64),
        now_ms: u64,
        bounds: SubscriptionBounds,
        limits: MemoryLimits,
    ) -> Result<SubscriptionWritten, StoreError> {
        let there = self.find(key, now_ms).map(|row| row.version);
        if there != replaces {
            return Ok(SubscriptionWritten::Changed);
        }
        if let Some(full) = self.full(key, there.is_none(), body.len(), now_ms, bounds, limits)? {
            return Ok(full);
        }
        // only now: a renewal that finds no room loses nothing
        self.remove(key);
        self.bytes += body.len();
        *self.owners.entry(key.owner.to_owned()).or_default() += 1;
        let row = SubscriptionRow {
            id: key.id.to_owned(),
            version: there.map_or(0, |version| version + 1),
            body,
            expires_ms,
        };
        let owner = key.owner.to_owned();
        let topic = self.topics.entry(key.topic.to_owned()).or_default();
        topic.insert(key.id.to_owned(), SubscriberEntry { owner, row });
        Ok(SubscriptionWritten::Done)
    }

    /// Whether there is no place, once what expired has made some.
    fn full(
        &mut self,
        key: SubscriptionKey<'_>,
        is_new: bool,
        bytes: usize,
        now_ms: u64,
        bounds: SubscriptionBounds,
        limits: MemoryLimits,
    ) -> Result<Option<SubscriptionWritten>, StoreError> {
        if self.refusal(key, is_new, bytes, bounds, limits).is_none() {
            return Ok(None);
        }
        self.clean(now_ms);
        self.refusal(key, is_new, bytes, bounds, limits).transpose()
    }

    /// Why there is no place, as long as what expired still takes some.
    fn refusal(
        &self,
        key: SubscriptionKey<'_>,
        is_new: bool,
        bytes: usize,
        bounds: SubscriptionBounds,
        limits: MemoryLimits,
    ) -> Option<Result<SubscriptionWritten, StoreError>> {
        let owned = self.owners.get(key.owner).copied().unwrap_or_default();
        if is_new && owned >= bounds.per_owner {
            return Some(Ok(SubscriptionWritten::OwnerFull));
        }
        let of_topic = self.topics.get(key.topic).map_or(0, BTreeMap::len);
        if is_new && of_topic >= bounds.per_topic {
            return Some(Ok(SubscriptionWritten::TopicFull));
        }
        // what is replaced makes room for what replaces it
        let replaced = self.topics.get(key.topic).and_then(|it| it.get(key.id));
        let replaced = replaced.map_or(0, |subscriber| subscriber.row.body.len());
        (self.bytes - replaced + bytes > limits.bytes).then(|| {
            Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} bytes of subscriptions",
                limits.bytes
            )))
        })
    }

    fn clean(&mut self, now_ms: u64) {
        let live = |subscriber: &SubscriberEntry| now_ms < subscriber.row.expires_ms;
        for topic in self.topics.values_mut() {
            topic.retain(|_, subscriber| live(subscriber));
        }
        self.topics.retain(|_, topic| !topic.is_empty());
        self.owners.clear();
        self.bytes = 0;
        for subscriber in self.topics.values().flat_map(BTreeMap::values) {
            *self.owners.entry(subscriber.owner.clone()).or_default() += 1;
            self.bytes += subscriber.row.body.len();
        }
    }

    pub(super) fn remove(&mut self, key: SubscriptionKey<'_>) {
        let topic = self.topics.get_mut(key.topic);
        let Some(gone) = topic.and_then(|topic| topic.remove(key.id)) else {
            return;
        };
        self.bytes -= gone.row.body.len();
        if let Some(owned) = self.owners.get_mut(&gone.owner) {
            *owned -= 1;
            if *owned == 0 {
                self.owners.remove(&gone.owner);
            }
        }
    }

    pub(super) fn page(
        &self,
        topic: &str,
        after: Option<&str>,
        limit: usize,
        now_ms: u64,
    ) -> Vec<SubscriptionRow> {
        let Some(topic) = self.topics.get(topic) else {
            return Vec::new();
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = topic.range::<str, _>((from, Bound::Unbounded));
        rows.map(|(_, subscriber)| &subscriber.row)
            .filter(|row| now_ms < row.expires_ms)
            .take(limit)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_that_finds_no_room_keeps_what_is_there() {
        let mut table = SubscriberTable::default();
        let key = |id| SubscriptionKey {
            topic: "orders",
            owner: "alice",
            id,
        };
        let bounds = SubscriptionBounds {
            per_owner: 2,
            per_topic: 2,
        };
        let limits = MemoryLimits {
            entries: 9,
            bytes: 10,
        };
        let body = |bytes| Bytes::from(vec![0; bytes]);
        let mut write = |id, replaces, bytes, now_ms| {
            let row = (body(bytes), now_ms + 100);
            let written = table.write(key(id), replaces, row, now_ms, bounds, limits);
            let there = table.find(key(id), now_ms).map(|row| row.body.len());
            (written.ok(), there, table.bytes)
        };
        let done = Some(SubscriptionWritten::Done);
        assert_eq!(write("a", None, 4, 0), (done, Some(4), 4));
        assert_eq!(write("b", None, 6, 1), (done, Some(6), 10));
        // one byte too many: the subscription is as it was
        assert_eq!(write("a", Some(0), 5, 2), (None, Some(4), 10));
        // what it replaces makes room for it, also in a full memory
        assert_eq!(write("a", Some(0), 4, 3), (done, Some(4), 10));
        assert_eq!(write("a", Some(1), 3, 4), (done, Some(3), 9));
        // a place of one that expired is free, under its own id and for others
        assert_eq!(write("b", None, 7, 101), (done, Some(7), 10));
        let full = Some(SubscriptionWritten::OwnerFull);
        assert_eq!(write("c", None, 1, 103), (full, None, 10));
        assert_eq!(table.owners.get("alice"), Some(&2));
    }
}
