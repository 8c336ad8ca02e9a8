//! From an address to a connection that is ready for statements: socket and encryption. Runs no
//! statement of a caller.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{PostgresAddress, Tls};
use super::aws_roots;
use crate::protocol::{CancelKey, Fault, PostgresLogin, Stream, Wire, greet};

/// What the session is from its first statement on.
const SETTINGS: &[(&str, &str)] = &[("DateStyle", "ISO, YMD"), ("TimeZone", "UTC")];

/// An address with what is needed to reach it, prepared once.
pub(super) struct Target {
    pub(super) address: PostgresAddress,
    tls: Option<TlsConnector>,
}

impl Target {
    /// Reads the certificates that the address names.
    pub(super) fn new(address: PostgresAddress) -> Result<Self, String> {
        let roots = match &address.tls {
            Tls::Off => return Ok(Self { address, tls: None }),
            Tls::PublicRoots => RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            },
            Tls::AwsRoots => RootCertStore {
                roots: aws_roots::anchors()
                    .chain(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
                    .collect(),
            },
            Tls::File(path) => {
                let unreadable = |error: &dyn std::fmt::Display| {
                    format!(
                        "sslrootcert {} can't be read as PEM ({error})",
                        path.display()
                    )
                };
                let mut roots = RootCertStore::empty();
                for certificate in
                    CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?
                {
                    roots
                        .add(certificate.map_err(|error| unreadable(&error))?)
                        .map_err(|error| unreadable(&error))?;
                }
                roots
            }
        };
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
        Ok(Self {
            address,
            tls: Some(TlsConnector::from(Arc::new(config))),
        })
    }

    /// A connection that the server has accepted, with the key that stops its statements.
    pub(super) async fn connect(&self) -> Result<(Wire, CancelKey), Fault> {
        let PostgresAddress {
            user,
            password,
            database,
            ..
        } = &self.address;
        let login = PostgresLogin {
            user,
            password,
            database,
            private: self.tls.is_some(),
        };
        greet(self.reach().await?, &login, SETTINGS).await
    }

    /// Asks the server to stop a statement. It answers nothing.
    pub(super) async fn cancel(&self, key: CancelKey) -> Result<(), Fault> {
        let mut stream = self.reach().await?;
        let mut message = BytesMut::new();
        frontend::cancel_request(key.process, key.secret, &mut message);
        stream.write_all(&message).await?;
        Ok(stream.shutdown().await?)
    }

    async fn reach(&self) -> Result<Box<dyn Stream>, Fault> {
        let PostgresAddress { host, port, .. } = &self.address;
        let mut socket = TcpStream::connect((host.as_str(), *port)).await?;
        socket.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(socket));
        };
        let mut ask = BytesMut::new();
        frontend::ssl_request(&mut ask);
        socket.write_all(&ask).await?;
        // exactly one byte: what follows belongs to TLS
        if socket.read_u8().await? != b'S' {
            return Err(Fault::Broken(
                "the server does not encrypt its connections; sslmode=disable would do without"
                    .to_owned(),
            ));
        }
        let name =
            ServerName::try_from(host.clone()).map_err(|error| Fault::Broken(error.to_string()))?;
        Ok(Box::new(tls.connect(name, socket).await?))
    }
}
