//! StoredResult results: looked up before the handler runs, filled after it. Never for errors, questions or
//! writes; a cache that is down costs a call nothing but the asking.

use std::sync::Arc;

use serde_json::Value;

use super::Cache;
use super::single_flight::{FlightResult, FlightRole, Leader};
use super::stored_result::{HandlerResult, Retain, Stamp, StoredResult};
use crate::canonical::{canonical, digest_key};
use crate::dispatch::active_call::ActiveCall;
use crate::jsonrpc::Error;
use crate::port::audit_log::CacheStatus;
use crate::port::milliseconds;
use crate::port::store::ResultCache;
use crate::send::BoxFuture;

/// Largest result that is kept, in bytes.
const MAX: usize = 1024 * 1024;

/// Gives an earlier result, or the one that `make` makes. `make` does nothing unless it is waited
/// for.
pub(crate) async fn through(
    work: &Arc<ActiveCall>,
    cache: Cache,
    arguments: &Value,
    make: BoxFuture<'static, Result<HandlerResult, Error>>,
) -> (Result<HandlerResult, Error>, CacheStatus) {
    // a retry answers a question: its result belongs to that conversation
    let Some(store) = work.platform.cache.clone().filter(|_| !work.is_retry()) else {
        return (make.await, CacheStatus::Off);
    };
    let entry = CacheEntry {
        key: key(work, cache, arguments),
        cache,
        store,
    };
    let now_ms = work.platform.clock.now_ms();
    let found = entry
        .store
        .get(&entry.key, now_ms)
        .await
        .unwrap_or_else(|error| {
            work.store_failed("result cache", &error);
            None
        });
    if let Some(StoredResult { stamp, made }) = found.as_ref().and_then(StoredResult::read) {
        if now_ms < fresh_until(stamp) {
            return (Ok(made), CacheStatus::Hit);
        }
        // without background work the stale result would never be replaced, so the call makes a
        // new one
        if let Some(background) = &work.platform.background {
            if let FlightRole::Leader(leader) = work.platform.single_flight.join(&entry.key) {
                let work = Arc::clone(work);
                background.run(Box::pin(async move {
                    drop(entry.fill(&work, leader, make).await);
                }));
            }
            return (Ok(made), CacheStatus::Stale);
        }
    }
    loop {
        match work.platform.single_flight.join(&entry.key) {
            FlightRole::Leader(leader) => {
                return (entry.fill(work, leader, make).await, CacheStatus::Miss);
            }
            FlightRole::Follower(flight) => match flight.wait().await {
                FlightResult::Shared(bytes) => {
                    if let Some(kept) = StoredResult::read(&bytes) {
                        return (Ok(kept.made), CacheStatus::Coalesced);
                    }
                }
                // errors and large results belong to the call that made them
                FlightResult::Private => return (make.await, CacheStatus::Miss),
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
    /// Makes the result, shares it with equal calls, and keeps it: after the answer, where the host
    /// can.
    async fn fill(
        self,
        work: &Arc<ActiveCall>,
        leader: Leader,
        make: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> Result<HandlerResult, Error> {
        let made = make.await?;
        if made.retain != Retain::Result || made.size() > MAX {
            leader.finish(FlightResult::Private);
            return Ok(made);
        }
        let fresh_until_ms = work
            .platform
            .clock
            .now_ms()
            .saturating_add(milliseconds(self.cache.fresh));
        let expires_ms = fresh_until_ms.saturating_add(milliseconds(self.cache.stale));
        let mut stamp = Stamp::default();
        stamp[..8].copy_from_slice(&fresh_until_ms.to_be_bytes());
        let bytes = StoredResult::write(&made, stamp);
        // before the store has it: equal calls do not wait for the store
        leader.finish(FlightResult::Shared(bytes.clone()));
        let reporter = Arc::clone(work);
        let put = async move {
            if let Err(error) = self.store.put(&self.key, bytes, expires_ms).await {
                reporter.store_failed("result cache", &error);
            }
            // until here equal calls found the result in flight
            drop(leader);
        };
        work.platform.defer(Box::pin(put)).await;
        Ok(made)
    }
}

/// Revision and server version are part of it: neither a newer server nor an older client gets what
/// was made for another one.
fn key(work: &ActiveCall, cache: Cache, arguments: &Value) -> String {
    let whose = if cache.public {
        String::new()
    } else {
        work.principal.key()
    };
    let server = &work.server;
    digest_key(&[
        b"result",
        server.name().as_bytes(),
        server.version().as_bytes(),
        work.revision.as_str().as_bytes(),
        work.target.as_bytes(),
        whose.as_bytes(),
        &canonical(arguments),
    ])
}

fn fresh_until(stamp: Stamp) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = stamp;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
