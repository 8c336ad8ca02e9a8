//! Signatures by `ring`, with the feature of that name: what TLS links on native hosts anyway. Not
//! for Workers, whose own cryptography is faster, and weighs nothing.

use std::future::ready;

use ::ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use mcpfn_core::handler::BoxFuture;

use super::{PublicKey, SignatureKey, Signatures};

pub(super) struct Ring;

/// `ring` reads a key at each use: one that is no point of its curve verifies nothing.
enum Key {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    Point(UnparsedPublicKey<Vec<u8>>),
}

impl Signatures for Ring {
    fn import<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Option<Box<dyn SignatureKey>>> {
        let key: Box<dyn SignatureKey> = Box::new(Key::new(key));
        Box::pin(ready(Some(key)))
    }
}

impl Key {
    fn new(key: &PublicKey) -> Self {
        match key {
            PublicKey::Rsa { n, e } => Self::Rsa(RsaPublicKeyComponents {
                n: n.clone(),
                e: e.clone(),
            }),
            PublicKey::P256 { x, y } => {
                let point = [&[4][..], x, y].concat(); // 4: not compressed
                Self::Point(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
            }
            PublicKey::Ed25519 { x } => Self::Point(UnparsedPublicKey::new(&ED25519, x.to_vec())),
        }
    }
}

impl SignatureKey for Key {
    fn verify<'a>(&'a self, signed: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        let verified = match self {
            Self::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature),
            Self::Point(key) => key.verify(signed, signature),
        };
        Box::pin(ready(verified.is_ok()))
    }
}
