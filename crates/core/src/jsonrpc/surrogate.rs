//! Half of a character that JSON writes as two escapes. Its grammar allows one; no text has it, and
//! what reads texts calls it by other names. Runs only for what is refused.

use serde_json::value::RawValue;

use super::error::Error;

/// Why a value is refused: for half a character in it, or else for what is said.
pub(crate) fn refused(place: &str, raw: &RawValue, otherwise: impl Into<String>) -> Error {
    Error::invalid_params(match lone(raw.get()) {
        Some(_) => sentence(place),
        None => otherwise.into(),
    })
}

pub(super) fn sentence(place: &str) -> String {
    format!(
        "{place} has half of a surrogate pair, which is no character: write both halves, or the \
         character itself"
    )
}

/// The byte where an escape of one half begins, in valid JSON.
pub(super) fn lone(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    let escape = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(next) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let start = at + next;
        at = match escape(start) {
            Some(0xd800..=0xdbff) if matches!(escape(start + 6), Some(0xdc00..=0xdfff)) => {
                start + 12
            }
            Some(0xd800..=0xdfff) => return Some(start),
            Some(_) => start + 6,
            None => start + 2,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_found_and_whole_ones_are_not() {
        for (json, at) in [
            (r#""a\ud83d""#, Some(2)),
            (r#""\udc00\ud83d\ude00""#, Some(1)),
            (r#""\ud83d\ud83d\ude00""#, Some(1)),
            (r#""\ud83dx\ude00""#, Some(1)),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(3)),
            (r#""\u00e9\n""#, None),
            (r#"{"ü\\":1}"#, None),
            ("7", None),
        ] {
            assert_eq!(lone(json), at, "{json}");
        }
    }
}
