//! The end of an idempotent write: its result is kept, or its key let go of, until the store has
//! said so or the hold is over. The client waits for one attempt only; the others are made after
//! its answer, where the host can.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{IdempotentWrite, REMEMBERED_MS};
use crate::active_call::ActiveCall;
use crate::active_call::result::{HandlerResult, Retain};
use crate::jsonrpc::Error;
use crate::policy::asked::asked;
use crate::policy::single_flight::Slot;
use crate::policy::stored_result::StoredResult;
use crate::port::store::Hold;
use crate::port::store_error::StoreError;
use crate::send::BoxFuture;

/// Largest result that is remembered, in bytes: what every store can hold.
const MAX: usize = 256 * 1024;
const TOO_LARGE: &str = "this write happened before, with this idempotencyKey, and its result was \
    too large to be kept: read what it made";
const STOPPED: &str = "internal error: the server was stopped during the call, so that the outcome \
    of the write is unknown: look whether it happened before you repeat it";
/// Between two attempts to keep a result: a throttled store has room again within a second.
const PAUSES_MS: [u64; 5] = [50, 100, 200, 400, 800];

/// How long after a store's failure a key is let go of.
const LET_GO_MS: u64 = 2_000;

impl IdempotentWrite {
    /// Runs to the end even if the client goes away, where the host can: the client will ask again
    /// for the result.
    pub(super) async fn run(
        self,
        call: &Arc<ActiveCall>,
        hold: Hold,
        run: BoxFuture<'static, Result<HandlerResult, Error>>,
    ) -> Result<HandlerResult, Error> {
        let slot = Arc::new(Slot::new());
        let notifier = Notifier(Arc::clone(&slot));
        let write = {
            let call = Arc::clone(call);
            async move {
                let result = run.await;
                let mut ending = self.ending(&call, result.as_ref().ok());
                // before the answer, so that a repeat right after it finds the result
                let over = self.try_end(&call, &mut ending).await;
                notifier.0.set(result);
                if !over {
                    self.end(&call, hold, ending).await;
                }
            }
        };
        match &call.platform.background {
            Some(background) => background.run(Box::pin(write)),
            // the write is dropped with its client, and the outcome of its key is unknown
            None => write.await,
        }
        slot.wait().await
    }

    /// Lets go of a key that this call may hold, and that it does not use. A few attempts: a key
    /// that stays held is one of which the outcome is unknown, which harms nobody.
    pub(super) fn let_go(self, call: &Arc<ActiveCall>, hold: Hold) {
        // without background work the call would wait for a store that is down
        let Some(background) = &call.platform.background else {
            return;
        };
        let call = Arc::clone(call);
        let hold = Hold {
            until_ms: hold.now_ms.saturating_add(LET_GO_MS),
            ..hold
        };
        background.run(Box::pin(async move {
            self.end(&call, hold, vec![None]).await;
        }));
    }

    /// What the store is to keep, the best last: the result, or else that there was one; nothing
    /// where nothing happened.
    fn ending(&self, call: &ActiveCall, result: Option<&HandlerResult>) -> Vec<Option<Bytes>> {
        let Some(result) = result.filter(|result| result.retain != Retain::Nothing) else {
            return vec![None];
        };
        // that it happened must be kept, whatever it gave
        let large = StoredResult::write(&call.tool_error(TOO_LARGE), self.stamp);
        if result.size() > MAX {
            return vec![Some(large)];
        }
        vec![Some(large), Some(StoredResult::write(result, self.stamp))]
    }

    /// One attempt. Whether there is nothing more to do.
    async fn try_end(&self, call: &ActiveCall, ending: &mut Vec<Option<Bytes>>) -> bool {
        let Some(best) = ending.last() else {
            return true;
        };
        let attempt = match best {
            Some(bytes) => {
                let expires_ms = call.platform.clock.now_ms().saturating_add(REMEMBERED_MS);
                self.store
                    .complete(&self.key, &self.holder, bytes.clone(), expires_ms)
            }
            None => self.store.release(&self.key, &self.holder),
        };
        match asked(&call.platform.timer, attempt).await {
            Ok(()) => true,
            Err(error) => {
                self.failed(call, &error, ending);
                false
            }
        }
    }

    fn failed(&self, call: &ActiveCall, error: &StoreError, ending: &mut Vec<Option<Bytes>>) {
        call.store_failed("store of writes", error);
        if error.is_lasting() {
            ending.pop();
        }
    }

    /// Further attempts, until the hold is over, or the time that the host has for the call: then a
    /// repeat is told that the outcome is unknown.
    async fn end(&self, call: &ActiveCall, hold: Hold, mut ending: Vec<Option<Bytes>>) {
        let platform = &call.platform;
        let until_ms = call.deadline_ms().unwrap_or(u64::MAX).min(hold.until_ms);
        let last = PAUSES_MS[PAUSES_MS.len() - 1];
        for pause_ms in PAUSES_MS.into_iter().chain(std::iter::repeat(last)) {
            let now_ms = platform.clock.now_ms();
            if now_ms.saturating_add(pause_ms) >= until_ms {
                return;
            }
            platform.timer.sleep(Duration::from_millis(pause_ms)).await;
            if self.try_end(call, &mut ending).await {
                return;
            }
        }
    }
}

/// Tells the call that waits when the host drops the write unfinished.
struct Notifier(Arc<Slot<Result<HandlerResult, Error>>>);

impl Drop for Notifier {
    fn drop(&mut self) {
        // without effect once the result is there
        self.0.set(Err(Error::internal(STOPPED)));
    }
}
