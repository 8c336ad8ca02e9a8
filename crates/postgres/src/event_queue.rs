//! A queue of what is to be sent to subscribers, in PostgreSQL: a row for each part of the work, taken
//! by who skips what others have locked.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{EventJob, EventJobEnd, EventJobs, EventQueue, StoreError, TakenEventJob};
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};

/// Parts of one question.
const AT_ONCE: usize = 100;
/// How much is given of what was given up.
const DEAD: usize = 1_000;

impl EventQueue for PostgresStores {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for jobs in jobs.chunks(AT_ONCE) {
                let joined = |of: &dyn Fn(&EventJob) -> String| {
                    jobs.iter().map(of).collect::<Vec<_>>().join(" ")
                };
                // keys have no spaces
                let parameters = [
                    queue.into(),
                    joined(&|job| job.key.clone()).into(),
                    joined(&|job| hex(&job.body)).into(),
                    joined(&|job| job.due_ms.to_string()).into(),
                ];
                // what happened is not left to a breaker
                self.client
                    .insist(&self.client.events.put, &parameters)
                    .await?;
            }
            self.wrote_event();
            Ok(())
        })
    }
}

impl EventJobs for PostgresStores {
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>> {
        Box::pin(async move {
            let limit = u64::try_from(limit.min(AT_ONCE)).unwrap_or_default();
            let parameters = [
                queue.into(),
                number(now_ms),
                number(until_ms.max(now_ms.saturating_add(1))),
                number(limit),
            ];
            let (breaker, take) = (&self.breakers.events, &self.client.events.take);
            let rows = self.ask(breaker, queue, take, &parameters).await?.rows;
            let taken = rows.into_iter().filter_map(|mut row| {
                let lease = u64::try_from(row.pop()?.as_i64()?).ok()?;
                let job = job(row)?;
                Some(TakenEventJob { job, lease })
            });
            let mut taken: Vec<_> = taken.collect();
            // an update gives its rows in no order
            taken.sort_by_key(|taken: &TakenEventJob| taken.job.due_ms);
            Ok(taken)
        })
    }

    fn finish<'a>(
        &'a self,
        queue: &'a str,
        taken: &'a TakenEventJob,
        end: EventJobEnd,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let statements = &self.client.events;
            let mut parameters = vec![
                queue.into(),
                taken.job.key.as_str().into(),
                number(taken.lease),
            ];
            let statement = match &end {
                EventJobEnd::Done => &statements.done,
                EventJobEnd::Again(body, due_ms) => {
                    parameters.extend([blob(body), number(*due_ms)]);
                    &statements.again
                }
                EventJobEnd::Dead(reason) => {
                    parameters.push(reason.as_str().into());
                    &statements.dead
                }
            };
            let ended = self.client.insist(statement, &parameters).await?;
            Ok(!ended.rows.is_empty())
        })
    }

    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move {
            let (breaker, next) = (&self.breakers.events, &self.client.events.next_due);
            let rows = self.ask(breaker, queue, next, &[queue.into()]).await?.rows;
            let next = rows.first().and_then(|row| row.first());
            Ok(next
                .and_then(SqlValue::as_i64)
                .and_then(|next| u64::try_from(next).ok()))
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>> {
        Box::pin(async move {
            let limit = u64::try_from(limit.min(DEAD)).unwrap_or_default();
            let parameters = [queue.into(), number(limit)];
            let (breaker, dead) = (&self.breakers.events, &self.client.events.all_dead);
            let rows = self.ask(breaker, queue, dead, &parameters).await?.rows;
            let dead = rows.into_iter().filter_map(|mut row| match row.pop()? {
                SqlValue::Text(reason) => Some((job(row)?, reason)),
                _ => None,
            });
            Ok(dead.collect())
        })
    }
}

/// One that can't be read is as good as none.
fn job(row: Vec<SqlValue>) -> Option<EventJob> {
    let Ok([SqlValue::Text(key), SqlValue::Blob(body), due_ms]) = <[SqlValue; 3]>::try_from(row)
    else {
        return None;
    };
    Some(EventJob {
        key,
        body: Bytes::from(body),
        due_ms: u64::try_from(due_ms.as_i64()?).ok()?,
    })
}

/// Bytes in a list of texts, none of which is empty.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    std::iter::once('x').chain(digits).collect()
}
