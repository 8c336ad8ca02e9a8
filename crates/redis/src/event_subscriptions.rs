//! Subscriptions to events, in Redis: all of one event in a hash, and their ids in order beside it, on
//! one node; and how many a subscriber has, in a key of its own.

use std::sync::LazyLock;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventSubscriptions, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten,
};
use mcpfn_native::shared::kept_for_ms;
use redis::Script;

use crate::stores::{RedisQuestion, RedisStores, exact};

/// `KEYS[1]`: ids by when they expire. `ARGV`: now; the id; when it expires; the most; how long the
/// key is. Whether there is room for it.
const COUNT: &str = r"
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if not redis.call('ZSCORE', KEYS[1], ARGV[2]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return 1
";

/// `KEYS`: a hash with the version, the name of the last change, the end and the body of each
/// subscription by its id; and the ids. `ARGV`: now; the id; when it expires; the most; how long the
/// keys are; the version that is replaced, or nothing; a name; the body.
///
/// 1: it is written; 0: another version is there; -1: there are too many.
const WRITE: &str = r"
local id = ARGV[2]
local there = redis.call('HMGET', KEYS[1], 'v' .. id, 'n' .. id, 'e' .. id)
local version = ''
if there[3] and tonumber(there[3]) > tonumber(ARGV[1]) then
  version = there[1]
  if there[2] == ARGV[7] then
    return 1
  end
end
if version ~= ARGV[6] then
  return 0
end
if version == '' then
  if not there[1] and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
    for _, known in ipairs(redis.call('ZRANGE', KEYS[2], 0, 999)) do
      if tonumber(redis.call('HGET', KEYS[1], 'e' .. known) or '0') <= tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], 'v' .. known, 'n' .. known, 'e' .. known, 'b' .. known)
        redis.call('ZREM', KEYS[2], known)
      end
    end
    if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
      return -1
    end
  end
  version = '-1'
end
redis.call('HSET', KEYS[1], 'v' .. id, tonumber(version) + 1, 'n' .. id, ARGV[7], 'e' .. id, ARGV[3], 'b' .. id, ARGV[8])
redis.call('ZADD', KEYS[2], 0, id)
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < tonumber(ARGV[5]) then
    redis.call('PEXPIRE', key, ARGV[5])
  end
end
return 1
";

/// `ARGV`: now; behind which id; how many. What expired a minute ago is dropped on the way.
const PAGE: &str = r"
local from, page = '-', {}
if ARGV[2] ~= '' then
  from = '(' .. ARGV[2]
end
local most = tonumber(ARGV[3])
while #page < 4 * most do
  local ids = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, 100)
  if #ids == 0 then
    break
  end
  for _, id in ipairs(ids) do
    local there = redis.call('HMGET', KEYS[1], 'v' .. id, 'e' .. id, 'b' .. id)
    if not there[1] or tonumber(there[2]) + 60000 <= tonumber(ARGV[1]) then
      redis.call('HDEL', KEYS[1], 'v' .. id, 'n' .. id, 'e' .. id, 'b' .. id)
      redis.call('ZREM', KEYS[2], id)
    elseif tonumber(there[2]) > tonumber(ARGV[1]) and #page < 4 * most then
      page[#page + 1] = id
      for place = 1, 3 do
        page[#page + 1] = there[place]
      end
    end
  end
  from = '(' .. ids[#ids]
end
return page
";

const REMOVE: &str = r"
local id = ARGV[1]
redis.call('HDEL', KEYS[1], 'v' .. id, 'n' .. id, 'e' .. id, 'b' .. id)
redis.call('ZREM', KEYS[2], id)
return 1
";

static COUNTING: LazyLock<Script> = LazyLock::new(|| Script::new(COUNT));
static WRITING: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE));
static PAGING: LazyLock<Script> = LazyLock::new(|| Script::new(PAGE));
static REMOVING: LazyLock<Script> = LazyLock::new(|| Script::new(REMOVE));

impl EventSubscriptions for RedisStores {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let mut find = redis::cmd("HMGET");
            let id = key.id;
            find.arg(self.key('b', &braced(key.topic))).arg(&[
                format!("v{id}"),
                format!("e{id}"),
                format!("b{id}"),
            ]);
            let find = RedisQuestion::Command(find);
            let found: (Option<u64>, Option<u64>, Option<Bytes>) =
                self.ask(&self.breakers.events, id, &find).await?;
            Ok(match found {
                (Some(version), Some(expires_ms), Some(body)) if now_ms < expires_ms => {
                    Some(SubscriptionRow {
                        id: id.to_owned(),
                        version,
                        body,
                        expires_ms,
                    })
                }
                _ => None,
            })
        })
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>> {
        Box::pin(async move {
            let (now, expires, kept_ms) =
                (exact(now_ms), exact(expires_ms), kept_for_ms(expires_ms));
            // a renewal has its place, and moves it
            let most = match replaces {
                None => bounds.per_owner,
                Some(_) => usize::MAX,
            };
            let mut count = COUNTING.key(self.key('o', key.owner));
            count
                .arg(now)
                .arg(key.id)
                .arg(expires)
                .arg(most)
                .arg(kept_ms);
            let count = RedisQuestion::Script(count);
            let room: i64 = self.ask(&self.breakers.events, key.id, &count).await?;
            if room == 0 {
                return Ok(SubscriptionWritten::OwnerFull);
            }
            let mut name = [0; 16];
            getrandom::fill(&mut name).map_err(|error| {
                StoreError::new(format_args!(
                    "the operating system gives no randomness: {error}"
                ))
            })?;
            let replaces = replaces.map_or_else(String::new, |version| version.to_string());
            let mut write = self.of_topic(&WRITING, key.topic);
            write
                .arg(now)
                .arg(key.id)
                .arg(expires)
                .arg(bounds.per_topic);
            write
                .arg(kept_ms)
                .arg(replaces)
                .arg(&name[..])
                .arg(&body[..]);
            let write = RedisQuestion::Script(write);
            let written: i64 = self.ask(&self.breakers.events, key.id, &write).await?;
            Ok(match written {
                1 => SubscriptionWritten::Done,
                0 => SubscriptionWritten::Changed,
                _ => {
                    self.uncount(key).await?;
                    SubscriptionWritten::TopicFull
                }
            })
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut remove = self.of_topic(&REMOVING, key.topic);
            remove.arg(key.id);
            let _: i64 = self.insist(&RedisQuestion::Script(remove)).await?;
            self.uncount(key).await
        })
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let mut page = self.of_topic(&PAGING, topic);
            page.arg(exact(now_ms))
                .arg(after.unwrap_or_default())
                .arg(limit);
            let page = RedisQuestion::Script(page);
            let found: Vec<Bytes> = self.ask(&self.breakers.events, topic, &page).await?;
            let (rows, _) = found.as_chunks::<4>();
            Ok(rows.iter().filter_map(row).collect())
        })
    }
}

/// One that can't be read is as good as none.
fn row([id, version, expires_ms, body]: &[Bytes; 4]) -> Option<SubscriptionRow> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).ok();
    Some(SubscriptionRow {
        id: text(id)?,
        version: text(version)?.parse().ok()?,
        body: body.clone(),
        expires_ms: text(expires_ms)?.parse().ok()?,
    })
}

/// The part of a key that says which node it is on.
fn braced(topic: &str) -> String {
    format!("{{{topic}}}")
}

impl RedisStores {
    fn of_topic(&self, script: &'static Script, topic: &str) -> redis::ScriptInvocation<'static> {
        let mut invocation = script.key(self.key('b', &braced(topic)));
        invocation.key(self.key('i', &braced(topic)));
        invocation
    }

    async fn uncount(&self, key: SubscriptionKey<'_>) -> Result<(), StoreError> {
        let mut uncount = redis::cmd("ZREM");
        uncount.arg(self.key('o', key.owner)).arg(key.id);
        let _: i64 = self.insist(&RedisQuestion::Command(uncount)).await?;
        Ok(())
    }
}
