//! Workers KV behind the `ResultCache` port. Shared by all isolates everywhere; what one place has
//! put, another sees within a minute.

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{ResultCache, StoreError},
};
use worker::KvStore;

/// KV keeps nothing for a shorter time, so the end is also written before the value.
const SHORTEST_S: u64 = 60;
const HEAD: usize = size_of::<u64>();
/// KV's limit for a value.
const MAX: usize = 25 * 1024 * 1024;

/// Results of earlier calls in a KV namespace.
#[derive(Debug)]
pub struct KvCache(KvStore);

impl KvCache {
    pub(crate) fn new(store: KvStore) -> Self {
        Self(store)
    }
}

impl ResultCache for KvCache {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(async move {
            let found = self.0.get(key).bytes().await.map_err(StoreError::new)?;
            Ok(found.and_then(|found| unless_expired(&found.into(), now_ms)))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if value.len() > MAX - HEAD {
                return Ok(());
            }
            let entry = [&expires_ms.to_be_bytes(), value.as_ref()].concat();
            let now_s = worker::js_sys::Date::now() as u64 / 1000;
            // in whole seconds, and not before the entry itself ends
            let until_s = (expires_ms / 1000 + 1).max(now_s + SHORTEST_S + 1);
            let put = self.0.put_bytes(key, &entry).map_err(StoreError::new)?;
            put.expiration(until_s)
                .execute()
                .await
                .map_err(StoreError::new)
        })
    }
}

/// The value of an entry; one that is no entry of ours counts as expired.
fn unless_expired(entry: &Bytes, now_ms: u64) -> Option<Bytes> {
    let expires_ms = u64::from_be_bytes(entry.get(..HEAD)?.try_into().ok()?);
    (expires_ms > now_ms).then(|| entry.slice(HEAD..))
}
