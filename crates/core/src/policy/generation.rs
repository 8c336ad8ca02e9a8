//! Results of reads of this server's own data, which a write of the same server makes worthless: a
//! mark in the store of results that is part of their keys, and that each write replaces. What
//! other programs write to the data is not noticed.

use std::sync::Arc;

use bytes::Bytes;

use super::asked::asked;
use crate::active_call::ActiveCall;
use crate::canonical::digest_key;
use crate::port::store::ResultCache;

/// How long a mark is kept, in milliseconds. A new one costs the results that were kept under it.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// The mark that results are kept under now; nothing where the store is down. One that was lost is
/// made anew, so that no older one comes back.
pub(super) async fn current(
    call: &ActiveCall,
    store: &Arc<dyn ResultCache>,
    now_ms: u64,
) -> Option<Bytes> {
    let key = key(call);
    match asked(&call.platform.timer, store.get(&key, now_ms)).await {
        Ok(Some(mark)) => Some(mark),
        Ok(None) => replaced(call, store).await,
        Err(error) => {
            call.store_failed("result cache", &error);
            None
        }
    }
}

/// What was read of this server's data before is not given any more.
pub(crate) async fn end(call: &ActiveCall) {
    if let Some(store) = call.platform.cache.clone() {
        replaced(call, &store).await;
    }
}

async fn replaced(call: &ActiveCall, store: &Arc<dyn ResultCache>) -> Option<Bytes> {
    let mut mark = [0; 16];
    call.platform.random.fill(&mut mark);
    let mark = Bytes::copy_from_slice(&mark);
    let expires_ms = call.platform.clock.now_ms().saturating_add(KEPT_MS);
    let key = key(call);
    let put = store.put(&key, mark.clone(), expires_ms);
    match asked(&call.platform.timer, put).await {
        Ok(()) => Some(mark),
        Err(error) => {
            call.store_failed("result cache", &error);
            None
        }
    }
}

/// Of all versions of the server: a write of one changes what another one reads.
fn key(call: &ActiveCall) -> String {
    digest_key(&[b"generation", call.server.name().as_bytes()])
}

/// Ends the generation once a write is over, also one whose client went away in the middle.
pub(crate) struct WriteGuard {
    call: Option<Arc<ActiveCall>>,
}

impl WriteGuard {
    /// For a call of a tool that writes.
    pub(crate) fn new(call: &Arc<ActiveCall>) -> Self {
        Self {
            call: Some(Arc::clone(call)),
        }
    }

    /// The write ended; nothing was written unless `may_have_written`.
    pub(crate) async fn ended(mut self, may_have_written: bool) {
        if let Some(call) = self.call.take().filter(|_| may_have_written) {
            end(&call).await;
        }
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else {
            return;
        };
        if let Some(background) = call.platform.background.clone() {
            background.run(Box::pin(async move { end(&call).await }));
        }
    }
}
