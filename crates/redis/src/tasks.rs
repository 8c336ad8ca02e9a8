//! Tasks between their runs, in Redis: one hash for each task, so that all its parts are on one node
//! and change in one step.
//!
//! Each change leaves a random name in the hash: one whose answer was lost finds its name when it is
//! sent again, and was made once. The first command of a script that writes is one that Redis refuses
//! when its memory is full, as for idempotent writes.

use std::sync::LazyLock;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskStore};
use mcpfn_native::shared::kept_for_ms;
use redis::{Script, ScriptInvocation};

use crate::stores::{RedisQuestion, RedisStores, exact};

/// Whether the task is there now by this question.
const CREATE: &str = r"
local there = redis.call('HMGET', KEYS[1], 'e', 'n')
if there[1] and tonumber(there[1]) > tonumber(ARGV[2]) then
  return there[2] == ARGV[1] and 1 or 0
end
redis.call('HSET', KEYS[1], 'n', ARGV[1], 'v', ARGV[2], 'e', ARGV[3], 'head', ARGV[5], 'call', ARGV[6])
redis.call('HDEL', KEYS[1], 'questions', 'checkpoint', 'outcome')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
";

/// 1: it was changed; 0: its head is another one; -1: it is not there.
const SWAP: &str = r"
local there = redis.call('HMGET', KEYS[1], 'e', 'n', 'v')
if not there[1] or tonumber(there[1]) <= tonumber(ARGV[2]) then
  return -1
end
if there[2] == ARGV[1] then
  return 1
end
if there[3] ~= ARGV[5] then
  return 0
end
redis.call('HSET', KEYS[1], 'n', ARGV[1], 'e', ARGV[3], 'v', ARGV[6], unpack(ARGV, 7))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
";

static CREATING: LazyLock<Script> = LazyLock::new(|| Script::new(CREATE));
static SWAPPING: LazyLock<Script> = LazyLock::new(|| Script::new(SWAP));

impl TaskStore for RedisStores {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            // its first version is the time: above all of an earlier task under this key
            let mut create = self.change(&CREATING, key, now_ms, expires_ms)?;
            create.arg(&head[..]).arg(&call[..]);
            let create = RedisQuestion::Script(create);
            self.ask(&self.breakers.tasks, key, &create).await
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        Box::pin(async move {
            let mut read = redis::cmd("HMGET");
            read.arg(self.key('t', key)).arg("e").arg("v");
            for part in parts {
                read.arg(part.name());
            }
            let read = RedisQuestion::Command(read);
            let found: Vec<Option<Bytes>> = self.ask(&self.breakers.tasks, key, &read).await?;
            let mut found = found.into_iter();
            let mut number = || {
                let digits = found.next().flatten()?;
                std::str::from_utf8(&digits).ok()?.parse::<u64>().ok()
            };
            let (expires_ms, version) = (number(), number());
            let lives = expires_ms.is_some_and(|expires_ms| now_ms < expires_ms);
            let Some(version) = version.filter(|_| lives) else {
                return Ok(None);
            };
            let parts = found.collect();
            Ok(Some(TaskParts { version, parts }))
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
            let mut swap = self.change(&SWAPPING, key, now_ms, expires_ms)?;
            swap.arg(version).arg(version.saturating_add(1));
            swap.arg(TaskPart::Head.name()).arg(&head[..]);
            for (part, bytes) in &also {
                swap.arg(part.name()).arg(&bytes[..]);
            }
            let swap = RedisQuestion::Script(swap);
            let swapped: i64 = match also.is_empty() {
                true => self.ask(&self.breakers.tasks, key, &swap).await?,
                // what was worked for is not left to a breaker
                false => self.insist(&swap).await?,
            };
            Ok(match swapped {
                1 => Swapped::Done,
                0 => Swapped::Changed,
                _ => Swapped::Gone,
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut delete = redis::cmd("DEL");
            delete.arg(self.key('t', key));
            self.insist(&RedisQuestion::Command(delete)).await
        })
    }
}

impl RedisStores {
    /// A change by a name of its own, now, of what is kept until a time.
    fn change(
        &self,
        script: &'static Script,
        key: &str,
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<ScriptInvocation<'static>, StoreError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| {
            StoreError::new(format_args!(
                "the operating system gives no randomness: {error}"
            ))
        })?;
        let mut invocation = script.key(self.key('t', key));
        invocation.arg(&name[..]);
        invocation.arg(exact(now_ms)).arg(exact(expires_ms));
        invocation.arg(kept_for_ms(expires_ms));
        Ok(invocation)
    }
}
