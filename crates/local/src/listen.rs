//! Where the server listens: its address as a setting, and the sockets. Who may be served there is
//! `settings.rs`.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mcpfn_settings::EnvReader;
use tokio::net::{TcpListener, TcpStream};

/// Where the server listens when not set.
const PORT: u16 = 8787;

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// This port of 127.0.0.1 and, where there is IPv6, of `::1`: `localhost` is either.
    Loopback(u16),
    /// This address alone.
    Address(SocketAddr),
}

impl ListenAddress {
    /// Reads `MCPFN_LISTEN`, `MCPFN_PORT` and, as platforms for containers set it, `PORT`.
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Self {
        let expected = "a port number from 0 to 65535";
        let platform = match reader.text("MCPFN_PORT") {
            None => reader.parsed("PORT", PORT, expected),
            Some(_) => PORT,
        };
        let port = reader.parsed("MCPFN_PORT", platform, expected);
        let Some(text) = reader.text("MCPFN_LISTEN") else {
            return Self::Loopback(port);
        };
        let text = text.trim();
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Self::Address((address, port).into());
        }
        let Ok(address) = text.parse::<SocketAddr>() else {
            reader.mistake(
                "MCPFN_LISTEN must be an address with or without a port, such as 0.0.0.0, \
                 127.0.0.1:8080 or [::]:8080",
            );
            return Self::Loopback(port);
        };
        if reader.text("MCPFN_PORT").is_some() {
            reader.mistake("MCPFN_LISTEN has a port, too: remove it there, or remove MCPFN_PORT");
        }
        Self::Address(address)
    }

    /// The same with another port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        match self {
            Self::Loopback(_) => Self::Loopback(port),
            Self::Address(address) => Self::Address((address.ip(), port).into()),
        }
    }

    /// Whether only programs on this machine can reach it.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        match self {
            Self::Loopback(_) => true,
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
        }
    }

    /// Where a program on this machine reaches it.
    pub(crate) fn reached_from_here(self) -> SocketAddr {
        match self {
            Self::Loopback(port) => (Ipv4Addr::LOCALHOST, port).into(),
            Self::Address(address) => match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => {
                    (Ipv4Addr::LOCALHOST, address.port()).into()
                }
                IpAddr::V6(ip) if ip.is_unspecified() => {
                    (Ipv6Addr::LOCALHOST, address.port()).into()
                }
                _ => address,
            },
        }
    }

    fn first(self) -> SocketAddr {
        match self {
            Self::Loopback(port) => (Ipv4Addr::LOCALHOST, port).into(),
            Self::Address(address) => address,
        }
    }
}

/// The sockets of an address.
pub(crate) struct Listeners {
    first: TcpListener,
    /// The other loopback address; not on a machine without IPv6.
    second: Option<TcpListener>,
}

impl Listeners {
    pub(crate) async fn bind(listen: ListenAddress) -> Result<Self, ServeError> {
        let refused = |error| ServeError { listen, error };
        let first = TcpListener::bind(listen.first()).await.map_err(refused)?;
        let second = match listen {
            ListenAddress::Address(_) => None,
            ListenAddress::Loopback(_) => {
                other_loopback(first.local_addr().map_err(refused)?.port()).await
            }
        };
        Ok(Self { first, second })
    }

    /// The address, of which the port is new when 0 was asked for.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.first.local_addr()
    }

    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Some(second) = &self.second else {
            return self.first.accept().await;
        };
        tokio::select! {
            accepted = self.first.accept() => accepted,
            accepted = second.accept() => accepted,
        }
    }
}

async fn other_loopback(port: u16) -> Option<TcpListener> {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(second) => Some(second),
        Err(error) => {
            if error.kind() == io::ErrorKind::AddrInUse {
                tracing::warn!(
                    event = "address_taken",
                    "port {port} of [::1] is taken by another program, which clients of \
                     `localhost` may reach instead of this one: use 127.0.0.1, or another port"
                );
            }
            None
        }
    }
}

/// Why the server could not start.
#[derive(Debug)]
pub struct ServeError {
    listen: ListenAddress,
    error: io::Error,
}

impl ServeError {
    pub(crate) fn new(listen: ListenAddress, error: io::Error) -> Self {
        Self { listen, error }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.listen.first();
        let (ip, port) = (address.ip(), address.port());
        match self.error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "port {port} is taken: another program, maybe another mcpfn, listens there. Stop \
                 it, or choose another port with `--port N` or MCPFN_PORT (0 takes any free one)"
            ),
            io::ErrorKind::PermissionDenied => write!(
                f,
                "port {port} needs more rights than this process has. Choose one above 1023 with \
                 `--port N` or MCPFN_PORT"
            ),
            io::ErrorKind::AddrNotAvailable => write!(
                f,
                "{ip} is no address of this machine: set MCPFN_LISTEN to one that it has, or to \
                 0.0.0.0 for all"
            ),
            _ => write!(f, "port {port} of {ip} can't be opened: {}", self.error),
        }
    }
}

impl std::error::Error for ServeError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<ListenAddress, Vec<String>> {
        let values = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&values);
        let listen = ListenAddress::read(&mut reader);
        reader.finish(listen).map_err(|error| error.mistakes)
    }

    #[test]
    fn addresses_and_ports_come_from_three_variables() {
        for (variables, expected, loopback) in [
            (&[][..], "127.0.0.1:8787", true),
            (&[("PORT", "8080")], "127.0.0.1:8080", true),
            (
                &[("PORT", "80"), ("MCPFN_PORT", "81")],
                "127.0.0.1:81",
                true,
            ),
            (&[("MCPFN_LISTEN", "0.0.0.0")], "0.0.0.0:8787", false),
            (&[("MCPFN_LISTEN", "::"), ("PORT", "80")], "[::]:80", false),
            (&[("MCPFN_LISTEN", "[::]")], "[::]:8787", false),
            (
                &[("MCPFN_LISTEN", "[::]:1"), ("PORT", "80")],
                "[::]:1",
                false,
            ),
            (&[("MCPFN_LISTEN", " 10.1.2.3:4 ")], "10.1.2.3:4", false),
            (&[("MCPFN_LISTEN", "127.0.0.9:4")], "127.0.0.9:4", true),
            (&[("MCPFN_LISTEN", "::1")], "[::1]:8787", true),
            (
                &[("MCPFN_LISTEN", "::ffff:127.0.0.1")],
                "[::ffff:127.0.0.1]:8787",
                true,
            ),
            (
                &[("MCPFN_LISTEN", "::ffff:10.0.0.1")],
                "[::ffff:10.0.0.1]:8787",
                false,
            ),
        ] {
            let listen = read(variables).unwrap_or_else(|error| panic!("{variables:?}: {error:?}"));
            assert_eq!(
                (listen.first().to_string().as_str(), listen.is_loopback()),
                (expected, loopback),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_a_sentence() {
        for wrong in [
            "localhost",
            "*",
            ":8080",
            "0.0.0.0:",
            "[::",
            "1.2.3",
            "0.0.0.0:65536",
        ] {
            let mistakes = read(&[("MCPFN_LISTEN", wrong)]).unwrap_err();
            assert!(
                mistakes[0].contains("MCPFN_LISTEN"),
                "{wrong}: {mistakes:?}"
            );
        }
        for (variables, named) in [
            (&[("PORT", "eighty")][..], "PORT"),
            (
                &[("MCPFN_LISTEN", "[::]:1"), ("MCPFN_PORT", "2")],
                "remove MCPFN_PORT",
            ),
        ] {
            let mistakes = read(variables).unwrap_err();
            assert!(mistakes[0].contains(named), "{mistakes:?}");
        }
    }
}
