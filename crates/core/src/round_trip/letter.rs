//! Where the answer to a question goes that was asked on the stream of a call: the question's id is
//! its address. Knows no store; who asks, and who waits, is `dispatch/ask`.
//!
//! An id is `q.` and the unpadded URL-safe Base64 of `nonce (24) | Poly1305 tag (16)`: nothing is
//! encrypted, and only an instance with this server's keys can have made it, for this caller. So an
//! answer needs no list of open questions, and one to a made-up id costs no request to a store.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::seal::{Binding, Keyring};
use crate::canonical::digest_key;
use crate::port::runtime::Random;

const PREFIX: &str = "q.";
/// Bytes of a nonce and a tag.
const LENGTH: usize = 40;

/// A question's id, and the key in a store under which its answer is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As it stands in a message, without quotes: no character of it needs an escape.
    pub(crate) id: String,
    pub(crate) key: String,
}

/// Whose questions: of this server, to this caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Correspondence<'a> {
    pub(crate) server: &'a str,
    /// [`Principal::key`](crate::Principal::key).
    pub(crate) principal: &'a str,
}

impl Correspondence<'_> {
    /// A new address. `None` without a key to seal it.
    pub(crate) fn open(self, keys: &Keyring, random: &dyn Random) -> Option<Address> {
        let sealed = keys.encrypt(b"", &self.binding(), random)?;
        Some(self.address(&sealed))
    }

    /// The address behind an id, given as JSON text; `None` for one that this server did not give
    /// this caller.
    pub(crate) fn find(self, keys: &Keyring, id: &str) -> Option<Address> {
        let inside = id.strip_prefix('"')?.strip_suffix('"')?;
        let sealed = URL_SAFE_NO_PAD.decode(inside.strip_prefix(PREFIX)?).ok()?;
        let ours = sealed.len() == LENGTH && keys.decrypt(&sealed, &self.binding()).is_some();
        ours.then(|| self.address(&sealed))
    }

    fn address(self, sealed: &[u8]) -> Address {
        let parts: [&[u8]; 4] = [
            b"letter",
            self.server.as_bytes(),
            self.principal.as_bytes(),
            sealed,
        ];
        Address {
            id: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)),
            key: digest_key(&parts),
        }
    }

    fn binding(self) -> Binding {
        Binding::new(self.server, self.principal, "letter", "", b"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::runtime::Seeded;
    use proptest::prelude::*;

    const HERE: Correspondence<'static> = Correspondence {
        server: "shop",
        principal: "jwt:alice",
    };

    fn quoted(address: &Address) -> String {
        format!("\"{}\"", address.id)
    }

    #[test]
    fn an_answer_finds_the_address_of_its_own_caller_only() {
        let (old, new) = (Keyring::new([1; 32]), Keyring::new([2; 32]));
        let address = HERE.open(&old, &Seeded(7)).unwrap();
        assert_eq!(HERE.find(&old, &quoted(&address)), Some(address.clone()));
        let rotated = new.clone().and_old([1; 32]);
        assert_eq!(
            HERE.find(&rotated, &quoted(&address)),
            Some(address.clone())
        );
        assert_eq!(
            HERE.find(&new, &quoted(&address)),
            None,
            "another server's keys"
        );
        let (server, principal) = ("shop", "jwt:mallory");
        for other in [
            Correspondence { principal, ..HERE },
            Correspondence {
                server: "bank",
                ..HERE
            },
            Correspondence {
                server,
                principal: "",
            },
        ] {
            assert_eq!(other.find(&old, &quoted(&address)), None, "{other:?}");
        }
        let another = HERE.open(&old, &Seeded(8)).unwrap();
        assert!(another.id != address.id && another.key != address.key);
    }

    proptest! {
        #[test]
        fn no_other_text_is_an_address(change in 0_usize..54, to in "[A-Za-z0-9_=.\"-]", any in ".{0,80}") {
            let keys = Keyring::new([1; 32]);
            let id = HERE.open(&keys, &Seeded(7)).unwrap().id;
            let mut changed = id.clone();
            changed.replace_range(change..=change, &to);
            let same = changed == id;
            prop_assert_eq!(HERE.find(&keys, &format!("\"{changed}\"")).is_some(), same);
            for text in [any.clone(), format!("\"{any}\""), id, "7".to_owned()] {
                prop_assert_eq!(HERE.find(&keys, &text), None);
            }
        }
    }
}
