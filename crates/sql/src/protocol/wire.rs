//! One connection's messages: out in one write, in up to a size. Knows the protocol's frames and
//! failures, not what they are for.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use mcpfn_ports::SqlError;
use postgres_protocol::message::backend::{Header, Message};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::refusal::ServerRefusal;

/// A socket, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why an exchange did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server refused the statement, and the connection goes on.
    Refused(ServerRefusal),
    /// The connection is of no use any more.
    Broken(String),
    /// A message was larger than was allowed; it is not read, so the connection is of no use
    /// either.
    TooLarge(usize),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<Fault> for SqlError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            Fault::Broken(cause) => Self::Unavailable(cause),
            Fault::TooLarge(most) => Self::Rejected(format!("a row holds more than {most} bytes")),
        }
    }
}

/// The two directions of a connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    incoming: BytesMut,
    /// The largest message that is read, in bytes.
    pub(crate) largest: usize,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>, largest: usize) -> Self {
        Self {
            stream,
            incoming: BytesMut::with_capacity(8 * 1024),
            largest,
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next message that is about what was sent; notices and changed settings are not.
    pub(crate) async fn next(&mut self) -> Result<Message, Fault> {
        loop {
            if let Some(header) = Header::parse(&self.incoming)? {
                let length = usize::try_from(header.len()).unwrap_or(usize::MAX);
                if length > self.largest {
                    return Err(Fault::TooLarge(self.largest));
                }
            }
            match Message::parse(&mut self.incoming)? {
                Some(
                    Message::NoticeResponse(_)
                    | Message::ParameterStatus(_)
                    | Message::NotificationResponse(_),
                ) => {}
                Some(message) => return Ok(message),
                None => {
                    if self.stream.read_buf(&mut self.incoming).await? == 0 {
                        return Err(Fault::Broken("the server closed the connection".to_owned()));
                    }
                }
            }
        }
    }

    /// Whether an idle connection is still open: then there is nothing to read, not even its end.
    pub(crate) async fn is_open(&mut self) -> bool {
        let stream = &mut self.stream;
        poll_fn(|_| {
            let mut byte = [0];
            // no task is to be woken: this is one look
            let mut look = Context::from_waker(Waker::noop());
            Poll::Ready(
                Pin::new(&mut *stream)
                    .poll_read(&mut look, &mut ReadBuf::new(&mut byte))
                    .is_pending(),
            )
        })
        .await
    }
}

pub(crate) fn unexpected() -> Fault {
    Fault::Broken("the server sent a message that does not belong here".to_owned())
}
