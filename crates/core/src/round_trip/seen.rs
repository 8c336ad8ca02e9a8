//! What a client has been told of changes, as the id of an event: sealed, because it comes back from
//! the client (`Last-Event-ID`), and bound to its session and caller. Knows no store.
//!
//! Inside are, for each resource, 8 characters of its key and 8 bytes of its state. One that can't be
//! opened counts as none, and its client hears of changes once more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::seal::{Binding, Keyring};
use crate::port::runtime::Random;

/// Bytes of a key, and of a state.
const PART: usize = 8;
/// Most characters of an id: no header of a client is decoded beyond this.
const MOST: usize = 4096;

/// Whose events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionEvents<'a> {
    pub(crate) server: &'a str,
    /// [`Principal::key`](crate::Principal::key).
    pub(crate) principal: &'a str,
    pub(crate) session: &'a str,
}

/// States by the keys of their resources.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenStates(Vec<u8>);

impl SeenStates {
    pub(crate) fn add(&mut self, key: &str, state: u64) {
        if let Some(start) = key.as_bytes().first_chunk::<PART>() {
            self.0.extend_from_slice(start);
            self.0.extend_from_slice(&state.to_be_bytes());
        }
    }

    /// The state in which a client has seen a resource, if it is among these.
    pub(crate) fn find(&self, key: &str) -> Option<u64> {
        let start = key.as_bytes().first_chunk::<PART>()?;
        let (pairs, _) = self.0.as_chunks::<{ 2 * PART }>();
        let pair = pairs.iter().find(|pair| pair.starts_with(start))?;
        Some(u64::from_be_bytes(*pair.last_chunk()?))
    }
}

impl SessionEvents<'_> {
    /// An id of visible ASCII. `None` without a key to seal it.
    pub(crate) fn write(
        self,
        seen: &SeenStates,
        keys: &Keyring,
        random: &dyn Random,
    ) -> Option<String> {
        let sealed = keys.encrypt(&seen.0, &self.binding(), random)?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What is behind an id; `None` for one that this server did not give this session of this
    /// caller.
    pub(crate) fn read(self, id: &str, keys: &Keyring) -> Option<SeenStates> {
        if id.len() > MOST {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(id).ok()?;
        keys.decrypt(&sealed, &self.binding()).map(SeenStates)
    }

    fn binding(self) -> Binding {
        Binding::new(self.server, self.principal, "events", self.session, b"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::runtime::Seeded;
    use proptest::prelude::*;

    const HERE: SessionEvents<'static> = SessionEvents {
        server: "shop",
        principal: "jwt:alice",
        session: "1.2025-11-25.0.A",
    };

    #[test]
    fn an_id_is_read_by_its_own_session_only() {
        let keys = Keyring::new([1; 32]);
        let mut seen = SeenStates::default();
        seen.add("key-of-one-resource", u64::MAX);
        seen.add("another-key", 0);
        let id = HERE.write(&seen, &keys, &Seeded(7)).unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()));
        let read = HERE.read(&id, &keys).unwrap();
        assert_eq!(read.find("key-of-one-resource"), Some(u64::MAX));
        assert_eq!(read.find("another-key"), Some(0));
        assert_eq!(read.find("a-third-key"), None);
        assert_eq!(HERE.read(&id, &Keyring::new([2; 32])), None);
        let (server, principal, session) = ("bank", "jwt:mallory", "1.2025-11-25.0.B");
        for other in [
            SessionEvents { server, ..HERE },
            SessionEvents { principal, ..HERE },
            SessionEvents { session, ..HERE },
        ] {
            assert_eq!(other.read(&id, &keys), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_other_text_is_an_id(change in 0_usize..74, to in "[A-Za-z0-9_=.-]", any in ".{0,80}") {
            let keys = Keyring::new([1; 32]);
            let mut seen = SeenStates::default();
            seen.add("key-of-one-resource", 7);
            let id = HERE.write(&seen, &keys, &Seeded(7)).unwrap();
            let mut changed = id.clone();
            changed.replace_range(change..=change, &to);
            prop_assert_eq!(HERE.read(&changed, &keys).is_some(), changed == id);
            prop_assert_eq!(HERE.read(&any, &keys), None);
        }
    }
}
