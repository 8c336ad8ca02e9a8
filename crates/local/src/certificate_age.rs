//! Until when the certificates are good that are served: clients refuse others, and who serves them
//! sees nothing of that.

use std::time::Duration;

use mcpfn_core::text::timestamp;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

/// An end that is nearer than this is said beforehand.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What time does to a chain of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateAge {
    Good,
    /// Not yet good before so many seconds after 1970.
    Early(u64),
    /// Ends within [`SOON`].
    EndsSoon(u64),
    Ended(u64),
}

impl CertificateAge {
    /// The first fault of a chain, at a time.
    pub(crate) fn of(chain: &[CertificateDer<'_>], now: UnixTime) -> Self {
        let soon = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + SOON);
        let ages =
            chain.iter().map(
                |certificate| match (at(certificate, now), at(certificate, soon)) {
                    (Self::Good, Self::Ended(end)) => Self::EndsSoon(end),
                    (age, _) => age,
                },
            );
        let mut faults: Vec<Self> = ages.filter(|age| *age != Self::Good).collect();
        // one that is over matters more than one that will be
        faults.sort_by_key(|age| matches!(age, Self::EndsSoon(_)));
        faults.first().copied().unwrap_or(Self::Good)
    }

    /// Tells the operator.
    pub(crate) fn tell(self) {
        let day = |seconds| timestamp(Duration::from_secs(seconds));
        match self {
            Self::Good => {}
            Self::Early(seconds) => tracing::warn!(
                event = "certificate_not_yet_valid",
                "MCPFN_TLS_CERTIFICATE is not valid before {}, and clients refuse it until then: see \
                 that the clock is right",
                day(seconds)
            ),
            Self::EndsSoon(seconds) => tracing::warn!(
                event = "certificate_expires_soon",
                "MCPFN_TLS_CERTIFICATE ends at {}: replace its files before; they are read again",
                day(seconds)
            ),
            Self::Ended(seconds) => tracing::warn!(
                event = "certificate_expired",
                "MCPFN_TLS_CERTIFICATE ended at {}, and clients refuse it: replace its files; they are \
                 read again",
                day(seconds)
            ),
        }
    }
}

/// The verifier looks at the time before it looks for a root, of which it is given none.
fn at(certificate: &CertificateDer<'_>, time: UnixTime) -> CertificateAge {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let judged = ParsedCertificate::try_from(certificate).and_then(|parsed| {
        let nobody = RootCertStore::empty();
        verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], time, algorithms.all)
    });
    match judged {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            CertificateAge::Ended(not_after.as_secs())
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => CertificateAge::Early(not_before.as_secs()),
        _ => CertificateAge::Good,
    }
}
