//! How many calls a second, and how long the slowest of a hundred takes, through the balancer.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::kept::KeptConnection;
use crate::{
    lambda::http,
    report::{Error, Result},
};

const CALLERS: u64 = 8;
const TIME: Duration = Duration::from_secs(3);

/// What is called: a tool that gives a small answer, and what it is given by each caller.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) tool: &'static str,
    pub(super) arguments: fn(u64) -> Value,
}

/// Of the fixture server.
pub(super) const ADD: Call = Call {
    tool: "add",
    arguments: |caller| json!({"a": caller, "b": 1}),
};

/// Of the peers in bench/peers.
pub(super) const ECHO: Call = Call {
    tool: "echo",
    arguments: |caller| json!({"text": caller.to_string()}),
};

/// Calls over connections that are kept. Prints a row.
pub(super) fn measure(address: SocketAddr, what: &str, call: Call) -> Result<()> {
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| thread::spawn(move || times(address, call, caller)))
        .collect();
    let mut all = Vec::new();
    for caller in callers {
        let ended = caller.join();
        all.extend(ended.unwrap_or_else(|_| Err(Error::new("a caller panicked")))?);
    }
    all.sort_unstable();
    let at = |part: usize| all.get(all.len() * part / 100).copied().unwrap_or_default();
    println!(
        "  {what:<40} {:>8.0} calls/s   median {:>6.2} ms   p99 {:>6.2} ms",
        all.len() as f64 / TIME.as_secs_f64(),
        at(50).as_secs_f64() * 1000.0,
        at(99).as_secs_f64() * 1000.0
    );
    Ok(())
}

fn times(address: SocketAddr, call: Call, caller: u64) -> Result<Vec<Duration>> {
    let mut connection = KeptConnection::open(address)?;
    let body = http::call(call.tool, &(call.arguments)(caller)).to_string();
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < TIME {
        let began = Instant::now();
        connection.send(&body)?;
        match connection.receive()? {
            (200, said) if said.contains("\"result\"") => times.push(began.elapsed()),
            (status, said) => return Err(Error::new(format!("status {status}: {said}"))),
        }
    }
    Ok(times)
}
