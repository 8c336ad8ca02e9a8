//! One record of each call, whatever its end: also of one whose client went away.

use std::sync::Arc;

use super::kept::Made;
use crate::dispatch::work::Work;
use crate::jsonrpc::{Error, ErrorCode};
use crate::port::records::{CacheUse, CallRecord, Input, Outcome};

/// How a call ended, beside what it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) cache: CacheUse,
}

/// An answer's result and how the call ended.
pub(crate) type Ended = Result<(Vec<u8>, Ending), Error>;

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, cache: CacheUse::Off }
    }
}

impl Ending {
    pub(crate) fn of(made: &Made, cache: CacheUse) -> Self {
        Self { outcome: made.outcome, cache }
    }
}

/// Writes the record when the call ends, or when it is dropped before.
pub(crate) struct Recorder {
    work: Arc<Work>,
    started_ms: u64,
    recorded: bool,
}

impl Recorder {
    pub(crate) fn start(work: Arc<Work>) -> Self {
        let started_ms = work.platform.clock.now_ms();
        Self { work, started_ms, recorded: false }
    }

    pub(crate) fn end(mut self, ended: Ended) -> Result<Vec<u8>, Error> {
        match &ended {
            Ok((written, ending)) => self.write(*ending, None, written.len()),
            Err(error) => {
                let outcome = match error.code {
                    ErrorCode::RATE_LIMITED => Outcome::RateLimited,
                    ErrorCode::FORBIDDEN => Outcome::Forbidden,
                    ErrorCode::INTERNAL => Outcome::Internal,
                    _ => Outcome::Refused,
                };
                self.write(outcome.into(), Some(error.code.0), 0);
            }
        }
        ended.map(|(written, _)| written)
    }

    fn write(&mut self, ending: Ending, code: Option<i32>, bytes_out: usize) {
        self.recorded = true;
        let work = &*self.work;
        let input = work.input();
        work.platform.records.call(&CallRecord {
            revision: work.revision,
            method: work.method,
            name: work.name(),
            principal: &work.principal,
            outcome: ending.outcome,
            code,
            duration_ms: work.platform.clock.now_ms().saturating_sub(self.started_ms),
            bytes_in: input.len(),
            bytes_out,
            cache: ending.cache,
            traceparent: work.traceparent(),
            input: Input(input),
        });
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.recorded {
            self.write(Outcome::Cancelled.into(), None, 0);
        }
    }
}
