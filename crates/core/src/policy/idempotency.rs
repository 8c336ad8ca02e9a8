//! Idempotent writes: a repeat with the same `idempotencyKey` gets the first result instead
//! of acting again. Clients resend when a connection breaks, and can't know whether the first
//! request arrived.
//!
//! A key is held by one call, under a random name. It becomes free again only when that call says
//! that nothing was written; a call that ended without a word leaves a key of which the outcome is
//! unknown, and its repeat is told so. How that is kept and told is `ending`.

mod ending;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::FailureMode;
use super::asked::{self, asked};
use super::stored_result::{Stamp, StoredResult};
use crate::active_call::ActiveCall;
use crate::active_call::result::HandlerResult;
use crate::canonical::{caller_key, digest_key};
use crate::jsonrpc::Error;
use crate::port::audit_log::CacheStatus;
use crate::port::milliseconds;
use crate::port::store::{Hold, Holder, IdempotencyStatus, IdempotencyStore};
use crate::port::store_error::StoreError;
use crate::send::BoxFuture;

/// How long a result is remembered, and a write of which the outcome is unknown.
const REMEMBERED_MS: u64 = 24 * 3600 * 1000;
/// A call's own deadline has passed for so long before its hold on a key ends.
const MARGIN_MS: u64 = 2_000;
/// Between two looks at a write that another call is making: short at first, because most writes
/// take milliseconds, and bounded, because each look is a request to the store.
const LOOKS_MS: [u64; 6] = [25, 50, 100, 200, 400, 800];

const NO_STORE: &str = "this server remembers no writes, so that a repeat with the same \
    idempotencyKey would write again: the write was not made. Call without a key, and look \
    whether the write happened before you repeat it";
const UNKNOWN: &str = "outcome unknown: an earlier call with this idempotencyKey ended without \
    saying whether it wrote. Look whether the write happened; only if it did not, repeat it with a \
    new key";
const IN_PROGRESS: &str = "a call with this idempotencyKey is still running: repeat it with the \
    same key in a few seconds to get its result";
const FULL: &str = "idempotency store without room for another write of this caller, so the write \
    was not made. Keys are kept for 24 hours: use fewer, or call without one and look whether the \
    write happened before you repeat it";
const UNAVAILABLE: &str = "idempotency store unavailable, so the write was not made; retry in 60 s \
    with the same idempotencyKey";

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
        return told(call, NO_STORE);
    };
    let mut holder = Holder::default();
    call.platform.random.fill(&mut holder);
    let write = IdempotentWrite {
        store: writes.store,
        key: store_key(call, key),
        holder,
        stamp: Sha256::digest(canonical).into(),
    };
    let (hold, begun) = write.begin(call, limit).await;
    match begun {
        Attempt::Acquired => (write.run(call, hold, run).await, CacheStatus::Miss),
        Attempt::Completed(bytes) => write.repeated(call, &bytes),
        Attempt::InProgress => told(call, IN_PROGRESS),
        Attempt::Unknown => told(call, UNKNOWN),
        // the key may be held all the same: the end of this call lands on its own hold, or on none
        Attempt::Failed | Attempt::Full if writes.failure_mode == FailureMode::Open => {
            (write.run(call, hold, run).await, CacheStatus::Off)
        }
        Attempt::Failed => {
            write.let_go(call, hold);
            told(call, UNAVAILABLE)
        }
        Attempt::Full => told(call, FULL),
        Attempt::LostSight => {
            write.let_go(call, hold);
            told(call, IN_PROGRESS)
        }
    }
}

/// A sentence in the place of a result.
fn told(call: &ActiveCall, text: &str) -> (Result<HandlerResult, Error>, CacheStatus) {
    (Ok(call.tool_error(text)), CacheStatus::Off)
}

/// How a call's attempt to be the first ended.
enum Attempt {
    /// It is.
    Acquired,
    /// The write happened.
    Completed(Bytes),
    /// Another call is still at it.
    InProgress,
    /// Another call was.
    Unknown,
    /// The store gave no answer, and it is not known whether this call holds the key.
    Failed,
    /// The store can't take it, and will not for some time.
    Full,
    /// As [`Attempt::Failed`], after the store had said that another call was at it.
    LostSight,
}

/// One write, as its store knows it.
struct IdempotentWrite {
    store: Arc<dyn IdempotencyStore>,
    key: String,
    holder: Holder,
    /// A digest of the arguments: the same key with others is a mistake of the client.
    stamp: Stamp,
}

impl IdempotentWrite {
    /// Begins; while another call is at it, waits for the end of that as long as this call itself
    /// might take.
    async fn begin(&self, call: &ActiveCall, limit: Duration) -> (Hold, Attempt) {
        let clock = &call.platform.clock;
        let give_up_ms = clock.now_ms().saturating_add(milliseconds(limit));
        // polled, because not every store can notify
        let mut looks = LOOKS_MS.into_iter().chain(std::iter::repeat(800));
        let mut waited = false;
        loop {
            let hold = hold(clock.now_ms(), limit);
            let status = asked(
                &call.platform.timer,
                self.store.begin(&self.key, &self.holder, hold),
            )
            .await
            .and_then(|status| in_time(status, hold, clock.now_ms()));
            let begun = match status {
                Ok(IdempotencyStatus::Acquired) => Attempt::Acquired,
                Ok(IdempotencyStatus::Completed(bytes)) => Attempt::Completed(bytes),
                Ok(IdempotencyStatus::Unknown) => Attempt::Unknown,
                Ok(IdempotencyStatus::InProgress) => {
                    waited = true;
                    match self.wait(call, give_up_ms, &mut looks).await {
                        Some(begun) => begun,
                        None => continue,
                    }
                }
                Err(error) => {
                    call.store_failed("store of writes", &error);
                    match (waited, error.is_lasting()) {
                        (true, _) => Attempt::LostSight,
                        (false, true) => Attempt::Full,
                        (false, false) => Attempt::Failed,
                    }
                }
            };
            return (hold, begun);
        }
    }

    /// Looks until the other call has ended, or until it is time to give up. Nothing where the key
    /// may be free, which only `begin` can decide.
    async fn wait(
        &self,
        call: &ActiveCall,
        give_up_ms: u64,
        looks: &mut impl Iterator<Item = u64>,
    ) -> Option<Attempt> {
        let platform = &call.platform;
        loop {
            let now_ms = platform.clock.now_ms();
            if now_ms >= give_up_ms {
                return Some(Attempt::InProgress);
            }
            let pause_ms = looks.next()?.min(give_up_ms - now_ms);
            platform.timer.sleep(Duration::from_millis(pause_ms)).await;
            let look = self.store.look(&self.key, platform.clock.now_ms());
            match asked(&platform.timer, look).await {
                Ok(Some(IdempotencyStatus::Completed(bytes))) => {
                    return Some(Attempt::Completed(bytes));
                }
                Ok(Some(IdempotencyStatus::InProgress)) => {}
                // the other call is at it, whether it can be seen or not
                Err(error) => call.store_failed("store of writes", &error),
                Ok(_) => return None,
            }
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
        told(call, text)
    }
}

/// The hold of a call that begins now. It covers the call's whole time from the latest moment at
/// which the store's answer is believed.
fn hold(now_ms: u64, limit: Duration) -> Hold {
    let until_ms = now_ms
        .saturating_add(milliseconds(asked::LIMIT))
        .saturating_add(milliseconds(limit))
        .saturating_add(MARGIN_MS);
    Hold {
        now_ms,
        until_ms,
        expires_ms: until_ms.saturating_add(REMEMBERED_MS),
    }
}

/// A hold that was given after its time (timers of a machine that was frozen are late) would end
/// before the call does.
fn in_time(
    status: IdempotencyStatus,
    hold: Hold,
    now_ms: u64,
) -> Result<IdempotencyStatus, StoreError> {
    let late = now_ms.saturating_sub(hold.now_ms) > milliseconds(asked::LIMIT);
    if status == IdempotencyStatus::Acquired && late {
        return Err(StoreError::new("it answered too late to hold the key"));
    }
    Ok(status)
}

/// The caller is part of it: nobody gets the result of a key that another caller made up. Its end
/// is the same in all keys of a caller, by which stores with little room share it out.
fn store_key(call: &ActiveCall, key: &str) -> String {
    let principal = call.principal.key();
    let caller = caller_key(&principal);
    let key = digest_key(&[
        b"idempotency",
        call.server.name().as_bytes(),
        principal.as_bytes(),
        call.requested.as_bytes(),
        key.as_bytes(),
    ]);
    format!("{key}.{caller}")
}
