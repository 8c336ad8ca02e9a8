//! From an address to a connection that is ready for statements: socket, encryption, password. Runs
//! no statement of a caller.

use std::sync::Arc;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{PostgresAddress, Tls};
use super::aws_roots;
use super::refusal::ServerRefusal;
use super::wire::{Fault, Stream, Wire};

/// The largest message before there is a statement, in bytes.
const GREETING: usize = 64 * 1024;

/// An address with what is needed to reach it, prepared once.
pub(super) struct Target {
    pub(super) address: PostgresAddress,
    tls: Option<TlsConnector>,
}

/// What stops a running statement from another connection.
#[derive(Clone, Copy, Default)]
pub(super) struct CancelKey {
    process: i32,
    secret: i32,
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
        let mut wire = Wire::new(self.reach().await?, GREETING);
        let key = self.greet(&mut wire).await?;
        Ok((wire, key))
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

    async fn greet(&self, wire: &mut Wire) -> Result<CancelKey, Fault> {
        let PostgresAddress { user, database, .. } = &self.address;
        let mut out = BytesMut::new();
        let settings = [
            ("user", user.as_str()),
            ("database", database),
            ("application_name", "mcpfn"),
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO, YMD"),
            ("TimeZone", "UTC"),
        ];
        frontend::startup_message(settings, &mut out)?;
        wire.send(&out).await?;
        self.prove(wire).await?;
        let mut key = CancelKey::default();
        loop {
            match wire.next().await? {
                Message::BackendKeyData(body) => {
                    key = CancelKey {
                        process: body.process_id(),
                        secret: body.secret_key(),
                    }
                }
                Message::ReadyForQuery(_) => return Ok(key),
                Message::ErrorResponse(body) => {
                    return Err(Fault::Refused(ServerRefusal::read(&body)));
                }
                _ => return Err(unexpected()),
            }
        }
    }

    /// Shows the password in the way that the server asks for, unless it asks for none.
    async fn prove(&self, wire: &mut Wire) -> Result<(), Fault> {
        let PostgresAddress { user, password, .. } = &self.address;
        let mut scram = None;
        loop {
            let mut out = BytesMut::new();
            match wire.next().await? {
                Message::AuthenticationOk => return Ok(()),
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(user.as_bytes(), password.as_bytes(), body.salt());
                    frontend::password_message(hash.as_bytes(), &mut out)?;
                }
                // as it is, and so only over an encrypted connection
                Message::AuthenticationCleartextPassword if self.tls.is_some() => {
                    frontend::password_message(password.as_bytes(), &mut out)?;
                }
                Message::AuthenticationSasl(body) => {
                    if !body
                        .mechanisms()
                        .any(|mechanism| Ok(mechanism == SCRAM_SHA_256))?
                    {
                        return Err(Fault::Broken(
                            "the server asks for a way to log in that is not known here".to_owned(),
                        ));
                    }
                    let exchange = scram.insert(ScramSha256::new(
                        password.as_bytes(),
                        ChannelBinding::unsupported(),
                    ));
                    frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), &mut out)?;
                }
                Message::AuthenticationSaslContinue(body) => {
                    let exchange = scram.as_mut().ok_or_else(unexpected)?;
                    exchange.update(body.data())?;
                    frontend::sasl_response(exchange.message(), &mut out)?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    scram.as_mut().ok_or_else(unexpected)?.finish(body.data())?;
                }
                Message::ErrorResponse(body) => {
                    return Err(Fault::Refused(ServerRefusal::read(&body)));
                }
                _ => {
                    return Err(Fault::Broken(
                        "the server asks for a way to log in that is not known here".to_owned(),
                    ));
                }
            }
            if !out.is_empty() {
                wire.send(&out).await?;
            }
        }
    }
}

pub(super) fn unexpected() -> Fault {
    Fault::Broken("the server sent a message that does not belong here".to_owned())
}
