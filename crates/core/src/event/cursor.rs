//! Where a client is in an event, as a text that only this server can write or read, for this caller,
//! this event and these arguments. One that can't be read is as good as one from long ago.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::port::EventPosition;
use crate::port::runtime::Random;
use crate::round_trip::{Binding, Keyring};

/// Most characters of a cursor: nothing longer is decoded.
const MOST: usize = 8 * 1024;
/// Most bytes of an author's own.
pub(crate) const OWN_BYTES: usize = 4 * 1024;

/// Where a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventCursor {
    /// Behind this position of the log.
    At(EventPosition),
    /// As the author's function says.
    Own(String),
}

/// What a cursor is good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CursorScope<'a> {
    pub(crate) server: &'a str,
    /// [`Principal::key`](crate::Principal::key).
    pub(crate) principal: &'a str,
    pub(crate) event: &'a str,
    /// In one spelling.
    pub(crate) arguments: &'a [u8],
}

impl EventCursor {
    /// Nothing without a key, or for an author's cursor that is too long.
    pub(crate) fn write(
        &self,
        scope: CursorScope<'_>,
        keys: &Keyring,
        random: &dyn Random,
    ) -> Option<String> {
        let plain = match self {
            Self::At(position) => [b"p", &position.number().to_be_bytes()[..]].concat(),
            Self::Own(own) if own.len() > OWN_BYTES => return None,
            Self::Own(own) => [b"o", own.as_bytes()].concat(),
        };
        let sealed = keys.encrypt(&plain, &scope.binding(), random)?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    pub(crate) fn read(text: &str, scope: CursorScope<'_>, keys: &Keyring) -> Option<Self> {
        if text.len() > MOST {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = keys.decrypt(&sealed, &scope.binding())?;
        match plain.split_first()? {
            (b'p', position) => {
                let number = u64::from_be_bytes(position.try_into().ok()?);
                Some(Self::At(EventPosition::from_number(number)))
            }
            (b'o', own) => Some(Self::Own(String::from_utf8(own.to_vec()).ok()?)),
            _ => None,
        }
    }
}

impl CursorScope<'_> {
    fn binding(self) -> Binding {
        let (server, principal) = (self.server, self.principal);
        Binding::new(
            server,
            principal,
            "events/cursor",
            self.event,
            self.arguments,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::runtime::Seeded;
    use proptest::prelude::*;

    const HERE: CursorScope<'static> = CursorScope {
        server: "shop",
        principal: "jwt:alice",
        event: "order.created",
        arguments: b"{}",
    };

    fn keys() -> Keyring {
        Keyring::new([7; 32])
    }

    #[test]
    fn a_cursor_is_read_for_its_own_caller_event_and_arguments_only() {
        for cursor in [
            EventCursor::At(EventPosition::at(1_785_196_800_000)),
            EventCursor::Own("page 7".to_owned()),
        ] {
            let text = cursor.write(HERE, &keys(), &Seeded(1)).unwrap();
            assert_eq!(EventCursor::read(&text, HERE, &keys()), Some(cursor));
            let (server, principal) = ("bank", "jwt:mallory");
            let (event, arguments) = ("order.paid", &b"{\"a\":1}"[..]);
            for other in [
                CursorScope { server, ..HERE },
                CursorScope { principal, ..HERE },
                CursorScope { event, ..HERE },
                CursorScope { arguments, ..HERE },
            ] {
                assert_eq!(EventCursor::read(&text, other, &keys()), None, "{other:?}");
            }
            let others = Keyring::new([8; 32]);
            assert_eq!(EventCursor::read(&text, HERE, &others), None);
        }
        let long = EventCursor::Own("x".repeat(OWN_BYTES + 1));
        assert_eq!(long.write(HERE, &keys(), &Seeded(1)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_cursor_from_long_ago(text in ".{0,200}") {
            prop_assert_eq!(EventCursor::read(&text, HERE, &keys()), None);
        }
    }
}
