//! RS256 signatures (RFC 8017, section 8.2.2) with public keys. Nothing secret is touched, so
//! nothing here is in constant time.
//!
//! The signed block is not parsed: the one that must be there is written down, and compared whole.
//! That is what keeps forged padding out.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha2::{Digest, Sha256};

/// How the digest's algorithm is written before it: the DER of a `DigestInfo` for SHA-256.
const SHA256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

pub(super) struct PublicKey {
    modulus: BoxedUint,
    /// Of the modulus, as a signature has it.
    length: usize,
    exponent: BoxedUint,
    arithmetic: BoxedMontyParams,
}

impl PublicKey {
    /// From numbers with the first byte first, and not zero.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let exponent = exponent.iter().try_fold(0_u64, |number, byte| {
            Some(number.checked_mul(256)? + u64::from(*byte))
        })?;
        let length = modulus.len();
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let arithmetic = BoxedMontyParams::new_vartime(Odd::new(modulus.clone()).into_option()?);
        Some(Self {
            modulus,
            length,
            exponent: BoxedUint::from(exponent),
            arithmetic,
        })
    }

    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.length {
            return false;
        }
        let precision = self.modulus.bits_precision();
        let (Ok(signature), Ok(expected)) = (
            BoxedUint::from_be_slice(signature, precision),
            BoxedUint::from_be_slice(&self.block(signed), precision),
        ) else {
            return false;
        };
        if signature >= self.modulus {
            return false;
        }
        BoxedMontyForm::new(signature, &self.arithmetic)
            .pow_bounded_exp(&self.exponent, 32)
            .retrieve()
            == expected
    }

    /// 0, 1, as many 255 as it takes, 0, the digest with its algorithm.
    fn block(&self, signed: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(signed);
        let mut block = vec![0xff; self.length];
        // a key of 2048 bits has 256 bytes, and these are 51
        let end = self.length - SHA256.len() - digest.len();
        block[..2].copy_from_slice(&[0, 1]);
        block[end - 1] = 0;
        block[end..end + SHA256.len()].copy_from_slice(&SHA256);
        block[end + SHA256.len()..].copy_from_slice(&digest);
        block
    }
}
