//! The reply to a call: at once, or while it runs. Polled by the host; nothing is spawned, dropping
//! it cancels the call.

use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use crate::jsonrpc::{self, Error, ErrorCode};
use crate::outbox::Outbox;
use crate::send::BoxFuture;

/// What a call gives.
#[derive(Debug)]
pub enum Execution {
    /// The answer.
    Done(RpcResponse),
    /// A handler at work.
    Running(Running),
}

impl Execution {
    /// Waits for the answer alone, for a caller that has no place for what is reported on the way.
    pub async fn into_response(self) -> RpcResponse {
        let mut running = match self {
            Self::Done(response) => return response,
            Self::Running(running) => running,
        };
        loop {
            match running.frame().await {
                Some(Frame::Response(response)) => return response,
                Some(Frame::Notification(_)) => {}
                None => {
                    return RpcResponse::error(
                        Some(&running.id),
                        &Error::internal("internal error: the call ended without a response"),
                    );
                }
            }
        }
    }
}

/// A finished JSON-RPC answer.
#[derive(Debug)]
pub struct RpcResponse {
    /// The message, as JSON.
    pub message: Bytes,
    /// What error, if it is an error. A tool's own failure (`isError`) is no error here.
    pub error: Option<ErrorInfo>,
}

/// Which error an answer carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    /// Its code.
    pub code: ErrorCode,
    /// The request as such was at fault (its envelope, its `_meta`), not what it named.
    pub malformed: bool,
    /// When the same request may work.
    pub retry_after: Option<Duration>,
    /// The scopes that the caller needs, where it lacks one.
    pub scopes: Vec<String>,
}

impl RpcResponse {
    pub(crate) fn result(id: &str, result: &[u8]) -> Self {
        Self {
            message: jsonrpc::write_result(id, result).into(),
            error: None,
        }
    }

    /// An error that lies in what the request named.
    #[must_use]
    pub fn error(id: Option<&str>, error: &Error) -> Self {
        let info = Some(ErrorInfo {
            code: error.code,
            malformed: false,
            retry_after: error.retry_after,
            scopes: error.scopes.clone(),
        });
        Self {
            message: jsonrpc::write_error(id, error).into(),
            error: info,
        }
    }

    /// An error that lies in the request as such.
    #[must_use]
    pub fn malformed(id: Option<&str>, error: &Error) -> Self {
        let info = Some(ErrorInfo {
            code: error.code,
            malformed: true,
            retry_after: None,
            scopes: Vec::new(),
        });
        Self {
            message: jsonrpc::write_error(id, error).into(),
            error: info,
        }
    }
}

/// What comes next out of a running call.
#[derive(Debug)]
pub enum Frame {
    /// A notification that belongs to the call, as JSON.
    Notification(Bytes),
    /// The end.
    Response(RpcResponse),
}

/// A handler at work.
pub struct Running {
    id: Box<str>,
    outbox: Outbox,
    wants_progress: bool,
    is_stream: bool,
    stage: Stage,
}

// `Ended` and `Answered` are apart because what was reported in the last poll of the handler still
// goes out between the two.
enum Stage {
    Working(BoxFuture<'static, Result<Vec<u8>, Error>>),
    Ended(RpcResponse),
    Answered,
}

impl Running {
    pub(crate) fn new(
        id: Box<str>,
        wants_progress: bool,
        outbox: Outbox,
        call: BoxFuture<'static, Result<Vec<u8>, Error>>,
    ) -> Self {
        Self {
            id,
            outbox,
            wants_progress,
            is_stream: false,
            stage: Stage::Working(call),
        }
    }

    /// The same as a stream that is held.
    pub(crate) fn held(self) -> Self {
        Self {
            is_stream: true,
            ..self
        }
    }

    /// It tells its client of what happens until its time is over, and is no work that must end: on a
    /// transport without a connection for each call, it is dropped once the client sends no more.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The client wants to hear that the call goes on: it gave a progress token.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    /// The next frame; `None` after the answer.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        if matches!(self.stage, Stage::Answered) {
            // what a handler's remaining tasks still report has no receiver
            return Poll::Ready(None);
        }
        // the outbox is bounded: it is emptied before the handler may add to it
        if let Some(notification) = self.outbox.take(cx.waker()) {
            return Poll::Ready(Some(Frame::Notification(notification)));
        }
        if let Stage::Working(call) = &mut self.stage
            && let Poll::Ready(result) = call.as_mut().poll(cx)
        {
            self.stage = Stage::Ended(match result {
                Ok(result) => RpcResponse::result(&self.id, &result),
                Err(error) => RpcResponse::error(Some(&self.id), &error),
            });
        }
        // what the handler reported while it was polled comes before its end
        if let Some(notification) = self.outbox.take(cx.waker()) {
            return Poll::Ready(Some(Frame::Notification(notification)));
        }
        match std::mem::replace(&mut self.stage, Stage::Answered) {
            Stage::Ended(response) => Poll::Ready(Some(Frame::Response(response))),
            working => {
                self.stage = working;
                Poll::Pending
            }
        }
    }

    /// Waits for the next frame.
    pub fn frame(&mut self) -> impl Future<Output = Option<Frame>> + '_ {
        std::future::poll_fn(move |cx| self.poll_frame(cx))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("id", &self.id)
            .field("answered", &matches!(self.stage, Stage::Answered))
            .finish_non_exhaustive()
    }
}
