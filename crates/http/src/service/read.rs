//! The body of a request, read to its end. Not what it says.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcpfn_core::port::Platform;

use crate::config::Config;
use crate::guard::{self, Refusal};
use crate::refusals::Reason;

/// How much is read of a body that nobody wants, and for how long: a client that is still sending
/// it may not see the answer before, and its next request would be lost.
const DISCARDED: u64 = 64 * 1024 * 1024;
const DISCARDING: Duration = Duration::from_secs(2);

/// A body, and whether there may be more of it.
pub(super) struct Unread<'a, B> {
    body: Pin<&'a mut B>,
    more: bool,
}

impl<'a, B> Unread<'a, B>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) fn new(body: Pin<&'a mut B>) -> Self {
        Self { body, more: true }
    }

    /// The whole body, within the limits of its size and of its time.
    pub(super) async fn read(
        &mut self,
        config: &Config,
        platform: &Platform,
    ) -> Result<Bytes, Refusal> {
        self.more = false;
        let mut body = std::pin::pin!(Limited::new(self.body.as_mut(), config.max_body).collect());
        // most bodies are there already, and need no timer
        let mut timer = None;
        let collected = poll_fn(|cx| match body.as_mut().poll(cx) {
            Poll::Ready(collected) => Poll::Ready(Some(collected)),
            Poll::Pending => {
                let timer = timer.get_or_insert_with(|| platform.sleep(config.body_timeout));
                timer.as_mut().poll(cx).map(|()| None)
            }
        });
        match collected.await {
            Some(Ok(collected)) => Ok(collected.to_bytes()),
            Some(Err(error)) if error.is::<LengthLimitError>() => {
                self.more = true;
                Err(guard::too_large(config))
            }
            Some(Err(_)) => Err(Refusal::new(
                Reason::Body,
                StatusCode::BAD_REQUEST,
                "the body ended before it was complete",
            )),
            None => Err(guard::too_slow(config)),
        }
    }

    /// Reads and drops the rest, within bounds.
    pub(super) async fn discard(mut self, platform: &Platform) {
        if !self.more || self.body.is_end_stream() || self.body.size_hint().lower() > DISCARDED {
            return;
        }
        let mut left = DISCARDED;
        let mut timer = None;
        poll_fn(|cx| {
            loop {
                match self.body.as_mut().poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        let bytes = frame.data_ref().map_or(1, Buf::remaining);
                        left = left.saturating_sub(bytes as u64);
                        if left == 0 {
                            return Poll::Ready(());
                        }
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => {
                        let timer = timer.get_or_insert_with(|| platform.sleep(DISCARDING));
                        return timer.as_mut().poll(cx);
                    }
                }
            }
        })
        .await;
    }
}
