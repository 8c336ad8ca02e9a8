//! The port to public-key cryptography, and the keys that cross it. Which keys are safe is decided
//! here; the arithmetic is the platform's, or that of `software`.
//!
//! A port, because a platform with native cryptography should use it: Web Crypto on Workers
//! saved 42 KB of wasm after gzip. `jsonwebtoken` was not taken: it has a clock of its own.
//! Tests sign with another library than the one that verifies.

#[cfg(feature = "software")]
mod rsa;
#[cfg(feature = "software")]
mod software;

use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_core::{BoxFuture, MaybeSend, MaybeSync, Platform};

/// Shorter RSA keys are broken, longer ones only cost time.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// Checks signatures with public keys. A host that has cryptography of its own gives it to the
/// platform as `Arc<dyn Signatures>`; for others this crate's feature `software` brings one along.
pub trait Signatures: MaybeSend + MaybeSync {
    /// Prepares a key, which then serves many requests. `None` for what is no key, such as a point
    /// beside the curve.
    fn import<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Option<Box<dyn SignatureKey>>>;
}

/// A public key that is ready.
pub trait SignatureKey: MaybeSend + MaybeSync {
    /// Whether the key's owner signed these bytes. `signature` is of any length, written as RFC
    /// 7518 has it: for ES256 two numbers of 32 bytes.
    fn verify<'a>(&'a self, signed: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool>;
}

/// A public key as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// For RS256: of 2,048 to 8,192 bits, with an odd exponent from 3 on; the first byte first, and
    /// not zero.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent, of at most 4 bytes.
        e: Vec<u8>,
    },
    /// For ES256.
    P256 {
        /// One coordinate.
        x: [u8; 32],
        /// The other.
        y: [u8; 32],
    },
    /// For EdDSA.
    Ed25519 {
        /// The point, compressed.
        x: [u8; 32],
    },
}

impl PublicKey {
    /// `None` for keys that can't be or are not safe.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let significant =
            |number: &[u8]| number[number.iter().take_while(|byte| **byte == 0).count()..].to_vec();
        let (n, e) = (significant(n), significant(e));
        let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        (RSA_BITS.contains(&bits) && odd(&n) && odd(&e) && e.len() <= 4 && e != [1])
            .then_some(Self::Rsa { n, e })
    }

    /// The members of a JSON Web Key (RFC 7517) that say all of it.
    pub fn members(&self) -> Vec<(&'static str, String)> {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let word = str::to_owned;
        match self {
            Self::Rsa { n, e } => vec![("kty", word("RSA")), ("n", part(n)), ("e", part(e))],
            Self::P256 { x, y } => vec![
                ("kty", word("EC")),
                ("crv", word("P-256")),
                ("x", part(x)),
                ("y", part(y)),
            ],
            Self::Ed25519 { x } => vec![
                ("kty", word("OKP")),
                ("crv", word("Ed25519")),
                ("x", part(x)),
            ],
        }
    }
}

/// What checks signatures on this platform.
pub(crate) fn of(platform: &Platform) -> Result<Arc<dyn Signatures>, String> {
    platform
        .port::<dyn Signatures>()
        .cloned()
        .or_else(default)
        .ok_or_else(|| "this host has no cryptography: give it `Signatures`".to_owned())
}

#[cfg(feature = "software")]
fn default() -> Option<Arc<dyn Signatures>> {
    Some(Arc::new(software::Software))
}

#[cfg(not(feature = "software"))]
fn default() -> Option<Arc<dyn Signatures>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= n.len() * 8 - bits;
        n
    }

    #[test]
    fn rsa_keys_that_are_not_safe() {
        let e = [1, 0, 1];
        for bits in [2048, 2049, 4096, 8192] {
            assert!(PublicKey::rsa(&modulus(bits), &e).is_some(), "{bits}");
        }
        for bits in [8, 1024, 2047, 8193] {
            assert_eq!(PublicKey::rsa(&modulus(bits), &e), None, "{bits}");
        }
        let n = modulus(2048);
        for e in [&[][..], &[0], &[1], &[0, 1], &[2], &[4], &[1, 0, 0, 0, 1]] {
            assert_eq!(PublicKey::rsa(&n, e), None, "{e:?}");
        }
        let mut even = n.clone();
        even[255] = 0xfe;
        assert_eq!(PublicKey::rsa(&even, &[3]), None);
        assert_eq!(PublicKey::rsa(&[], &[3]), None);
        // as some write numbers
        let padded = [&[0, 0][..], &n].concat();
        assert_eq!(PublicKey::rsa(&padded, &[0, 3]), PublicKey::rsa(&n, &[3]));
    }
}
