//! Durable Objects behind the `IdempotencyStore` port: the one store of Workers that is exact among isolates.
//! This half runs in the isolate that has the call and asks; `object` is the other half, which
//! keeps and decides.
//!
//! An object is a shard, not a key: the first character of a key, which is a digest in Base64,
//! names one of 64. An object for each key would be made anew for each write, and a name that was
//! never used is looked up around the world first; shards are made once, pay for one alarm
//! together, and take some 500 requests a second each.

mod mailbox;
mod object;
mod topics;

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError},
};
use worker::wasm_bindgen::JsValue;

use super::objects::Objects;
use crate::idempotency_message::{HoldAction, HoldAnswer, HoldRequest};

/// A row of an object has 2 MB, its key and its times included.
const MAX: usize = 2_000_000 - 1000;

/// Idempotent writes, in the Durable Objects of one namespace.
#[derive(Debug)]
pub(crate) struct DurableIdempotency {
    objects: Objects,
}

impl DurableIdempotency {
    pub(crate) fn new(namespace: JsValue) -> Self {
        Self {
            objects: Objects::new(namespace, "https://idempotency/"),
        }
    }

    async fn ask(
        &self,
        action: HoldAction<'_>,
        key: &str,
        holder: &Holder,
    ) -> Result<HoldAnswer, StoreError> {
        let request = HoldRequest {
            action,
            key,
            holder,
        }
        .write();
        let shard = key
            .get(..1)
            .ok_or_else(|| StoreError::new("a key without a character has no object"))?;
        self.ask_shard(shard, &request).await
    }

    async fn ask_shard(&self, shard: &str, request: &[u8]) -> Result<HoldAnswer, StoreError> {
        let answer = self.exchanged(shard, request).await?;
        HoldAnswer::read(&answer)
            .ok_or_else(|| failed("it answered what this version does not know"))
    }

    async fn exchanged(&self, shard: &str, request: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self.exchange(shard, request).await {
            Ok(answer) => Ok(answer),
            // an object that moves breaks its requests off; the same one again changes nothing
            Err(_) => self.exchange(shard, request).await,
        }
    }

    async fn exchange(&self, shard: &str, request: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.objects.exchange(shard, request).await.map_err(failed)
    }
}

impl IdempotencyStore for DurableIdempotency {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            match self.ask(HoldAction::Begin(hold), key, holder).await? {
                HoldAnswer::First => Ok(IdempotencyStatus::Acquired),
                other => known(other)?.ok_or_else(|| failed("it knows nothing of who began")),
            }
        })
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        Box::pin(async move {
            let look = HoldAction::Look { now_ms };
            known(self.ask(look, key, &Holder::default()).await?)
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
            if result.len() > MAX {
                return Err(lasting(format_args!(
                    "it can't hold a result of {} bytes: a row has 2 MB",
                    result.len()
                )));
            }
            let complete = HoldAction::Complete {
                expires_ms,
                result: &result,
            };
            match self.ask(complete, key, holder).await? {
                HoldAnswer::Kept => Ok(()),
                _ => Err(lasting(
                    "it did not keep a result: another call holds the same key",
                )),
            }
        })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.ask(HoldAction::Release, key, holder).await.map(drop) })
    }
}

fn known(answer: HoldAnswer) -> Result<Option<IdempotencyStatus>, StoreError> {
    Ok(match answer {
        HoldAnswer::Running => Some(IdempotencyStatus::InProgress),
        HoldAnswer::Unknown => Some(IdempotencyStatus::Unknown),
        HoldAnswer::Done(result) => Some(IdempotencyStatus::Completed(result.into())),
        HoldAnswer::Free => None,
        other => return Err(failed(format_args!("it answered {other:?}"))),
    })
}

fn lasting(why: impl std::fmt::Display) -> StoreError {
    StoreError::lasting(format_args!(
        "the Durable Object of idempotent writes: {why}"
    ))
}

fn failed(why: impl std::fmt::Display) -> StoreError {
    StoreError::new(format_args!(
        "the Durable Object of idempotent writes: {why}"
    ))
}
