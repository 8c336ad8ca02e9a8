//! Durable Objects behind the `IdempotencyStore` port: the one store of Workers that is exact among isolates.
//! This half runs in the isolate that has the call and asks; `object` is the other half, which
//! keeps and decides.
//!
//! An object is a shard, not a key: the first character of a key, which is a digest in Base64,
//! names one of 64. An object for each key would be made anew for each write, and a name that was
//! never used is looked up around the world first; shards are made once, pay for one alarm
//! together, and take some 500 requests a second each.

mod object;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{IdempotencyStatus, IdempotencyStore, StoreError},
};
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{RequestInit, Response};

use crate::error::message as said;
use crate::idempotency_message::{HOLDER, HoldAction, HoldAnswer, HoldRequest};
use crate::ports::Timeout;

/// The longest that a call waits for an object: one that is not awake takes some hundred
/// milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// A row of an object has 2 MB, its key and its times included.
const MAX: usize = 2_000_000 - 1000;

/// Idempotent writes, in the Durable Objects of one namespace. As in every store with this
/// port, the latest to begin a key in this isolate counts as its holder.
#[derive(Debug)]
pub(crate) struct DurableIdempotency {
    namespace: Namespace,
    /// Who this isolate is, to the objects.
    holder: [u8; HOLDER],
}

impl DurableIdempotency {
    pub(crate) fn new(namespace: JsValue) -> Self {
        let mut holder = [0; HOLDER];
        // with a name that another isolate has too, the two would take each other's holds for their
        // own
        getrandom::fill(&mut holder).expect("Web Crypto gives randomness");
        Self {
            namespace: namespace.into(),
            holder,
        }
    }

    async fn ask(&self, action: HoldAction<'_>, key: &str) -> Result<HoldAnswer, StoreError> {
        let request = HoldRequest {
            action,
            key,
            holder: &self.holder,
        }
        .write();
        let shard = key
            .get(..1)
            .ok_or_else(|| StoreError::new("a key without a character has no object"))?;
        let mut answer = pin!(self.exchange(shard, &request));
        let mut time = Timeout::new(PATIENCE);
        poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Pending => Pin::new(&mut time)
                .poll(cx)
                .map(|()| Err(failed("no answer in 5 seconds"))),
            ready => ready,
        })
        .await
    }

    async fn exchange(&self, shard: &str, request: &[u8]) -> Result<HoldAnswer, StoreError> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&Uint8Array::from(request));
        let object = self
            .namespace
            .get_by_name(shard)
            .map_err(|error| broken(&error))?;
        // the host name is a placeholder: a request to an object never leaves Cloudflare
        let response = JsFuture::from(
            object
                .fetch("https://idempotency/", &init)
                .map_err(|error| broken(&error))?,
        )
        .await
        .map_err(|error| broken(&error))?;
        let response = Response::from(response);
        if !response.ok() {
            return Err(failed(format_args!(
                "it answered with status {}",
                response.status()
            )));
        }
        let body = JsFuture::from(response.array_buffer().map_err(|error| broken(&error))?)
            .await
            .map_err(|error| broken(&error))?;
        HoldAnswer::read(&Uint8Array::new(&body).to_vec())
            .ok_or_else(|| failed("it answered what this version does not know"))
    }
}

impl IdempotencyStore for DurableIdempotency {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
        held_until_ms: u64,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        Box::pin(async move {
            match self
                .ask(
                    HoldAction::Begin {
                        now_ms,
                        held_until_ms,
                    },
                    key,
                )
                .await?
            {
                HoldAnswer::First => Ok(IdempotencyStatus::Acquired),
                HoldAnswer::Running => Ok(IdempotencyStatus::InProgress),
                HoldAnswer::Done(result) => Ok(IdempotencyStatus::Completed(result.into())),
                other => Err(failed(format_args!("it answered {other:?} to who begins"))),
            }
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if result.len() > MAX {
                return Err(failed(format_args!(
                    "it can't hold a result of {} bytes: a row has 2 MB",
                    result.len()
                )));
            }
            match self
                .ask(
                    HoldAction::Complete {
                        expires_ms,
                        result: &result,
                    },
                    key,
                )
                .await?
            {
                HoldAnswer::Kept => Ok(()),
                _ => Err(failed(
                    "it did not keep a result: it came after the end of its hold, and another \
                     isolate has begun the same write",
                )),
            }
        })
    }

    fn release<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.ask(HoldAction::Release, key).await.map(drop) })
    }
}

fn failed(why: impl std::fmt::Display) -> StoreError {
    StoreError::new(format_args!(
        "the Durable Object of idempotent writes: {why}"
    ))
}

fn broken(error: &JsValue) -> StoreError {
    failed(said(error))
}

#[wasm_bindgen]
extern "C" {
    #[derive(Debug)]
    type Namespace;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str) -> Result<Object, JsValue>;

    type Object;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Object, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}
