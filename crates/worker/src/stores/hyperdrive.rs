//! PostgreSQL through Hyperdrive: the streams. What is said over them, and its bounds, is
//! `mcpfn-sql`'s, as on the other hosts.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Clock as _, Timer as _};
use mcpfn_sql::{PostgresStream, PostgresStreams};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use worker::{Hyperdrive as Binding, Socket};

use crate::ports::Isolate;

/// A PostgreSQL database behind Hyperdrive, which keeps the connections to it: a stream here is
/// one to Hyperdrive, in the same place, for one statement. An isolate may keep none for another
/// request.
///
/// `StreamedPostgres::new` makes the port [`Sql`](mcpfn_ports::Sql) of it.
#[derive(Debug)]
pub struct Hyperdrive(Binding);

impl Hyperdrive {
    pub(crate) fn new(binding: Binding) -> Self {
        Self(binding)
    }
}

impl PostgresStreams for Hyperdrive {
    fn open(&self) -> Result<PostgresStream, String> {
        let socket = self
            .0
            .connect()
            .map_err(|error| format!("Hyperdrive gives no connection: {error}"))?;
        // what is sent does not leave the machine before Hyperdrive has it, which encrypts it
        Ok(PostgresStream::private(
            ClosedWhenDropped(socket),
            (self.0.user(), self.0.password()),
            self.0.database(),
        ))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Isolate.sleep(time)
    }

    fn now_ms(&self) -> u64 {
        Isolate.now_ms()
    }
}

/// A socket that is closed when it is dropped: a request may have six open at a time.
struct ClosedWhenDropped(Socket);

impl Drop for ClosedWhenDropped {
    fn drop(&mut self) {
        // the first poll closes it; how that ends interests nobody
        let closing = pin!(self.0.close());
        let _ = closing.poll(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for ClosedWhenDropped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClosedWhenDropped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
