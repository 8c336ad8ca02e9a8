//! Keys of every kind that is taken, made anew in each run, and tokens signed with them. Signs
//! anything: checks nothing.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What a key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RSA with 2,048 bits, for RS256.
    Rsa,
    /// RSA with 4,096 bits.
    LongRsa,
    /// P-256, for ES256.
    P256,
    /// Ed25519, for EdDSA.
    Ed25519,
}

/// A key pair with an id.
#[derive(Debug)]
pub struct Key {
    /// Its `kid`.
    pub id: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// A new pair.
    #[must_use]
    pub fn new(kind: Kind, id: &str) -> Self {
        let made = "a key pair can be made";
        let pair = match kind {
            Kind::Rsa => Pair::Rsa(Box::new(
                RsaKeyPair::generate(KeySize::Rsa2048).expect(made),
            )),
            Kind::LongRsa => Pair::Rsa(Box::new(
                RsaKeyPair::generate(KeySize::Rsa4096).expect(made),
            )),
            Kind::P256 => {
                Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect(made))
            }
            Kind::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate().expect(made)),
        };
        Self {
            id: id.to_owned(),
            pair,
        }
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half, as an issuer publishes it.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encoded(public.modulus().big_endian_without_leading_zero()),
                    "e": encoded(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// The public half as bytes: what an attacker would use as a shared secret.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::P256(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// A signature.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        let signs = "a key signs";
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    text,
                    &mut signature,
                )
                .expect(signs);
                signature
            }
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), text)
                .expect(signs)
                .as_ref()
                .to_vec(),
            Pair::Ed25519(pair) => pair.sign(text).as_ref().to_vec(),
        }
    }

    /// A token of this key with these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(
            &json!({"alg": self.algorithm(), "kid": self.id, "typ": "at+jwt"}),
            claims,
        )
    }

    /// A token of this key with this header.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        compact(header, claims, |text| self.sign(text))
    }
}

/// A token, signed in any way.
pub fn compact(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = format!(
        "{}.{}",
        encoded(header.to_string().as_bytes()),
        encoded(claims.to_string().as_bytes())
    );
    let signature = encoded(&sign(text.as_bytes()));
    format!("{text}.{signature}")
}

/// HS256.
#[must_use]
pub fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, text).as_ref().to_vec()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
