//! TLS for those without a proxy in front: a certificate and its key from files that may be replaced
//! while the server runs. New files that can't be used change nothing, and the log says why.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::TlsAcceptor;

use crate::certificate_age::CertificateAge;
use crate::protocol;
use crate::signals::Reloads;
use crate::stream::ByteStream;
pub(crate) use crate::tls_probe::unchecked;

/// How often the files are looked at, beside each SIGHUP.
const EVERY: Duration = Duration::from_secs(10);
/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The largest file: a chain of certificates has some kilobytes.
const MOST: u64 = 1024 * 1024;

/// The two files, and what they had when they could last be used.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<Mutex<ServedCertificate>>,
    /// What the operator was told of its time.
    told: Arc<Mutex<CertificateAge>>,
    /// What was read last, used or not, so that each change is tried once.
    seen: Arc<Mutex<CertificatePair>>,
}

#[derive(Debug, Clone)]
struct ServedCertificate {
    config: Arc<ServerConfig>,
    chain: Arc<[CertificateDer<'static>]>,
}

#[derive(PartialEq, Eq)]
struct CertificatePair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for CertificatePair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertificatePair")
    }
}

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Why they can't be used, in a sentence without a byte of the key.
    pub(crate) fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, String> {
        let contents = CertificatePair::read(&certificate, &key)?;
        let served = contents.served()?;
        Ok(Self {
            certificate,
            key,
            current: Arc::new(Mutex::new(served)),
            told: Arc::new(Mutex::new(CertificateAge::Good)),
            seen: Arc::new(Mutex::new(contents)),
        })
    }

    /// Agrees with a client on keys.
    pub(crate) async fn accept(&self, stream: ByteStream) -> Result<ByteStream, std::io::Error> {
        let config = self.current().config;
        let agreed = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream));
        let agreed = agreed.await.map_err(|_| std::io::ErrorKind::TimedOut)?;
        Ok(ByteStream::Tls(Box::new(agreed?)))
    }

    fn current(&self) -> ServedCertificate {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// Looks at the files and at the clock from time to time, and at once on SIGHUP. It never ends:
    /// spawn it.
    pub(crate) async fn keep_current(self, mut told: Reloads) {
        loop {
            self.tell_of_age();
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = told.next() => {}
            }
            let this = self.clone();
            let _ = tokio::task::spawn_blocking(move || this.look()).await;
        }
    }

    /// Says once what time does to the certificate.
    fn tell_of_age(&self) {
        let age = CertificateAge::of(&self.current().chain, UnixTime::now());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != age {
            age.tell();
            *told = age;
        }
    }

    fn look(&self) {
        let kept = |cause: &str| {
            tracing::error!(
                event = "certificate_kept",
                cause,
                "the new certificate or key can't be used: the one before is served until the files \
                 are corrected"
            );
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = match CertificatePair::read(&self.certificate, &self.key) {
            Ok(contents) => contents,
            Err(cause) => {
                let nothing = CertificatePair {
                    certificate: Vec::new(),
                    key: Vec::new(),
                };
                // once, and again after they were there
                if *seen != nothing {
                    kept(&cause);
                    *seen = nothing;
                }
                return;
            }
        };
        if *seen == contents {
            return;
        }
        match contents.served() {
            Ok(served) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = served;
                tracing::info!(
                    event = "certificate_replaced",
                    "new connections have the new certificate"
                );
            }
            Err(cause) => kept(&cause),
        }
        *seen = contents;
    }
}

impl CertificatePair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        Ok(Self {
            certificate: read(certificate)?,
            key: read(key)?,
        })
    }

    fn served(&self) -> Result<ServedCertificate, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| "the certificate's file is not PEM".to_owned())?;
        if chain.is_empty() {
            return Err("the certificate's file has no certificate (PEM)".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| {
            "the key's file has no private key (PEM, without a password)".to_owned()
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key)
            .map_err(|error| format!("certificate and key do not fit ({error})"))?;
        config.alpn_protocols = protocol::NAMES.iter().map(|name| name.to_vec()).collect();
        Ok(ServedCertificate {
            config: Arc::new(config),
            chain: chain.into(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |cause: &str| format!("{} can't be read: {cause}", path.display());
    let found = std::fs::metadata(path).map_err(|error| cannot(&error.to_string()))?;
    if !found.is_file() || found.len() > MOST {
        return Err(cannot(
            "it is no regular file, or too large for a certificate",
        ));
    }
    std::fs::read(path).map_err(|error| cannot(&error.to_string()))
}
