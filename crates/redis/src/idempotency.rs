//! Idempotent writes, in Redis.
//!
//! Who begins writes its name as the record's holder, if the key is free or the name is there
//! already. To complete and to let go need it to be still there. So a question whose answer was lost
//! finds its own name when it is sent again, and changes nothing.
//!
//! The first command of a script that writes is one that Redis refuses when its memory is full: it
//! would let all after another one pass.

use std::sync::LazyLock;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError};
use mcpfn_native::shared::kept_for_ms;
use redis::{Script, ScriptInvocation};

use crate::stores::{RedisQuestion, RedisStores, VALUE, exact};

/// Nothing where the caller is the first now, else what there is.
const BEGIN: &str = r"
local there = redis.call('HMGET', KEYS[1], 'h', 'u', 'e', 'p')
local counts = there[3] and tonumber(there[3]) > tonumber(ARGV[2])
if counts and (there[4] or there[1] ~= ARGV[1]) then
  return {there[2], there[4]}
end
redis.call('HSET', KEYS[1], 'h', ARGV[1], 'u', ARGV[3], 'e', ARGV[4])
redis.call('HDEL', KEYS[1], 'p')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return false
";

/// Whether the result is kept.
const COMPLETE: &str = r"
local holder = redis.call('HGET', KEYS[1], 'h')
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'h', ARGV[1], 'e', ARGV[2], 'p', ARGV[4])
redis.call('HDEL', KEYS[1], 'u')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
";

const RELEASE: &str = r"
local there = redis.call('HMGET', KEYS[1], 'h', 'p')
if there[1] == ARGV[1] and not there[2] then
  redis.call('DEL', KEYS[1])
end
return 1
";

static BEGINNING: LazyLock<Script> = LazyLock::new(|| Script::new(BEGIN));
static COMPLETING: LazyLock<Script> = LazyLock::new(|| Script::new(COMPLETE));
static RELEASING: LazyLock<Script> = LazyLock::new(|| Script::new(RELEASE));

/// The end of a hold, and the result if there is one.
type KnownWrite = (Option<u64>, Option<Bytes>);

impl IdempotencyStore for RedisStores {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            let mut begin = self.script(&BEGINNING, key, holder);
            begin
                .arg(exact(hold.now_ms))
                .arg(exact(hold.until_ms))
                .arg(exact(hold.expires_ms))
                .arg(kept_for_ms(hold.expires_ms));
            let begin = RedisQuestion::Script(begin);
            let there: Option<KnownWrite> =
                self.ask(&self.breakers.idempotency, key, &begin).await?;
            Ok(there.map_or(IdempotencyStatus::Acquired, |record| {
                status(record, hold.now_ms)
            }))
        })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        Box::pin(async move {
            let mut look = redis::cmd("HMGET");
            look.arg(self.key('w', key)).arg(&["e", "u", "p"]);
            let look = RedisQuestion::Command(look);
            let (expires_ms, until_ms, result): (Option<u64>, Option<u64>, Option<Bytes>) =
                self.ask(&self.breakers.idempotency, key, &look).await?;
            let counts = expires_ms.is_some_and(|expires_ms| now_ms < expires_ms);
            Ok(counts.then(|| status((until_ms, result), now_ms)))
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
                return Err(self.service.lasting(format_args!(
                    "is not given a result of {} bytes: the most is {VALUE}",
                    result.len()
                )));
            }
            let mut complete = self.script(&COMPLETING, key, holder);
            complete
                .arg(exact(expires_ms))
                .arg(kept_for_ms(expires_ms))
                .arg(&result[..]);
            let kept: bool = self.insist(&RedisQuestion::Script(complete)).await?;
            kept.then_some(()).ok_or_else(|| {
                self.service
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
            let release = RedisQuestion::Script(self.script(&RELEASING, key, holder));
            // where it is another one's by now, or done, or gone, there is nothing to let go of
            self.insist(&release).await
        })
    }
}

impl RedisStores {
    fn script(
        &self,
        script: &'static Script,
        key: &str,
        holder: &Holder,
    ) -> ScriptInvocation<'static> {
        let mut invocation = script.key(self.key('w', key));
        invocation.arg(&holder[..]);
        invocation
    }
}

/// What is known by a record that counts.
fn status((until_ms, result): KnownWrite, now_ms: u64) -> IdempotencyStatus {
    match (result, until_ms) {
        (Some(result), _) => IdempotencyStatus::Completed(result),
        (None, Some(until_ms)) if until_ms <= now_ms => IdempotencyStatus::Unknown,
        (None, _) => IdempotencyStatus::InProgress,
    }
}
