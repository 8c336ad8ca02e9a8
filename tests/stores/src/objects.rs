//! The objects of Workers without workerd: what they decide and what is sent to them is the code of
//! `crates/worker`, rows are in memory. What is around that, the contract is asked of in workerd.

#[allow(dead_code, unreachable_pub, reason = "another crate's private module")]
#[path = "../../../crates/worker/src/idempotency_message.rs"]
mod idempotency_message;
#[path = "../../../crates/worker/src/idempotency_row.rs"]
mod idempotency_row;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use idempotency_message::{HoldAction, HoldAnswer, HoldRequest, RecordAnswer, RecordRequest};
use idempotency_row::{Change, HoldRow, decide};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Kept, Rate, RateLimiter, Replace,
    ResultCache, StoreError, TopicRecord, Topics,
};
use mcpfn_native::memory::MemoryStores;

/// A row has 2 MB.
const MAX: usize = 2_000_000 - 1000;

/// The objects; results and rate limits are in memory.
#[derive(Debug, Default)]
pub struct Objects {
    rows: Mutex<HashMap<String, HoldRow>>,
    memory: MemoryStores,
}

impl Objects {
    /// As bytes there and back, as between an isolate and an object.
    fn ask(&self, action: HoldAction<'_>, key: &str, holder: &Holder) -> HoldAnswer {
        let sent = HoldRequest {
            action,
            key,
            holder,
        }
        .write();
        let request = HoldRequest::read(&sent).expect("a request");
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, change) = decide(rows.get(key).cloned(), &request);
        match change {
            Change::None => {}
            Change::Keep(row) => drop(rows.insert(key.to_owned(), row)),
            Change::Delete => drop(rows.remove(key)),
        }
        HoldAnswer::read(&answer.write()).expect("an answer")
    }
}

fn known(answer: HoldAnswer) -> Option<IdempotencyStatus> {
    Some(match answer {
        HoldAnswer::First => IdempotencyStatus::Acquired,
        HoldAnswer::Running => IdempotencyStatus::InProgress,
        HoldAnswer::Unknown => IdempotencyStatus::Unknown,
        HoldAnswer::Done(result) => IdempotencyStatus::Completed(result.into()),
        HoldAnswer::Free => return None,
        other => panic!("it answered {other:?}"),
    })
}

impl IdempotencyStore for Objects {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        let begun = known(self.ask(HoldAction::Begin(hold), key, holder));
        Box::pin(async move { Ok(begun.expect("who begins is told of the key")) })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        let look = known(self.ask(HoldAction::Look { now_ms }, key, &Holder::default()));
        Box::pin(async move { Ok(look) })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let complete = HoldAction::Complete {
            expires_ms,
            result: &result,
        };
        let kept = result.len() <= MAX && self.ask(complete, key, holder) == HoldAnswer::Kept;
        let lost = || StoreError::lasting("it did not keep a result");
        Box::pin(async move { if kept { Ok(()) } else { Err(lost()) } })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask(HoldAction::Release, key, holder);
        Box::pin(async { Ok(()) })
    }
}

impl Topics for Objects {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        let keys = keys.iter().map(String::as_str).collect();
        let sent = RecordRequest { now_ms, keys }.write();
        let request = RecordRequest::read(&sent).expect("a request");
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let records = request.keys.iter().map(|key| {
            let row = rows
                .get(*key)
                .filter(|row| row.expires_ms > request.now_ms)?;
            Some(TopicRecord {
                version: row.holder,
                value: row.result.clone()?.into(),
            })
        });
        let answer = RecordAnswer(records.collect()).write();
        let RecordAnswer(records) = RecordAnswer::read(&answer).expect("an answer");
        Box::pin(async { Ok(records) })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let value = &record.value;
        let action = HoldAction::Write {
            replace,
            kept,
            value,
        };
        let written = self.ask(action, key, &record.version) == HoldAnswer::Kept;
        Box::pin(async move { Ok(written) })
    }
}

impl ResultCache for Objects {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        self.memory.get(key, now_ms)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.memory.put(key, value, expires_ms)
    }
}

impl RateLimiter for Objects {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        self.memory.admit(key, rate, now_ms)
    }

    fn give_back(&self, key: &str, rate: Rate, now_ms: u64) {
        self.memory.give_back(key, rate, now_ms);
    }
}
