//! Results of earlier calls, in Redis; and for a moment in memory, so that one that every call wants
//! is not read by every call. A value is the time at which it expires, and the result.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{ResultCache, StoreError};
use mcpfn_native::shared::kept_for_ms;

use crate::stores::{RedisQuestion, RedisStores, VALUE};

/// Bytes of the time in front of a result.
const TIME: usize = size_of::<u64>();

impl ResultCache for RedisStores {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(async move {
            if let Some(value) = self.hot.find(key, now_ms).await? {
                return Ok(Some(value));
            }
            let mut get = redis::cmd("GET");
            get.arg(self.key('c', key));
            let get = RedisQuestion::Command(get);
            let found: Option<Bytes> = self.ask(&self.breakers.cache, key, &get).await?;
            // a value that can't be read is as good as none
            let found = found.and_then(unpack);
            let fresh = found.filter(|(expires_ms, _)| now_ms < *expires_ms);
            if let Some((expires_ms, value)) = &fresh {
                self.hot.keep(key, value, *expires_ms, now_ms).await?;
            }
            Ok(fresh.map(|(_, value)| value))
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
            let mut set = redis::cmd("SET");
            set.arg(self.key('c', key)).arg(pack(&value, expires_ms));
            set.arg("PX").arg(kept_for_ms(expires_ms));
            let set = RedisQuestion::Command(set);
            self.ask(&self.breakers.cache, key, &set).await
        })
    }
}

fn pack(value: &[u8], expires_ms: u64) -> Vec<u8> {
    let mut packed = Vec::with_capacity(TIME + value.len());
    packed.extend_from_slice(&expires_ms.to_be_bytes());
    packed.extend_from_slice(value);
    packed
}

/// Nothing for what [`pack`] did not make.
fn unpack(mut packed: Bytes) -> Option<(u64, Bytes)> {
    let time = packed.get(..TIME)?.try_into().ok()?;
    Some((u64::from_be_bytes(time), packed.split_off(TIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_other_values_are_none() {
        for value in [&b""[..], b"{}", &[0; 1000]] {
            let packed = Bytes::from(pack(value, 1_795_168_800_123));
            assert_eq!(
                unpack(packed),
                Some((1_795_168_800_123, Bytes::copy_from_slice(value)))
            );
        }
        assert_eq!(unpack(Bytes::from_static(b"short")), None);
    }
}
