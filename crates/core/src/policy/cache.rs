//! Cached results: looked up before the handler runs, stored after it. Never errors, questions or
//! writes; a cache that is down costs a call nothing but the asking.

use std::sync::Arc;

use bytes::Bytes;

use super::Cache;
use super::asked::asked;
use super::generation;
use super::single_flight::{FlightResult, FlightRole, Leader};
use super::stale_result::{instead, is_outage};
use super::stored_result::{Stamp, StoredResult};
use crate::active_call::ActiveCall;
use crate::active_call::result::{HandlerResult, Retain};
use crate::canonical::digest_key;
use crate::jsonrpc::Error;
use crate::port::audit_log::CacheStatus;
use crate::port::milliseconds;
use crate::port::store::ResultCache;
use crate::send::BoxFuture;

/// Largest result that is kept, in bytes.
const MAX: usize = 1024 * 1024;

/// Gives an earlier result, or the one that `run` makes. `canonical` are the arguments. What is kept
/// is given until the server writes, if it is `ended_by_writes`. `run` does nothing unless it is
/// waited for.
pub(crate) async fn through(
    call: &Arc<ActiveCall>,
    cache: Cache,
    ended_by_writes: bool,
    canonical: &[u8],
    run: BoxFuture<'static, Result<HandlerResult, Error>>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    // a retry answers a question: its result belongs to that conversation; and what is made for a
    // stranger is not for another one
    let kept = !call.is_retry() && (cache.public || call.principal.is_known());
    let Some(store) = call.platform.cache.clone().filter(|_| kept) else {
        return (run.await, CacheStatus::Off);
    };
    let now_ms = call.platform.clock.now_ms();
    let generation = if ended_by_writes {
        let Some(generation) = generation::current(call, &store, now_ms).await else {
            // what was written since can't be told, so nothing kept is given
            return (run.await, CacheStatus::Off);
        };
        generation
    } else {
        Bytes::new()
    };
    let entry = CacheEntry {
        key: key(call, cache, canonical, &generation),
        cache,
        store,
    };
    let stored = entry.stored(call, now_ms).await;
    if let Some(StoredResult { stamp, result }) = &stored {
        let fresh_until_ms = fresh_until(*stamp);
        if now_ms < fresh_until_ms {
            return (Ok(result.clone()), CacheStatus::Hit);
        }
        // without background work the stale result would never be replaced, so the call makes a new
        // one
        let stale_until_ms = fresh_until_ms.saturating_add(milliseconds(cache.stale));
        if let Some(background) = &call.platform.background
            && now_ms < stale_until_ms
        {
            if let FlightRole::Leader(leader) = call.platform.single_flight.join(&entry.key) {
                let call = Arc::clone(call);
                background.run(Box::pin(async move {
                    drop(entry.fill(&call, leader, run).await);
                }));
            }
            return (Ok(result.clone()), CacheStatus::Stale);
        }
    }
    let (made, status) = entry.make(call, run).await;
    or_stale(call, cache, made, status, stored)
}

/// The older result where there is no newer one, and it is not too old.
fn or_stale(
    call: &ActiveCall,
    cache: Cache,
    made: Result<HandlerResult, Error>,
    status: CacheStatus,
    stored: Option<StoredResult>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    let (Ok(failed), Some(stored)) = (&made, stored) else {
        return (made, status);
    };
    let now_ms = call.platform.clock.now_ms();
    let until_ms = fresh_until(stored.stamp).saturating_add(milliseconds(cache.stale_if_error));
    if !is_outage(failed.outcome) || now_ms >= until_ms {
        return (made, status);
    }
    let age_ms = now_ms.saturating_sub(made_at(stored.stamp));
    match instead(failed, stored, age_ms) {
        Some(older) => (Ok(older), CacheStatus::StaleIfError),
        None => (made, status),
    }
}

/// Where one result is kept.
struct CacheEntry {
    key: String,
    cache: Cache,
    store: Arc<dyn ResultCache>,
}

impl CacheEntry {
    /// What the store has. A store that is down has nothing.
    async fn stored(&self, call: &ActiveCall, now_ms: u64) -> Option<StoredResult> {
        let get = self.store.get(&self.key, now_ms);
        match asked(&call.platform.timer, get).await {
            Ok(bytes) => StoredResult::read(&bytes?),
            Err(error) => {
                call.store_failed("result cache", &error);
                None
            }
        }
    }

    /// The result of this call, or of an equal one that is under way.
    async fn make(
        self,
        call: &Arc<ActiveCall>,
        run: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> (Result<HandlerResult, Error>, CacheStatus) {
        loop {
            match call.platform.single_flight.join(&self.key) {
                FlightRole::Leader(leader) => {
                    return (self.fill(call, leader, run).await, CacheStatus::Miss);
                }
                FlightRole::Follower(flight) => match flight.wait().await {
                    FlightResult::Shared(bytes) => {
                        if let Some(stored) = StoredResult::read(&bytes) {
                            return (Ok(stored.result), CacheStatus::Coalesced);
                        }
                    }
                    // errors and large results belong to the call that made them
                    FlightResult::Private => return (run.await, CacheStatus::Miss),
                    // the leader's client went away: one of those who waited leads now
                    FlightResult::Abandoned => {}
                },
            }
        }
    }

    /// Makes the result, shares it with equal calls, and keeps it: after the response, where the
    /// host can.
    async fn fill(
        self,
        call: &Arc<ActiveCall>,
        leader: Leader,
        run: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> Result<HandlerResult, Error> {
        let result = run.await?;
        if result.retain != Retain::Result || result.size() > MAX {
            leader.finish(FlightResult::Private);
            return Ok(result);
        }
        let now_ms = call.platform.clock.now_ms();
        let fresh_until_ms = now_ms.saturating_add(milliseconds(self.cache.fresh));
        let stale = self.cache.stale.max(self.cache.stale_if_error);
        let expires_ms = fresh_until_ms.saturating_add(milliseconds(stale));
        let mut stamp = Stamp::default();
        stamp[..8].copy_from_slice(&fresh_until_ms.to_be_bytes());
        stamp[8..16].copy_from_slice(&now_ms.to_be_bytes());
        let bytes = StoredResult::write(&result, stamp);
        // before the store has it: equal calls do not wait for the store
        leader.finish(FlightResult::Shared(bytes.clone()));
        let reporter = Arc::clone(call);
        let put = async move {
            let put = self.store.put(&self.key, bytes, expires_ms);
            if let Err(error) = asked(&reporter.platform.timer, put).await {
                reporter.store_failed("result cache", &error);
            }
            // until here equal calls found the result in flight
            drop(leader);
        };
        call.platform.defer(Box::pin(put)).await;
        Ok(result)
    }
}

/// Revision and server version are part of it: neither a newer server nor an older client gets what
/// was made for another one. So are the scopes: a handler may show more to a caller that has more,
/// and a caller whose rights were taken back does not get what it saw with them.
fn key(call: &ActiveCall, cache: Cache, canonical: &[u8], generation: &[u8]) -> String {
    let (principal, scopes) = if cache.public {
        (String::new(), String::new())
    } else {
        (call.principal.key(), call.principal.scopes.canonical())
    };
    let server = &call.server;
    digest_key(&[
        b"result",
        server.name().as_bytes(),
        server.version().as_bytes(),
        call.revision.as_str().as_bytes(),
        call.requested.as_bytes(),
        principal.as_bytes(),
        scopes.as_bytes(),
        generation,
        canonical,
    ])
}

fn fresh_until(stamp: Stamp) -> u64 {
    number(stamp.first_chunk())
}

/// When the result was made.
fn made_at(stamp: Stamp) -> u64 {
    number(stamp[8..].first_chunk())
}

fn number(bytes: Option<&[u8; 8]>) -> u64 {
    bytes.copied().map_or(0, u64::from_be_bytes)
}
