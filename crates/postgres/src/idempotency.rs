//! Idempotent writes, in PostgreSQL.
//!
//! Who begins writes its name as the row's holder, if the key is free or the name is there already. To
//! complete and to let go need it to be still there. So a question whose answer was lost finds its
//! own name when it is sent again, and changes nothing.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError};
use mcpfn_native::shared::kept_for_ms;
use mcpfn_ports::{Rows, SqlValue};

use crate::stores::{PostgresStores, VALUE, blob, number};

/// How often one begins whose key was held when it began, and free when it looked.
const BEGINNINGS: usize = 3;

impl IdempotencyStore for PostgresStores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            let parameters = [
                key.into(),
                blob(holder),
                number(hold.now_ms),
                number(hold.until_ms),
                number(hold.expires_ms),
                number(kept_for_ms(hold.expires_ms)),
            ];
            let (breaker, begin) = (&self.breakers.idempotency, &self.client.statements.begin);
            for _ in 0..BEGINNINGS {
                let begun = self.ask(breaker, key, begin, &parameters).await?;
                if !begun.rows.is_empty() {
                    self.wrote();
                    return Ok(IdempotencyStatus::Acquired);
                }
                if let Some(status) = self.look(key, hold.now_ms).await? {
                    return Ok(status);
                }
            }
            // held by one after another: whoever comes later will find a result
            Ok(IdempotencyStatus::InProgress)
        })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        Box::pin(async move {
            let parameters = [key.into(), number(now_ms)];
            let (breaker, look) = (&self.breakers.idempotency, &self.client.statements.look);
            let rows = self.ask(breaker, key, look, &parameters).await?;
            Ok(status(rows, now_ms))
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if result.len() > VALUE {
                return Err(self.client.service.lasting(format_args!(
                    "is not given a result of {} bytes: the most is {VALUE}",
                    result.len()
                )));
            }
            let parameters = [
                key.into(),
                blob(holder),
                number(expires_ms),
                blob(&result),
                number(kept_for_ms(expires_ms)),
            ];
            let kept = self
                .client
                .insist(&self.client.statements.complete, &parameters)
                .await?;
            self.wrote();
            let kept = !kept.rows.is_empty();
            kept.then_some(()).ok_or_else(|| {
                self.client
                    .service
                    .lasting("did not keep a result: another call holds the same key")
            })
        })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            // where it is another one's by now, or done, or gone, there is nothing to let go of
            let parameters = [key.into(), blob(holder)];
            self.client
                .insist(&self.client.statements.release, &parameters)
                .await?;
            Ok(())
        })
    }
}

/// What is known by a row that counts: the end of its hold, and its result if there is one.
fn status(mut rows: Rows, now_ms: u64) -> Option<IdempotencyStatus> {
    let [until_ms, result] = rows.rows.first_mut()?.first_chunk_mut()?;
    Some(match (result, until_ms) {
        (SqlValue::Blob(result), _) => {
            IdempotencyStatus::Completed(Bytes::from(std::mem::take(result)))
        }
        (_, SqlValue::Integer(until_ms))
            if u64::try_from(*until_ms).unwrap_or_default() <= now_ms =>
        {
            IdempotencyStatus::Unknown
        }
        _ => IdempotencyStatus::InProgress,
    })
}
