//! Which texts can be the name of a caller, in every record of what it does.

use mcpfn_core::text;

/// Most bytes of a subject: it goes into every record.
const MAX_SUBJECT: usize = 512;

/// Whether a text can be a caller's name: not empty, of a bounded length, and without characters
/// that would change how a line of the log is shown.
pub(crate) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_SUBJECT && !text.chars().any(is_deceptive)
}

/// Line and paragraph separators, and what people do not see.
fn is_deceptive(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}') || text::is_hidden(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are() {
        for name in ["alice", "Zoë Ångström", "auth0|5f7c", "\u{5d0}\u{5d1}"] {
            assert!(is_name(name), "{name}");
        }
        assert!(is_name(&"a".repeat(512)));
        assert!(!is_name(&"a".repeat(513)));
        for name in ["", "a\nb", "a\u{85}", "a\u{2028}", "a\u{2029}b"] {
            assert!(!is_name(name), "{name:?}");
        }
        for mark in [
            '\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}', '\u{feff}', '\u{200b}',
        ] {
            assert!(!is_name(&format!("a{mark}b")), "{mark:?}");
        }
    }
}
