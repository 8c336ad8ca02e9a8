//! Public keys as issuers publish them (RFC 7517), and which of them a token means. Fetches
//! nothing, and does no cryptography.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::token::{Algorithm, Token};
use crate::signatures::{PublicKey, SignatureKey, Signatures};

/// Most keys of one issuer.
const MAX: usize = 100;

/// The keys of one issuer that can be used here. Others, such as keys that encrypt, are left out.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    ready: Box<dyn SignatureKey>,
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
    pub(crate) async fn read(json: &[u8], signatures: &dyn Signatures) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(json)
            .map_err(|error| format!("no JSON Web Key Set: {error}"))?;
        if set.keys.len() > MAX {
            return Err(format!("a JSON Web Key Set of more than {MAX} keys"));
        }
        let mut keys = Vec::new();
        for key in set.keys {
            let Some((id, public)) = serde_json::from_value(key).ok().and_then(read_key) else {
                continue;
            };
            if let Some(ready) = signatures.import(&public).await {
                keys.push(Key {
                    id,
                    algorithm: algorithm(&public),
                    ready,
                });
            }
        }
        if keys.is_empty() {
            return Err(
                "a JSON Web Key Set without a key for signatures by RS256, ES256 or EdDSA"
                    .to_owned(),
            );
        }
        Ok(Self(keys))
    }

    pub(crate) async fn check(&self, token: &Token<'_>) -> Verdict {
        match self.find(token.key.as_deref(), token.algorithm) {
            Ok(key) if key.ready.verify(token.signed, &token.signature).await => Verdict::Signed,
            Ok(_) => Verdict::Forged,
            Err(verdict) => verdict,
        }
    }

    /// Whether another set can't give another verdict.
    pub(crate) fn knows(&self, token: &Token<'_>) -> bool {
        !matches!(
            self.find(token.key.as_deref(), token.algorithm),
            Err(Verdict::NoSuchKey)
        )
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, Verdict> {
        let named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut fitting = self
            .0
            .iter()
            .filter(named)
            .filter(|key| key.algorithm == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Verdict::Ambiguous),
            // a key of that name for another algorithm: that will not change
            (None, _) if id.is_some() && self.0.iter().any(|key| named(&key)) => {
                Err(Verdict::Forged)
            }
            (None, _) => Err(Verdict::NoSuchKey),
        }
    }
}

/// The key and its id, if signatures of callers may be checked with it here.
fn read_key(jwk: Jwk) -> Option<(Option<String>, PublicKey)> {
    let signs = jwk
        .purpose
        .as_deref()
        .is_none_or(|purpose| purpose == "sig");
    let verifies = jwk
        .key_ops
        .as_ref()
        .is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    let part = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
    let coordinate = |text: &Option<String>| -> Option<[u8; 32]> { part(text)?.try_into().ok() };
    let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => PublicKey::rsa(&part(&jwk.n)?, &part(&jwk.e)?)?,
        ("EC", Some("P-256")) => PublicKey::P256 {
            x: coordinate(&jwk.x)?,
            y: coordinate(&jwk.y)?,
        },
        ("OKP", Some("Ed25519")) => PublicKey::ed25519(coordinate(&jwk.x)?)?,
        _ => return None,
    };
    let fits = jwk
        .alg
        .as_deref()
        .is_none_or(|named| Algorithm::named(named) == Some(algorithm(&public)));
    (signs && verifies && fits).then_some((jwk.kid, public))
}

fn algorithm(key: &PublicKey) -> Algorithm {
    match key {
        PublicKey::Rsa { .. } => Algorithm::Rs256,
        PublicKey::P256 { .. } => Algorithm::Es256,
        PublicKey::Ed25519 { .. } => Algorithm::EdDsa,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use mcpfn_core::handler::BoxFuture;
    use serde_json::json;

    use super::*;

    /// Takes any key, and verifies nothing.
    struct Unable;

    impl Signatures for Unable {
        fn import<'a>(&'a self, _: &'a PublicKey) -> BoxFuture<'a, Option<Box<dyn SignatureKey>>> {
            Box::pin(async { Some(Box::new(Self) as _) })
        }
    }

    impl SignatureKey for Unable {
        fn verify<'a>(&'a self, _: &'a [u8], _: &'a [u8]) -> BoxFuture<'a, bool> {
            Box::pin(async { false })
        }
    }

    fn read(set: &Value) -> Result<KeySet, String> {
        let text = set.to_string();
        let mut reading = pin!(KeySet::read(text.as_bytes(), &Unable));
        match reading
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(read) => read,
            Poll::Pending => panic!("it waits for nothing"),
        }
    }

    fn published(key: &PublicKey) -> Value {
        let members = key.members().into_iter();
        members
            .map(|(name, text)| (name.to_owned(), Value::from(text)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn keys() -> [PublicKey; 3] {
        [
            PublicKey::rsa(&[0xff; 256], &[1, 0, 1]).unwrap(),
            PublicKey::P256 {
                x: [1; 32],
                y: [2; 32],
            },
            PublicKey::ed25519([7; 32]).unwrap(),
        ]
    }

    /// Web Crypto gets a key by its members: what they leave out or change, it verifies with
    /// another key, or with none.
    #[test]
    fn the_members_of_a_key_say_all_of_it() {
        for key in keys() {
            let jwk = serde_json::from_value(published(&key)).unwrap();
            assert_eq!(read_key(jwk), Some((None, key)));
        }
    }

    /// What another set could not change is no reason to ask the issuer for one.
    #[test]
    fn a_key_is_the_one_that_is_meant_or_it_is_said_why_not() {
        let [rsa, p256, ed25519] = keys();
        let named = |key: &PublicKey, id: &str| {
            let mut key = published(key);
            key["kid"] = id.into();
            key
        };
        let set = read(&json!({"keys": [
            named(&rsa, "a"),
            named(&rsa, "b"),
            named(&p256, "b"),
            named(&ed25519, "c"),
            published(&p256),
        ]}));
        let Ok(set) = set else { panic!("a set") };
        let (rs256, es256, eddsa) = (Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa);
        for (id, algorithm, expected) in [
            (Some("a"), rs256, None),
            (Some("b"), rs256, None),
            (Some("b"), es256, None),
            (None, eddsa, None),
            (Some("a"), es256, Some(Verdict::Forged)),
            (Some("c"), rs256, Some(Verdict::Forged)),
            (Some("d"), rs256, Some(Verdict::NoSuchKey)),
            (None, rs256, Some(Verdict::Ambiguous)),
            (None, es256, Some(Verdict::Ambiguous)),
        ] {
            let found = set.find(id, algorithm);
            assert_eq!(found.err(), expected, "{id:?} {algorithm:?}");
            if let Ok(key) = set.find(id, algorithm) {
                assert_eq!(key.algorithm, algorithm);
                assert!(id.is_none() || key.id.as_deref() == id);
            }
        }
    }

    #[test]
    fn a_set_has_a_bounded_number_of_keys() {
        for (count, is_read) in [(0, false), (1, true), (100, true), (101, false)] {
            let keys: Vec<_> = keys().iter().map(published).cycle().take(count).collect();
            match read(&json!({"keys": keys})) {
                Ok(KeySet(keys)) => assert!(is_read && keys.len() == count, "{count}"),
                Err(why) => {
                    assert!(!is_read, "{count}: {why}");
                    assert_eq!(why.contains("more than 100"), count > 100, "{why}");
                }
            }
        }
    }
}
