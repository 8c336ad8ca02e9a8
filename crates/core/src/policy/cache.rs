//! Kept results: looked up before the handler runs, filled after it. Never for errors, questions or
//! writes; a cache that is down costs a call nothing but the asking.

use std::sync::Arc;

use serde_json::Value;

use super::Cache;
use super::flight::{Landed, Pilot, Seat};
use super::kept::{Keep, Kept, Made, Stamp};
use crate::canonical::{canonical, digest_key};
use crate::dispatch::work::Work;
use crate::jsonrpc::Error;
use crate::port::milliseconds;
use crate::port::records::CacheUse;
use crate::port::store::ResultCache;
use crate::send::BoxFuture;

/// Largest result that is kept, in bytes.
const MOST: usize = 1024 * 1024;

/// Gives an earlier result, or the one that `make` makes. `make` does nothing unless it is waited
/// for.
pub(crate) async fn through(
    work: &Arc<Work>,
    cache: Cache,
    arguments: &Value,
    make: BoxFuture<'static, Result<Made, Error>>,
) -> (Result<Made, Error>, CacheUse) {
    // a retry answers a question: its result belongs to that conversation
    let Some(store) = work.platform.cache.clone().filter(|_| !work.is_retry()) else {
        return (make.await, CacheUse::Off);
    };
    let entry = Entry {
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
    if let Some(Kept { stamp, made }) = found.as_ref().and_then(Kept::read) {
        if now_ms < fresh_until(stamp) {
            return (Ok(made), CacheUse::Hit);
        }
        if let Some(background) = &work.platform.background {
            if let Seat::Pilot(pilot) = work.platform.flights.board(&entry.key) {
                let work = Arc::clone(work);
                background.run(Box::pin(async move {
                    drop(entry.fill(&work, pilot, make).await)
                }));
            }
            return (Ok(made), CacheUse::Stale);
        }
    }
    loop {
        match work.platform.flights.board(&entry.key) {
            Seat::Pilot(pilot) => return (entry.fill(work, pilot, make).await, CacheUse::Miss),
            Seat::Passenger(flight) => match flight.wait().await {
                Landed::Shared(bytes) => {
                    if let Some(kept) = Kept::read(&bytes) {
                        return (Ok(kept.made), CacheUse::Shared);
                    }
                }
                Landed::Alone => return (make.await, CacheUse::Miss),
                Landed::Lost => {}
            },
        }
    }
}

/// Where one result is kept.
struct Entry {
    key: String,
    cache: Cache,
    store: Arc<dyn ResultCache>,
}

impl Entry {
    /// Makes the result, shares it with equal calls, and keeps it: after the answer, where the host
    /// can.
    async fn fill(
        self,
        work: &Arc<Work>,
        pilot: Pilot,
        make: BoxFuture<'static, Result<Made, Error>>,
    ) -> Result<Made, Error> {
        let made = make.await?;
        if made.keep != Keep::Result || made.size() > MOST {
            pilot.land(Landed::Alone);
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
        let bytes = Kept::write(&made, stamp);
        pilot.land(Landed::Shared(bytes.clone()));
        let reporter = Arc::clone(work);
        let put = async move {
            if let Err(error) = self.store.put(&self.key, bytes, expires_ms).await {
                reporter.store_failed("result cache", &error);
            }
            // until here equal calls found the result in flight
            drop(pilot);
        };
        work.platform.afterwards(Box::pin(put)).await;
        Ok(made)
    }
}

/// Revision and server version are part of it: neither a newer server nor an older client gets what
/// was made for another one.
fn key(work: &Work, cache: Cache, arguments: &Value) -> String {
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
