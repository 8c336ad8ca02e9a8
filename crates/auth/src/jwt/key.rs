//! Public keys as issuers publish them (RFC 7517), and the signatures that they check. Fetches nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use serde::Deserialize;
use serde_json::Value;

use super::rsa;
use super::token::{Algorithm, Token};

/// Most keys of one issuer.
const MAX: usize = 100;

/// The keys of one issuer that can be used here. Others, such as keys that encrypt, are left out.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    public: Public,
}

enum Public {
    Rsa(rsa::PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// What a set has for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Signed,
    /// The key is there, and the signature is not its.
    Forged,
    /// The set may be old.
    NoSuchKey,
    /// The token names no key, and more than one could be meant.
    Ambiguous,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// From the JSON of a set.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(json).map_err(|error| format!("no JSON Web Key Set: {error}"))?;
        if set.keys.len() > MAX {
            return Err(format!("a JSON Web Key Set of more than {MAX} keys"));
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(|key| Key::read(serde_json::from_value(key).ok()?)).collect();
        if keys.is_empty() {
            return Err("a JSON Web Key Set without a key for signatures by RS256, ES256 or EdDSA".to_owned());
        }
        Ok(Self(keys))
    }

    pub(crate) fn check(&self, token: &Token<'_>) -> Verdict {
        match self.find(token.key.as_deref(), token.algorithm) {
            Ok(key) if key.public.verify(token.signed, &token.signature) => Verdict::Signed,
            Ok(_) => Verdict::Forged,
            Err(verdict) => verdict,
        }
    }

    /// Whether another set can't give another verdict.
    pub(crate) fn knows(&self, token: &Token<'_>) -> bool {
        !matches!(self.find(token.key.as_deref(), token.algorithm), Err(Verdict::NoSuchKey))
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, Verdict> {
        let named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut fitting = self.0.iter().filter(named).filter(|key| key.public.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Verdict::Ambiguous),
            // a key of that name for another algorithm: that will not change
            (None, _) if id.is_some() && self.0.iter().any(|key| named(&key)) => Err(Verdict::Forged),
            (None, _) => Err(Verdict::NoSuchKey),
        }
    }
}

impl Key {
    fn read(jwk: Jwk) -> Option<Self> {
        let signs = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies = jwk.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        let part = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Public::Rsa(rsa::PublicKey::new(&part(&jwk.n)?, &part(&jwk.e)?)?),
            ("EC", Some("P-256")) => {
                let (x, y): ([u8; 32], [u8; 32]) = (part(&jwk.x)?.try_into().ok()?, part(&jwk.y)?.try_into().ok()?);
                let point = [&[4][..], &x, &y].concat(); // 4: not compressed
                Public::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?)
            }
            ("OKP", Some("Ed25519")) => Public::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(&part(&jwk.x)?.try_into().ok()?).ok()?),
            _ => return None,
        };
        let fits = jwk.alg.as_deref().is_none_or(|named| Algorithm::named(named) == Some(public.algorithm()));
        (signs && verifies && fits).then_some(Self { id: jwk.kid, public })
    }
}

impl Public {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => key.verify(signed, signature),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::Ed25519(key) => {
                ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok())
            }
        }
    }
}
