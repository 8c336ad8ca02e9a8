//! The socket of a connection, as hyper reads and writes it. Two things of it are ours: a client
//! that closed its half after a request still gets its answer, and what a client is still sending
//! when its connection is closed is read and dropped, so that the answer before is not lost.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};

use crate::connections::Activity;
use crate::stream::ByteStream;

/// How long a call goes on for a client that closed its half: it may have gone away, and nothing
/// tells one from the other.
const HALF_CLOSED: Duration = Duration::from_secs(2);
/// How long, and how much, is read of a connection that is closed. While a system has unread bytes
/// of a closed connection it resets it, and the client may lose an answer that it has not read.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// A connected socket; where it is left when it is dropped is known to its [`Left`].
pub(crate) struct Socket {
    /// There until it is dropped.
    stream: Option<ByteStream>,
    left: Arc<Mutex<Option<ByteStream>>>,
    activity: Activity,
    held_back: HeldBack,
}

/// How the end of a client's half is kept from hyper, which would drop a call for it.
enum HeldBack {
    Not,
    /// Until the request was looked at: its end may have come with it.
    Once,
    /// While its call goes on.
    For(Pin<Box<Sleep>>),
}

/// The socket, once its connection is served.
pub(crate) struct Left(Arc<Mutex<Option<ByteStream>>>);

impl Socket {
    pub(crate) fn new(stream: ByteStream, activity: Activity) -> (Self, Left) {
        let left = Arc::default();
        let socket = Self {
            stream: Some(stream),
            left: Arc::clone(&left),
            activity,
            held_back: HeldBack::Not,
        };
        (socket, Left(left))
    }

    fn stream(&mut self) -> Result<Pin<&mut ByteStream>, io::Error> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The client's half is closed: whether that is said now.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.activity.has_whole_request() {
            if !matches!(self.held_back, HeldBack::For(_)) {
                self.held_back = HeldBack::For(Box::pin(sleep(HALF_CLOSED)));
            }
            if let HeldBack::For(pause) = &mut self.held_back {
                return pause.as_mut().poll(cx);
            }
        }
        if matches!(self.held_back, HeldBack::Once) {
            return Poll::Ready(());
        }
        self.held_back = HeldBack::Once;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = self.stream.take();
    }
}

impl Left {
    /// Says that nothing more is sent, and drops what comes, within bounds.
    pub(crate) async fn linger(self) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut stream) = left else { return };
        let drained = async {
            stream.shutdown().await?;
            let mut dropped = vec![0; 16 * 1024];
            let mut most = LINGER_BYTES;
            while most > 0 {
                match stream.read(&mut dropped).await? {
                    0 => break,
                    read => most = most.saturating_sub(read),
                }
            }
            io::Result::Ok(())
        };
        // a client that is gone has no answer to lose
        let _ = timeout(LINGER, drained).await;
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(self.stream()?.poll_read(cx, into))?;
        if into.filled().len() == before && into.remaining() > 0 {
            ready!(self.poll_end(cx));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }
}
