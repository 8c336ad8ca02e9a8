//! Tasks in memory. They end with the process, and so does what they had done by then. Nobody takes
//! all of the room: as with idempotent writes, a caller may have as much as it leaves free.

use std::collections::HashMap;

use bytes::Bytes;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts};

use super::limits::MemoryLimits;
use crate::caller::caller;

#[derive(Debug, Default)]
pub(super) struct TaskTable {
    kept: HashMap<String, TaskRow>,
    bytes: usize,
}

#[derive(Debug)]
struct TaskRow {
    version: u64,
    expires_ms: u64,
    parts: [Option<Bytes>; TaskPart::ALL.len()],
}

impl TaskRow {
    fn bytes(&self) -> usize {
        self.parts.iter().flatten().map(Bytes::len).sum()
    }
}

impl TaskTable {
    pub(super) fn create(
        &mut self,
        key: &str,
        parts: [Bytes; 2],
        now_ms: u64,
        expires_ms: u64,
        limits: MemoryLimits,
    ) -> Result<bool, StoreError> {
        if self.live(key, now_ms).is_some() {
            return Ok(false);
        }
        let [head, call] = parts;
        let mut task = TaskRow {
            version: 0,
            expires_ms,
            parts: Default::default(),
        };
        task.parts[TaskPart::Head as usize] = Some(head);
        task.parts[TaskPart::Call as usize] = Some(call);
        self.make_room(task.bytes(), 1, now_ms, limits)?;
        self.check_share(key, task.bytes(), now_ms, limits)?;
        self.bytes += task.bytes();
        self.kept.insert(key.to_owned(), task);
        Ok(true)
    }

    pub(super) fn read(&self, key: &str, parts: &[TaskPart], now_ms: u64) -> Option<TaskParts> {
        let task = self.kept.get(key).filter(|task| now_ms < task.expires_ms)?;
        let parts = parts.iter().map(|part| task.parts[*part as usize].clone());
        Some(TaskParts {
            version: task.version,
            parts: parts.collect(),
        })
    }

    pub(super) fn swap(
        &mut self,
        key: &str,
        version: u64,
        parts: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
        limits: MemoryLimits,
    ) -> Result<Swapped, StoreError> {
        let Some(task) = self.live(key, now_ms) else {
            return Ok(Swapped::Gone);
        };
        if task.version != version {
            return Ok(Swapped::Changed);
        }
        // what is replaced makes room too, but seldom much: counted as if it did not
        let added = parts.iter().map(|(_, bytes)| bytes.len()).sum();
        self.make_room(added, 0, now_ms, limits)?;
        if let Some(task) = self.kept.get_mut(key) {
            let before = task.bytes();
            for (part, bytes) in parts {
                task.parts[part as usize] = Some(bytes);
            }
            task.version += 1;
            task.expires_ms = expires_ms;
            self.bytes = self.bytes + task.bytes() - before;
        }
        Ok(Swapped::Done)
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.bytes -= self.kept.remove(key).map_or(0, |task| task.bytes());
    }

    fn live(&mut self, key: &str, now_ms: u64) -> Option<&TaskRow> {
        if self.kept.get(key)?.expires_ms <= now_ms {
            self.remove(key);
        }
        self.kept.get(key)
    }

    fn forget_expired(&mut self, now_ms: u64) {
        self.kept.retain(|_, task| now_ms < task.expires_ms);
        self.bytes = self.kept.values().map(TaskRow::bytes).sum();
    }

    /// New tasks only: one that was begun is not lost because another one was.
    fn check_share(
        &mut self,
        key: &str,
        bytes: usize,
        now_ms: u64,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        // while more than a half of both is free nobody can have as much
        if self.kept.len() < limits.entries / 2 && self.bytes < limits.bytes / 2 {
            return Ok(());
        }
        self.forget_expired(now_ms);
        let free_entries = limits.entries.saturating_sub(self.kept.len());
        let free_bytes = limits.bytes.saturating_sub(self.bytes);
        let own = self.kept.iter();
        let own = own.filter(|(other, _)| caller(other) == caller(key));
        let (tasks, own_bytes) = own.fold((0, 0), |(tasks, bytes), (_, task)| {
            (tasks + 1, bytes + task.bytes())
        });
        if tasks >= free_entries || own_bytes + bytes > free_bytes {
            return Err(StoreError::share_taken(format_args!(
                "a caller has {tasks} tasks of {own_bytes} bytes in the memory of this process, \
                 which leaves as much to others"
            )));
        }
        Ok(())
    }

    fn make_room(
        &mut self,
        bytes: usize,
        entries: usize,
        now_ms: u64,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        let full = |tasks: &Self| {
            tasks.kept.len() + entries > limits.entries || tasks.bytes + bytes > limits.bytes
        };
        if full(self) {
            self.forget_expired(now_ms);
        }
        if full(self) {
            return Err(StoreError::lasting(format_args!(
                "the memory of this process keeps {} tasks and {} bytes of them",
                limits.entries, limits.bytes
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of them begins as many as it can; then others do.
    #[test]
    fn a_caller_who_takes_all_it_can_leaves_as_much_to_others() {
        for (entries, bytes) in [(60, 1_000_000), (1_000_000, 6_000)] {
            let (mut tasks, limits) = (TaskTable::default(), MemoryLimits { entries, bytes });
            let parts = || [Bytes::from(vec![0; 40]), Bytes::from(vec![0; 60])];
            let mut create =
                |key: String, now_ms| tasks.create(&key, parts(), now_ms, now_ms + 10, limits);
            let found = ["greedy", "second", "third", "last"].map(|caller| {
                let begun = (0..60).filter(|number| {
                    let created = create(format!("{number}.{caller}"), 0);
                    if let Err(error) = &created {
                        assert!(error.is_share_taken(), "{error}");
                    }
                    created == Ok(true)
                });
                begun.count()
            });
            assert_eq!(found, [30, 15, 8, 4], "{entries} entries, {bytes} bytes");
            // what has ended its time takes no room
            assert_eq!(create("60.greedy".to_owned(), 10), Ok(true));
        }
    }
}
