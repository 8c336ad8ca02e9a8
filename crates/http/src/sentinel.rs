//! The Base64 sentinel: how a header carries a text that headers can't (`=?base64?...?=`).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text that a header value stands for. `None` when it has characters that a header may not
/// have, or is a broken sentinel.
///
/// A value without the exact prefix and suffix is literal.
#[must_use]
pub fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    if !text
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return None;
    }
    match text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        None => Some(Cow::Borrowed(text)),
        Some(payload) => String::from_utf8(STANDARD.decode(payload).ok()?)
            .ok()
            .map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sentinels_and_literals() {
        assert_eq!(decode(b"=?base64?SGVsbG8=?=").as_deref(), Some("Hello"));
        assert_eq!(decode(b" padded\t").as_deref(), Some("padded"));
        assert_eq!(decode(b"SGVsbG8=").as_deref(), Some("SGVsbG8="));
        assert_eq!(
            decode(b"=?base64?SGVsbG8=").as_deref(),
            Some("=?base64?SGVsbG8=")
        );
        assert_eq!(
            decode(b"=?BASE64?SGVsbG8=?=").as_deref(),
            Some("=?BASE64?SGVsbG8=?=")
        );
        assert_eq!(decode(b"=?base64??=").as_deref(), Some(""));
    }

    #[test]
    fn broken_ones_are_refused() {
        for value in [
            &b"=?base64?SGVsbG8?="[..],
            b"=?base64?SGVs!!!bG8=?=",
            b"=?base64?/w==?=",
            b"caf\xc3\xa9",
            b"a\x01b",
        ] {
            assert_eq!(decode(value), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_handled(value: Vec<u8>) {
            let _ = decode(&value);
        }

        #[test]
        fn any_text_survives(text: String) {
            let encoded = format!("=?base64?{}?=", STANDARD.encode(&text));
            let decoded = decode(encoded.as_bytes());
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }
    }
}
