//! The command `health`: asks a server on this machine whether it is ready. What it answers is
//! `mcpfn-http`'s.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use crate::stdout::say;

/// How long a server may take to say whether it is ready.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks the server at this address, and prints its answer: 0 if it is ready, else 1.
///
/// # Errors
/// When there is none, in a sentence.
pub(crate) fn ask(address: SocketAddr) -> Result<ExitCode, String> {
    let answer = get(address, "/ready")
        .map_err(|error| format!("no server answers at {address}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    say(&format!("{}\n", body.trim_end()));
    let ready = head.split(' ').nth(1) == Some("200");
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    // what answers may be another program
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
