//! A client that goes away. It is listened for only once a call waits for it: most calls are over
//! before.

use std::task::{Context, Poll};

use worker::web_sys::AbortSignal;

use crate::callback::Callback;

/// The other end of a request. Needs the compatibility flag `enable_request_signal`; without it the
/// call is not told.
pub(crate) struct Hangup {
    signal: AbortSignal,
    callback: Option<Callback>,
}

impl Hangup {
    pub(crate) fn of(signal: AbortSignal) -> Self {
        Self {
            signal,
            callback: None,
        }
    }

    /// Ready once the client is gone.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.signal.aborted() {
            return Poll::Ready(());
        }
        let signal = &self.signal;
        let callback = self.callback.get_or_insert_with(|| {
            let callback = Callback::new();
            signal.set_onabort(Some(callback.function()));
            callback
        });
        callback.poll(cx)
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        if self.callback.is_some() {
            self.signal.set_onabort(None);
        }
    }
}
