//! `requestState`: sealed so that only this server can write or read it, for this caller, this call
//! and a limited time.
//!
//! A token is the unpadded URL-safe Base64 of
//! `version (1) | nonce (24) | XChaCha20-Poly1305 ciphertext and tag`. Caller and call are
//! authenticated as associated data: they are repeated by the retry, not stored in the token.
//! Possession of a token is no permission, and a token may be used more than once until it expires;
//! a handler that needs single use must see to it.
//!
//! A format of our own because nothing is negotiated and nobody else reads it. XChaCha20-Poly1305:
//! its nonce is long enough to be random, with no counter that several processes would share, and
//! it is 6.8 KB of wasm and four times as fast there as AES-GCM-SIV.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jsonrpc::Error;
use crate::port::runtime::Random;

const VERSION: u8 = 1;
// XChaCha20-Poly1305: its nonce is long enough to be random, so that instances need no common
// counter. 6.8 KB of wasm, and there four times faster than AES-GCM-SIV (measured).
const NONCE: usize = 24;
/// Longest token given and accepted, in bytes of Base64: a form's worth of state, not a database.
/// A state of 64 KB fits, as a server behind this one may have it.
const MAX_LENGTH: usize = 128 * 1024;

/// The keys that seal request state: the first one seals, every one opens. All instances of a
/// server share them.
///
/// To rotate, put the new key first, deploy, and drop the old one after the longest life of a token
/// (ten minutes by default).
#[derive(Clone)]
pub struct Keyring(Vec<[u8; 32]>);

impl Keyring {
    /// One key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(vec![key])
    }

    /// Adds an older key that still opens.
    #[must_use]
    pub fn and_old(mut self, key: [u8; 32]) -> Self {
        self.0.push(key);
        self
    }

    /// Reads keys from text: 32 bytes each in Base64, comma-separated, the sealing one first.
    /// (`MCPFN_STATE_KEY`)
    ///
    /// # Errors
    /// When there is no key, or one is not 32 bytes of Base64. The error does not contain the text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let key = |part: &str| {
            STANDARD
                .decode(part.trim())
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        };
        text.split(',')
            .map(key)
            .collect::<Option<Vec<_>>>()
            .filter(|keys| !keys.is_empty())
            .map(Self)
            .ok_or(KeyError)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

/// A text that is not a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a state key is 32 random bytes in Base64 (make one with `openssl rand -base64 \
            32`); several are separated by commas, the newest first",
        )
    }
}

impl std::error::Error for KeyError {}

/// What a token is bound to: who calls, and what.
#[derive(Debug)]
pub(crate) struct Binding(Vec<u8>);

impl Binding {
    pub(crate) fn new(
        server: &str,
        principal: &str,
        method: &str,
        target: &str,
        arguments: &[u8],
    ) -> Self {
        let mut bytes = Vec::with_capacity(arguments.len() + target.len() + 64);
        for part in [
            server.as_bytes(),
            principal.as_bytes(),
            method.as_bytes(),
            target.as_bytes(),
            arguments,
        ] {
            // lengths first, so that no two different lists of parts give the same bytes
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }
}

// The expiry is inside the ciphertext, where a client can't extend it.
#[derive(Serialize)]
struct Sealed<'a> {
    expires_ms: u64,
    state: &'a Value,
}

#[derive(Deserialize)]
struct Opened {
    expires_ms: u64,
    state: Value,
}

impl Keyring {
    pub(crate) fn seal(
        &self,
        state: &Value,
        expires_ms: u64,
        binding: &Binding,
        random: &dyn Random,
    ) -> Result<String, Error> {
        let internal = || Error::internal("the request state could not be sealed");
        let plain = serde_json::to_vec(&Sealed { expires_ms, state }).map_err(|_| internal())?;
        let sealed = self.encrypt(&plain, binding, random).ok_or_else(internal)?;
        let mut token = Vec::with_capacity(1 + sealed.len());
        // so that a later version may change the cipher, and still know what an older one wrote
        token.push(VERSION);
        token.extend_from_slice(&sealed);
        let token = URL_SAFE_NO_PAD.encode(token);
        // what could not be opened again is refused while its handler can still be blamed
        if token.len() > MAX_LENGTH {
            return Err(Error::internal(
                "the request state is too large to travel through the client",
            ));
        }
        Ok(token)
    }

    /// One error for every reason, so that a forger learns nothing; expiry is told apart because
    /// honest clients meet it.
    pub(crate) fn open(&self, token: &str, now_ms: u64, binding: &Binding) -> Result<Value, Error> {
        let refused = || {
            Error::invalid_params(
                "`requestState` is not one that this server gave for this call: start the call \
                 again without it",
            )
        };
        // before it is decoded: a long text costs nothing
        if token.len() > MAX_LENGTH {
            return Err(refused());
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let [VERSION, rest @ ..] = token.as_slice() else {
            return Err(refused());
        };
        let plain = self.decrypt(rest, binding).ok_or_else(refused)?;
        let opened: Opened = serde_json::from_slice(&plain).map_err(|_| refused())?;
        if opened.expires_ms <= now_ms {
            return Err(Error::invalid_params(
                "`requestState` has expired: start the call again without it",
            ));
        }
        Ok(opened.state)
    }
}

impl Keyring {
    /// The nonce, and behind it the ciphertext with its tag.
    pub(crate) fn encrypt(
        &self,
        plain: &[u8],
        binding: &Binding,
        random: &dyn Random,
    ) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce);
        let cipher = XChaCha20Poly1305::new(self.0.first()?.into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload(plain, binding));
        Some([&nonce[..], &sealed.ok()?].concat())
    }

    /// What was encrypted under the same binding by any of the keys: instances with old and new ones
    /// overlap during a rotation.
    pub(crate) fn decrypt(&self, encrypted: &[u8], binding: &Binding) -> Option<Vec<u8>> {
        let (nonce, sealed) = encrypted.split_first_chunk::<NONCE>()?;
        self.0.iter().find_map(|key| {
            let cipher = XChaCha20Poly1305::new(key.into());
            let opened = cipher.decrypt(&XNonce::from(*nonce), payload(sealed, binding));
            opened.ok()
        })
    }
}

fn payload<'a>(msg: &'a [u8], binding: &'a Binding) -> Payload<'a, 'a> {
    let aad = &binding.0;
    Payload { msg, aad }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::canonical;
    use proptest::prelude::*;
    use serde_json::json;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn random() -> Counting {
        Counting(std::sync::atomic::AtomicU8::new(0))
    }

    fn binding(principal: &str, arguments: &Value) -> Binding {
        Binding::new(
            "shop",
            principal,
            "tools/call",
            "pay",
            &canonical(arguments),
        )
    }

    #[test]
    fn state_comes_back_to_the_same_call_only() {
        let keys = Keyring::new([7; 32]);
        let here = binding("alice", &json!({"a": 1, "b": [true]}));
        let token = keys
            .seal(&json!({"step": 2}), 1_000, &here, &random())
            .unwrap();
        assert_eq!(keys.open(&token, 999, &here).unwrap(), json!({"step": 2}));
        let same: Value = serde_json::from_str(r#"{ "b":[ true ], "a":1 }"#).unwrap();
        assert!(
            keys.open(&token, 999, &binding("alice", &same)).is_ok(),
            "key order and spaces do not matter"
        );
        assert!(
            keys.open(&token, 999, &binding("mallory", &same)).is_err(),
            "another principal"
        );
        assert!(
            keys.open(&token, 999, &binding("alice", &json!({"a": 2})))
                .is_err(),
            "other arguments"
        );
        assert!(
            keys.open(&token, 1_000, &here)
                .unwrap_err()
                .message
                .contains("expired")
        );
    }

    #[test]
    fn keys_rotate() {
        let here = binding("alice", &json!({}));
        let old = Keyring::new([1; 32])
            .seal(&json!(1), 10, &here, &random())
            .unwrap();
        assert!(
            Keyring::new([2; 32])
                .and_old([1; 32])
                .open(&old, 0, &here)
                .is_ok()
        );
        assert!(Keyring::new([2; 32]).open(&old, 0, &here).is_err());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let keys = Keyring::new([7; 32]);
        let here = binding("alice", &json!({}));
        let token = keys.seal(&json!("secret"), 10, &here, &random()).unwrap();
        assert!(!token.contains("secret"));
        for position in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(keys.open(&forged, 0, &here).is_err(), "byte {position}");
        }
        for forged in [
            "",
            "AQ",
            &format!("{token}-TAMPERED"),
            &token[..token.len() - 4],
            &"A".repeat(1_000_000),
        ] {
            assert!(keys.open(forged, 0, &here).is_err());
        }
    }

    #[test]
    fn keys_are_read_from_text_and_never_shown() {
        let text = format!("{}, {}", STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        assert_eq!(
            format!("{:?}", Keyring::parse(&text).unwrap()),
            "Keyring(2 keys)"
        );
        assert!(Keyring::parse("").is_err());
        assert!(Keyring::parse("c2hvcnQ=").is_err());
    }

    proptest! {
        #[test]
        fn any_token_is_refused_quietly(token in "[A-Za-z0-9_-]{0,200}") {
            let opened = Keyring::new([7; 32]).open(&token, 0, &binding("a", &json!({})));
            prop_assert!(opened.is_err());
        }

        #[test]
        fn any_state_survives(text in ".{0,80}", number: i64) {
            let keys = Keyring::new([9; 32]);
            let here = binding("a", &json!({}));
            let state = json!({"t": text, "n": number});
            let token = keys.seal(&state, 5, &here, &random()).unwrap();
            prop_assert_eq!(keys.open(&token, 4, &here).unwrap(), state);
        }
    }
}
