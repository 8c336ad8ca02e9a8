//! stdio: one message per line in, one per line out. Calls run at the same time; nothing else is
//! written to stdout.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::jsonrpc::Error;
use mcpfn_core::{
    Principal, Server,
    host::{Connection, Frame, Received, RpcResponse, Running},
    port::Platform,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Lines waiting for a slow reader at the other end.
const WAITING: usize = 64;

/// Serves one client until its input ends or `stop` does; calls in flight finish first.
///
/// # Errors
/// When the input can't be read or the output not written.
pub async fn serve(
    server: Server,
    platform: Arc<Platform>,
    max_line: usize,
    max_values: usize,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let (lines, waiting) = mpsc::channel(WAITING);
    let mut writer = tokio::spawn(write(output, waiting));
    let mut calls = Calls {
        tasks: JoinSet::new(),
        by_id: HashMap::new(),
        lines,
    };
    let mut connection = Connection::new(server, Principal::local()).max_values(max_values);
    let mut input = BufReader::new(input);
    let mut stop = std::pin::pin!(stop);
    let mut line = Vec::new();
    loop {
        let read = tokio::select! {
            read = read_line(&mut input, &mut line, max_line) => read?,
            () = &mut stop => break,
            // nobody reads: nothing more can be answered
            wrote = &mut writer => return wrote.map_err(std::io::Error::other)?,
        };
        match read {
            Line::End => break,
            Line::TooLong => {
                let error =
                    Error::invalid_request(format!("a line may have at most {max_line} bytes"));
                calls
                    .send(RpcResponse::malformed(None, &error).message)
                    .await;
            }
            Line::Whole => calls.take(connection.receive(&line, &platform)).await,
        }
        line.clear();
    }
    calls.finish().await;
    writer.await.map_err(std::io::Error::other)?
}

struct Calls {
    tasks: JoinSet<()>,
    /// Each with whether it is a stream, for which nobody waits once the client sends no more.
    by_id: HashMap<Box<str>, (AbortHandle, bool)>,
    lines: mpsc::Sender<Bytes>,
}

impl Calls {
    async fn take(&mut self, received: Received) {
        match received {
            Received::Nothing => {}
            Received::Send(line) => self.send(line).await,
            Received::Run { id, call } => {
                let is_stream = call.is_stream();
                let handle = self.tasks.spawn(run(call, self.lines.clone()));
                // a stream whose id is taken is waited for by nobody
                if let Some((older, true)) = self.by_id.insert(id, (handle, is_stream)) {
                    older.abort();
                }
                self.forget_finished();
            }
            Received::Batch(batch) => {
                let lines = self.lines.clone();
                self.tasks.spawn(async move {
                    let _ = lines.send(batch.0.await).await;
                });
            }
            // not before the next line is read: an answer may be what a call waits for
            Received::Keep(letter) => letter.0.await,
            Received::Cancel(id) => {
                if let Some((handle, _)) = self.by_id.remove(&id) {
                    handle.abort();
                }
            }
        }
    }

    async fn send(&self, line: Bytes) {
        // the writer is gone only when the reader is gone, and the input ends soon after
        let _ = self.lines.send(line).await;
    }

    fn forget_finished(&mut self) {
        if self.by_id.len() > 64 {
            self.by_id.retain(|_, (handle, _)| !handle.is_finished());
        }
        while self.tasks.try_join_next().is_some() {}
    }

    async fn finish(mut self) {
        for (handle, _) in self.by_id.values().filter(|(_, is_stream)| *is_stream) {
            handle.abort();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn run(mut call: Running, lines: mpsc::Sender<Bytes>) {
    while let Some(frame) = call.frame().await {
        let line = match frame {
            Frame::Notification(line) => line,
            Frame::Response(answer) => answer.message,
        };
        if lines.send(line).await.is_err() {
            break;
        }
    }
}

async fn write(
    mut output: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<Bytes>,
) -> std::io::Result<()> {
    while let Some(line) = lines.recv().await {
        output.write_all(&line).await?;
        output.write_all(b"\n").await?;
        output.flush().await?;
    }
    Ok(())
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads up to the next line break into `line`. A line over the limit is read to its end and thrown
/// away.
async fn read_line(
    input: &mut (impl AsyncBufReadExt + Unpin),
    line: &mut Vec<u8>,
    most: usize,
) -> std::io::Result<Line> {
    let mut too_long = false;
    loop {
        let buffer = input.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(if too_long {
                Line::TooLong
            } else if line.is_empty() {
                Line::End
            } else {
                Line::Whole
            });
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        too_long |= line.len() + part.len() > most;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}
