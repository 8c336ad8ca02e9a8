//! The port to public-key cryptography, and the keys that cross it. Which keys are safe is decided
//! here; the arithmetic is the platform's, or that of `ring`, which native hosts link for TLS.
//!
//! A port, because a platform with native cryptography should use it: Web Crypto on Workers
//! saved 42 KB of wasm after gzip. `jsonwebtoken` was not taken: it has a clock of its own.
//! Tests sign with another library than the one that verifies.

mod platform;
#[cfg(feature = "ring")]
mod ring;

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

pub(crate) use platform::of;

/// Shorter RSA keys are broken, longer ones only cost time.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The points of Ed25519 whose order divides 8, as y with the sign of x cleared; the last two are 0
/// and 1 written with the prime added. For such a key signatures can be made without its secret.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    ends(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

/// A first byte, thirty equal ones, a last byte.
const fn ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Checks signatures with public keys. A host that has cryptography of its own gives it to the
/// platform as `Arc<dyn Signatures>`; for others this crate's feature `ring` brings one along.
pub trait Signatures: MaybeSend + MaybeSync {
    /// Prepares a key, which then serves many requests. A point that is not on the curve gives
    /// `None`, or a key that verifies nothing.
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
    /// For EdDSA; not one of the eight points of small order.
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

    /// `None` for keys in whose name anyone can sign.
    pub(crate) fn ed25519(x: [u8; 32]) -> Option<Self> {
        let mut y = x;
        y[31] &= 0x7f; // without the sign of x
        (!SMALL_ORDER.contains(&y)).then_some(Self::Ed25519 { x })
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

    #[test]
    fn ed25519_keys_that_are_not_safe() {
        let base_point = ends(0x58, 0x66, 0x66);
        assert!(PublicKey::ed25519(base_point).is_some());
        for y in SMALL_ORDER {
            let mut negative = y;
            negative[31] |= 0x80;
            for x in [y, negative] {
                assert_eq!(PublicKey::ed25519(x), None, "{x:02x?}");
            }
        }
    }
}
