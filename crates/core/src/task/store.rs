//! TaskQuestions to the store of tasks, in the words of tasks: heads are read and written here, and an
//! answer that does not come in time is an error.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::head::TaskHead;
use crate::canonical::{caller_key, digest_key};
use crate::jsonrpc::to_json;
use crate::policy::asked::asked;
use crate::port::store_error::StoreError;
use crate::port::tasks::{Swapped, TaskPart};
use crate::port::{Platform, TaskPlatform};

/// How often a change is tried again that others came before.
const TRIES: usize = 8;

/// A task as it was read.
#[derive(Debug)]
pub(crate) struct ReadTask {
    pub(crate) head: TaskHead,
    pub(crate) version: u64,
    parts: Vec<Option<Bytes>>,
}

impl ReadTask {
    /// A part, by its place among those that were wanted. Nothing for one that was never written, or
    /// that another version of this server wrote.
    pub(crate) fn part<T: DeserializeOwned>(&self, place: usize) -> Option<T> {
        serde_json::from_slice(self.bytes(place)?).ok()
    }

    pub(crate) fn bytes(&self, place: usize) -> Option<&Bytes> {
        self.parts.get(place)?.as_ref()
    }
}

/// One task in its store.
#[derive(Clone)]
pub(crate) struct StoredTask {
    pub(crate) key: String,
    platform: Arc<Platform>,
    tasks: TaskPlatform,
}

/// The caller is part of the key: nobody reaches the task of another caller, whose id is as good as
/// any that there is none of.
pub(crate) fn key(server: &str, principal: &str, id: &str) -> String {
    let parts = [server, principal, id].map(str::as_bytes);
    let task = digest_key(&[b"task", parts[0], parts[1], parts[2]]);
    // as in keys of idempotent writes: who shares room out knows whose task it is
    format!("{task}.{}", caller_key(principal))
}

impl StoredTask {
    /// Nothing where the host keeps no tasks.
    pub(crate) fn new(key: String, platform: &Arc<Platform>) -> Option<Self> {
        Some(Self {
            key,
            platform: Arc::clone(platform),
            tasks: platform.tasks.clone()?,
        })
    }

    fn now_ms(&self) -> u64 {
        self.platform.clock.now_ms()
    }

    /// Tells the log that the store is unavailable.
    pub(crate) fn failed(&self, error: &StoreError) {
        self.platform.store_failed("task store", error);
    }

    pub(crate) async fn create(&self, head: &TaskHead, call: Vec<u8>) -> Result<bool, StoreError> {
        let (store, head_json) = (&self.tasks.store, Bytes::from(to_json(head)));
        let (now_ms, expires_ms) = (self.now_ms(), head.expires_ms());
        let create = store.create(&self.key, head_json, call.into(), now_ms, expires_ms);
        asked(&self.platform.timer, create).await
    }

    /// The head, and these parts.
    pub(crate) async fn read(&self, parts: &[TaskPart]) -> Result<Option<ReadTask>, StoreError> {
        let wanted = [&[TaskPart::Head], parts].concat();
        let read = self.tasks.store.read(&self.key, &wanted, self.now_ms());
        let Some(mut read) = asked(&self.platform.timer, read).await? else {
            return Ok(None);
        };
        let head = match read.parts.is_empty() {
            true => None,
            false => read.parts.remove(0),
        };
        let head = head.ok_or_else(|| StoreError::lasting("a task without a head"))?;
        let head = serde_json::from_slice(&head).map_err(|error| {
            StoreError::lasting(format_args!("the head of a task can't be read: {error}"))
        })?;
        Ok(Some(ReadTask {
            head,
            version: read.version,
            parts: read.parts,
        }))
    }

    /// Replaces the head that has this version.
    pub(crate) async fn swap(
        &self,
        version: u64,
        head: &TaskHead,
        also: Vec<(TaskPart, Bytes)>,
    ) -> Result<Swapped, StoreError> {
        let (store, head_json) = (&self.tasks.store, Bytes::from(to_json(head)));
        let (now_ms, expires_ms) = (self.now_ms(), head.expires_ms());
        let swap = store.swap(&self.key, version, head_json, also, now_ms, expires_ms);
        asked(&self.platform.timer, swap).await
    }

    /// Makes a change of the head, again while others come before it. `change` gives the next head
    /// and what is written with it, or nothing where nothing is to be changed. Ends with the head as
    /// it is then, and whether this changed it; nothing for a task that is gone.
    pub(crate) async fn change<F>(
        &self,
        parts: &[TaskPart],
        mut change: F,
    ) -> Result<Option<(TaskHead, bool)>, StoreError>
    where
        F: FnMut(&ReadTask, u64) -> Option<(TaskHead, Vec<(TaskPart, Bytes)>)>,
    {
        for _ in 0..TRIES {
            let Some(read) = self.read(parts).await? else {
                return Ok(None);
            };
            let Some((head, also)) = change(&read, self.now_ms()) else {
                return Ok(Some((read.head, false)));
            };
            match self.swap(read.version, &head, also).await? {
                Swapped::Done => return Ok(Some((head, true))),
                Swapped::Changed => {}
                Swapped::Gone => return Ok(None),
            }
        }
        Err(StoreError::new("others changed the task again and again"))
    }

    /// Orders a run.
    pub(crate) async fn start(&self, not_before_ms: u64) -> Result<(), StoreError> {
        let start = self.tasks.runner.start(&self.key, not_before_ms);
        asked(&self.platform.timer, start).await
    }

    pub(crate) async fn remove(&self) {
        let removed = self.tasks.store.remove(&self.key);
        if let Err(error) = asked(&self.platform.timer, removed).await {
            self.failed(&error);
        }
    }
}

/// A part as it is written.
pub(crate) fn part(part: TaskPart, value: &impl Serialize) -> (TaskPart, Bytes) {
    (part, to_json(value).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_stand_in_any_store_and_in_an_order_to_a_queue() {
        for name in ["", "a/b c", "\u{0}\u{202e}", &"x".repeat(10_000)] {
            let key = key(name, name, name);
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            assert!(key.bytes().all(legal) && key.len() <= 128, "{key}");
        }
    }
}
