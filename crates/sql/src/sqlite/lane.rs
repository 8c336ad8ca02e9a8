//! A queue of statements and the threads that take from it, one connection each. Not a general
//! thread pool.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use mcpfn_ports::SqlError;

use super::connect::{self, DatabasePath, Rights, SqliteSession};
use super::ticket::{self, Ticket};
use super::work::{self, JobRequest, QueryAnswer};

/// How many statements may wait. More than this means that the database does not keep up.
const MAX_WAITING: usize = 1024;

/// Connections of one kind to one database. Threads are started when statements wait and no thread
/// is idle.
pub(super) struct Lane {
    name: &'static str,
    limit: usize,
    place: DatabasePath,
    access: Rights,
    queue: Mutex<JobQueue>,
    ready: Condvar,
}

struct Job {
    request: JobRequest,
    ticket: Ticket,
}

#[derive(Default)]
struct JobQueue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Lane {
    pub(super) fn new(
        name: &'static str,
        limit: usize,
        place: DatabasePath,
        access: Rights,
    ) -> Arc<Self> {
        let (queue, ready) = (Mutex::default(), Condvar::new());
        Arc::new(Self {
            name,
            limit,
            place,
            access,
            queue,
            ready,
        })
    }

    /// Gives the lane a connection that is already open.
    pub(super) fn adopt(self: &Arc<Self>, session: SqliteSession) -> Result<(), SqlError> {
        self.lock().threads += 1;
        self.spawn(Some(session))
    }

    /// Queues the request and waits for its answer. Dropping the future takes the request back.
    pub(super) async fn run(
        self: &Arc<Self>,
        request: JobRequest,
    ) -> Result<QueryAnswer, SqlError> {
        let (ticket, claim) = ticket::pair();
        self.push(Job { request, ticket })?;
        claim.await
    }

    /// Ends the threads, each after the statement it runs.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn push(self: &Arc<Self>, job: Job) -> Result<(), SqlError> {
        let mut queue = self.lock();
        if queue.jobs.len() >= MAX_WAITING {
            return Err(SqlError::Unavailable(format!(
                "{MAX_WAITING} statements are waiting"
            )));
        }
        queue.jobs.push_back(job);
        let spawn = queue.jobs.len() > queue.idle && queue.threads < self.limit;
        queue.threads += usize::from(spawn);
        drop(queue);
        self.ready.notify_one();
        if spawn {
            // without the new thread the older ones take the job; where there is none, `Presence`
            // has failed it already
            let _ = self.spawn(None);
        }
        Ok(())
    }

    /// Starts a thread that was counted already.
    fn spawn(self: &Arc<Self>, session: Option<SqliteSession>) -> Result<(), SqlError> {
        let place = Presence(Arc::clone(self));
        let started = thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || place.0.serve(session));
        // a closure that could not be started is dropped, and `Presence` with it
        started
            .map(drop)
            .map_err(|error| SqlError::Unavailable(error.to_string()))
    }

    /// The life of a thread.
    fn serve(&self, session: Option<SqliteSession>) {
        let opened = session.map_or_else(|| connect::open(&self.place, self.access), Ok);
        match opened {
            Ok(mut session) => {
                while let Some(Job { request, ticket }) = self.next() {
                    if ticket.start(session.brake()) {
                        ticket.finish(work::run(&mut session, request));
                    }
                }
            }
            Err(error) => {
                // other threads can still answer; the last one says why none can
                let mut queue = self.lock();
                let job = if queue.threads == 1 {
                    queue.jobs.pop_front()
                } else {
                    None
                };
                drop(queue);
                if let Some(job) = job {
                    job.ticket.finish(Err(error));
                }
            }
        }
    }

    /// Waits for a statement. `None` when the lane is closed.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue.idle += 1;
            queue = self
                .ready
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, JobQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread's being there. The last one to leave takes the waiting jobs along, because no thread
/// would answer them.
struct Presence(Arc<Lane>);

impl Drop for Presence {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.threads -= 1;
        let abandoned = if queue.threads == 0 {
            std::mem::take(&mut queue.jobs)
        } else {
            VecDeque::new()
        };
        // dropped without the lock: it wakes the callers
        drop(queue);
        drop(abandoned);
    }
}
