//! The command `health`: asks a server on this machine whether it is ready. What it answers is
//! `mcpfn-http`'s.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use crate::listen::BoundAddress;
use crate::settings::Settings;
use crate::stdout::say;
use crate::tls;

/// How long a server may take to say whether it is ready.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks the server of these settings, and prints its answer: 0 if it is ready, else 1.
///
/// # Errors
/// When there is none, in a sentence.
pub(crate) fn ask(settings: &Settings) -> Result<ExitCode, String> {
    let address = settings.listen.reached_from_here();
    let (shown, answer) = match &address {
        BoundAddress::Tcp(address) => {
            let answer = connect(*address).and_then(|stream| get(settings, address.ip(), stream));
            (address.to_string(), answer)
        }
        #[cfg(unix)]
        BoundAddress::Unix(file) => {
            let answer = open(file).and_then(|it| get(settings, Ipv4Addr::LOCALHOST.into(), it));
            (file.display().to_string(), answer)
        }
    };
    let answer = answer.map_err(|error| format!("no server answers at {shown}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    say(&format!("{}\n", body.trim_end()));
    let ready = head.split(' ').nth(1) == Some("200");
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn connect(address: std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

#[cfg(unix)]
fn open(file: &std::path::Path) -> io::Result<std::os::unix::net::UnixStream> {
    let stream = std::os::unix::net::UnixStream::connect(file)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

fn get(settings: &Settings, peer: IpAddr, mut stream: impl Read + Write) -> io::Result<String> {
    // as who sends it from here counts there
    if settings.proxy_protocol && settings.trusted_proxies.trusts(peer) {
        stream.write_all(b"PROXY UNKNOWN\r\n")?;
    }
    match settings.tls {
        Some(_) => ready(tls::unchecked(stream)?),
        None => ready(stream),
    }
}

fn ready(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    stream.flush()?;
    // what answers may be another program
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
