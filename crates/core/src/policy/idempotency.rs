//! Idempotent writes: a repeat with the same `idempotencyKey` gets the first result instead
//! of acting again. Clients resend when a connection breaks, and can't know whether the first
//! request arrived.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::FailureMode;
use super::single_flight::Slot;
use super::stored_result::{HandlerResult, Retain, Stamp, StoredResult};
use crate::canonical::{canonical, digest_key};
use crate::dispatch::active_call::ActiveCall;
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
/// Between two looks at a write that somebody else is making.
const LOOKS: [u64; 5] = [25, 50, 100, 250, 500];

/// Makes the result unless an earlier call of this key made it. `limit` is how long `make` may
/// take.
pub(crate) async fn through(
    work: &Arc<ActiveCall>,
    key: &str,
    limit: Duration,
    arguments: &Value,
    make: BoxFuture<'static, Result<HandlerResult, Error>>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    let Some(writes) = work.platform.writes.clone() else {
        return (make.await, CacheStatus::Off);
    };
    // tells a repeat from a key that a client used twice by mistake
    let stamp: Stamp = Sha256::digest(canonical(arguments)).into();
    let entry = IdempotentWrite {
        store: writes.store,
        key: store_key(work, key),
        stamp,
    };
    match entry.begin(work, limit).await {
        Ok(IdempotencyStatus::Acquired) => (entry.run(work, make).await, CacheStatus::Miss),
        Ok(IdempotencyStatus::Completed(bytes)) => match StoredResult::read(&bytes) {
            Some(kept) if kept.stamp == stamp => (Ok(kept.made), CacheStatus::Hit),
            Some(_) => (
                Ok(work.tool_error(
                    "this idempotencyKey was used before with other arguments: use \
                    a new key for a new write",
                )),
                CacheStatus::Off,
            ),
            None => (
                Ok(work.tool_error(
                    "the result of this idempotencyKey can't be read any more: check whether the \
                     write happened, then use a new key",
                )),
                CacheStatus::Off,
            ),
        },
        Ok(IdempotencyStatus::InProgress) => (
            Ok(work.tool_error(
                "a call with this idempotencyKey is still running: repeat it with the same key in \
                 a few seconds to get its result",
            )),
            CacheStatus::Off,
        ),
        Err(error) => {
            work.store_failed("store of writes", &error);
            match writes.failure_mode {
                FailureMode::Open => (make.await, CacheStatus::Off),
                FailureMode::Closed => (
                    Ok(work.tool_error(
                        "writes can't be protected from being repeated at the moment, so this one \
                         was not made: try again in a minute",
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
    stamp: Stamp,
}

impl IdempotentWrite {
    /// Begins; while somebody else is at it, waits for the end of that as long as the call itself
    /// might take.
    async fn begin(
        &self,
        work: &ActiveCall,
        limit: Duration,
    ) -> Result<IdempotencyStatus, StoreError> {
        let clock = &work.platform.clock;
        let limit_ms = milliseconds(limit);
        let give_up_ms = clock.now_ms().saturating_add(limit_ms);
        // polled, because not every store can notify; soon at first, because most writes are short
        let mut looks = LOOKS.into_iter();
        loop {
            let now_ms = clock.now_ms();
            // counted from each attempt, because the call that gets the key runs for its whole
            // limit from then on
            let held_until_ms = now_ms.saturating_add(limit_ms).saturating_add(MARGIN_MS);
            let begun = self.store.begin(&self.key, now_ms, held_until_ms).await?;
            let pause = Duration::from_millis(looks.next().unwrap_or(LOOKS[LOOKS.len() - 1]));
            if begun != IdempotencyStatus::InProgress || clock.now_ms() >= give_up_ms {
                return Ok(begun);
            }
            work.platform.timer.sleep(pause).await;
        }
    }

    /// Runs to the end even if the client goes away, where the host can: the client will ask again
    /// for the result.
    async fn run(
        self,
        work: &Arc<ActiveCall>,
        make: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> Result<HandlerResult, Error> {
        let finish = {
            let work = Arc::clone(work);
            async move {
                let made = make.await;
                self.end(&work, made.as_ref().ok()).await;
                made
            }
        };
        // a host without background work drops the write with its client; its key then expires
        let Some(background) = &work.platform.background else {
            return finish.await;
        };
        let slot = Arc::new(Slot::new());
        let answer = Notifier(Arc::clone(&slot));
        background.run(Box::pin(async move { answer.0.set(finish.await) }));
        slot.wait().await
    }

    async fn end(&self, work: &ActiveCall, made: Option<&HandlerResult>) {
        let ended = match made.filter(|made| made.retain != Retain::Nothing) {
            Some(made) => {
                let expires_ms = work.platform.clock.now_ms().saturating_add(REMEMBERED_MS);
                // that it happened must be kept, whatever it gave
                let large = (made.size() > MAX).then(|| work.tool_error(TOO_LARGE));
                let kept = StoredResult::write(large.as_ref().unwrap_or(made), self.stamp);
                self.store.complete(&self.key, kept, expires_ms).await
            }
            None => self.store.release(&self.key).await,
        };
        if let Err(error) = ended {
            work.store_failed("store of writes", &error);
        }
    }
}

/// Tells whoever waits when the host drops the work unfinished.
struct Notifier(Arc<Slot<Result<HandlerResult, Error>>>);

impl Drop for Notifier {
    fn drop(&mut self) {
        // without effect once the result is there
        self.0.set(Err(Error::internal(
            "internal error: the server was stopped during the call",
        )));
    }
}

fn store_key(work: &ActiveCall, key: &str) -> String {
    let principal = work.principal.key();
    digest_key(&[
        b"idempotency",
        work.server.name().as_bytes(),
        principal.as_bytes(),
        work.target.as_bytes(),
        key.as_bytes(),
    ])
}
