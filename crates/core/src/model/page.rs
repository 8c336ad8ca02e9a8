//! Cursors of paginated lists (server/utilities/pagination): opaque, stateless, bound to one list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::jsonrpc::Error;

/// A position in a list that any instance of the same server understands.
///
/// Inside: 8 bytes that name the list (its kind and its entries) and 4 bytes of page number. It
/// carries no right and no secret; a forged one can only ask for a page that any caller may ask
/// for, or be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) list: u64,
    pub(crate) page: u32,
}

impl Cursor {
    pub(crate) fn write(self) -> String {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.list.to_be_bytes());
        bytes[8..].copy_from_slice(&self.page.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list with `pages` pages.
    pub(crate) fn read(text: &str, list: u64, pages: usize) -> Result<usize, Error> {
        let invalid = || {
            Error::invalid_params("`cursor` is not one of this list: start again without a cursor")
        };
        // decoding into a fixed buffer: a cursor of megabytes costs nothing
        let mut bytes = [0; 12];
        let length = URL_SAFE_NO_PAD
            .decode_slice(text, &mut bytes)
            .map_err(|_| invalid())?;
        let (&[a, b, c, d, e, f, g, h, i, j, k, l], 12) = (&bytes, length) else {
            return Err(invalid());
        };
        let cursor = Self {
            list: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            page: u32::from_be_bytes([i, j, k, l]),
        };
        match usize::try_from(cursor.page) {
            Ok(page) if cursor.list == list && page > 0 && page < pages => Ok(page),
            _ => Err(invalid()),
        }
    }
}

/// Names a list by what is in it (FNV-1a, 64 bits): a new deployment with other entries has other
/// cursors.
pub(crate) fn identity<'a>(kind: &'a str, names: impl Iterator<Item = &'a str>) -> u64 {
    // no cryptographic hash is needed: a forged cursor asks for a page that its sender may see
    // anyway
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in std::iter::once(kind).chain(names) {
        for byte in part.bytes().chain(std::iter::once(0)) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_round_trip(list: u64, page in 1u32..500) {
            prop_assert_eq!(Cursor::read(&Cursor { list, page }.write(), list, 500).unwrap(), page as usize);
        }

        #[test]
        fn any_text_is_refused_or_read(text in ".{0,64}") {
            let _ = Cursor::read(&text, 7, 10);
        }
    }

    #[test]
    fn cursors_of_other_lists_and_pages_are_refused() {
        let cursor = Cursor { list: 1, page: 3 };
        assert!(Cursor::read(&cursor.write(), 2, 10).is_err());
        assert!(Cursor::read(&cursor.write(), 1, 3).is_err());
        assert!(Cursor::read(&Cursor { list: 1, page: 0 }.write(), 1, 3).is_err());
        assert!(Cursor::read("", 1, 3).is_err());
        assert!(Cursor::read(&"A".repeat(1_000_000), 1, 3).is_err());
    }
}
