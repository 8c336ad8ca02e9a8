//! Signs of life on a stream whose handler is silent: gateways give up on connections that carry
//! nothing.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use mcpfn_core::{
    handler::BoxFuture,
    host::{Frame, Running},
    port::Platform,
};

/// How often, and whose timer says so.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    pub(crate) every: Duration,
    pub(crate) platform: Arc<Platform>,
}

/// What comes next on a stream.
pub(crate) enum Beat {
    /// A frame of the call; `None` after its answer.
    Frame(Option<Frame>),
    /// Nothing for a while.
    Silence,
}

/// Measures the silence. The timer starts when the handler first has to wait: most never do.
pub(crate) struct Pulse {
    heartbeat: Heartbeat,
    /// Without, there is never silence, only waiting.
    pub(crate) beats: bool,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl Pulse {
    pub(crate) fn new(heartbeat: Heartbeat, beats: bool) -> Self {
        Self {
            heartbeat,
            beats,
            sleep: None,
        }
    }

    pub(crate) fn poll_frame(&mut self, running: &mut Running, cx: &mut Context<'_>) -> Poll<Beat> {
        if let Poll::Ready(frame) = running.poll_frame(cx) {
            self.sleep = None;
            return Poll::Ready(Beat::Frame(frame));
        }
        if !self.beats {
            return Poll::Pending;
        }
        let heartbeat = &self.heartbeat;
        let sleep = self
            .sleep
            .get_or_insert_with(|| heartbeat.platform.sleep(heartbeat.every));
        std::task::ready!(sleep.as_mut().poll(cx));
        self.sleep = None;
        Poll::Ready(Beat::Silence)
    }
}
