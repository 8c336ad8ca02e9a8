//! Tasks between their runs, in PostgreSQL: one row for each, changed by one statement.
//!
//! Each change leaves a random name in the row: one whose answer was lost finds its name when it is
//! sent again, and was made once. Parts that do not change stay where they are, outside the row, when
//! its head does.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskStore};
use mcpfn_native::shared::kept_for_ms;
use mcpfn_ports::{Rows, SqlValue};

use crate::stores::{PostgresStores, blob, number};

impl TaskStore for PostgresStores {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let parameters = [
                key.into(),
                blob(&new_name()?),
                number(now_ms),
                number(expires_ms),
                number(kept_for_ms(expires_ms)),
                blob(&head),
                blob(&call),
            ];
            let (breaker, create) = (&self.breakers.tasks, &self.client.statements.create);
            let created = self.ask(breaker, key, create, &parameters).await?;
            self.wrote_task();
            Ok(!created.rows.is_empty())
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        Box::pin(async move {
            let wanted = |part: &TaskPart| SqlValue::Integer(parts.contains(part).into());
            let mut parameters = vec![key.into(), number(now_ms)];
            parameters.extend(TaskPart::ALL.iter().map(wanted));
            let (breaker, read) = (&self.breakers.tasks, &self.client.statements.read);
            let rows = self.ask(breaker, key, read, &parameters).await?;
            Ok(parts_of(rows, parts))
        })
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let part = |part| {
                let found = also.iter().find(|(known, _)| *known == part);
                found.map_or(SqlValue::Null, |(_, bytes)| blob(bytes))
            };
            let parameters = [
                key.into(),
                blob(&new_name()?),
                number(now_ms),
                number(expires_ms),
                number(kept_for_ms(expires_ms)),
                number(version),
                blob(&head),
                part(TaskPart::Call),
                part(TaskPart::Questions),
                part(TaskPart::Checkpoint),
                part(TaskPart::Outcome),
            ];
            let swap = &self.client.statements.swap;
            let rows = match also.is_empty() {
                true => {
                    self.ask(&self.breakers.tasks, key, swap, &parameters)
                        .await?
                }
                // what was worked for is not left to a breaker
                false => self.client.insist(swap, &parameters).await?,
            };
            match rows.rows.first().and_then(|row| row.first_chunk()) {
                Some([SqlValue::Integer(1..), _]) => Ok(Swapped::Done),
                Some([_, SqlValue::Integer(1..)]) => Ok(Swapped::Changed),
                Some(_) => Ok(Swapped::Gone),
                None => Err(self.client.service.error("gave no decision on a task")),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let remove = &self.client.statements.remove;
            self.client.insist(remove, &[key.into()]).await.map(drop)
        })
    }
}

/// A row is the version, and all parts in the order of their numbers; those that were not asked for
/// have no value.
fn parts_of(mut rows: Rows, wanted: &[TaskPart]) -> Option<TaskParts> {
    let row = rows.rows.first_mut()?;
    let SqlValue::Integer(version) = row.first()? else {
        return None;
    };
    let version = u64::try_from(*version).ok()?;
    let part = |part: &TaskPart| match row.get(1 + *part as usize) {
        Some(SqlValue::Blob(bytes)) => Some(Bytes::copy_from_slice(bytes)),
        _ => None,
    };
    let parts = wanted.iter().map(part).collect();
    Some(TaskParts { version, parts })
}

pub(crate) fn new_name() -> Result<[u8; 16], StoreError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| {
        StoreError::new(format_args!(
            "the operating system gives no randomness: {error}"
        ))
    })?;
    Ok(name)
}
