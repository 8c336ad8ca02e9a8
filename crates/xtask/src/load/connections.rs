//! Many connections to one instance: idle ones, and streams at the same time. What it costs in memory is
//! told, and bounded.

use std::{path::Path, process::Command};

use serde_json::json;

use super::{kept::KeptConnection, usage::Usage};
use crate::{
    fixture::Fixture,
    lambda::http,
    report::{Error, Result},
};

const IDLE: u64 = 10_000;
const STREAMS: u64 = 2_000;

/// The most memory that one may cost, in KiB: buffers of a kept connection, and a call besides.
const OF_IDLE: u64 = 32;
const OF_STREAM: u64 = 128;

pub(super) fn many(program: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args(["--port", "0"])
        .env("MCPFN_MAX_CONNECTIONS", (IDLE + STREAMS + 100).to_string())
        .env("MCPFN_IDLE_TIMEOUT_SECONDS", "3600")
        .env("MCPFN_LOG", "error");
    let server = Fixture::start_command(&mut command)?;
    let address = server
        .url
        .split('/')
        .nth(2)
        .and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| Error::new("the fixture server has no address"))?;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let open = || {
        let opened = KeptConnection::open(address);
        opened.map_err(|error| Error::new(format!("{error} (`ulimit -n` must be at least 16000)")))
    };
    let mut first = open()?;
    let answered = |connection: &mut KeptConnection| {
        connection.send(&list)?;
        match connection.receive()? {
            (200, _) => Ok(()),
            (status, body) => Err(Error::new(format!("status {status}: {body}"))),
        }
    };
    answered(&mut first)?;
    let before = Usage::of(server.id())?;
    // each had a request, as those of a proxy have
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut connection = open()?;
        answered(&mut connection)?;
        idle.push(connection);
    }
    let with_idle = Usage::of(server.id())?;
    let stream = http::call("test_tool_with_progress", &json!({})).to_string();
    let mut streams = (0..STREAMS).map(|_| open()).collect::<Result<Vec<_>>>()?;
    for connection in &mut streams {
        connection.send(&stream)?;
    }
    for connection in &mut streams {
        let (status, events) = connection.receive()?;
        if status != 200 || !events.contains("\"result\"") {
            return Err(Error::new(format!("a stream: status {status}: {events}")));
        }
    }
    answered(&mut first)?;
    let with_all = Usage::of(server.id())?;
    let of_idle = with_idle.now.saturating_sub(before.now) / IDLE;
    let of_stream = with_all.most.saturating_sub(with_idle.now) / STREAMS;
    println!(
        "  memory: {} MiB, with {IDLE} idle connections {} MiB ({of_idle} KiB each), with {STREAMS} \
         streams besides at most {} MiB ({of_stream} KiB each)",
        before.now / 1024,
        with_idle.now / 1024,
        with_all.most / 1024
    );
    match of_idle <= OF_IDLE && of_stream <= OF_STREAM {
        true => Ok(()),
        false => Err(Error::new(format!(
            "the most is {OF_IDLE} KiB for an idle connection and {OF_STREAM} for a stream"
        ))),
    }
}
