//! Cached results: looked up before the handler runs, stored after it. Never errors, questions or
//! writes; a cache that is down costs a call nothing but the asking.

use std::sync::Arc;

use super::Cache;
use super::asked::asked;
use super::single_flight::{FlightResult, FlightRole, Leader};
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

/// Gives an earlier result, or the one that `run` makes. `canonical` are the arguments. `run` does nothing unless it is waited
/// for.
pub(crate) async fn through(
    call: &Arc<ActiveCall>,
    cache: Cache,
    canonical: &[u8],
    run: BoxFuture<'static, Result<HandlerResult, Error>>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    // a retry answers a question: its result belongs to that conversation; and what is made for a
    // stranger is not for another one
    let kept = !call.is_retry() && (cache.public || call.principal.is_known());
    let Some(store) = call.platform.cache.clone().filter(|_| kept) else {
        return (run.await, CacheStatus::Off);
    };
    let entry = CacheEntry {
        key: key(call, cache, canonical),
        cache,
        store,
    };
    let now_ms = call.platform.clock.now_ms();
    if let Some(StoredResult { stamp, result }) = entry.stored(call, now_ms).await {
        if now_ms < fresh_until(stamp) {
            return (Ok(result), CacheStatus::Hit);
        }
        // without background work the stale result would never be replaced, so the call makes a new
        // one
        if let Some(background) = &call.platform.background {
            if let FlightRole::Leader(leader) = call.platform.single_flight.join(&entry.key) {
                let call = Arc::clone(call);
                background.run(Box::pin(async move {
                    drop(entry.fill(&call, leader, run).await);
                }));
            }
            return (Ok(result), CacheStatus::Stale);
        }
    }
    loop {
        match call.platform.single_flight.join(&entry.key) {
            FlightRole::Leader(leader) => {
                return (entry.fill(call, leader, run).await, CacheStatus::Miss);
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
        let fresh_until_ms = call
            .platform
            .clock
            .now_ms()
            .saturating_add(milliseconds(self.cache.fresh));
        let expires_ms = fresh_until_ms.saturating_add(milliseconds(self.cache.stale));
        let mut stamp = Stamp::default();
        stamp[..8].copy_from_slice(&fresh_until_ms.to_be_bytes());
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
fn key(call: &ActiveCall, cache: Cache, canonical: &[u8]) -> String {
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
        canonical,
    ])
}

fn fresh_until(stamp: Stamp) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = stamp;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
