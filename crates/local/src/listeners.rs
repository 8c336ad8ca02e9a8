//! The sockets of an address. Which address that is, and who may be served there, are settings.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpListener, TcpStream};

use crate::listen::{BoundAddress, ListenAddress, ServeError};
use crate::stream::ByteStream;

/// Most connections of a socket that are taken as it closes: as many as systems queue (`somaxconn`).
const MOST_TAKEN: usize = 4096;

/// The sockets of an address.
pub(crate) enum Listeners {
    Tcp {
        first: TcpListener,
        /// The other loopback address; not on a machine without IPv6.
        second: Option<TcpListener>,
    },
    #[cfg(unix)]
    Unix(unix::SocketFile),
}

impl Listeners {
    pub(crate) async fn bind(listen: &ListenAddress) -> Result<Self, ServeError> {
        let refused = |error| ServeError::new(listen.clone(), error);
        let tcp = match listen {
            ListenAddress::Loopback(port) => (Ipv4Addr::LOCALHOST, *port).into(),
            ListenAddress::Address(address) => *address,
            #[cfg(unix)]
            ListenAddress::Unix { path, mode } => {
                let file = unix::SocketFile::bind(path, *mode);
                return Ok(Self::Unix(file.map_err(refused)?));
            }
        };
        let first = TcpListener::bind(tcp).await.map_err(refused)?;
        let second = match listen {
            ListenAddress::Loopback(_) => {
                other_loopback(first.local_addr().map_err(refused)?.port()).await
            }
            _ => None,
        };
        Ok(Self::Tcp { first, second })
    }

    pub(crate) fn address(&self) -> io::Result<BoundAddress> {
        match self {
            Self::Tcp { first, .. } => first.local_addr().map(BoundAddress::Tcp),
            #[cfg(unix)]
            Self::Unix(file) => Ok(BoundAddress::Unix(file.path.clone())),
        }
    }

    /// The next connection, and where it comes from. A program that may open a socket file is on this
    /// machine.
    pub(crate) async fn accept(&self) -> io::Result<(ByteStream, IpAddr)> {
        let (stream, peer) = match self {
            Self::Tcp {
                first,
                second: Some(second),
            } => tokio::select! {
                accepted = first.accept() => accepted?,
                accepted = second.accept() => accepted?,
            },
            Self::Tcp { first, .. } => first.accept().await?,
            #[cfg(unix)]
            Self::Unix(file) => {
                let (stream, _) = file.listener.accept().await?;
                return Ok((ByteStream::Unix(stream), Ipv4Addr::LOCALHOST.into()));
            }
        };
        prepared(stream, peer)
    }

    /// Takes no more connections, and gives those that the system had taken already: who made one
    /// may have sent its request, which would be lost with it.
    pub(crate) fn close(self) -> Vec<(ByteStream, IpAddr)> {
        let mut taken = Vec::new();
        match self {
            Self::Tcp { first, second } => {
                for listener in [Some(first), second].into_iter().flatten() {
                    if let Ok(listener) = listener.into_std() {
                        take(&mut taken, || {
                            let (stream, peer) = listener.accept()?;
                            stream.set_nonblocking(true)?;
                            prepared(TcpStream::from_std(stream)?, peer)
                        });
                    }
                }
            }
            #[cfg(unix)]
            Self::Unix(file) => {
                if let Ok(listener) = file.remove() {
                    take(&mut taken, || {
                        let (stream, _) = listener.accept()?;
                        stream.set_nonblocking(true)?;
                        let stream = UnixStream::from_std(stream)?;
                        Ok((ByteStream::Unix(stream), Ipv4Addr::LOCALHOST.into()))
                    });
                }
            }
        }
        taken
    }
}

fn prepared(stream: TcpStream, peer: SocketAddr) -> io::Result<(ByteStream, IpAddr)> {
    // an answer is one small write: waiting for more to send would only delay it
    stream.set_nodelay(true)?;
    Ok((ByteStream::Tcp(stream), peer.ip()))
}

/// Without a wait: until there is none, or what there is can't be had.
fn take(
    taken: &mut Vec<(ByteStream, IpAddr)>,
    accept: impl Fn() -> io::Result<(ByteStream, IpAddr)>,
) {
    for _ in 0..MOST_TAKEN {
        match accept() {
            Ok(connection) => taken.push(connection),
            // that one is gone, and others may be there
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => break,
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listeners")
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

#[cfg(unix)]
mod unix {
    //! Socket files: rights before anybody can connect, and no file of another process taken away.

    use std::fs;
    use std::io;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::{self, UnixStream};
    use std::path::{Path, PathBuf};

    use tokio::net::UnixListener;

    /// A socket file, which is removed with this value, unless it is another process's by then.
    pub(crate) struct SocketFile {
        pub(super) listener: UnixListener,
        pub(super) path: PathBuf,
        id: (u64, u64),
    }

    impl SocketFile {
        pub(super) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
            check_what_is_there(path)?;
            // with a name of its own until it has its rights, and then in the place of what an
            // earlier process left
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}", std::process::id()));
            let made = PathBuf::from(name);
            let _ = fs::remove_file(&made);
            let listener = UnixListener::bind(&made)?;
            let finished = fs::set_permissions(&made, fs::Permissions::from_mode(mode))
                .and_then(|()| fs::metadata(&made))
                .and_then(|file| fs::rename(&made, path).map(|()| (file.dev(), file.ino())));
            let id = finished.inspect_err(|_| drop(fs::remove_file(&made)))?;
            let path = path.to_owned();
            Ok(Self { listener, path, id })
        }

        /// The socket without its file, so that nobody finds it any more.
        pub(super) fn remove(self) -> io::Result<net::UnixListener> {
            Ok(self.listener.as_fd().try_clone_to_owned()?.into())
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            let ours = |file: fs::Metadata| (file.dev(), file.ino()) == self.id;
            if fs::symlink_metadata(&self.path).is_ok_and(ours) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// A socket that nobody serves may be replaced, and nothing else.
    fn check_what_is_there(path: &Path) -> io::Result<()> {
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        if !found.file_type().is_socket() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        match UnixStream::connect(path) {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[tokio::test]
        async fn a_socket_that_nobody_serves_is_replaced_and_nothing_else() {
            let folder = std::env::temp_dir().join(format!("mcpfn-socket-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join("mcp.sock");
            let kind = |path: &Path| {
                SocketFile::bind(path, 0o660)
                    .map(drop)
                    .map_err(|it| it.kind())
            };
            // what a process leaves that was killed
            drop(net::UnixListener::bind(&path).unwrap());
            let first = SocketFile::bind(&path, 0o640).unwrap();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o640
            );
            assert_eq!(kind(&path), Err(io::ErrorKind::AddrInUse), "it is served");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
            fs::remove_file(&path).unwrap();
            let second = SocketFile::bind(&path, 0o660).unwrap();
            drop(first);
            assert!(path.exists(), "the file is the second one's");
            drop(second);
            assert!(!path.exists());
            fs::write(&path, "notes").unwrap();
            assert_eq!(kind(&path), Err(io::ErrorKind::AlreadyExists));
            assert_eq!(fs::read(&path).unwrap(), b"notes");
            assert!(kind(&folder.join("missing/mcp.sock")).is_err());
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
