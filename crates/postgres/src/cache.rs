//! Results of earlier calls, in PostgreSQL; and for a moment in memory, so that one that every call
//! wants is not read by every call.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{ResultCache, StoreError};
use mcpfn_native::shared::kept_for_ms;
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, VALUE, blob, number};

impl ResultCache for PostgresStores {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(async move {
            if let Some(value) = self.hot.find(key, now_ms).await? {
                return Ok(Some(value));
            }
            let parameters = [key.into(), number(now_ms)];
            let (breaker, get) = (&self.breakers.cache, &self.client.statements.get);
            let mut rows = self.ask(breaker, key, get, &parameters).await?.rows;
            // a value that can't be read is as good as none
            let Some([SqlValue::Integer(expires_ms), SqlValue::Blob(value)]) =
                rows.first_mut().and_then(|row| row.first_chunk_mut())
            else {
                return Ok(None);
            };
            let value = Bytes::from(std::mem::take(value));
            let expires_ms = u64::try_from(*expires_ms).unwrap_or_default();
            self.hot.keep(key, &value, expires_ms, now_ms).await?;
            Ok(Some(value))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.hot.forget(key).await?;
            if value.len() > VALUE {
                return Ok(());
            }
            let kept_for = number(kept_for_ms(expires_ms));
            let parameters = [key.into(), blob(&value), number(expires_ms), kept_for];
            let (breaker, put) = (&self.breakers.cache, &self.client.statements.put);
            self.ask(breaker, key, put, &parameters).await?;
            self.wrote();
            Ok(())
        })
    }
}
