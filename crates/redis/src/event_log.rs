//! Logs of events, in Redis: a stream for each, and beside it where it begins and ends. Both keys have
//! the topic in braces, so that they are on one node and change in one step.

use std::sync::LazyLock;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventLog, EventPosition, EventRead, EventRetention, LoggedEvent, StoreError,
};
use redis::Script;

use crate::stores::{RedisQuestion, RedisStores};

/// How much longer than its events a log is known, in milliseconds: who asks once a day is told of
/// nothing that it did not miss.
const KNOWN_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// `KEYS`: the stream; a hash of `f`, the last event that is gone, and `l`, the last of all. `ARGV`:
/// the first position of now; the oldest that is kept; how long the keys are.
///
/// What is too old is dropped by a few at a time: more than one append adds.
const BEGIN: &str = r"
local function digits(number) return string.format('%.0f', number) end
local function drop(from, most)
  local gone = redis.call('XRANGE', KEYS[1], '-', from, 'COUNT', most)
  for _, entry in ipairs(gone) do
    redis.call('XDEL', KEYS[1], entry[1])
    redis.call('HSET', KEYS[2], 'f', string.sub(entry[1], 1, -3))
  end
end
local last = redis.call('HGET', KEYS[2], 'l')
if not last then
  last = ARGV[1]
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[2], 'f', last, 'l', last)
end
if tonumber(ARGV[2]) > 0 then
  drop(digits(tonumber(ARGV[2]) - 1) .. '-0', 64)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
";

/// Then: the event, and how many are kept.
const APPEND: &str = r"
local position = tonumber(last) + 1
if position < tonumber(ARGV[1]) then
  position = tonumber(ARGV[1])
end
position = digits(position)
redis.call('XADD', KEYS[1], position .. '-0', 'b', ARGV[4])
redis.call('HSET', KEYS[2], 'l', position)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local over = redis.call('XLEN', KEYS[1]) - tonumber(ARGV[5])
if over > 0 then
  drop('+', math.min(over, 64))
end
return position
";

/// Then: a position, how many behind it, and about how many bytes. What is read: the last that is gone,
/// whether there are more, and positions with events.
const READ: &str = r"
local read = {redis.call('HGET', KEYS[2], 'f'), '0'}
local from = digits(tonumber(ARGV[4]) + 1) .. '-0'
local bytes, most = 0, tonumber(ARGV[5])
local found = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most + 1)
for place, entry in ipairs(found) do
  if place > most or bytes > tonumber(ARGV[6]) then
    read[2] = '1'
    break
  end
  read[#read + 1] = string.sub(entry[1], 1, -3)
  read[#read + 1] = entry[2][2]
  bytes = bytes + #entry[2][2]
end
return read
";

static APPENDING: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{BEGIN}{APPEND}")));
static READING: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{BEGIN}{READ}")));
static ENDING: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{BEGIN}return last")));

/// Bytes of one answer, about.
const ANSWER: usize = 2 * 1024 * 1024;

impl EventLog for RedisStores {
    fn append<'a>(
        &'a self,
        topic: &'a str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let mut append = self.log(&APPENDING, topic, now_ms, keep);
            append.arg(&body[..]).arg(keep.max_events.max(1));
            let append = RedisQuestion::Script(append);
            // what happened is not left to a breaker
            let position: u64 = self.insist(&append).await?;
            Ok(EventPosition::from_number(position))
        })
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventRead, StoreError>> {
        Box::pin(async move {
            let mut read = self.log(&READING, topic, now_ms, keep);
            read.arg(after.number()).arg(limit).arg(ANSWER);
            let read = RedisQuestion::Script(read);
            let found: Vec<Bytes> = self.ask(&self.breakers.events, topic, &read).await?;
            let unreadable = || StoreError::lasting("a log of events has what can't be read");
            let mut found = found.into_iter();
            let floor = found.next().as_deref().and_then(number);
            let floor = floor.ok_or_else(unreadable)?;
            let more = found.next().is_some_and(|more| more == "1");
            let mut events = Vec::with_capacity(found.len() / 2);
            while let (Some(position), Some(body)) = (found.next(), found.next()) {
                let position = number(&position).ok_or_else(unreadable)?;
                events.push(LoggedEvent { position, body });
            }
            Ok(EventRead {
                events,
                truncated: after < floor,
                more,
            })
        })
    }

    fn end<'a>(
        &'a self,
        topic: &'a str,
        now_ms: u64,
        keep: EventRetention,
    ) -> BoxFuture<'a, Result<EventPosition, StoreError>> {
        Box::pin(async move {
            let end = RedisQuestion::Script(self.log(&ENDING, topic, now_ms, keep));
            let position: u64 = self.ask(&self.breakers.events, topic, &end).await?;
            Ok(EventPosition::from_number(position))
        })
    }
}

fn number(digits: &[u8]) -> Option<EventPosition> {
    let digits = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(EventPosition::from_number(digits))
}

impl RedisStores {
    /// A question to a log, which begins where it is not.
    fn log(
        &self,
        script: &'static Script,
        topic: &str,
        now_ms: u64,
        keep: EventRetention,
    ) -> redis::ScriptInvocation<'static> {
        let oldest_ms = now_ms.saturating_sub(keep.max_age_ms);
        let mut invocation = script.key(self.key('e', &format!("{{{topic}}}")));
        invocation
            .key(self.key('f', &format!("{{{topic}}}")))
            .arg(EventPosition::at(now_ms).number())
            .arg(EventPosition::at(oldest_ms).number())
            .arg(keep.max_age_ms.saturating_add(KNOWN_MS));
        invocation
    }
}
