//! Records of subscriptions, in Redis: each a hash that a script writes as a whole, if what it replaces
//! is there.

use std::sync::LazyLock;

use bytes::Bytes;
use futures_util::future::try_join_all;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Kept, Replace, StoreError, TopicRecord, TopicVersion, Topics};
use mcpfn_native::shared::kept_for_ms;
use redis::Script;

use crate::stores::{RedisQuestion, RedisStores, exact};

/// Whether the record is there now. `ARGV[1]` is `*` for whatever is there, empty for nothing, else
/// a version.
const WRITE: &str = r"
local there = redis.call('HMGET', KEYS[1], 'v', 'e')
local version = ''
if there[2] and tonumber(there[2]) > tonumber(ARGV[3]) then
  version = there[1]
end
if ARGV[1] ~= '*' and version ~= ARGV[1] and version ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'e', ARGV[4], 'p', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
";

static WRITING: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE));

impl Topics for RedisStores {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        // over one connection, on which questions do not wait for each other
        let records = keys.iter().map(move |key| self.record(key, now_ms));
        Box::pin(try_join_all(records))
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let there: &[u8] = match &replace {
                Replace::Anything => b"*",
                Replace::Nothing => b"",
                Replace::Version(version) => version,
            };
            let mut write = WRITING.key(self.key('s', key));
            write
                .arg(there)
                .arg(&record.version[..])
                .arg(exact(kept.now_ms))
                .arg(exact(kept.expires_ms))
                .arg(kept_for_ms(kept.expires_ms))
                .arg(&record.value[..]);
            let write = RedisQuestion::Script(write);
            self.ask(&self.breakers.topics, key, &write).await
        })
    }
}

impl RedisStores {
    async fn record(&self, key: &str, now_ms: u64) -> Result<Option<TopicRecord>, StoreError> {
        let mut look = redis::cmd("HMGET");
        look.arg(self.key('s', key)).arg(&["e", "v", "p"]);
        let look = RedisQuestion::Command(look);
        let (expires_ms, version, value): (Option<u64>, Option<Bytes>, Option<Bytes>) =
            self.ask(&self.breakers.topics, key, &look).await?;
        let version = version.and_then(|version| TopicVersion::try_from(&version[..]).ok());
        // one that can't be read is as good as none
        Ok(match (expires_ms, version, value) {
            (Some(expires_ms), Some(version), Some(value)) if now_ms < expires_ms => {
                Some(TopicRecord { version, value })
            }
            _ => None,
        })
    }
}
