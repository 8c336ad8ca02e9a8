//! Where the server listens: its address as a setting. The sockets are `listeners.rs`, who may be
//! served there is `settings.rs`.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
#[cfg(unix)]
use std::path::PathBuf;

use mcpfn_settings::EnvReader;

/// Where the server listens when not set.
const PORT: u16 = 8787;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// This port of 127.0.0.1 and, where there is IPv6, of `::1`: `localhost` is either.
    Loopback(u16),
    /// This address alone.
    Address(SocketAddr),
    /// A socket file, for a proxy on this machine.
    #[cfg(unix)]
    Unix {
        /// Where it is made.
        path: PathBuf,
        /// Its rights, such as `0o660`: who may write to it may connect.
        mode: u32,
    },
}

/// The rights of a socket file when not set: for its owner and group.
#[cfg(unix)]
const MODE: u32 = 0o660;

impl ListenAddress {
    /// Reads `MCPFN_LISTEN`, `MCPFN_PORT` and, as platforms for containers set it, `PORT`.
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Self {
        let expected = "a port number from 0 to 65535";
        let platform = match reader.text("MCPFN_PORT") {
            None => reader.parsed("PORT", PORT, expected),
            Some(_) => PORT,
        };
        let port = reader.parsed("MCPFN_PORT", platform, expected);
        let text = reader.text("MCPFN_LISTEN").unwrap_or_default();
        let text = text.trim();
        let mode = reader.text("MCPFN_SOCKET_MODE");
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::socket_file(reader, path, mode.as_deref());
        }
        if mode.is_some() {
            reader.mistake(
                "MCPFN_SOCKET_MODE has no effect without MCPFN_LISTEN=unix:FILE: remove it",
            );
        }
        if text.is_empty() {
            return Self::Loopback(port);
        }
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
                 127.0.0.1:8080 or [::]:8080, or unix: and the path of a socket",
            );
            return Self::Loopback(port);
        };
        if reader.text("MCPFN_PORT").is_some() {
            reader.mistake("MCPFN_LISTEN has a port, too: remove it there, or remove MCPFN_PORT");
        }
        Self::Address(address)
    }

    #[cfg(unix)]
    fn socket_file(reader: &mut EnvReader<'_>, path: &str, mode: Option<&str>) -> Self {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            reader.mistake(
                "MCPFN_LISTEN: after unix: write the absolute path of a socket, such as \
                 unix:/run/mcpfn/mcp.sock",
            );
        }
        if reader.text("MCPFN_PORT").is_some() {
            reader.mistake("MCPFN_LISTEN is a Unix socket, which has no port: remove MCPFN_PORT");
        }
        let mode = mode.map_or(Some(MODE), |text| {
            let digits = text.trim().trim_start_matches("0o");
            let octal = digits.bytes().all(|digit| digit.is_ascii_digit());
            let mode = octal.then(|| u32::from_str_radix(digits, 8).ok()).flatten();
            mode.filter(|mode| (0o600..=0o777).contains(mode))
        });
        let mode = mode.unwrap_or_else(|| {
            reader.mistake("MCPFN_SOCKET_MODE must be from 0600 to 0777, such as 0660");
            MODE
        });
        Self::Unix { path, mode }
    }

    #[cfg(not(unix))]
    fn socket_file(reader: &mut EnvReader<'_>, _: &str, _: Option<&str>) -> Self {
        reader.mistake("MCPFN_LISTEN: this system has no Unix sockets; use an address and a port");
        Self::Loopback(PORT)
    }

    /// The same with another port; a socket file has none, and stays as it is.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        match self {
            Self::Loopback(_) => Self::Loopback(port),
            Self::Address(address) => Self::Address((address.ip(), port).into()),
            #[cfg(unix)]
            Self::Unix { .. } => self,
        }
    }

    /// Whether it is an address that only programs on this machine can reach. A socket file is none:
    /// it is there for a proxy, whose callers are anybody.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Loopback(_) => true,
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            #[cfg(unix)]
            Self::Unix { .. } => false,
        }
    }

    /// Whether callers come from an address of this machine.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Loopback(_) | Self::Address(_) => self.is_loopback(),
            #[cfg(unix)]
            Self::Unix { .. } => true,
        }
    }

    /// Where a program on this machine reaches it.
    pub(crate) fn reached_from_here(&self) -> BoundAddress {
        let address = match self {
            Self::Loopback(port) => (Ipv4Addr::LOCALHOST, *port).into(),
            Self::Address(address) => match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => {
                    (Ipv4Addr::LOCALHOST, address.port()).into()
                }
                IpAddr::V6(ip) if ip.is_unspecified() => {
                    (Ipv6Addr::LOCALHOST, address.port()).into()
                }
                _ => *address,
            },
            #[cfg(unix)]
            Self::Unix { path, .. } => return BoundAddress::Unix(path.clone()),
        };
        BoundAddress::Tcp(address)
    }
}

/// Where a server turned out to listen: the port is new when 0 was asked for.
#[derive(Debug, Clone)]
pub(crate) enum BoundAddress {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(PathBuf),
}

impl BoundAddress {
    /// The URL of a path there; for a socket file the two parts that clients ask for.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        match self {
            Self::Tcp(address) => format!("{scheme}://{address}{path}"),
            #[cfg(unix)]
            Self::Unix(file) => format!("unix:{} {path}", file.display()),
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
        let address = match &self.listen {
            ListenAddress::Loopback(port) => (Ipv4Addr::LOCALHOST, *port).into(),
            ListenAddress::Address(address) => *address,
            #[cfg(unix)]
            ListenAddress::Unix { path, .. } => return self.socket_file(f, path),
        };
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

#[cfg(unix)]
impl ServeError {
    fn socket_file(&self, f: &mut fmt::Formatter<'_>, path: &std::path::Path) -> fmt::Result {
        let path = path.display();
        match self.error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "another process serves at {path}: stop it, or choose another path in MCPFN_LISTEN"
            ),
            io::ErrorKind::AlreadyExists => write!(
                f,
                "{path} is there and is no socket: remove it, or choose another path in MCPFN_LISTEN"
            ),
            _ => write!(
                f,
                "the socket {path} can't be made ({}): its directory must exist, and this process \
                 must have the right to write there",
                self.error
            ),
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

    fn shown(listen: &ListenAddress) -> String {
        match listen {
            ListenAddress::Loopback(port) => format!("127.0.0.1:{port}"),
            ListenAddress::Address(address) => address.to_string(),
            #[cfg(unix)]
            ListenAddress::Unix { path, mode } => format!("{} {mode:o}", path.display()),
        }
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
            #[cfg(unix)]
            (
                &[("MCPFN_LISTEN", "unix:/run/x"), ("PORT", "1")],
                "/run/x 660",
                false,
            ),
            #[cfg(unix)]
            (
                &[
                    ("MCPFN_LISTEN", "unix:/run/x"),
                    ("MCPFN_SOCKET_MODE", "0600"),
                ],
                "/run/x 600",
                false,
            ),
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
                (shown(&listen).as_str(), listen.is_loopback()),
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
            "unix:",
            "unix:mcp.sock",
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
            #[cfg(unix)]
            (
                &[("MCPFN_LISTEN", "unix:/run/x"), ("MCPFN_PORT", "2")],
                "remove MCPFN_PORT",
            ),
            #[cfg(unix)]
            (
                &[
                    ("MCPFN_LISTEN", "unix:/run/x"),
                    ("MCPFN_SOCKET_MODE", "+660"),
                ],
                "MCPFN_SOCKET_MODE",
            ),
            #[cfg(unix)]
            (
                &[
                    ("MCPFN_LISTEN", "unix:/run/x"),
                    ("MCPFN_SOCKET_MODE", "0060"),
                ],
                "MCPFN_SOCKET_MODE",
            ),
        ] {
            let mistakes = read(variables).unwrap_err();
            assert!(mistakes[0].contains(named), "{mistakes:?}");
        }
    }
}
