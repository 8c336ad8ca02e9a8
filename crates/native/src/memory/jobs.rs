//! A queue of work for subscribers, in memory: what waits, in the order in which it is due, and what
//! was given up. Work that is not done when the process ends is lost with it.

use std::collections::{BTreeSet, HashMap, VecDeque};

use mcpfn_core::port::{EventJob, EventJobEnd, StoreError, TakenEventJob};

use super::limits::MemoryLimits;

/// How much is kept of what was given up.
const DEAD: usize = 1_000;

/// Queues by their keys; few, because each is of a server.
#[derive(Debug, Default)]
pub(super) struct JobQueues(HashMap<String, JobTable>);

impl JobQueues {
    pub(super) fn queue(&mut self, queue: &str) -> &mut JobTable {
        self.0.entry(queue.to_owned()).or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct JobTable {
    jobs: HashMap<String, WaitingJob>,
    /// When each can be taken, and its key.
    order: BTreeSet<(u64, String)>,
    dead: VecDeque<(EventJob, String)>,
}

#[derive(Debug)]
struct WaitingJob {
    job: EventJob,
    /// When it can be taken, and how often it was.
    free_ms: u64,
    lease: u64,
}

impl JobTable {
    /// All of them or none.
    pub(super) fn put(
        &mut self,
        mut jobs: Vec<EventJob>,
        limits: MemoryLimits,
    ) -> Result<(), StoreError> {
        jobs.retain(|job| !self.jobs.contains_key(&job.key));
        if self.jobs.len() + jobs.len() > limits.entries {
            // who has more tries again once some of this is done
            return Err(StoreError::new(format_args!(
                "the memory of this process keeps {} deliveries that wait",
                limits.entries
            )));
        }
        for job in jobs {
            let (key, free_ms) = (job.key.clone(), job.due_ms);
            self.order.insert((free_ms, key.clone()));
            let waiting = WaitingJob {
                job,
                free_ms,
                lease: 0,
            };
            if let Some(twice) = self.jobs.insert(key.clone(), waiting)
                && twice.free_ms != free_ms
            {
                self.order.remove(&(twice.free_ms, key));
            }
        }
        Ok(())
    }

    pub(super) fn take(&mut self, now_ms: u64, until_ms: u64, limit: usize) -> Vec<TakenEventJob> {
        let due = self
            .order
            .iter()
            .take_while(|(free_ms, _)| *free_ms <= now_ms);
        let due: Vec<(u64, String)> = due.take(limit).cloned().collect();
        let taken = due.into_iter().filter_map(|place| {
            self.order.remove(&place);
            let waiting = self.jobs.get_mut(&place.1)?;
            waiting.free_ms = until_ms.max(now_ms.saturating_add(1));
            waiting.lease += 1;
            self.order.insert((waiting.free_ms, place.1));
            Some(TakenEventJob {
                job: waiting.job.clone(),
                lease: waiting.lease,
            })
        });
        taken.collect()
    }

    pub(super) fn end(&mut self, taken: &TakenEventJob, end: EventJobEnd) -> bool {
        let key = &taken.job.key;
        let found = self.jobs.get_mut(key);
        let Some(waiting) = found.filter(|waiting| waiting.lease == taken.lease) else {
            return false;
        };
        self.order.remove(&(waiting.free_ms, key.clone()));
        if let EventJobEnd::Again(body, due_ms) = end {
            (waiting.job.body, waiting.job.due_ms) = (body, due_ms);
            waiting.free_ms = due_ms;
            self.order.insert((due_ms, key.clone()));
            return true;
        }
        let gone = self.jobs.remove(key);
        if let (EventJobEnd::Dead(reason), Some(gone)) = (end, gone) {
            self.dead.truncate(DEAD - 1);
            self.dead.push_front((gone.job, reason));
        }
        true
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        self.order.first().map(|(free_ms, _)| *free_ms)
    }

    pub(super) fn dead(&self, limit: usize) -> Vec<(EventJob, String)> {
        self.dead.iter().take(limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(key: &str, due_ms: u64) -> EventJob {
        EventJob {
            key: key.to_owned(),
            body: "work".into(),
            due_ms,
        }
    }

    #[test]
    fn memory_is_bounded_and_all_that_is_put_is_there_or_none() {
        let mut table = JobTable::default();
        let limits = MemoryLimits {
            entries: 2,
            bytes: 0,
        };
        assert!(table.put(vec![job("a", 1), job("b", 2)], limits).is_ok());
        assert!(table.put(vec![job("a", 1)], limits).is_ok(), "it is there");
        assert!(table.put(vec![job("c", 1), job("a", 1)], limits).is_err());
        let taken = table.take(5, 10, 10);
        assert_eq!((taken.len(), table.next_due()), (2, Some(10)));
        for taken in &taken {
            assert!(table.end(taken, EventJobEnd::Dead("it failed".into())));
        }
        assert_eq!(
            (table.dead(9).len(), table.next_due(), table.jobs.len()),
            (2, None, 0)
        );
        for number in 0..DEAD {
            table.put(vec![job("a", 1)], limits).unwrap();
            let taken = table.take(5, 10, 1).remove(0);
            table.end(&taken, EventJobEnd::Dead(number.to_string()));
        }
        assert_eq!((table.dead.len(), table.dead[0].1.as_str()), (DEAD, "999"));
    }
}
