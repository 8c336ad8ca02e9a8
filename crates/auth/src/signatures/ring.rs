//! Signatures by Rust crates, with the feature `software`. Not for Workers, whose own cryptography
//! is faster, and weighs nothing.

use std::future::ready;

use ed25519_dalek as ed25519;
use mcpfn_core::BoxFuture;
use p256::ecdsa::signature::Verifier as _;

use super::{PublicKey, SignatureKey, Signatures, rsa};

pub(super) struct Software;

enum Key {
    Rsa(rsa::PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519::VerifyingKey),
}

impl Signatures for Software {
    fn import<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Option<Box<dyn SignatureKey>>> {
        Box::pin(ready(
            Key::new(key).map(|key| Box::new(key) as Box<dyn SignatureKey>),
        ))
    }
}

impl Key {
    fn new(key: &PublicKey) -> Option<Self> {
        Some(match key {
            PublicKey::Rsa { n, e } => Self::Rsa(rsa::PublicKey::new(n, e)?),
            PublicKey::P256 { x, y } => {
                let point = [&[4][..], x, y].concat(); // 4: not compressed
                Self::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?)
            }
            PublicKey::Ed25519 { x } => Self::Ed25519(ed25519::VerifyingKey::from_bytes(x).ok()?),
        })
    }
}

impl SignatureKey for Key {
    fn verify<'a>(&'a self, signed: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(ready(match self {
            Self::Rsa(key) => key.verify(signed, signature),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::Ed25519(key) => ed25519::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
        }))
    }
}
