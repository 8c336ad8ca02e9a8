//! Idempotent writes: a repeat with the same `idempotencyKey` gets the first result instead
//! of acting again. Clients resend when a connection breaks, and can't know whether the first
//! request arrived.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::FailureMode;
use super::single_flight::Slot;
use super::stored_result::{Stamp, StoredResult};
use crate::active_call::ActiveCall;
use crate::active_call::result::{HandlerResult, Retain};
use crate::canonical::digest_key;
use crate::jsonrpc::Error;
use crate::port::audit_log::CacheStatus;
use crate::port::milliseconds;
use crate::port::store::{IdempotencyStatus, IdempotencyStore, StoreError};
use crate::send::BoxFuture;

/// How long a result is remembered.
const REMEMBERED_MS: u64 = 24 * 3600 * 1000;
/// Largest result that is remembered, in bytes: what every store can hold.
const MAX: usize = 256 * 1024;
const TOO_LARGE: &str = "this write happened before, with this idempotencyKey, and its result was \
    too large to be kept: read what it made";
/// A call's own deadline has passed for so long before its hold on a key ends.
const MARGIN_MS: u64 = 2_000;
/// Between two looks at a write that another call is making: short at first, because most writes
/// take milliseconds, and bounded, because each look is a request to the store.
const LOOKS_MS: [u64; 5] = [25, 50, 100, 250, 500];

/// Runs the write unless an earlier call of this key did. `limit` is how long `run` may take,
/// `canonical` are its arguments.
pub(crate) async fn through(
    call: &Arc<ActiveCall>,
    key: &str,
    limit: Duration,
    canonical: &[u8],
    run: BoxFuture<'static, Result<HandlerResult, Error>>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    let Some(writes) = call.platform.writes.clone() else {
        return (run.await, CacheStatus::Off);
    };
    let write = IdempotentWrite {
        store: writes.store,
        key: store_key(call, key),
        stamp: Sha256::digest(canonical).into(),
    };
    match write.begin(call, limit).await {
        Ok(IdempotencyStatus::Acquired) => (write.run(call, run).await, CacheStatus::Miss),
        Ok(IdempotencyStatus::Completed(bytes)) => write.repeated(call, &bytes),
        Ok(IdempotencyStatus::InProgress) => (
            Ok(call.tool_error(
                "a call with this idempotencyKey is still running: repeat it with the same key in \
                 a few seconds to get its result",
            )),
            CacheStatus::Off,
        ),
        Err(error) => {
            call.store_failed("store of writes", &error);
            match writes.failure_mode {
                FailureMode::Open => (run.await, CacheStatus::Off),
                FailureMode::Closed => (
                    Ok(call.tool_error(
                        "idempotency store unavailable, so the write was not made; retry in 60 s",
                    )),
                    CacheStatus::Off,
                ),
            }
        }
    }
}

/// One write, as its store knows it.
struct IdempotentWrite {
    store: Arc<dyn IdempotencyStore>,
    key: String,
    /// A digest of the arguments: the same key with others is a mistake of the client.
    stamp: Stamp,
}

impl IdempotentWrite {
    /// Begins; while another call is at it, waits for the end of that as long as this call itself
    /// might take.
    async fn begin(
        &self,
        call: &ActiveCall,
        limit: Duration,
    ) -> Result<IdempotencyStatus, StoreError> {
        let clock = &call.platform.clock;
        let limit_ms = milliseconds(limit);
        let give_up_ms = clock.now_ms().saturating_add(limit_ms);
        // polled, because not every store can notify
        let mut looks = LOOKS_MS.into_iter();
        loop {
            let now_ms = clock.now_ms();
            // counted from each attempt, because the call that gets the key runs for its whole
            // limit from then on
            let held_until_ms = now_ms.saturating_add(limit_ms).saturating_add(MARGIN_MS);
            let status = self.store.begin(&self.key, now_ms, held_until_ms).await?;
            let pause = looks.next().unwrap_or(LOOKS_MS[LOOKS_MS.len() - 1]);
            if status != IdempotencyStatus::InProgress || clock.now_ms() >= give_up_ms {
                return Ok(status);
            }
            call.platform
                .timer
                .sleep(Duration::from_millis(pause))
                .await;
        }
    }

    /// What the repeat of a write that happened gets: the first result, if it is the same write.
    fn repeated(
        &self,
        call: &ActiveCall,
        bytes: &Bytes,
    ) -> (Result<HandlerResult, Error>, CacheStatus) {
        let text = match StoredResult::read(bytes) {
            Some(stored) if stored.stamp == self.stamp => {
                return (Ok(stored.result), CacheStatus::Hit);
            }
            Some(_) => {
                "this idempotencyKey was used before with other arguments: use a new key for a new \
                 write"
            }
            None => {
                "the result of this idempotencyKey can't be read any more: check whether the write \
                 happened, then use a new key"
            }
        };
        (Ok(call.tool_error(text)), CacheStatus::Off)
    }

    /// Runs to the end even if the client goes away, where the host can: the client will ask again
    /// for the result.
    async fn run(
        self,
        call: &Arc<ActiveCall>,
        run: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> Result<HandlerResult, Error> {
        let write = {
            let call = Arc::clone(call);
            async move {
                let result = run.await;
                self.end(&call, result.as_ref().ok()).await;
                result
            }
        };
        // a host without background work drops the write with its client; its key then expires
        let Some(background) = &call.platform.background else {
            return write.await;
        };
        let slot = Arc::new(Slot::new());
        let notifier = Notifier(Arc::clone(&slot));
        background.run(Box::pin(async move { notifier.0.set(write.await) }));
        slot.wait().await
    }

    /// Keeps the result for repeats, or lets go of the key where nothing happened.
    async fn end(&self, call: &ActiveCall, result: Option<&HandlerResult>) {
        let stored = match result.filter(|result| result.retain != Retain::Nothing) {
            Some(result) => {
                let expires_ms = call.platform.clock.now_ms().saturating_add(REMEMBERED_MS);
                // that it happened must be kept, whatever it gave
                let large = (result.size() > MAX).then(|| call.tool_error(TOO_LARGE));
                let bytes = StoredResult::write(large.as_ref().unwrap_or(result), self.stamp);
                self.store.complete(&self.key, bytes, expires_ms).await
            }
            None => self.store.release(&self.key).await,
        };
        // the write itself is done: its client gets the result, and a repeat may act again
        if let Err(error) = stored {
            call.store_failed("store of writes", &error);
        }
    }
}

/// Tells the call that waits when the host drops the write unfinished.
struct Notifier(Arc<Slot<Result<HandlerResult, Error>>>);

impl Drop for Notifier {
    fn drop(&mut self) {
        // without effect once the result is there
        self.0.set(Err(Error::internal(
            "internal error: the server was stopped during the call",
        )));
    }
}

/// The caller is part of it: nobody gets the result of a key that another caller made up.
fn store_key(call: &ActiveCall, key: &str) -> String {
    let principal = call.principal.key();
    digest_key(&[
        b"idempotency",
        call.server.name().as_bytes(),
        principal.as_bytes(),
        call.requested.as_bytes(),
        key.as_bytes(),
    ])
}
