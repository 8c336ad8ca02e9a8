//! Events of tests: kept in memory, and sent when the test says so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventJob, EventJobEnd, EventJobs, EventLog, EventPosition, EventQueue, EventRead,
    EventRetention, EventSubscriptions, LoggedEvent, StoreError, SubscriptionBounds,
    SubscriptionKey, SubscriptionRow, SubscriptionWritten, TakenEventJob,
};

/// Where a test's events, subscriptions and queue are. Clones share them.
#[derive(Clone, Default)]
pub struct TestEvents(Arc<Mutex<EventState>>);

#[derive(Default)]
struct EventState {
    logs: BTreeMap<String, TestLog>,
    /// By topic and id: the owner, and the row.
    subscriptions: BTreeMap<(String, String), (String, SubscriptionRow)>,
    /// By queue and key: the work, until when it is taken, and how often it was.
    jobs: BTreeMap<(String, String), (EventJob, u64, u64)>,
    /// With the queue of each.
    dead: Vec<(String, EventJob, String)>,
    down: bool,
    refuses_work: bool,
}

struct TestLog {
    events: Vec<LoggedEvent>,
    /// Of the last event that is gone, and of the last one of all.
    floor: EventPosition,
    last: EventPosition,
}

impl TestLog {
    fn trim(&mut self, now_ms: u64, keep: EventRetention) {
        let oldest = EventPosition::at(now_ms.saturating_sub(keep.max_age_ms));
        while self.events.len() > keep.max_events
            || self
                .events
                .first()
                .is_some_and(|event| event.position < oldest)
        {
            self.floor = self.events.remove(0).position;
        }
    }
}

impl fmt::Debug for TestEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("TestEvents")
            .field("logs", &state.logs.len())
            .field("subscriptions", &state.subscriptions.len())
            .field("jobs", &state.jobs.len())
            .finish_non_exhaustive()
    }
}

impl TestEvents {
    /// From now on nothing answers.
    pub fn go_down(&self) {
        self.lock().down = true;
    }

    /// It answers again.
    pub fn come_back(&self) {
        self.lock().down = false;
    }

    /// From now on its queue takes nothing, and all else answers; or it takes work again.
    pub fn refuse_work(&self, refuses: bool) {
        self.lock().refuses_work = refuses;
    }

    /// How many subscriptions there are, also those that expired.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.lock().subscriptions.len()
    }

    /// What is kept of subscriptions, as a reader of the store sees it.
    #[must_use]
    pub fn kept(&self) -> Vec<Bytes> {
        let state = self.lock();
        let rows = state.subscriptions.values();
        rows.map(|(_, row)| row.body.clone()).collect()
    }

    /// When what waits is due, in milliseconds since 1970, in order.
    #[must_use]
    pub fn due(&self) -> Vec<u64> {
        let state = self.lock();
        let mut due: Vec<u64> = state.jobs.values().map(|(job, ..)| job.due_ms).collect();
        due.sort_unstable();
        due
    }

    /// Why deliveries were given up.
    #[must_use]
    pub fn given_up(&self) -> Vec<String> {
        let state = self.lock();
        state
            .dead
            .iter()
            .map(|(.., reason)| reason.clone())
            .collect()
    }

    /// All logs are gone, as those of a process that ended.
    pub fn lose_logs(&self) {
        self.lock().logs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, EventState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut EventState) -> T,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let mut state = self.lock();
        let answer = match state.down {
            true => Err(StoreError::new("the test took it down")),
            false => Ok(answer(&mut state)),
        };
        Box::pin(async { answer })
    }
}

impl EventState {
    fn log(&mut self, topic: &str, now_ms: u64, keep: EventRetention) -> &mut TestLog {
        let begins = EventPosition::at(now_ms);
        let log = self.logs.entry(topic.to_owned()).or_insert(TestLog {
            events: Vec::new(),
            floor: begins,
            last: begins,
        });
        log.trim(now_ms, keep);
        log
    }
}

impl EventLog for TestEvents {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        self.asked(|state| {
            let log = state.log(topic, now_ms, keep);
            log.last = log.last.next(now_ms);
            let position = log.last;
            log.events.push(LoggedEvent { position, body });
            log.trim(now_ms, keep);
            position
        })
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>> {
        self.asked(|state| {
            let log = state.log(topic, now_ms, keep);
            let from = log.events.partition_point(|event| event.position <= after);
            EventRead {
                events: log.events.iter().skip(from).take(limit).cloned().collect(),
                truncated: after < log.floor,
                more: log.events.len() - from > limit,
            }
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        self.asked(|state| state.log(topic, now_ms, keep).last)
    }
}

impl EventSubscriptions for TestEvents {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        self.asked(|state| {
            let place = (key.topic.to_owned(), key.id.to_owned());
            let (_, row) = state.subscriptions.get(&place)?;
            (now_ms < row.expires_ms).then(|| row.clone())
        })
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>> {
        self.asked(|state| {
            let subscriptions = &mut state.subscriptions;
            let place = (key.topic.to_owned(), key.id.to_owned());
            let there = subscriptions.get(&place).map(|(_, row)| row);
            let there = there.filter(|row| now_ms < row.expires_ms);
            let there = there.map(|row| row.version);
            if there != replaces {
                return SubscriptionWritten::Changed;
            }
            // counted only where there are as many at all
            let full = |most: usize, counts: &dyn Fn(&str, &str) -> bool| {
                let live = subscriptions.iter();
                let live = live.filter(|(_, (_, row))| now_ms < row.expires_ms);
                there.is_none()
                    && subscriptions.len() >= most
                    && live
                        .filter(|((topic, _), (owner, _))| counts(topic, owner))
                        .count()
                        >= most
            };
            if full(bounds.per_owner, &|_, owner| owner == key.owner) {
                return SubscriptionWritten::OwnerFull;
            }
            if full(bounds.per_topic, &|topic, _| topic == key.topic) {
                return SubscriptionWritten::TopicFull;
            }
            let row = SubscriptionRow {
                id: key.id.to_owned(),
                version: there.map_or(0, |version| version + 1),
                body,
                expires_ms,
            };
            subscriptions.insert(place, (key.owner.to_owned(), row));
            SubscriptionWritten::Done
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked(|state| {
            let place = (key.topic.to_owned(), key.id.to_owned());
            drop(state.subscriptions.remove(&place));
        })
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        self.asked(|state| {
            let from = (topic.to_owned(), after.unwrap_or_default().to_owned());
            let rows = state.subscriptions.range(from..);
            let rows = rows.take_while(|((known, _), _)| known == topic);
            rows.map(|(_, (_, row))| row)
                .filter(|row| now_ms < row.expires_ms && Some(row.id.as_str()) != after)
                .take(limit)
                .cloned()
                .collect()
        })
    }
}

impl EventQueue for TestEvents {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let put = self.asked(|state| {
            if state.refuses_work {
                return Err(StoreError::new("the test has it refuse work"));
            }
            for job in jobs {
                let key = (queue.to_owned(), job.key.clone());
                state.jobs.entry(key).or_insert((job, 0, 0));
            }
            Ok(())
        });
        Box::pin(async move { put.await? })
    }
}

impl EventJobs for TestEvents {
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>> {
        self.asked(|state| {
            let free = |(job, taken_ms, _): &&mut (EventJob, u64, u64)| {
                job.due_ms <= now_ms && *taken_ms <= now_ms
            };
            let of_queue = state.jobs.iter_mut().filter(|((of, _), _)| of == queue);
            let mut due: Vec<_> = of_queue.map(|(_, job)| job).filter(free).collect();
            due.sort_by_key(|(job, ..)| job.due_ms);
            let taken = due.into_iter().take(limit).map(|(job, taken_ms, lease)| {
                (*taken_ms, *lease) = (until_ms, *lease + 1);
                TakenEventJob {
                    job: job.clone(),
                    lease: *lease,
                }
            });
            taken.collect()
        })
    }

    fn finish<'a>(
        &'a self,
        queue: &'a str,
        taken: &'a TakenEventJob,
        end: EventJobEnd,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.asked(|state| {
            let key = (queue.to_owned(), taken.job.key.clone());
            let found = state.jobs.get_mut(&key);
            let Some((job, taken_ms, _)) = found.filter(|(_, _, lease)| *lease == taken.lease)
            else {
                return false;
            };
            match end {
                EventJobEnd::Again(body, due_ms) => {
                    (job.body, job.due_ms, *taken_ms) = (body, due_ms, 0);
                }
                EventJobEnd::Done => drop(state.jobs.remove(&key)),
                EventJobEnd::Dead(reason) => {
                    let dead = state.jobs.remove(&key);
                    let dead = dead.map(|(job, ..)| (key.0, job, reason));
                    state.dead.extend(dead);
                }
            }
            true
        })
    }

    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.asked(|state| {
            let due = state.jobs.iter().filter(|((of, _), _)| of == queue);
            let due = due
                .map(|(_, job)| job)
                .map(|(job, taken_ms, _)| match *taken_ms > now_ms {
                    true => job.due_ms.max(*taken_ms),
                    false => job.due_ms,
                });
            due.min()
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>> {
        self.asked(|state| {
            let dead = state.dead.iter().rev().filter(|(of, ..)| of == queue);
            let dead = dead.map(|(_, job, reason)| (job.clone(), reason.clone()));
            dead.take(limit).collect()
        })
    }
}
