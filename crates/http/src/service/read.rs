//! The body of a request, read to its end. Not what it says.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcpfn_core::port::Platform;

use super::Service;
use crate::guard::{self, Refusal};
use crate::refusals::Reason;

impl Service {
    /// The whole body, within the limits of its size and of its time.
    pub(super) async fn read<B>(&self, body: B, platform: &Platform) -> Result<Bytes, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut body = pin!(Limited::new(body, self.config.max_body).collect());
        // most bodies are there already, and need no timer
        let mut timer = None;
        let collected = poll_fn(|cx| match body.as_mut().poll(cx) {
            Poll::Ready(collected) => Poll::Ready(Some(collected)),
            Poll::Pending => {
                let limit = self.config.body_timeout;
                let timer = timer.get_or_insert_with(|| platform.sleep(limit));
                timer.as_mut().poll(cx).map(|()| None)
            }
        });
        match collected.await {
            Some(Ok(collected)) => Ok(collected.to_bytes()),
            Some(Err(error)) if error.is::<LengthLimitError>() => {
                Err(guard::too_large(&self.config))
            }
            Some(Err(_)) => Err(Refusal::new(
                Reason::Body,
                StatusCode::BAD_REQUEST,
                "the body ended before it was complete",
            )),
            None => Err(guard::too_slow(&self.config)),
        }
    }
}
