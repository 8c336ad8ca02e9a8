//! One connection's messages: out in one write, in up to a size. Knows the protocol's frames and
//! failures, not what they are for.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use mcpfn_ports::SqlError;
use postgres_protocol::message::backend::{ErrorResponseBody, Header, Message};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// A socket, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why an exchange did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server refused the statement, and the connection goes on.
    Refused(ServerRefusal),
    /// The connection is of no use any more.
    Broken(String),
    /// A message was larger than was allowed; it is not read, so the connection is of no use
    /// either.
    TooLarge(usize),
}

/// The server's own words.
#[derive(Debug, Default)]
pub(super) struct ServerRefusal {
    /// Five characters of SQLSTATE.
    pub(super) code: String,
    message: String,
    hint: String,
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

impl From<ServerRefusal> for SqlError {
    fn from(refusal: ServerRefusal) -> Self {
        let ServerRefusal {
            code,
            message,
            hint,
        } = refusal;
        let said = if hint.is_empty() {
            format!("{message} ({code})")
        } else {
            format!("{message} ({code}). Hint: {hint}")
        };
        match code.as_str() {
            // read-only transaction; insufficient privilege
            "25006" | "42501" => Self::ReadOnly(said),
            // query canceled: by the server's time limit, as nothing else cancels
            "57014" => Self::TooLong(said),
            // connections, transactions that lost against others, resources, the operator, the
            // system, locks that took too long
            code if ["08", "40", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "55P03" =>
            {
                Self::Unavailable(said)
            }
            // who may connect: the operator's mistake, which goes away without a change of the
            // statement
            code if code.starts_with("28") || code == "3D000" => Self::Unavailable(said),
            _ => Self::Rejected(said),
        }
    }
}

impl ServerRefusal {
    /// What a text with nothing in it gets.
    pub(super) fn no_statement() -> Self {
        Self {
            code: "42601".to_owned(),
            message: "there is no statement".to_owned(),
            hint: String::new(),
        }
    }

    pub(super) fn read(body: &ErrorResponseBody) -> Self {
        let mut refusal = Self::default();
        let mut fields = body.fields();
        // fields that can't be read are left out: there is an error to report already
        while let Ok(Some(field)) = fields.next() {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => refusal.code = value,
                b'M' => refusal.message = value,
                b'H' => refusal.hint = value,
                _ => {}
            }
        }
        refusal
    }
}

/// The two directions of a connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    incoming: BytesMut,
    /// The largest message that is read, in bytes.
    pub(super) largest: usize,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, largest: usize) -> Self {
        Self {
            stream,
            incoming: BytesMut::with_capacity(8 * 1024),
            largest,
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next message that is about what was sent; notices and changed settings are not.
    pub(super) async fn next(&mut self) -> Result<Message, Fault> {
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
    pub(super) async fn is_open(&mut self) -> bool {
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
