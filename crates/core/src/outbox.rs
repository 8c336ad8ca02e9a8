//! Notifications and questions of one call on their way to the client. Bounded; read by the task
//! that polls the call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::jsonrpc::{to_json, write_notification};
use crate::model::meta::LogLevel;
use crate::model::notify::{LogMessage, Progress};

/// Most messages that wait for a slow client; progress beyond is left out, because a later one
/// says more.
const MAX: usize = 256;

/// Shared by the handler (which puts) and the reply (which takes).
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<OutboxQueue>>);

#[derive(Default)]
struct OutboxQueue {
    waiting: VecDeque<Bytes>,
    last: Option<f64>,
    // one is enough, because a reply has one reader
    waker: Option<Waker>,
}

impl Outbox {
    pub(crate) fn progress(
        &self,
        token: &str,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // the protocol wants progress to grow; NaN and infinity can't be written as JSON
        let grows = progress.is_finite() && queue.last.is_none_or(|last| progress > last);
        // it was read as JSON before, so this does not fail; a report is not worth a panic
        let Ok(token) = serde_json::from_str::<&RawValue>(token) else {
            return;
        };
        if grows && queue.waiting.len() < MAX {
            queue.last = Some(progress);
            let total = total.filter(|total| total.is_finite());
            let params = to_json(&Progress {
                progress_token: token,
                progress,
                total,
                message,
            });
            queue.put(write_notification("notifications/progress", &params));
        }
    }

    pub(crate) fn log(&self, level: LogLevel, data: Value) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.len() < MAX {
            let params = to_json(&LogMessage {
                level,
                logger: None,
                data,
            });
            queue.put(write_notification("notifications/message", &params));
        }
    }

    /// A request of the server's, as JSON: never left out, because the call waits for its answer.
    pub(crate) fn ask(&self, request: Vec<u8>) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.put(request);
    }

    /// A notification of which no later one says more: never left out. Who sends several waits between
    /// them.
    pub(crate) fn tell(&self, notification: Vec<u8>) {
        self.ask(notification);
    }

    /// The next message; without one, `waker` is called when the next one comes.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Bytes> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = queue.waiting.pop_front();
        // a waker is cloned only when it changes: most polls of a reply come from the same task
        if next.is_none()
            && !queue
                .waker
                .as_ref()
                .is_some_and(|known| known.will_wake(waker))
        {
            queue.waker = Some(waker.clone());
        }
        next
    }
}

impl OutboxQueue {
    fn put(&mut self, message: Vec<u8>) {
        self.waiting.push_back(message.into());
        // a handler may report from a task of its own, where finishing its poll would not wake the
        // reply
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
