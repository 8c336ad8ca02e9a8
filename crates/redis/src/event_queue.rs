//! A queue of what is to be sent to subscribers, in Redis: keys of the work by when it can be taken, and
//! the work beside them, on one node. Any instance takes what is due.

use std::sync::LazyLock;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{EventJob, EventJobEnd, EventJobs, EventQueue, StoreError, TakenEventJob};
use redis::Script;

use crate::stores::{RedisQuestion, RedisStores, exact};

/// How long a queue is kept that nobody puts anything into or takes anything from, in milliseconds: a
/// week.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How much is kept of what was given up.
const DEAD: usize = 1_000;
/// Parts of one question.
const AT_ONCE: usize = 100;

/// `KEYS`: keys of the work by when each can be taken; a hash of body, due time and how often it was
/// taken, by key; what was given up. `ARGV[1]`: how long these are kept.
const KEEP: &str = r"
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[1])
end
";

/// Keys, due times and bodies.
const PUT: &str = r"
for place = 2, #ARGV, 3 do
  local key = ARGV[place]
  if redis.call('HSETNX', KEYS[2], 'b' .. key, ARGV[place + 2]) == 1 then
    redis.call('HSET', KEYS[2], 'd' .. key, ARGV[place + 1], 'l' .. key, 0)
    redis.call('ZADD', KEYS[1], ARGV[place + 1], key)
  end
end
";

/// Now, until when, how many.
const TAKE: &str = r"
local taken = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[4])) do
  redis.call('ZADD', KEYS[1], ARGV[3], key)
  local lease = redis.call('HINCRBY', KEYS[2], 'l' .. key, 1)
  local there = redis.call('HMGET', KEYS[2], 'b' .. key, 'd' .. key)
  for _, part in ipairs({key, there[1] or '', there[2] or '0', tostring(lease)}) do
    taken[#taken + 1] = part
  end
end
";

/// Its key and lease; what follows: nothing, `a` with a body and a time, or `d` with a reason.
const END: &str = r"
local key = ARGV[2]
if redis.call('HGET', KEYS[2], 'l' .. key) ~= ARGV[3] then
  return 0
end
if ARGV[4] == 'a' then
  redis.call('HSET', KEYS[2], 'b' .. key, ARGV[5], 'd' .. key, ARGV[6])
  redis.call('ZADD', KEYS[1], ARGV[6], key)
  return 1
end
if ARGV[4] == 'd' then
  local there = redis.call('HMGET', KEYS[2], 'b' .. key, 'd' .. key)
  redis.call('LPUSH', KEYS[3], cjson.encode({key, there[1] or '', there[2] or '0', ARGV[5]}))
  redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[6]) - 1)
end
redis.call('ZREM', KEYS[1], key)
redis.call('HDEL', KEYS[2], 'b' .. key, 'd' .. key, 'l' .. key)
return 1
";

static PUTTING: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{PUT}{KEEP}return 1")));
static TAKING: LazyLock<Script> =
    LazyLock::new(|| Script::new(&format!("{TAKE}{KEEP}return taken")));
static ENDING: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{KEEP}{END}")));

impl EventQueue for RedisStores {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for jobs in jobs.chunks(AT_ONCE) {
                let mut put = self.of_queue(&PUTTING, queue);
                for job in jobs {
                    put.arg(&*job.key).arg(exact(job.due_ms)).arg(&job.body[..]);
                }
                // what happened is not left to a breaker
                let _: i64 = self.insist(&RedisQuestion::Script(put)).await?;
            }
            Ok(())
        })
    }
}

impl EventJobs for RedisStores {
    fn take<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        until_ms: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<TakenEventJob>, StoreError>> {
        Box::pin(async move {
            let mut take = self.of_queue(&TAKING, queue);
            take.arg(exact(now_ms))
                .arg(exact(until_ms))
                .arg(limit.min(AT_ONCE));
            let take = RedisQuestion::Script(take);
            let found: Vec<Bytes> = self.ask(&self.breakers.events, queue, &take).await?;
            let (taken, _) = found.as_chunks::<4>();
            Ok(taken.iter().filter_map(taken_job).collect())
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
            let mut ending = self.of_queue(&ENDING, queue);
            ending.arg(&*taken.job.key).arg(taken.lease);
            match &end {
                EventJobEnd::Done => drop(ending.arg("")),
                EventJobEnd::Again(body, due_ms) => {
                    ending.arg("a").arg(&body[..]).arg(exact(*due_ms));
                }
                EventJobEnd::Dead(reason) => {
                    ending.arg("d").arg(reason).arg(DEAD);
                }
            }
            let ended: i64 = self.insist(&RedisQuestion::Script(ending)).await?;
            Ok(ended == 1)
        })
    }

    fn next_due<'a>(
        &'a self,
        queue: &'a str,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move {
            let mut next = redis::cmd("ZRANGE");
            next.arg(self.queue_key('j', queue))
                .arg(0)
                .arg(0)
                .arg("WITHSCORES");
            let next = RedisQuestion::Command(next);
            let found: Vec<Bytes> = self.ask(&self.breakers.events, queue, &next).await?;
            let score = found
                .get(1)
                .and_then(|score| std::str::from_utf8(score).ok());
            let score: Option<f64> = score.and_then(|score| score.parse().ok());
            Ok(score.map(|score| score as u64))
        })
    }

    fn dead<'a>(
        &'a self,
        queue: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(EventJob, String)>, StoreError>> {
        Box::pin(async move {
            let mut dead = redis::cmd("LRANGE");
            let last = limit.min(DEAD).saturating_sub(1);
            dead.arg(self.queue_key('x', queue)).arg(0).arg(last);
            let dead = RedisQuestion::Command(dead);
            let found: Vec<Bytes> = self.ask(&self.breakers.events, queue, &dead).await?;
            let read = found.iter().filter_map(|entry| {
                let entry: [String; 4] = serde_json::from_slice(entry).ok()?;
                let [key, body, due_ms, reason] = entry;
                let job = EventJob {
                    key,
                    body: body.into(),
                    due_ms: due_ms.parse().ok()?,
                };
                Some((job, reason))
            });
            Ok(read.collect())
        })
    }
}

fn taken_job([key, body, due_ms, lease]: &[Bytes; 4]) -> Option<TakenEventJob> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).ok();
    Some(TakenEventJob {
        job: EventJob {
            key: text(key)?,
            body: body.clone(),
            due_ms: text(due_ms)?.parse().ok()?,
        },
        lease: text(lease)?.parse().ok()?,
    })
}

impl RedisStores {
    fn queue_key(&self, kind: char, queue: &str) -> String {
        self.key(kind, &format!("{{{queue}}}"))
    }

    fn of_queue(&self, script: &'static Script, queue: &str) -> redis::ScriptInvocation<'static> {
        let mut invocation = script.key(self.queue_key('j', queue));
        invocation.key(self.queue_key('k', queue));
        invocation.key(self.queue_key('x', queue)).arg(KEPT_MS);
        invocation
    }
}
