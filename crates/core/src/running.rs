//! The reply to a call: at once, or while it runs. Polled by the host; nothing is spawned, dropping it cancels the call.

use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::jsonrpc::{self, Error, ErrorCode};
use crate::outbox::Outbox;
use crate::send::BoxFuture;

/// What a call gives.
#[derive(Debug)]
pub enum Reply {
    /// The answer.
    Answer(Answer),
    /// A handler at work.
    Running(Running),
}

/// A finished JSON-RPC answer.
#[derive(Debug)]
pub struct Answer {
    /// The message, as JSON.
    pub message: Bytes,
    /// What failed, if it is an error. A tool's own failure (`isError`) is no error here.
    pub failed: Option<Failed>,
}

/// Which error an answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Its code.
    pub code: ErrorCode,
    /// The request as such was at fault (its envelope, its `_meta`), not what it named.
    pub malformed: bool,
}

impl Answer {
    pub(crate) fn result(id: &str, result: &[u8]) -> Self {
        Self { message: jsonrpc::write_result(id, result).into(), failed: None }
    }

    /// An error that lies in what the request named.
    #[must_use]
    pub fn error(id: Option<&str>, error: &Error) -> Self {
        let failed = Some(Failed { code: error.code, malformed: false });
        Self { message: jsonrpc::write_error(id, error).into(), failed }
    }

    /// An error that lies in the request as such.
    #[must_use]
    pub fn malformed(id: Option<&str>, error: &Error) -> Self {
        let failed = Some(Failed { code: error.code, malformed: true });
        Self { message: jsonrpc::write_error(id, error).into(), failed }
    }
}

/// What comes next out of a running call.
#[derive(Debug)]
pub enum Frame {
    /// A notification that belongs to the call, as JSON.
    Notification(Bytes),
    /// The end.
    Answer(Answer),
}

/// A handler at work.
pub struct Running {
    id: Box<str>,
    work: BoxFuture<'static, Result<Vec<u8>, Error>>,
    outbox: Outbox,
    wants_progress: bool,
    answer: Option<Answer>,
    done: bool,
}

impl Running {
    pub(crate) fn new(id: Box<str>, wants_progress: bool, outbox: Outbox, work: BoxFuture<'static, Result<Vec<u8>, Error>>) -> Self {
        Self { id, work, outbox, wants_progress, answer: None, done: false }
    }

    /// The client wants to hear that the call goes on: it gave a progress token.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    /// The next frame; `None` after the answer.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        if let Some(notification) = self.outbox.take(cx.waker()) {
            return Poll::Ready(Some(Frame::Notification(notification)));
        }
        if self.answer.is_none() {
            if self.done {
                return Poll::Ready(None);
            }
            match self.work.as_mut().poll(cx) {
                Poll::Ready(Ok(result)) => self.answer = Some(Answer::result(&self.id, &result)),
                Poll::Ready(Err(error)) => self.answer = Some(Answer::error(Some(&self.id), &error)),
                Poll::Pending => {}
            }
            self.done = self.answer.is_some();
            if let Some(notification) = self.outbox.take(cx.waker()) {
                return Poll::Ready(Some(Frame::Notification(notification)));
            }
        }
        match self.answer.take() {
            Some(answer) => Poll::Ready(Some(Frame::Answer(answer))),
            None => Poll::Pending,
        }
    }

    /// Waits for the next frame.
    pub fn frame(&mut self) -> impl Future<Output = Option<Frame>> + '_ {
        std::future::poll_fn(move |cx| self.poll_frame(cx))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("id", &self.id).field("done", &self.done).finish_non_exhaustive()
    }
}
