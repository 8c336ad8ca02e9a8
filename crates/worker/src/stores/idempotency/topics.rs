//! Records of subscriptions, in one object beside those of idempotent writes: a session asks for all
//! that it is subscribed to in one request, of which the free plan has 50 for each of a client's.

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Kept, Replace, StoreError, TopicRecord, Topics};

use super::{DurableIdempotency, failed};
use crate::idempotency_message::{
    HoldAction, HoldAnswer, HoldRequest, RecordAnswer, RecordRequest,
};

/// The name of the object. Those of writes have names of one character.
const SHARD: &str = "topics";

impl Topics for DurableIdempotency {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        Box::pin(async move {
            let keys = keys.iter().map(String::as_str).collect();
            let request = RecordRequest { now_ms, keys }.write();
            let answer = self.exchanged(SHARD, &request).await?;
            RecordAnswer::read(&answer)
                .map(|RecordAnswer(records)| records)
                .ok_or_else(|| failed("it answered what this version does not know"))
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let action = HoldAction::Write {
                replace,
                kept,
                value: &record.value,
            };
            let holder = &record.version;
            let request = HoldRequest {
                action,
                key,
                holder,
            };
            match self.ask_shard(SHARD, &request.write()).await? {
                HoldAnswer::Kept => Ok(true),
                HoldAnswer::Lost => Ok(false),
                other => Err(failed(format_args!("it answered {other:?}"))),
            }
        })
    }
}
